"""When a score becomes an event: one rule and one tracker, for files and live sources alike.

Per label: a run begins with the first window whose value reaches ``enter`` and lasts until the
first window below ``exit``; a window that was not measured (NaN) ends a run and never begins one.
Runs no more than ``merge_gap_s`` apart become one; what is then shorter than ``min_s`` is dropped;
what remains is padded by ``pad_s`` on both sides, within the timeline; padded runs that overlap or
touch become one event. Its score is the highest value of its runs, its peak that value's window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import KindMismatch
from watchword.events.runs import TOLERANCE_S, Limits, Track
from watchword.events.thresholds import threshold_or_balance
from watchword.types import KINDS, Event, Kind, Scores


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What one label has of its own; None is what the rule says for every label.

    Attributes:
        enter: value from which an event begins, unit of the scores.
        exit: value below which it ends; None is the rule's own, or this ``enter`` if that is lower.
        min_s: seconds that an event must last.
        merge_gap_s: seconds between two runs that still count as one.
        pad_s: seconds added before and after.
    """

    # An unknown field in a settings file is an error, not something to leave out silently.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    enter: float | None = None
    exit: float | None = None
    min_s: float | None = None
    merge_gap_s: float | None = None
    pad_s: float | None = None


@dataclass(frozen=True, slots=True)
class EventRule:
    """When a score becomes an event.

    Attributes:
        enter: value from which an event begins, unit of the scores; None is where event and normal
            sentences fit equally well (0.5 for contrast and probability, 0 for margin), which
            cosines do not have.
        exit: value below which it ends, at most ``enter``; None is ``enter``.
        min_s: seconds that an event must last.
        merge_gap_s: seconds between two runs of a label that still count as one event.
        pad_s: seconds added before and after an event.
        union: track the highest value over labels as one series, so that an event is a stretch in
            which any label speaks; it bears the label that was strongest at its peak.
        kind: the kind of score that the rule was made for; None takes any.
        per_label: what single labels have of their own.
    """

    enter: float | None = None
    exit: float | None = None
    min_s: float = 0.0
    merge_gap_s: float = 0.0
    pad_s: float = 0.0
    union: bool = False
    kind: Kind | None = None
    per_label: Mapping[str, LabelRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, it must be one of {', '.join(KINDS)}")
        if self.union and self.per_label:
            raise ValueError("union tracks all labels as one; it cannot go with per_label")
        if self.enter is None:
            # Any enter shows whether the rest makes sense; which it is, the kind will say.
            exits = (self.exit, *(own.exit for own in self.per_label.values()))
            replace(self, enter=max(0.0, *(0.0 if e is None else e for e in exits)))
            return
        if self.exit is not None and not self.exit <= self.enter:
            raise ValueError(f"exit is {self.exit}, it must be at most enter, {self.enter}")
        for label in ("", *self.per_label):
            self.limits(label)

    def settled(self, kind: Kind | None) -> EventRule:
        """The rule with ``enter`` filled in for a kind of score.

        Raises:
            KindMismatch: the rule was made for another kind, or has no ``enter`` and the kind none.
        """
        if self.kind is not None and kind is not None and self.kind != kind:
            raise KindMismatch(
                f"the event rule was made for {self.kind} scores and these are {kind}; "
                f"choose thresholds for {kind}, or score with kind {self.kind}"
            )
        enter = threshold_or_balance(self.enter, kind or self.kind, "events.enter")
        return replace(self, enter=enter)

    def limits(self, label: str) -> Limits:
        """What holds for one label of a settled rule, with nothing left to look up.

        >>> EventRule(enter=0.6, per_label={"smoke": LabelRule(enter=0.4)}).limits("smoke").enter
        0.4
        """
        own = self.per_label.get(label, LabelRule())
        chosen = self.enter if own.enter is None else own.enter
        enter = threshold_or_balance(chosen, self.kind, "events.enter")
        inherited = enter if self.exit is None else min(self.exit, enter)
        return Limits(
            enter=enter,
            exit=_first(own.exit, inherited),
            min_s=_first(own.min_s, self.min_s),
            merge_gap_s=_first(own.merge_gap_s, self.merge_gap_s),
            pad_s=_first(own.pad_s, self.pad_s),
        )


class EventTracker:
    """Turns windows that arrive one after the other into events, each told once, when it is final.

    An event ends at ``end_s``, padding included. It is told by the window that ends no later than
    ``merge_gap_s + pad_s`` plus one window after that; only where a run too short to count follows
    within ``2 * pad_s``, up to ``min_s`` more, because that run may yet grow and join it.

    Args:
        labels: names of the K values of a window.
        rule: when a score becomes an event.
        kind: the kind of the scores that will come; None if they are of the rule's kind.

    Raises:
        KindMismatch: the rule was made for another kind.
        ValueError: the rule speaks of a label that is not there.
    """

    def __init__(self, labels: Sequence[str], rule: EventRule, *, kind: Kind | None = None) -> None:
        rule = rule.settled(kind)
        unknown = sorted(set(rule.per_label) - set(labels))
        if unknown:
            raise ValueError(
                f"per_label names {', '.join(unknown)}; labels are {', '.join(labels)}"
            )
        self._labels = tuple(labels)
        self._union = rule.union
        own = ("",) if rule.union else self._labels
        self._tracks = [Track(rule.limits(label), self._labels) for label in own]
        self._now_s: float | None = None

    def update(self, start_s: float, end_s: float, values: ArrayLike) -> tuple[Event, ...]:
        """The events that became final with this window; usually none.

        Args:
            start_s: start of the window; not before the end of the one before it. A hole between
                the two is time that was not measured.
            end_s: its end.
            values: (K,) values, NaN where not measured.
        """
        row = np.asarray(values, np.float32)
        if row.shape != (len(self._labels),):
            raise ValueError(f"values have shape {row.shape}, it must be ({len(self._labels)},)")
        return self.extend(np.array([start_s, end_s]), row[None])

    def extend(self, edges_s: ArrayLike, values: ArrayLike) -> tuple[Event, ...]:
        """The events that became final with these windows: the same as an update for each.

        Args:
            edges_s: (T+1,) edges of windows without holes between them, strictly rising.
            values: (T,K) values, NaN where not measured.
        """
        edges, series = np.asarray(edges_s, np.float64), np.asarray(values, np.float32)
        if series.ndim != 2 or series.shape[1] != len(self._labels):
            raise ValueError(
                f"values have shape {series.shape}, it must be T x {len(self._labels)}"
            )
        if edges.shape != (len(series) + 1,) or not (np.diff(edges) > 0).all():
            raise ValueError("edges_s must be one more than the windows, and rise strictly")
        if not len(series):
            return ()
        if self._now_s is not None and edges[0] < self._now_s - TOLERANCE_S:
            raise ValueError(
                f"a window starts at {edges[0]} s, before the end of the last one, {self._now_s} s"
            )
        self._now_s = float(edges[-1])
        found: list[Event] = []
        for number, track in enumerate(self._tracks):
            if self._union:
                track.feed(edges, *_strongest(series))
            else:
                track.feed(edges, series[:, number], np.broadcast_to(number, len(series)))
            found += track.take_final()
        return _ordered(found)

    def close(self) -> tuple[Event, ...]:
        """The events that were still open; afterwards the tracker can begin another timeline."""
        found = [event for track in self._tracks for event in track.take_all()]
        self._now_s = None
        return _ordered(found)


def detect_events(scores: Scores, rule: EventRule) -> tuple[Event, ...]:
    """The events in the scores under a rule, sorted by start and label.

    Raises:
        KindMismatch: the rule was made for another kind of score.
    """
    tracker = EventTracker(scores.labels, rule, kind=scores.kind)
    return _ordered([*tracker.extend(scores.edges_s, scores.values), *tracker.close()])


def _strongest(series: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """(T,) highest measured value of each window (NaN if there is none) and its label."""
    known = np.where(np.isnan(series), -np.inf, series)
    return np.fmax.reduce(series, axis=1), known.argmax(axis=1)


def _ordered(events: Sequence[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: (event.start_s, event.label)))


def _first(own: float | None, general: float) -> float:
    return general if own is None else own
