"""Two runs on the same videos: by how much they differ, and whether that could be luck.

Both are resampled with the same draws of videos, so what makes some videos hard for both cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from watchword.errors import DatasetError
from watchword.evaluation.bootstrap import other_sign_p, paired_difference
from watchword.evaluation.evaluate import EvaluationOptions, measure
from watchword.evaluation.levels.part import Replicates
from watchword.evaluation.matching import Cases
from watchword.evaluation.result import Cell, Evaluation, Figure, Level, Table
from watchword.types import Annotation


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two runs.

    Attributes:
        name: the figure's identifier.
        level: what kind of truth it was measured against.
        title: its name for people.
        first: value of the first run; None if it is not defined.
        second: value of the second run.
        difference: second minus first; None where one of them is not defined.
        low: lower end of the paired 95 % interval of the difference; None if there is none.
        high: upper end.
        p: how often chance alone turns the sign, two-sided; None likewise.
        better: whether higher or lower is better.
        unit: as the figure's.
        note: what a reader must know.
    """

    name: str
    level: Level
    title: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    better: str = "higher"
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two runs on the same videos.

    Attributes:
        names: what the two runs are called.
        differences: figure by figure, in the order of the cards.
        per_video: a row a video with the AUC and the IoU of both and their differences.
        first: the first run's card.
        second: the second run's card.
        notes: sentences.
    """

    names: tuple[str, str]
    differences: tuple[Difference, ...]
    per_video: Table
    first: Evaluation
    second: Evaluation
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Difference:
        """The difference of the figure of that name; KeyError names the known ones."""
        for difference in self.differences:
            if difference.name == name:
                return difference
        known = ", ".join(difference.name for difference in self.differences)
        raise KeyError(f"no figure {name!r}; known are {known}")


def compare(
    first: Cases,
    second: Cases,
    options: EvaluationOptions | None = None,
    *,
    second_options: EvaluationOptions | None = None,
    names: tuple[str, str] = ("A", "B"),
) -> Comparison:
    """By how much the second run differs from the first.

    Args:
        first: the first run's cases.
        second: the second run's cases, of the same videos and truth.
        options: how figures are measured.
        second_options: for the second run, where its threshold is another; resamples, seed, unit
            and padding must be those of the first.
        names: what the two are called.

    Raises:
        DatasetError: the videos or their truth differ; says which.
        ValueError: options that must be equal differ.
    """
    options = options or EvaluationOptions()
    second_options = second_options or options
    for field in ("samples", "seed", "unit", "padding", "tolerance_s"):
        if getattr(options, field) != getattr(second_options, field):
            raise ValueError(f"{field} must be the same for both runs")
    ordered = _same_order(first, second)
    one, other = measure(first, options), measure(ordered, second_options)
    drawn, notes = _shared_draws(first, ordered, one.replicates, other.replicates)
    differences = tuple(
        _difference(figure, other.evaluation[figure.name], drawn)
        for figure in one.evaluation.figures
    )
    return Comparison(
        names,
        differences,
        _per_video(one.evaluation, other.evaluation, names),
        one.evaluation,
        other.evaluation,
        notes,
    )


def _same_order(first: Cases, second: Cases) -> Cases:
    """The second cases in the order of the first."""
    left = {case.annotation.video: case for case in first.cases}
    right = {case.annotation.video: case for case in second.cases}
    only = [f"only in the first: {name!r}" for name in left if name not in right]
    only += [f"only in the second: {name!r}" for name in right if name not in left]
    if only:
        raise DatasetError(
            "comparison",
            f"the two runs are not of the same videos; {'; '.join(only[:5])} "
            f"({len(only)} in all); evaluate both on what they share",
        )
    for name, case in left.items():
        if not _same_truth(case.annotation, right[name].annotation):
            raise DatasetError(
                "comparison", f"the truth of {name!r} differs between the two runs; use one truth"
            )
    return replace(second, cases=tuple(right[name] for name in left))


def _same_truth(one: Annotation, other: Annotation) -> bool:
    def times(truth: Annotation) -> list[tuple[str, float, float]]:
        spans = ((s.label, round(s.start_s, 6), round(s.end_s, 6)) for s in truth.spans)
        return sorted(spans)

    return (
        times(one) == times(other)
        and one.positive == other.positive
        and one.localised == other.localised
        and one.accident_s == other.accident_s
    )


def _shared_draws(
    first: Cases,
    second: Cases,
    one: Mapping[str, Replicates],
    other: Mapping[str, Replicates],
) -> tuple[dict[str, tuple[Replicates, Replicates]], tuple[str, ...]]:
    """Resamples of figures that both have, resample for resample of the same videos."""
    shared = {name: (one[name], other[name]) for name in one if name in other}
    holes = [
        case.name
        for case, twin in zip(first.cases, second.cases, strict=True)
        if (case.scores is None) != (twin.scores is None)
    ]
    if not holes:
        return shared, ()
    note = (
        f"{len(holes)} videos have scores over time in one run only ({', '.join(holes[:5])}): the "
        "two cards do not rest on the same videos."
    )
    return {}, (note,)


def _difference(
    first: Figure, second: Figure, drawn: Mapping[str, tuple[Replicates, Replicates]]
) -> Difference:
    made = Difference(
        first.name,
        first.level,
        first.title,
        first.value,
        second.value,
        None,
        better=first.better,
        unit=first.unit,
        note=first.note,
    )
    if first.value is None or second.value is None:
        why = first.why or second.why
        return replace(made, note=f"not defined in one of the runs: {why}" if why else made.note)
    made = replace(made, difference=second.value - first.value)
    if first.name not in drawn:
        return made
    one, other = drawn[first.name]
    interval = paired_difference(other, one)
    return replace(made, low=interval.low, high=interval.high, p=other_sign_p(other - one))


def _per_video(first: Evaluation, second: Evaluation, names: tuple[str, str]) -> Table:
    rows_of = []
    for evaluation in (first, second):
        tables = [table for table in evaluation.tables if table.name == "per_video"]
        rows_of.append(
            {
                row[0]: dict(zip(table.columns, row, strict=True))
                for table in tables
                for row in table.rows
            }
        )
    one, other = rows_of
    figures = ("auc", "iou", "f1")
    columns = ["video", "type"]
    for figure in figures:
        columns += [f"{figure} {names[0]}", f"{figure} {names[1]}", f"{figure} difference"]
    rows: list[tuple[Cell, ...]] = []
    for video in [video for video in one if video in other]:
        cells: list[Cell] = [video, one[video]["type"]]
        for figure in figures:
            a, b = one[video][figure], other[video][figure]
            gap = b - a if isinstance(a, float) and isinstance(b, float) else None
            cells += [a, b, gap]
        rows.append(tuple(cells))
    return Table(
        "per_video",
        "Each video in both runs",
        tuple(columns),
        tuple(rows),
        note="empty where it is not defined; iou: best single interval",
    )
