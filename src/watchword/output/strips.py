"""Which moments of a video the report shows, and which events get a film strip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from watchword.types import Detection, Event, Scores

_OVERVIEW = 12
_STRIP = 6
# A strip shows this share of the event's length before and after it, but at least so many seconds.
_AROUND, _AROUND_S = 0.25, 0.5
# Without events: the strongest moments that stayed below the threshold, at most this many.
_NEAREST = 3


def extent_s(scores: Scores) -> tuple[float, float]:
    """First and last second that was scored."""
    return float(scores.edges_s[0]), float(scores.edges_s[-1])


def overview_moments(scores: Scores) -> tuple[tuple[float, bool], ...]:
    """Evenly spread moments, the middles of as many equal parts, and whether each was measured."""
    start_s, end_s = extent_s(scores)
    if end_s <= start_s:
        return ()
    edges = np.linspace(start_s, end_s, _OVERVIEW + 1)
    moments = [float(a + b) / 2 for a, b in pairwise(edges)]
    windows = np.searchsorted(scores.edges_s, moments, side="right") - 1
    return tuple(
        (at_s, not np.isnan(scores.values[window]).any())
        for at_s, window in zip(moments, windows, strict=True)
    )


def strip_moments(event: Event, scores: Scores) -> tuple[float, ...]:
    """Moments before, in and after an event; the one nearest to the peak is the peak itself."""
    start_s, end_s = extent_s(scores)
    around_s = max(_AROUND_S, _AROUND * event.duration_s)
    first_s = max(start_s, event.start_s - around_s)
    last_s = min(end_s, event.end_s + around_s)
    moments = np.linspace(first_s, last_s, _STRIP + 1)[:-1] + (last_s - first_s) / _STRIP / 2
    if np.isfinite(event.peak_s):
        moments[np.abs(moments - event.peak_s).argmin()] = event.peak_s
    return tuple(float(moment) for moment in moments)


def with_strips(events: Sequence[Event], *, strips: int) -> frozenset[int]:
    """Which events get a strip: the numbers of the strongest ones."""
    strength = np.nan_to_num([event.score for event in events], nan=-np.inf)
    strongest = np.argsort(-strength, kind="stable")[:strips]
    return frozenset(int(number) for number in strongest)


def nearest_misses(scores: Scores) -> tuple[Event, ...]:
    """The strongest window of each of the strongest labels, for a video without events."""
    found = []
    for label in scores.labels:
        values = scores[label]
        if np.isnan(values).all():
            continue
        at = int(np.nanargmax(values))
        start_s, end_s = (float(edge) for edge in scores.edges_s[at : at + 2])
        found.append(Event(label, start_s, end_s, score=float(values[at]), peak_s=start_s))
    return tuple(sorted(found, key=lambda event: -event.score)[:_NEAREST])


def wanted_moments(detection: Detection, *, strips: int) -> tuple[float, ...]:
    """Every moment of which the report of this detection shows a picture."""
    scores = detection.scores
    chosen = with_strips(detection.events, strips=strips)
    shown = [event for number, event in enumerate(detection.events) if number in chosen]
    wanted = {at_s for at_s, seen in overview_moments(scores) if seen}
    for event in shown if detection.events else nearest_misses(scores):
        wanted.update(strip_moments(event, scores))
    return tuple(sorted(wanted))
