"""What fitting a head showed, as files: tables as CSV and text, learning curves as pictures."""

from __future__ import annotations

from pathlib import Path

from watchword.evaluation.report.boxes import box
from watchword.evaluation.report.csv_files import file_names, write_csv
from watchword.output.atomic import new_folder
from watchword.run.fitting import fit_tables
from watchword.train.head import FitResult, LabelFit

MARK = "fit.txt"


def write_fit_files(result: FitResult, folder: Path, *, overwrite: bool = False) -> Path:
    """A folder with ``fit.txt``, a CSV a table and a PNG a learning curve; returns it.

    Raises:
        OutputError: the folder is taken; no space, no permission.
    """
    tables = fit_tables(result)
    drawn = [fit for fit in result.labels if fit.curve]
    with new_folder(folder, mark=MARK, ours=_is_ours, overwrite=overwrite) as to:
        said = [*map(box, tables), *(fit.verdict for fit in result.labels), *result.notes]
        (to / MARK).write_text("\n\n".join(said) + "\n", encoding="utf-8")
        for name, table in zip(file_names([t.name for t in tables]), tables, strict=True):
            write_csv(table, to / f"{name}.csv")
        for name, fit in zip(file_names([f"{f.label}-curve" for f in drawn]), drawn, strict=True):
            (to / f"{name}.png").write_bytes(_curve_picture(fit))
    return folder


def _is_ours(name: str) -> bool:
    return name == MARK or name.endswith((".csv", ".png"))


def _curve_picture(fit: LabelFit) -> bytes:
    # Here, because matplotlib takes longer to load than all the rest to write.
    from watchword.output.charts import Line, chart_lines

    labels = [point.labels for point in fit.curve]
    mean = [point.mean for point in fit.curve]
    low = [point.mean - point.spread for point in fit.curve]
    high = [point.mean + point.spread for point in fit.curve]
    return chart_lines(
        [Line("head", labels, mean, low, high)],
        title=f"{fit.label}: learning curve, mean and sd of draws",
        x_title="labelled examples",
        y_title="AUC on groups left out",
        chance=((labels[0], 0.5), (labels[-1], 0.5)),
    )
