"""What a calibration tried, as files to look at: tables as CSV and text, curves as pictures."""

from __future__ import annotations

from pathlib import Path

from watchword.evaluation.calibrate.grid import Grid
from watchword.evaluation.calibrate.sweep import Sweep
from watchword.evaluation.report.boxes import box
from watchword.evaluation.report.csv_files import file_names, write_csv
from watchword.output.atomic import new_folder
from watchword.run.calibrating import Calibrated

MARK = "calibration.txt"


def write_calibration_files(done: Calibrated, folder: Path, *, overwrite: bool = False) -> Path:
    """A folder with ``calibration.txt``, a CSV a table and a PNG a sweep or grid; returns it.

    Raises:
        OutputError: the folder is taken; no space, no permission.
    """
    with new_folder(folder, mark=MARK, ours=_is_ours, overwrite=overwrite) as to:
        text = "\n\n".join([*(box(table) for table in done.tables), done.calibration.sentence])
        (to / MARK).write_text(text + "\n", encoding="utf-8")
        for name, table in zip(file_names([t.name for t in done.tables]), done.tables, strict=True):
            write_csv(table, to / f"{name}.csv")
        sweeps = tuple(done.sweeps.items())
        for name, (title, swept) in zip(
            file_names([f"sweep_{name}" for name, _ in sweeps]), sweeps, strict=True
        ):
            (to / f"{name}.png").write_bytes(_sweep_picture(title, swept))
        if done.grid is not None:
            (to / "grid.png").write_bytes(_grid_picture(done.grid))
            (to / "confusion.png").write_bytes(_confusion_picture(done.grid))
    return folder


def _is_ours(name: str) -> bool:
    return name == MARK or name.endswith((".csv", ".png"))


def _sweep_picture(title: str, swept: Sweep) -> bytes:
    # Here, because matplotlib takes longer to load than all the rest to write.
    from watchword.output.charts import Line, chart_lines

    curves = swept.curves()
    return chart_lines(
        [Line(curve.title, curve.x, curve.y) for curve in curves],
        title=f"Threshold sweep, {title} ({swept.videos} videos)",
        x_title="threshold",
        marks=[mark for curve in curves for mark in curve.marks],
    )


def _grid_picture(found: Grid) -> bytes:
    from watchword.output.charts import chart_grid

    return chart_grid(
        found.values,
        found.segment_thresholds.tolist(),
        found.share_thresholds.tolist(),
        title=found.objective.words.replace("windows", "videos"),
        row_title="segment threshold",
        column_title="share threshold",
        best=found.best,
    )


def _confusion_picture(found: Grid) -> bytes:
    from watchword.output.charts import chart_confusion

    return chart_confusion(found.confusion, title="Videos at the best pair")
