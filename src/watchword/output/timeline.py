"""The timeline of the report as geometry: curves as SVG paths, bands as shares of the width.

Curves live in a box of 1000 x 100 units with y down; bands are percent from the left, so that the
page can stretch both to any screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.output.strips import extent_s
from watchword.output.timecode import clock
from watchword.types import Annotation, Detection, Scores, Span

_WIDTH, _HEIGHT = 1000, 100
# More columns than a screen has pixels show nothing more.
_COLUMNS = 1000
_TICKS = 8
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the timeline in percent; ``number`` is that of an event, from 1."""

    left: float
    width: float
    span: Span | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """One label: its curve between ``low`` and ``high``, and what lies behind it.

    ``scored`` is False for a label that only events or the truth have; ``peak`` is None if nothing
    was measured. ``line`` and ``area`` are SVG paths. ``threshold`` is the score an event begins
    at, ``threshold_y`` its place; None where no such setting is known.
    """

    label: str
    events: tuple[Band, ...]
    truth: tuple[Band, ...]
    scored: bool = False
    peak: float | None = None
    line: str = ""
    area: str = ""
    low: float = 0.0
    high: float = 1.0
    threshold: float | None = None
    threshold_y: float | None = None
    readout: tuple[float | None, ...] = ()
    gaps: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """A series at screen resolution: lowest and highest value a column, NaN if none, and gaps."""

    edges_s: Floats
    low: Floats
    high: Floats
    gap: NDArray[np.bool_]


def lanes(detection: Detection, annotation: Annotation | None) -> tuple[Lane, ...]:
    """A lane a label: first those that events or the truth have, each by its highest score."""
    scores = detection.scores
    span = extent_s(scores)
    truth = () if annotation is None else annotation.spans
    numbered = list(enumerate(detection.events, start=1))
    named = (item.label for item in (*detection.events, *truth))
    made = []
    for label in dict.fromkeys((*scores.labels, *named)):
        found = tuple(_band(event, span, n) for n, event in numbered if event.label == label)
        known = tuple(_band(item, span, 0) for item in truth if item.label == label)
        lane = Lane(label, found, known)
        if label in scores.labels and len(scores):
            threshold = threshold_of(detection.provenance.config, label)
            lane = _with_curve(lane, scores, threshold)
        made.append(lane)
    return tuple(sorted(made, key=_importance))


def part_lanes(detection: Detection) -> tuple[Lane, ...]:
    """A lane a part of the evidence, in the order they stand in, all on one axis."""
    parts = detection.parts
    if parts is None or not len(parts):
        return ()
    drawn = [_with_curve(Lane(name, (), ()), parts, None) for name in parts.labels]
    high = max(lane.high for lane in drawn)
    return tuple(_with_curve(Lane(name, (), ()), parts, None, high=high) for name in parts.labels)


def cut_marks(detection: Detection) -> tuple[tuple[float, float], ...]:
    """Each cut in seconds and in percent from the left."""
    first_s, last_s = extent_s(detection.scores)
    if last_s <= first_s:
        return ()
    return tuple(
        (at_s, round((at_s - first_s) / (last_s - first_s) * 100, 3))
        for at_s in detection.cuts_s
        if first_s <= at_s <= last_s
    )


def columns(values: NDArray[np.float32], edges_s: Floats) -> Columns:
    """The series itself if it is short, else lowest and highest of the windows in each column."""
    if len(values) <= _COLUMNS:
        kept = values.astype(np.float64)
        return Columns(edges_s, kept, kept, np.isnan(kept))
    bounds = np.linspace(edges_s[0], edges_s[-1], _COLUMNS + 1)
    first = np.clip(np.searchsorted(edges_s, bounds[:-1], "right") - 1, 0, len(values) - 1)
    last = np.maximum(np.searchsorted(edges_s, bounds[1:], "left"), first + 1)
    # reduceat takes from each index to the next: every other answer is a column's.
    pairs = np.stack([first, last], axis=1).ravel()
    padded = np.append(values.astype(np.float64), np.nan)
    return Columns(
        bounds,
        np.fmin.reduceat(padded, pairs)[::2],
        np.fmax.reduceat(padded, pairs)[::2],
        np.logical_or.reduceat(np.isnan(padded), pairs)[::2],
    )


def ticks(scores: Scores) -> tuple[tuple[str, float], ...]:
    """Round times along the axis as text, each with its place in percent; at most nine."""
    start_s, end_s = extent_s(scores)
    length_s = end_s - start_s
    if length_s <= 0:
        return ()
    fitting = (step for step in _STEPS_S if length_s / step <= _TICKS)
    step = next(fitting, length_s / _TICKS)
    first = np.ceil(start_s / step - 1e-9) * step
    places = np.arange(first, end_s + step * 1e-9, step)
    names = (clock(at).removesuffix(".0") if step >= 1 else clock(at) for at in places)
    shares = (float((at - start_s) / length_s * 100) for at in places)
    return tuple(zip(names, shares, strict=True))


def threshold_of(config: Mapping[str, Any], label: str) -> float | None:
    """The score from which an event of the label begins, if the settings say so."""
    rule = config.get("events")
    if not isinstance(rule, Mapping):
        return None
    own = rule.get("per_label")
    own = own.get(label) if isinstance(own, Mapping) else None
    for settings in (own, rule):
        enter = settings.get("enter") if isinstance(settings, Mapping) else None
        if isinstance(enter, (int, float)):
            return float(enter)
    return None


def _importance(lane: Lane) -> tuple[bool, float]:
    return not (lane.events or lane.truth), np.inf if lane.peak is None else -lane.peak


def _with_curve(
    lane: Lane, scores: Scores, threshold: float | None, *, high: float | None = None
) -> Lane:
    """The lane with its curve, up to ``high`` if that is given."""
    curve = columns(scores[lane.label], scores.edges_s)
    low, highest = _range(curve, scores.kind, threshold)
    high = highest if high is None else high
    span = extent_s(scores)
    x = (curve.edges_s - span[0]) / (span[1] - span[0]) * _WIDTH
    top, bottom = (_HEIGHT * (high - side) / (high - low) for side in (curve.high, curve.low))
    measured = ~np.isnan(top)
    return replace(
        lane,
        scored=True,
        peak=float(np.nanmax(curve.high)) if measured.any() else None,
        line="".join(_run_line(x, top, bottom, run) for run in _runs(measured)),
        area="".join(_run_area(x, top, run) for run in _runs(measured)),
        low=low,
        high=high,
        threshold=threshold,
        threshold_y=None if threshold is None else _HEIGHT * (high - threshold) / (high - low),
        readout=tuple(None if np.isnan(v) else round(float(v), 4) for v in curve.high),
        gaps=tuple(_gaps(curve, span)),
    )


def _range(curve: Columns, kind: str, threshold: float | None) -> tuple[float, float]:
    """Lowest and highest value of the lane's axis: fixed where the kind is bounded."""
    if kind in ("contrast", "probability"):
        return 0.0, 1.0
    marks = np.array([*curve.low, *curve.high, np.nan if threshold is None else threshold])
    if np.isnan(marks).all():
        return 0.0, 1.0
    low, high = float(np.nanmin(marks)), float(np.nanmax(marks))
    margin = (high - low or 1.0) * 0.05
    if kind == "surprise":
        # It begins at 0: a calm video must look calm, and not fill its lane with small waves.
        return 0.0, float(np.floor(high)) + 1
    return low - margin, high + margin


def _runs(there: NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    """First and one past the last index of each stretch of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return ((int(a), int(b)) for a, b in steps.reshape(-1, 2))


def _run_line(x: Floats, top: Floats, bottom: Floats, run: tuple[int, int]) -> str:
    """A step curve; a column of several windows is a stroke from its highest to its lowest."""
    parts = [f"M{x[run[0]]:.4g} {top[run[0]]:.4g}"]
    for i in range(*run):
        if top[i] != bottom[i]:
            parts.append(f"V{top[i]:.4g}V{bottom[i]:.4g}H{x[i + 1]:.4g}")
        else:
            parts.append(f"V{top[i]:.4g}H{x[i + 1]:.4g}")
    return "".join(parts)


def _run_area(x: Floats, top: Floats, run: tuple[int, int]) -> str:
    steps = "".join(f"V{top[i]:.4g}H{x[i + 1]:.4g}" for i in range(*run))
    return f"M{x[run[0]]:.4g} {_HEIGHT}{steps}V{_HEIGHT}Z"


def _gaps(curve: Columns, span: tuple[float, float]) -> Iterable[Band]:
    for first, last in _runs(curve.gap):
        missing = Span("", float(curve.edges_s[first]), float(curve.edges_s[last]))
        yield _band(missing, span, 0)


def _band(item: Span, span: tuple[float, float], number: int) -> Band:
    length_s = span[1] - span[0] or 1.0
    left, right = np.clip(
        [(item.start_s - span[0]) / length_s, (item.end_s - span[0]) / length_s], 0.0, 1.0
    )
    return Band(round(left * 100, 3), round((right - left) * 100, 3), item, number)


def column_edges(scores: Scores) -> Sequence[float]:
    """Edges of the columns in seconds, the same for every lane, for the page's read-out."""
    if len(scores) <= _COLUMNS:
        edges = scores.edges_s
    else:
        edges = np.linspace(scores.edges_s[0], scores.edges_s[-1], _COLUMNS + 1)
    return [round(float(edge), 3) for edge in edges]
