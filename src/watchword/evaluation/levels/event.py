"""Event level: were the true events found, how well do the bounds fit, and at how many alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import Weights
from watchword.evaluation.levels.part import (
    Part,
    Replicates,
    absent,
    ratio,
    value_of,
    with_interval,
)
from watchword.evaluation.levels.timelines import Found, Timeline, baseline_events
from watchword.evaluation.metrics.event import (
    best_interval_iou,
    detection_delays,
    false_alarms,
    match_events,
    poisson_interval,
)
from watchword.evaluation.result import Cell, Figure, Table

TIOUS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
HEADLINE_TIOU = 0.5
TITLES = {
    "iou_best_interval": "IoU, best single interval (seed 1's)",
    "iou_mask": "IoU, all flagged time",
    "event_precision": "Event precision at tIoU 0.5",
    "event_recall": "Event recall at tIoU 0.5",
    "event_f1": "Event F1 at tIoU 0.5",
    "false_alarms_per_hour": "False alarms an hour",
    "detection_delay": "Detection delay, median",
}
_WHY = {
    "iou_best_interval": "there is no true event",
    "iou_mask": "there is no true event and none was found",
    "event_precision": "no event was found",
    "event_recall": "there is no true event",
    "event_f1": "there is no true event and none was found",
    "false_alarms_per_hour": "the length of the footage without events is not known",
    "detection_delay": "no true event was found",
}
NOTHING = "no video has a truth that says when and events (or scores and a threshold) beside it"


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """What is counted in each of V videos under one set of found events.

    ``best`` is NaN without a true event; ``matched`` (V,tIoU,3) holds tp, fp, fn; ``normal_s`` is
    measured time outside true events, NaN if the length is not known.
    """

    best: Replicates
    both_s: Replicates
    either_s: Replicates
    matched: NDArray[np.int64]
    alarms: NDArray[np.int64]
    normal_s: Replicates
    delays: list[list[float | None]]

    def values(self) -> dict[str, float | None]:
        """Each figure over all videos."""
        once = np.ones((1, len(self.best)), np.int64)
        found = {name: value_of(numbers[0]) for name, numbers in self.resampled(once).items()}
        hours = float(self.normal_s.sum()) / 3600
        known = hours > 0
        found["false_alarms_per_hour"] = float(self.alarms.sum()) / hours if known else None
        return found

    def resampled(self, weights: Weights) -> dict[str, Replicates]:
        """(B,) each figure in each resample; alarms have an exact interval instead."""
        tp, fp, fn = self.at(HEADLINE_TIOU, weights)
        has = ~np.isnan(self.best)
        return {
            "iou_best_interval": ratio(weights @ np.where(has, self.best, 0.0), weights @ has),
            "iou_mask": ratio(weights @ self.both_s, weights @ self.either_s),
            "event_precision": ratio(tp, tp + fp),
            "event_recall": ratio(tp, tp + fn),
            "event_f1": ratio(2 * tp, 2 * tp + fp + fn),
            "detection_delay": self._median_delay(weights),
        }

    def at(self, tiou: float, weights: Weights) -> tuple[Replicates, Replicates, Replicates]:
        """(B,) tp, fp, fn at a temporal IoU."""
        tp, fp, fn = (weights @ self.matched[:, TIOUS.index(tiou)]).astype(np.float64).T
        return tp, fp, fn

    def _median_delay(self, weights: Weights) -> Replicates:
        pairs = [(v, d) for v, of in enumerate(self.delays) for d in of if d is not None]
        if not pairs:
            return np.full(len(weights), np.nan)
        videos, delays = np.array([v for v, _ in pairs]), np.array([d for _, d in pairs])
        order = np.argsort(delays)
        delays, times = delays[order], weights[:, videos[order]].cumsum(axis=1)
        count = times[:, -1]
        low, high = (count + 1) // 2, count // 2 + 1
        # The place of the k-th of a sorted list in which each delay stands as often as its video.
        places = [
            (times < rank[:, None]).sum(axis=1).clip(max=len(delays) - 1) for rank in (low, high)
        ]
        middle = (delays[places[0]] + delays[places[1]]) / 2
        return np.where(count > 0, middle, np.nan)


def event_level(
    lines: Sequence[Timeline], weights: Weights, *, tolerance_s: float, why: str = NOTHING
) -> Part:
    """The event level's figures and its table over temporal IoUs, but for mAP.

    Args:
        lines: V videos; may be none.
        weights: (B,V) how often each video is in each bootstrap resample.
        tolerance_s: how near a true event an alarm counts as one for it.
        why: what to say if there is no video.
    """
    if not lines:
        return Part(figures=absent(TITLES, "event", why))
    counts = _count(lines, [line.found for line in lines], tolerance_s)
    own, again = counts.values(), counts.resampled(weights)
    beside: dict[str, dict[str, float | None]] = {
        name: _count(lines, found, tolerance_s).values()
        for name, found in baseline_events(lines).items()
    }
    beside["random"] = dict.fromkeys(TITLES)
    figures = []
    for name, title in TITLES.items():
        value = own[name]
        made = Figure(
            name,
            "event",
            title,
            value,
            "" if value is not None else _WHY[name],
            baselines={key: found[name] for key, found in beside.items()},
        )
        figures.append(_dressed(with_interval(made, again.get(name)), counts, tolerance_s))
    return Part(figures=tuple(figures), tables=(_table(counts),), replicates=again)


def _count(lines: Sequence[Timeline], found: Sequence[Found], tolerance_s: float) -> _Counts:
    best, both_s, either_s, matched, alarms, normal_s = [], [], [], [], [], []
    delays: list[list[float | None]] = []
    for line, events in zip(lines, found, strict=True):
        iou = best_interval_iou(line.truth, events)
        best.append(np.nan if iou is None else iou)
        shared = sum(span.overlap_s(event) for span in line.truth for event in events)
        truth_s = sum(span.duration_s for span in line.truth)
        both_s.append(shared)
        either_s.append(truth_s + sum(event.duration_s for event in events) - shared)
        rows = [match_events(line.truth, events, tiou) for tiou in TIOUS]
        matched.append([(row.tp, row.fp, row.fn) for row in rows])
        alarms.append(false_alarms(line.truth, events, tolerance_s=tolerance_s))
        normal_s.append(np.nan if line.measured_s is None else max(0.0, line.measured_s - truth_s))
        delays.append(detection_delays(line.truth, events))
    return _Counts(
        np.array(best),
        np.array(both_s, np.float64),
        np.array(either_s, np.float64),
        np.array(matched, np.int64),
        np.array(alarms, np.int64),
        np.array(normal_s, np.float64),
        delays,
    )


def _dressed(figure: Figure, counts: _Counts, tolerance_s: float) -> Figure:
    """The figure with its unit, direction and what a reader must know."""
    if figure.name == "false_alarms_per_hour":
        figure = replace(figure, unit="1/h", better="lower")
        if figure.value is None:
            return figure
        count, hours = int(counts.alarms.sum()), float(counts.normal_s.sum()) / 3600
        low, high = poisson_interval(count, hours)
        note = f"{count} alarms in {hours:.3g} h without events; exact Poisson interval"
        if tolerance_s:
            note += f"; within {tolerance_s:g} s of an event is no alarm"
        return replace(figure, low=low, high=high, note=note)
    if figure.name == "detection_delay":
        every = [delay for of in counts.delays for delay in of]
        missed = sum(delay is None for delay in every)
        note = f"of the {len(every) - missed} events found; {missed} of {len(every)} were missed"
        return replace(figure, unit="s", better="lower", note=note)
    if figure.name == "iou_best_interval":
        videos = int((~np.isnan(counts.best)).sum())
        return replace(
            figure,
            note=f"mean over the {videos} videos with events; alarms elsewhere cost nothing",
        )
    if figure.name == "iou_mask":
        return replace(figure, note="seconds of all videos together")
    return figure


def _table(counts: _Counts) -> Table:
    once = np.ones((1, len(counts.best)), np.int64)
    rows: list[tuple[Cell, ...]] = []
    for tiou in TIOUS:
        tp, fp, fn = (part[0] for part in counts.at(tiou, once))
        cells = [value_of(ratio(tp, tp + fp)), value_of(ratio(tp, tp + fn))]
        f1 = value_of(ratio(2 * tp, 2 * tp + fp + fn))
        rows.append((tiou, int(tp), int(fp), int(fn), *cells, f1))
    return Table(
        "events",
        "Events by temporal IoU",
        ("tIoU", "found", "false", "missed", "precision", "recall", "F1"),
        tuple(rows),
    )
