"""Every threshold of a range and what it gives, over all videos, by type of event, or by label.

A sweep is a picture of the data, not a result: its best row was chosen on what it is reported on
(``choose`` is for results). It is seed 1's ``threshold_sweep`` and ``threshold_by_type``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from watchword.evaluation.calibrate.labels import common_labels, of_label
from watchword.evaluation.calibrate.objectives import Objective, Values, localised
from watchword.evaluation.calibrate.thresholds import best_of
from watchword.evaluation.cases import Case
from watchword.evaluation.result import Cell, Curve, Table
from watchword.events.tracker import EventRule
from watchword.types import Scores

Smooth = Callable[[Scores], Scores]
CHOSEN_HERE = "the marked threshold was chosen on this very data"
MEASURES = ("precision", "recall", "f1", "iou", "best_interval_iou")
TITLES: Mapping[str, str] = {
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "iou": "IoU",
    "best_interval_iou": "best-interval IoU",
}


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What each threshold gives.

    Attributes:
        objective: by which the best is marked; it also says whether windows are pooled.
        thresholds: (N,) as tried.
        measures: (N,) by name of MEASURES, NaN where undefined; best_interval_iou is always a mean
            over videos.
        values: (N,) the objective.
        best: index of the best threshold; None if none may be chosen.
        videos: number of videos.
        notes: on videos left out.
    """

    objective: Objective
    thresholds: Values
    measures: Mapping[str, Values]
    values: Values
    best: int | None
    videos: int
    notes: tuple[str, ...] = ()

    @property
    def best_threshold(self) -> float | None:
        """The best threshold; None if none may be chosen."""
        return None if self.best is None else float(self.thresholds[self.best])

    def table(self, name: str = "threshold_sweep", title: str = "Threshold sweep") -> Table:
        """A row a threshold, the best one marked."""
        own = self.objective.name not in MEASURES
        columns = ("threshold", *TITLES.values(), *([self.objective.name] if own else []))
        series = [self.thresholds, *(self.measures[one] for one in MEASURES)]
        series += [self.values] if own else []
        rows = tuple(tuple(map(_cell, row)) for row in zip(*series, strict=True))
        note = f"{self.videos} videos; best by {self.objective.words}; {CHOSEN_HERE}"
        return Table(
            name, title, columns, rows, note="; ".join((note, *self.notes)), best=self.best
        )

    def curves(self) -> tuple[Curve, ...]:
        """A curve a measure over the thresholds; the best is marked on that of the objective."""
        series = dict(self.measures)
        series.setdefault(self.objective.name, self.values)
        return tuple(self._curve(name, values) for name, values in series.items())

    def _curve(self, name: str, values: Values) -> Curve:
        known = ~np.isnan(values)
        marks: tuple[tuple[float, float, str], ...] = ()
        if name == self.objective.name and self.best is not None:
            at = float(self.thresholds[self.best])
            marks = ((at, float(values[self.best]), f"best T = {at:g}"),)
        title = TITLES.get(name, name)
        return Curve(
            f"sweep_{name}", title, "threshold", title, self.thresholds[known], values[known], marks
        )


def sweep(
    cases: Sequence[Case],
    thresholds: Values,
    objective: Objective | None = None,
    *,
    rule: EventRule | None = None,
    smooth: Smooth | None = None,
) -> Sweep:
    """Precision, recall, F1 and both kinds of IoU at each threshold, and the best one.

    Args:
        cases: videos with scores and truth in time.
        thresholds: (N,) as from `threshold_range`.
        objective: by which the best is marked; F1 if not given.
        rule: shape of events, if what lies in events counts as found.
        smooth: what is done to scores before; nothing if not given.

    Raises:
        CalibrationError: no video has both scores and truth in time.
    """
    objective = objective or Objective()
    pooled = replace(objective, pooling="videos" if objective.by_video else "pooled")
    kept, notes = localised(cases)
    if smooth is not None:
        kept = [
            replace(case, scores=smooth(case.scores)) for case in kept if case.scores is not None
        ]
    measures = {
        "best_interval_iou": Objective("best_interval_iou", undefined=objective.undefined),
        "f1": replace(pooled, name="f1"),
        "iou": replace(pooled, name="iou"),
    }
    found = {}
    for name, one in measures.items():
        found[name] = one.value(one.sums(kept, thresholds, rule).sum(axis=0))
    found["precision"], found["recall"] = _precision_recall(objective, kept, thresholds, rule)
    sums = objective.sums(kept, thresholds, rule).sum(axis=0)
    values = objective.value(sums)
    gain = -values if objective.lower_is_better else values
    best = best_of(gain, objective.allowed(sums))
    return Sweep(objective, thresholds, found, values, best, len(kept), notes)


def sweep_by_type(
    cases: Sequence[Case],
    thresholds: Values,
    objective: Objective | None = None,
    *,
    rule: EventRule | None = None,
    smooth: Smooth | None = None,
) -> dict[str, Sweep]:
    """A sweep over the videos of each type, which is the label of a video's longest event.

    Seed 1's ``threshold_by_type``. The type is part of the truth: nobody knows it of a new video,
    so such thresholds show how types differ and cannot be used to detect.
    """
    kept, _ = localised(cases)
    return {
        name: sweep(
            [case for case in kept if case.type == name],
            thresholds,
            objective,
            rule=rule,
            smooth=smooth,
        )
        for name in sorted({case.type for case in kept})
    }


def sweep_by_label(
    cases: Sequence[Case],
    thresholds: Values,
    objective: Objective | None = None,
    *,
    rule: EventRule | None = None,
    smooth: Smooth | None = None,
) -> dict[str, Sweep]:
    """A sweep over the scores and the truth of each label by itself, over all videos.

    Raises:
        CalibrationError: videos have scores of different labels.
    """
    kept, _ = localised(cases)
    return {
        label: sweep(
            [of_label(case, label) for case in kept],
            thresholds,
            objective,
            rule=rule,
            smooth=smooth,
        )
        for label in common_labels(kept)
    }


def best_table(sweeps: Mapping[str, Sweep], *, what: str = "type") -> Table:
    """The best row of each sweep, as seed 1's table of thresholds by type."""
    rows = []
    for name, one in sweeps.items():
        at = [None if one.best is None else one.measures[m][one.best] for m in MEASURES]
        rows.append((name, one.videos, one.best_threshold, *map(_cell, at)))
    return Table(
        f"threshold_by_{what}",
        f"Best threshold by {what}",
        (what, "videos", "threshold", *TITLES.values()),
        tuple(rows),
        note="each threshold was chosen on this very data",
    )


def widened(scores: Scores, windows: int) -> Scores:
    """The highest score within ``windows`` around each window: hits spread to their neighbours.

    Seed 1's "smooth 5" is this with 5: it widens what was found by two frames on both sides, which
    is another thing than the mean its name suggests. Windows that were not measured stay NaN.

    >>> scores = Scores([[1], [0], [0], [3]], [0, 1, 2, 3, 4], ("a",), "cosine")
    >>> widened(scores, 3).values.ravel().tolist()
    [1.0, 1.0, 3.0, 3.0]
    """
    if windows < 1 or windows % 2 == 0:
        raise ValueError(f"windows is {windows}, it must be an odd number from 1")
    known = ~np.isnan(scores.values)
    filled = np.where(known, scores.values, -np.inf)
    padded = np.pad(filled, ((windows // 2,) * 2, (0, 0)), constant_values=-np.inf)
    highest = sliding_window_view(padded, windows, axis=0).max(axis=-1)
    return replace(scores, values=np.where(known, highest, np.nan).astype(np.float32))


def _precision_recall(
    objective: Objective, cases: Sequence[Case], thresholds: Values, rule: EventRule | None
) -> tuple[Values, Values]:
    """(N,) each: pooled, or the mean over videos, as the objective pools."""
    counts = Objective("f1").sums(cases, thresholds, rule)
    if not objective.by_video:
        counts = counts.sum(axis=0, keepdims=True)
    fp, fn, tp = counts[..., 1], counts[..., 2], counts[..., 3]
    zero = objective.by_video and objective.undefined == "zero"
    return _mean(tp, tp + fp, zero=zero), _mean(tp, tp + fn, zero=zero)


def _mean(part: Values, whole: Values, *, zero: bool) -> Values:
    """(N,) mean over videos (V,N) of part / whole; without a whole skipped, or 0."""
    share = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    counted = np.full(part.shape[1], float(len(part))) if zero else (whole > 0).sum(axis=0) * 1.0
    out = np.full(part.shape[1], np.nan)
    np.divide(share.sum(axis=0), counted, out=out, where=counted > 0)
    return out


def _cell(value: float | None) -> Cell:
    return None if value is None or np.isnan(value) else float(value)
