"""The pictures of an evaluation as PNG files, for papers and slides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from watchword.evaluation.report import drawing
from watchword.evaluation.report.csv_files import file_names
from watchword.evaluation.report.standing import standings
from watchword.evaluation.report.thinning import thin_curve, thin_lane
from watchword.evaluation.result import BASELINES, Cell, Curve, Evaluation, Table
from watchword.output.charts import (
    Line,
    Track,
    chart_bars,
    chart_confusion,
    chart_lines,
    chart_tracks,
)

# Of the numbers that a table per type holds, the first of these is drawn.
_DRAWN = ("auc", "f1", "event_recall", "recall")


def write_plots(evaluation: Evaluation, folder: Path) -> None:
    """A PNG a picture in ``folder``: figures beside baselines, curves, matrices, types, videos."""
    pictures = [
        *_figures(evaluation),
        *_curves(evaluation.curves),
        *(
            (f"confusion_{level}", chart_confusion(counts, title=f"{level} level"))
            for level, counts in evaluation.confusions.items()
        ),
        *_types(evaluation.tables),
        *_videos(evaluation),
    ]
    if pictures:
        folder.mkdir(parents=True, exist_ok=True)
    for name, (_, picture) in zip(
        file_names([name for name, _ in pictures]), pictures, strict=True
    ):
        (folder / f"{name}.png").write_bytes(picture)


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, bytes]]:
    shown = [gauge.standing.figure for gauge in drawing.gauges(standings(evaluation))]
    if not shown:
        return
    there = [name for name in BASELINES if any(f.baselines.get(name) is not None for f in shown)]
    yield (
        "figures",
        chart_bars(
            [f"{figure.title} ({figure.level})" for figure in shown],
            _numbers(figure.value for figure in shown),
            low=_numbers(figure.low for figure in shown),
            high=_numbers(figure.high for figure in shown),
            baselines={name: _numbers(f.baselines.get(name) for f in shown) for name in there},
            title="Beside what knows nothing of the picture",
        ),
    )


def _curves(curves: Iterable[Curve]) -> Iterator[tuple[str, bytes]]:
    """A picture a curve; those of one family, as sweep_f1 and sweep_iou, share theirs."""

    def family(curve: Curve) -> tuple[str, str]:
        return curve.name.partition("_")[0], curve.x_title

    for (name, x_title), group in groupby(sorted(curves, key=family), key=family):
        members = [curve for curve in map(thin_curve, group) if len(curve.x)]
        if not members:
            continue
        alone = len(members) == 1
        yield (
            name,
            chart_lines(
                [Line(curve.title, curve.x, curve.y) for curve in members],
                title=members[0].title if alone else "",
                x_title=x_title,
                y_title=members[0].y_title if alone else "",
                marks=[mark for curve in members for mark in curve.marks],
                chance=members[0].chance,
            ),
        )


def _types(tables: Iterable[Table]) -> Iterator[tuple[str, bytes]]:
    for table in tables:
        places = {name.lower(): place for place, name in enumerate(table.columns)}
        drawn = next((name for name in _DRAWN if name in places), None)
        if table.name != "per_type" or drawn is None or not table.rows:
            continue
        place = places[drawn]
        yield (
            table.name,
            chart_bars(
                [str(row[0]) for row in table.rows],
                _numbers(row[place] for row in table.rows),
                title=table.title,
                x_title=table.columns[place],
            ),
        )


def _videos(evaluation: Evaluation) -> Iterator[tuple[str, bytes]]:
    thin = [thin_lane(lane) for lane in evaluation.lanes if len(lane.values)]
    if thin:
        tracks = [Track(t.video, t.edges_s, t.values, t.truth_s, t.found_s) for t in thin]
        yield "timelines", chart_tracks(tracks, threshold=evaluation.threshold)


def _numbers(cells: Iterable[Cell]) -> list[float]:
    return [float(cell) if isinstance(cell, (int, float)) else np.nan for cell in cells]
