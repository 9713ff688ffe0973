"""Stretches of an annotated video that a question about the next seconds is asked of.

The answer is yes shortly before an event, and no where none is near; what is neither, as the event
itself and what comes after the last one, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from watchword.types import Annotation


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Which stretches are taken.

    Attributes:
        clip_s: seconds of a stretch (default 4); all are of this length, so that the length tells
            nothing.
        leads_s: how many seconds before an event those end whose answer is yes (default 0.5, 1,
            1.5 and 2).
        clear_s: seconds before an event at which those whose answer is no end at the latest
            (default 3); it is more than the longest lead.
        negatives: how many with the answer no a video gives at most (default 4).
        label: only events of this label; None (default) takes all.
    """

    clip_s: float = 4.0
    leads_s: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    clear_s: float = 3.0
    negatives: int = 4
    label: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.clip_s) and self.clip_s > 0):
            raise ValueError(f"clip_s is {self.clip_s}, it must be a positive number of seconds")
        if not self.leads_s or not all(math.isfinite(s) and s >= 0 for s in self.leads_s):
            raise ValueError(f"leads_s is {self.leads_s}, it must be one or more seconds from 0 up")
        if not (math.isfinite(self.clear_s) and self.clear_s > max(self.leads_s)):
            raise ValueError(
                f"clear_s is {self.clear_s}, it must be more than the longest of leads_s, "
                f"{max(self.leads_s)}"
            )
        if self.negatives < 0:
            raise ValueError(f"negatives is {self.negatives}, it must be 0 or more")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch, its answer, and seconds from its end to the event if one follows."""

    start_s: float
    end_s: float
    label: int
    lead_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Free:
    """A time without events, from ``start_s`` to ``end_s``; ``event_s`` follows, if one does."""

    start_s: float
    end_s: float
    event_s: float | None = None


def choose_windows(
    annotation: Annotation, duration_s: float, options: WindowOptions
) -> tuple[Window, ...]:
    """The stretches of a video, in order of time; none where it is not known when its event was.

    Args:
        annotation: what is true of the video. Its event is ``accident_s``, and nothing is called
            safe from where a span is marked that begins before it; without, each span is an event.
        duration_s: its length.
        options: which to take.
    """
    if not annotation.localised and annotation.accident_s is None:
        return ()
    found: list[Window] = []
    safe: list[tuple[float, float]] = []
    for free in _free(annotation, duration_s, options):
        if free.event_s is not None:
            found += _before(free, free.event_s, options)
            safe.append((free.start_s, min(free.end_s, free.event_s - options.clear_s)))
        else:
            safe.append((free.start_s, free.end_s))
    found += _spread(safe, annotation, options)
    return tuple(sorted(found, key=lambda one: (one.end_s, one.label)))


def _free(annotation: Annotation, duration_s: float, options: WindowOptions) -> Iterator[_Free]:
    spans = sorted(
        (s for s in annotation.spans if options.label in (None, s.label)), key=lambda s: s.start_s
    )
    hit_s = annotation.accident_s
    if hit_s is not None:
        danger_s = min([s.start_s for s in spans if s.start_s <= hit_s], default=hit_s)
        yield _Free(0.0, danger_s, hit_s)
        return
    from_s = 0.0
    for span in spans:
        if span.start_s > from_s:
            yield _Free(from_s, span.start_s, span.start_s)
        from_s = max(from_s, span.end_s)
    if not spans:
        yield _Free(0.0, duration_s)


def _before(free: _Free, event_s: float, options: WindowOptions) -> Iterator[Window]:
    for lead_s in options.leads_s:
        start_s, end_s = event_s - lead_s - options.clip_s, event_s - lead_s
        if start_s >= free.start_s:
            yield Window(start_s, end_s, 1, lead_s)


def _spread(
    safe: list[tuple[float, float]], annotation: Annotation, options: WindowOptions
) -> Iterator[Window]:
    """Ends at even distances over all of the time at which a stretch may end."""
    rooms = [(start_s + options.clip_s, end_s) for start_s, end_s in safe]
    rooms = [(low, high) for low, high in rooms if high >= low]
    total = sum(high - low for low, high in rooms)
    # More than one in half a second would be the same pictures again.
    count = min(options.negatives, int(total / 0.5) + 1) if rooms else 0
    for number in range(count):
        at = (number + 0.5) / count * total
        for low, high in rooms:
            if at <= high - low:
                end_s = low + at
                yield Window(end_s - options.clip_s, end_s, 0, _lead(annotation, end_s, options))
                break
            at -= high - low


def _lead(annotation: Annotation, end_s: float, options: WindowOptions) -> float | None:
    if annotation.accident_s is not None:
        return annotation.accident_s - end_s
    starts = [s.start_s for s in annotation.spans if options.label in (None, s.label)]
    return min((s - end_s for s in starts if s >= end_s), default=None)
