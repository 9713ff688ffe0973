"""What a threshold is chosen for, at all thresholds at once, as sums that add up over videos.

An objective keeps for each video and threshold a few numbers whose sum over any videos gives its
value for those videos: leaving a video out is a subtraction, a bootstrap a product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.cases import Case
from watchword.evaluation.metrics.confusion import threshold_counts
from watchword.evaluation.metrics.event import best_interval_iou, match_events
from watchword.events.tracker import EventRule, detect_events
from watchword.types import Event, Scores

Name = Literal[
    "f1",
    "f_beta",
    "youden",
    "iou",
    "best_interval_iou",
    "recall_at_precision",
    "cost",
    "event_f1",
]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a threshold shall be best at.

    - ``f1``, ``f_beta``: of windows.
    - ``youden``: recall + specificity - 1 of windows.
    - ``iou``: windows both true and found, of those that are either.
    - ``best_interval_iou``: seed 1's; each true interval with the found one that fits it best.
    - ``recall_at_precision``: recall of windows, of the thresholds that reach ``precision``.
    - ``cost``: mean cost of a window, lower is better.
    - ``event_f1``: of events, matched one to one from temporal IoU ``tiou``.

    Attributes:
        name: one of these.
        pooling: "pooled" counts the windows (or events) of all videos together; "videos" is the
            mean of the videos' own values, as seed 1 has it. None is videos for best_interval_iou
            and pooled for all others.
        undefined: what a video without a value counts in that mean (as IoU without an event and
            without an alarm): "skip" leaves it out, "zero" counts 0, as seed 1 does.
        beta: of f_beta; above 1 recall weighs more.
        precision: of recall_at_precision.
        false_alarm: of cost, for a window found in vain.
        miss: of cost, for a window missed.
        tiou: of event_f1.
    """

    name: Name = "f1"
    pooling: Literal["pooled", "videos"] | None = None
    undefined: Literal["skip", "zero"] = "skip"
    beta: float = 1.0
    precision: float = 0.9
    false_alarm: float = 1.0
    miss: float = 1.0
    tiou: float = 0.5

    def __post_init__(self) -> None:
        if self.name not in KEPT:
            raise ValueError(f"objective is {self.name!r}, it must be one of {', '.join(KEPT)}")
        if self.name == "best_interval_iou" and self.pooling == "pooled":
            raise ValueError("best_interval_iou is a mean over videos; pooling must be videos")
        if self.name == "recall_at_precision" and self.pooling == "videos":
            raise ValueError("recall_at_precision counts all windows together; pool them")
        for name in ("beta", "precision", "tiou"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0 and (name == "beta" or value <= 1)):
                raise ValueError(
                    f"{name} is {value}, it must be above 0"
                    + ("" if name == "beta" else " and at most 1")
                )
        if not (0 <= self.false_alarm < math.inf and 0 <= self.miss < math.inf):
            raise ValueError("false_alarm and miss must be costs of 0 or more")

    @property
    def by_video(self) -> bool:
        """Whether it is a mean over videos."""
        return (
            self.pooling or ("videos" if self.name == "best_interval_iou" else None)
        ) == "videos"

    @property
    def lower_is_better(self) -> bool:
        """Whether the lowest value is the best."""
        return self.name == "cost"

    @property
    def words(self) -> str:
        """What it is, for people."""
        title = {
            "f1": "F1 of windows",
            "f_beta": f"F{self.beta:g} of windows",
            "youden": "recall + specificity - 1 of windows",
            "iou": "IoU of windows",
            "best_interval_iou": "IoU of each event with the best single interval",
            "recall_at_precision": f"recall of windows at a precision of {self.precision:g}",
            "cost": f"cost of a window (false alarm {self.false_alarm:g}, miss {self.miss:g})",
            "event_f1": f"F1 of events at tIoU {self.tiou:g}",
        }[self.name]
        return f"{title}, {'mean over videos' if self.by_video else 'pooled over videos'}"

    def value(self, sums: Values) -> Values:
        """(...,) the objective, from (..., S) sums over videos; NaN where it is not defined."""
        if self.by_video:
            return _ratio(sums[..., 0], sums[..., 1])
        return _FORMULAS[self.name](self, *np.moveaxis(sums, -1, 0))

    def allowed(self, sums: Values) -> NDArray[np.bool_]:
        """(...,) which may be chosen: all that are defined, and reach the precision asked for."""
        fine = ~np.isnan(self.value(sums))
        if self.name == "recall_at_precision":
            with np.errstate(invalid="ignore"):
                # A precision of exactly 0.9 must not fail for a rounding error.
                fine &= _ratio(sums[..., 3], sums[..., 3] + sums[..., 1]) >= self.precision - 1e-12
        return np.asarray(fine)

    def sums(
        self, cases: Sequence[Case], thresholds: Values, rule: EventRule | None = None
    ) -> Values:
        """(V,N,S) what is kept of each video at each threshold.

        Args:
            cases: V videos with scores and truth in time.
            thresholds: (N,) in any order.
            rule: found is what lies in its events, entered at each threshold; None takes each
                window by itself (and for what is of events, unshaped stretches of any label).
        """
        kept = np.stack([KEPT[self.name](self, case, thresholds, rule) for case in cases])
        if not self.by_video:
            return kept
        if self.name != "best_interval_iou":
            kept = _FORMULAS[self.name](self, *np.moveaxis(kept, -1, 0))[..., None]
        values = kept[..., 0]
        missing = np.isnan(values)
        counted = np.ones_like(values) if self.undefined == "zero" else (~missing).astype(float)
        return np.stack([np.where(missing, 0.0, values), counted], axis=-1)


def localised(cases: Sequence[Case]) -> tuple[list[Case], tuple[str, ...]]:
    """The cases that have scores and truth in time, and notes on those left out.

    Raises:
        CalibrationError: there is none, or they hold different kinds of score.
    """
    kept = [case for case in cases if case.scores is not None and case.annotation.localised]
    notes = []
    if len(kept) < len(cases):
        notes.append(
            f"{len(cases) - len(kept)} of {len(cases)} videos are left out: they have no scores "
            "over time, or are called anomalous without saying when"
        )
    if not kept:
        raise CalibrationError(
            "no video has both scores over time and events with a time; a threshold needs both"
        )
    kinds = sorted({case.scores.kind for case in kept if case.scores is not None})
    if len(kinds) > 1:
        raise CalibrationError(f"scores are of the kinds {', '.join(kinds)}; calibrate one kind")
    return kept, tuple(notes)


def check_classes(cases: Sequence[Case]) -> None:
    """CalibrationError unless there are measured windows both with and without an event."""
    with_event = sum(int(truth.sum()) for truth, _ in map(measured, cases))
    windows = sum(len(truth) for truth, _ in map(measured, cases))
    if 0 < with_event < windows:
        return
    problem = (
        "no measured window"
        if not windows
        else (
            f"all {windows} windows hold an event"
            if with_event
            else f"none of the {windows} windows holds an event"
        )
    )
    raise CalibrationError(
        f"{problem}, so there is nothing to tell apart; give videos with events and stretches "
        "without (for footage without events there is the false-alarm budget)"
    )


def measured(case: Case) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Truth and highest score over labels of the windows that were measured."""
    series = case.series
    known = ~np.isnan(series)
    return case.truth[known], series[known]


def found_at(scores: Scores, threshold: float, rule: EventRule | None) -> tuple[Event, ...]:
    """Events at a threshold: those of the rule, or bare stretches in which any label reaches it."""
    rule = rule or EventRule(union=True)
    low = None if rule.exit is None else min(rule.exit, threshold)
    return detect_events(scores, replace(rule, enter=float(threshold), exit=low))


def _window_counts(
    _objective: Objective, case: Case, thresholds: Values, rule: EventRule | None
) -> Values:
    """(N,4) tn, fp, fn, tp of the windows that were measured."""
    truth, series = measured(case)
    if not len(truth):
        return np.zeros((len(thresholds), 4))
    if rule is None:
        return np.stack(threshold_counts(truth, series, thresholds), axis=-1)
    assert case.scores is not None
    edges = case.scores.edges_s
    middles = ((edges[:-1] + edges[1:]) / 2)[~np.isnan(case.series)]
    counts = np.empty((len(thresholds), 4))
    for number, threshold in enumerate(thresholds):
        hits = np.zeros(len(middles), bool)
        for event in found_at(case.scores, threshold, rule):
            hits[
                np.searchsorted(middles, event.start_s) : np.searchsorted(middles, event.end_s)
            ] = 1
        counts[number] = np.bincount(2 * truth + hits, minlength=4)
    return counts


def _interval_iou(
    _objective: Objective, case: Case, thresholds: Values, rule: EventRule | None
) -> Values:
    """(N,1) mean over true intervals of the IoU with the best found one; NaN without any."""
    assert case.scores is not None
    truth = case.annotation.spans
    values = [
        best_interval_iou(truth, found_at(case.scores, threshold, rule)) for threshold in thresholds
    ]
    return np.array([np.nan if value is None else value for value in values])[:, None]


def _event_counts(
    objective: Objective, case: Case, thresholds: Values, rule: EventRule | None
) -> Values:
    """(N,4) nothing, fp, fn, tp of events: they have no true negatives."""
    assert case.scores is not None
    counts = np.zeros((len(thresholds), 4))
    for number, threshold in enumerate(thresholds):
        found = found_at(case.scores, threshold, rule)
        matched = match_events(case.annotation.spans, found, objective.tiou)
        counts[number, 1:] = matched.fp, matched.fn, matched.tp
    return counts


Kept = Callable[[Objective, Case, Values, EventRule | None], Values]
KEPT: Mapping[str, Kept] = {
    "f1": _window_counts,
    "f_beta": _window_counts,
    "youden": _window_counts,
    "iou": _window_counts,
    "best_interval_iou": _interval_iou,
    "recall_at_precision": _window_counts,
    "cost": _window_counts,
    "event_f1": _event_counts,
}


def _ratio(part: Values, whole: Values) -> Values:
    """``part / whole``; NaN where there is no whole."""
    out = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out


# The formulas of metrics.confusion on arrays; a test holds them against it.
def f_values(beta: float, fp: Values, fn: Values, tp: Values) -> Values:
    """F at each threshold; NaN where nothing is true and nothing found."""
    found = (1 + beta**2) * tp
    return _ratio(found, found + beta**2 * fn + fp)


def _f1(_objective: Objective, _tn: Values, fp: Values, fn: Values, tp: Values) -> Values:
    return f_values(1.0, fp, fn, tp)


def _f_beta(objective: Objective, _tn: Values, fp: Values, fn: Values, tp: Values) -> Values:
    return f_values(objective.beta, fp, fn, tp)


def _youden(_objective: Objective, tn: Values, fp: Values, fn: Values, tp: Values) -> Values:
    return _ratio(tp, tp + fn) + _ratio(tn, tn + fp) - 1


def _iou(_objective: Objective, _tn: Values, fp: Values, fn: Values, tp: Values) -> Values:
    return _ratio(tp, tp + fp + fn)


def _recall(_objective: Objective, _tn: Values, _fp: Values, fn: Values, tp: Values) -> Values:
    return _ratio(tp, tp + fn)


def _cost(objective: Objective, tn: Values, fp: Values, fn: Values, tp: Values) -> Values:
    return _ratio(objective.false_alarm * fp + objective.miss * fn, tn + fp + fn + tp)


Formula = Callable[[Objective, Values, Values, Values, Values], Values]
_FORMULAS: Mapping[str, Formula] = {
    "f1": _f1,
    "f_beta": _f_beta,
    "youden": _youden,
    "iou": _iou,
    "recall_at_precision": _recall,
    "cost": _cost,
    "event_f1": _f1,
}
