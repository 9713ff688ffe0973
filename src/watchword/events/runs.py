"""One series of values on its way to events: runs that open, merge, settle, and are told once.

``watchword.events.tracker`` says what the limits mean and holds a track a label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchword.types import Event

# Times from different arithmetic differ in their last digits (0.3 - 0.1 < 0.2); no video clock is
# finer than this, so lengths and gaps are compared with it.
TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for one series: values in the unit of the scores, times in seconds."""

    enter: float
    exit: float
    min_s: float
    merge_gap_s: float
    pad_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.enter) and self.exit <= self.enter):
            raise ValueError(
                f"enter is {self.enter} and exit {self.exit}; exit must be at most enter"
            )
        for name in ("min_s", "merge_gap_s", "pad_s"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds >= 0):
                raise ValueError(f"{name} is {seconds}, it must be 0 or more seconds")


@dataclass(slots=True)
class Run:
    """A stretch that is, or may become, an event."""

    start_s: float
    end_s: float
    score: float
    peak_s: float
    label: str

    def join(self, later: Run) -> None:
        """Takes in a run that does not begin before this one."""
        self.end_s = max(self.end_s, later.end_s)
        if later.score > self.score:
            self.score, self.peak_s, self.label = later.score, later.peak_s, later.label


class Track:
    """One series on its way to events: an open run may still grow, a ready one be joined."""

    def __init__(self, limits: Limits, labels: tuple[str, ...]) -> None:
        self._limits = limits
        self._labels = labels
        self._begin()

    def _begin(self) -> None:
        self._start_s = math.nan
        self._now_s = math.nan
        self._active = False
        self._open: Run | None = None
        self._ready: Run | None = None
        self._final: list[Event] = []

    def feed(
        self, edges: NDArray[np.float64], values: NDArray[np.float32], labels: NDArray[np.intp]
    ) -> None:
        """Takes in windows; ``labels`` (T,) says which label each value is of."""
        if math.isnan(self._start_s):
            self._start_s = float(edges[0])
        elif edges[0] > self._now_s + TOLERANCE_S:
            self._active = False
        self._now_s = float(edges[-1])
        # 2 begins or prolongs a run, 1 prolongs one, 0 (and NaN) ends it. Neighbours of the same
        # level do together what they would do one by one.
        level = np.zeros(len(values), np.int8)
        level[values >= self._limits.exit] = 1
        level[values >= self._limits.enter] = 2
        cuts = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(values)]
        for first, last in pairwise(cuts):
            if level[first] == 2:
                best = first + int(values[first:last].argmax())
                self._hit(
                    Run(
                        float(edges[first]),
                        float(edges[last]),
                        float(values[best]),
                        float(edges[best]),
                        self._labels[labels[best]],
                    )
                )
            elif level[first] == 0:
                self._active = False
            elif self._active and self._open is not None:
                self._open.end_s = float(edges[last])

    def take_final(self) -> list[Event]:
        """The events that nothing to come can change."""
        run = self._open
        if run is not None and not self._active and self._beyond_gap(run, self._now_s):
            self._settle(run)
            self._open = None
        # The earliest start that a run still to be settled can have.
        earliest = self._now_s if self._open is None else self._open.start_s
        if self._ready is not None and not self._touches(self._ready, earliest):
            self._tell(self._ready)
            self._ready = None
        final, self._final = self._final, []
        return final

    def take_all(self) -> list[Event]:
        """Every event not told yet; the timeline is over."""
        if self._open is not None:
            self._settle(self._open)
        if self._ready is not None:
            self._tell(self._ready)
        final = self._final
        self._begin()
        return final

    def _hit(self, run: Run) -> None:
        if self._open is None:
            self._open = run
        elif self._active or not self._beyond_gap(self._open, run.start_s):
            self._open.join(run)
        else:
            self._settle(self._open)
            self._open = run
        self._active = True

    def _beyond_gap(self, run: Run, time_s: float) -> bool:
        return time_s - run.end_s > self._limits.merge_gap_s + TOLERANCE_S

    def _touches(self, padded: Run, start_s: float) -> bool:
        return start_s - self._limits.pad_s <= padded.end_s + TOLERANCE_S

    def _settle(self, run: Run) -> None:
        """A run that no other can merge with any more: dropped if short, else padded."""
        if run.end_s - run.start_s < self._limits.min_s - TOLERANCE_S:
            return
        joins = self._ready is not None and self._touches(self._ready, run.start_s)
        run.start_s = max(run.start_s - self._limits.pad_s, self._start_s)
        run.end_s += self._limits.pad_s
        if self._ready is None:
            self._ready = run
        elif joins:
            self._ready.join(run)
        else:
            self._tell(self._ready)
            self._ready = run

    def _tell(self, run: Run) -> None:
        end_s = min(run.end_s, self._now_s)
        self._final.append(Event(run.label, run.start_s, end_s, run.score, run.peak_s))
