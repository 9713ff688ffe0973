"""The true and the found events of a video on one line of time: what the event level counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from watchword.evaluation.baselines import middle_share, shortest_within
from watchword.evaluation.cases import Case
from watchword.evaluation.settling import Settled
from watchword.types import Event, Span

EVENT = "event"
Found = tuple[Event, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """One video's true and found events, whatever their labels; overlapping ones are one.

    Attributes:
        case: the video.
        truth: true events in order.
        found: found events in order.
        start_s: where the video begins.
        end_s: where it ends; None if neither scores nor truth tell.
        unmeasured_s: seconds of it that were not measured.
        labelled: the found events as they are, each with its label.
    """

    case: Case
    truth: tuple[Span, ...]
    found: Found
    start_s: float
    end_s: float | None
    unmeasured_s: float = 0.0
    labelled: Found = ()

    @property
    def measured_s(self) -> float | None:
        """Seconds that were looked at; None if the video's length is not known."""
        if self.end_s is None:
            return None
        return self.end_s - self.start_s - self.unmeasured_s

    def whole(self) -> Found:
        """One event over the whole video."""
        return () if self.end_s is None else (Event(EVENT, self.start_s, self.end_s, 1.0),)

    def middle(self, share: float) -> Found:
        """One event over a share of the video about its middle."""
        if self.end_s is None:
            return ()
        span = middle_share(share, self.end_s - self.start_s)
        if span is None:
            return ()
        return (Event(EVENT, self.start_s + span[0], self.start_s + span[1], 1.0),)


def timelines_of(cases: Sequence[Case], settled: Settled) -> tuple[Timeline, ...]:
    """The videos whose truth says when and that have events, or scores and a threshold."""
    lines = []
    for case in cases:
        found = settled.events(case) if case.annotation.localised else None
        if found is not None:
            lines.append(_timeline(case, found))
    return tuple(lines)


def _timeline(case: Case, found: Sequence[Event]) -> Timeline:
    truth = joined(case.annotation.spans)
    if case.scores is None or not len(case.scores):
        end_s = case.annotation.duration_s
        return Timeline(case, truth, joined(found), 0.0, end_s, labelled=tuple(found))
    edges = case.scores.edges_s
    unmeasured_s = float(np.diff(edges)[np.isnan(case.series)].sum())
    start_s, end_s = float(edges[0]), float(edges[-1])
    return Timeline(case, truth, joined(found), start_s, end_s, unmeasured_s, tuple(found))


def joined(spans: Iterable[Span]) -> Found:
    """The spans in order, those that overlap as one with the highest of their scores.

    >>> [(e.start_s, e.end_s) for e in joined([Span("b", 1, 3), Span("a", 0, 2), Span("a", 3, 4)])]
    [(0, 3), (3, 4)]
    """
    found: list[Event] = []
    for span in sorted(spans, key=lambda span: (span.start_s, span.end_s)):
        score = span.score if isinstance(span, Event) else math.nan
        if found and span.start_s < found[-1].end_s:
            last = found[-1]
            best = score if math.isnan(last.score) else max(last.score, score)
            found[-1] = Event(EVENT, last.start_s, max(last.end_s, span.end_s), best)
        else:
            found.append(Event(EVENT, span.start_s, span.end_s, score))
    return tuple(found)


def baseline_events(lines: Sequence[Timeline]) -> dict[str, list[Found]]:
    """The events that each baseline finds in each video; random ones have no expected events."""
    known = [line.measured_s or 0.0 for line in lines]
    flagged_s = sum(event.duration_s for line in lines for event in line.found)
    share = flagged_s / sum(known) if sum(known) else 0.0
    short = shortest_within(known, known, share)
    positive = [line.case.annotation.positive for line in lines]
    return {
        "always": [line.whole() for line in lines],
        "never": [() for _ in lines],
        "centre": [line.middle(share) for line in lines],
        "shorter": [line.whole() if yes else () for line, yes in zip(lines, short, strict=True)],
        "oracle": [line.whole() if yes else () for line, yes in zip(lines, positive, strict=True)],
    }
