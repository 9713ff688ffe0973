"""The evaluation taken apart: by video, by type, by label, and over thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.levels.timelines import Timeline, joined
from watchword.evaluation.levels.windows import Windows
from watchword.evaluation.metrics.confusion import Confusion, confusion, threshold_counts
from watchword.evaluation.metrics.event import EventCounts, best_interval_iou, match_events
from watchword.evaluation.metrics.frame import average_precision, roc_auc
from watchword.evaluation.result import Cell, Curve, Table
from watchword.evaluation.settling import Settled
from watchword.types import Event

HEADLINE_TIOU = 0.5
_STEPS = 41


def per_video(windows: Sequence[Windows], lines: Sequence[Timeline]) -> Table:
    """Seed 1's clip table: one row a video."""
    by_name = {line.case.name: line for line in lines}
    rows: list[tuple[Cell, ...]] = []
    for w in windows:
        line = by_name.get(w.case.name)
        counts = None if w.hits is None else confusion(w.truth, w.hits)
        rows.append(
            (
                w.case.name,
                w.case.type,
                None if line is None else best_interval_iou(line.truth, line.found),
                *_three(counts),
                roc_auc(w.truth, w.values),
                w.duration_s,
                None if line is None else len(line.found),
                len(joined(w.case.annotation.spans)),
            )
        )
    shown = {w.case.name for w in windows}
    for line in lines:
        if line.case.name not in shown:
            iou = best_interval_iou(line.truth, line.found)
            sizes = (line.end_s, len(line.found), len(line.truth))
            rows.append((line.case.name, line.case.type, iou, None, None, None, None, *sizes))
    columns = ("video", "type", "iou", "precision", "recall", "f1", "auc", "seconds")
    return Table(
        "per_video",
        "Each video",
        (*columns, "events_found", "events_true"),
        tuple(rows),
        note="iou: best single interval; empty where it is not defined",
    )


def per_type(windows: Sequence[Windows], lines: Sequence[Timeline]) -> Table:
    """One row for each type of video, which is the label of its longest event."""
    types = dict.fromkeys(w.case.type for w in windows if w.truth.any())
    rest = [w.values[~w.truth] for w in windows]
    rows: list[tuple[Cell, ...]] = []
    for name in types:
        own = [w for w in windows if w.case.type == name]
        event = np.concatenate([w.values[w.truth] for w in own])
        truth = np.concatenate([np.ones(len(event), bool), *(np.zeros(len(r), bool) for r in rest)])
        flagged = [w.hits for w in own if w.hits is not None]
        counts = (
            confusion(np.concatenate([w.truth for w in own]), np.concatenate(flagged))
            if len(flagged) == len(own)
            else None
        )
        found = _matched([line for line in lines if line.case.type == name])
        seconds = sum(s.duration_s for w in own for s in joined(w.case.annotation.spans))
        rows.append(
            (
                name,
                len(own),
                seconds,
                roc_auc(truth, np.concatenate([event, *rest])),
                *_three(counts),
                None if found is None else found.recall,
            )
        )
    columns = ("type", "videos", "event_seconds", "auc", "precision", "recall", "f1")
    return Table(
        "per_type",
        "Each type",
        (*columns, "event_recall"),
        tuple(rows),
        note="auc: the type's event windows against all windows without an event; precision, "
        "recall and f1 within the type's own videos; event recall at tIoU 0.5",
    )


def per_label(windows: Sequence[Windows], settled: Settled) -> Table | None:
    """One row for each label that is both true somewhere and scored in every video."""
    scored = [set(w.case.scores.labels) for w in windows if w.case.scores is not None]
    true = dict.fromkeys(s.label for w in windows for s in w.case.annotation.spans)
    labels = [label for label in true if scored and all(label in known for known in scored)]
    if not labels:
        return None
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        truth, values = _of_label(windows, label)
        enter = None if settled.rule is None else settled.rule.limits(label).enter
        counts = None if enter is None else confusion(truth, values >= enter)
        auc, ap = roc_auc(truth, values), average_precision(truth, values)
        rows.append((label, int(truth.sum()), auc, ap, *_three(counts)))
    columns = ("label", "event_windows", "auc", "ap", "precision", "recall", "f1")
    return Table("per_label", "Each label by its own score", columns, tuple(rows))


def _of_label(
    windows: Sequence[Windows], label: str
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    truths, values = [], []
    for w in windows:
        scores, known = w.case.scores, w.case.annotation
        assert scores is not None
        series = scores[label]
        measured = ~np.isnan(series)
        mask = known.mask(scores.edges_s)
        at = known.labels.index(label) if label in known.labels else None
        truth = np.zeros(len(series), bool) if at is None else mask[:, at]
        truths.append(truth[measured])
        values.append(series[measured])
    return np.concatenate(truths), np.concatenate(values)


def sweep(windows: Sequence[Windows], threshold: float | None) -> tuple[Table, Curve] | None:
    """Figures over thresholds, every run of hits being an event; None if all scores are equal."""
    values = np.concatenate([w.values for w in windows])
    truth = np.concatenate([w.truth for w in windows])
    low, high = np.quantile(values, [0.005, 0.995])
    levels = np.unique(
        np.append(np.linspace(low, high, _STEPS), [] if threshold is None else threshold)
    )
    if low == high:
        return None
    counts = threshold_counts(truth, values, levels)
    rows: list[tuple[Cell, ...]] = []
    for level, *four in zip(levels.tolist(), *counts, strict=True):
        frame = Confusion(*(float(count) for count in four))
        best, events = events_at(windows, level)
        rows.append((level, *_three(frame), frame.iou, best, events.f1))
    f1 = [-1.0 if row[3] is None else float(row[3]) for row in rows]
    table = Table(
        "sweep",
        "Thresholds",
        ("threshold", "precision", "recall", "f1", "iou_mask", "iou_best_interval", "event_f1"),
        tuple(rows),
        note="every run of hits is an event; the marked row is best in F1 on this very data",
        best=int(np.argmax(f1)),
    )
    marks = () if threshold is None else ((threshold, _at(table, threshold), "used here"),)
    curve = Curve(
        "sweep", "F1 over thresholds", "Threshold", "F1", levels, np.maximum(f1, 0.0), marks
    )
    return table, curve


def _at(table: Table, threshold: float) -> float:
    row = next(row for row in table.rows if row[0] == threshold)
    return 0.0 if row[3] is None else float(row[3])


def events_at(windows: Sequence[Windows], level: float) -> tuple[float | None, EventCounts]:
    """Best-interval IoU, mean over videos with events, and event counts of runs of hits."""
    ious, total = [], EventCounts(0, 0, 0)
    for w in windows:
        assert w.case.scores is not None
        truth = joined(w.case.annotation.spans)
        starts, ends = _runs(w.case.series >= level, w.case.scores.edges_s)
        near = np.zeros(len(starts), bool)
        for span in truth:
            near |= (starts < span.end_s) & (ends > span.start_s)
        # Runs that touch no event can match none: only their number counts.
        touching = [Event("event", a, b) for a, b in zip(starts[near], ends[near], strict=True)]
        total += match_events(truth, touching, HEADLINE_TIOU)
        total += EventCounts(0, int((~near).sum()), 0)
        iou = best_interval_iou(truth, touching)
        if iou is not None:
            ious.append(iou)
    return (float(np.mean(ious)) if ious else None), total


def _runs(
    hits: NDArray[np.bool_], edges_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    change = np.diff(hits.astype(np.int8), prepend=0, append=0)
    return edges_s[np.flatnonzero(change == 1)], edges_s[np.flatnonzero(change == -1)]


def _matched(lines: Sequence[Timeline]) -> EventCounts | None:
    if not lines:
        return None
    total = EventCounts(0, 0, 0)
    for line in lines:
        total += match_events(line.truth, line.found, HEADLINE_TIOU)
    return total


def _three(counts: Confusion | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if counts is None else (counts.precision, counts.recall, counts.f1)
