"""What a truth file says about one video, in the file's own unit, and its conversion to seconds.

Readers of formats give Records. A Record becomes an Annotation once, with the video's own clock:
frame numbers mean nothing without one. Every reader turns its format's numbering into 0-based,
half-open frames ``[start, end)`` and says in its docstring how.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import DatasetError
from watchword.types import Annotation, Span


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """A label over frames ``[start, end)``, counted from 0."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class FrameClock:
    """When each frame of a video is shown.

    Either ``edges_s`` (N+1,), the start of each frame and the end of the last one in seconds, or
    ``rate`` in frames a second where nothing better is known. ``origin`` says in words which it is.
    """

    edges_s: NDArray[np.float64] | None = None
    rate: float | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        if (self.edges_s is None) == (self.rate is None):
            raise ValueError("a clock needs edges_s or a rate, and not both")
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(
                f"rate is {self.rate}, it must be a positive number of frames a second"
            )
        if self.edges_s is not None:
            edges = np.array(self.edges_s, np.float64)
            if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
                raise ValueError("edges_s must be two or more times that rise strictly")
            edges.flags.writeable = False
            object.__setattr__(self, "edges_s", edges)

    @property
    def frames(self) -> int | None:
        """How many frames the video has; None if only a rate is known."""
        return None if self.edges_s is None else len(self.edges_s) - 1

    def at(self, frame: int) -> float:
        """Start of a frame in seconds; the end of the last one for the frame after it.

        Raises:
            IndexError: the video has no such frame.
        """
        if self.edges_s is None:
            assert self.rate is not None
            return frame / self.rate
        if not 0 <= frame < len(self.edges_s):
            raise IndexError(f"frame {frame} of {len(self.edges_s) - 1}")
        return float(self.edges_s[frame])


def clock_of_pts(pts_s: ArrayLike, *, origin: str = "frame times") -> FrameClock:
    """A clock from the (N,) times of frames; the last lasts as long as the one before it."""
    pts = np.asarray(pts_s, np.float64)
    if pts.ndim != 1 or len(pts) < 2:
        raise ValueError("pts_s must be two or more times that rise strictly")
    return FrameClock(np.append(pts, 2 * pts[-1] - pts[-2]), origin=origin)


@dataclass(frozen=True, slots=True)
class Record:
    """What a truth file says about one video.

    Attributes:
        video: its path or name as the file gives it; what predictions are matched with.
        where: the file (and row) it stands in, which errors name.
        spans: events, in frames or in seconds as the file has it; not both in one record.
        labels: labels that were annotated for; at least those of the spans.
        anomalous: what the file says of the whole video; None if it does not.
        split: train, test or whatever the file calls it.
        group: camera, scene or subject: what must not be on both sides of a split.
        frame_count: frames the file says the video has.
        duration_s: seconds, likewise.
        rate: frames a second that the file or its format states.
        accident: frame (int) or second (float) of the impact, where anticipation is annotated.
        frame_clock: times of the frames, where the file itself holds them.
        masks: file or folder of pixel truth.
    """

    video: str
    where: str
    spans: tuple[FrameSpan | Span, ...] = ()
    labels: tuple[str, ...] = ()
    anomalous: bool | None = None
    split: str | None = None
    group: str | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    rate: float | None = None
    accident: int | float | None = None
    frame_clock: FrameClock | None = None
    masks: Path | None = None

    @property
    def needs_clock(self) -> bool:
        """Whether frame numbers must be turned into seconds for there to be an annotation."""
        return isinstance(self.accident, int) or any(isinstance(s, FrameSpan) for s in self.spans)

    def clock_or_own(self, clock: FrameClock | None) -> FrameClock | None:
        """The clock, or where it is None what the file itself states; None if that is nothing."""
        return clock or self.frame_clock or (FrameClock(rate=self.rate) if self.rate else None)

    def annotation(self, clock: FrameClock | None = None) -> Annotation:
        """The record in seconds.

        Args:
            clock: the video's frame times, better than the rate that the file states; needed where
                the file counts frames and states no rate.

        Raises:
            DatasetError: frames and no clock, or a span that is not in the video.
        """
        clock = self.clock_or_own(clock)
        if self.needs_clock and clock is None:
            raise DatasetError(
                self.where,
                f"counts frames of {self.video!r} and states no rate; "
                "name the videos' folder (--videos) or the frame rate (--rate)",
            )
        duration_s = self._duration_s(clock)
        inside = tuple(self._inside(span, clock) for span in self.spans)
        late = sum(span != kept for span, kept in zip(self.spans, inside, strict=True))
        spans = tuple(self._seconds(span, clock, duration_s) for span in inside)
        return Annotation(
            video=self.video,
            spans=spans,
            labels=tuple(dict.fromkeys([*self.labels, *(span.label for span in spans)])),
            duration_s=duration_s,
            split=self.split,
            anomalous=self.anomalous,
            group=self.group,
            accident_s=self._moment(self.accident, clock),
            masks=None if self.masks is None else str(self.masks),
            notes=(
                f"{late} of {len(spans)} events end one frame after the video; they end with it.",
            )
            if late
            else (),
        )

    def _duration_s(self, clock: FrameClock | None) -> float | None:
        if self.duration_s is not None:
            return self.duration_s
        if clock is None:
            return None
        if clock.edges_s is not None:
            return float(clock.edges_s[-1])
        return None if self.frame_count is None else clock.at(self.frame_count)

    def _inside(self, span: FrameSpan | Span, clock: FrameClock | None) -> FrameSpan | Span:
        """The span without its last frame, if just that one is not in the video.

        Published lists hold such ends, as those who count from 1 or include the last frame write.
        """
        known = None if clock is None else clock.frames or self.frame_count
        if isinstance(span, FrameSpan) and span.end - 1 == known and span.start < span.end - 1:
            return replace(span, end=span.end - 1)
        return span

    def _seconds(
        self, span: FrameSpan | Span, clock: FrameClock | None, duration_s: float | None
    ) -> Span:
        if isinstance(span, FrameSpan):
            assert clock is not None
            if not (0 <= span.start < span.end and self._has(span.end, clock)):
                known = clock.frames if clock.frames is not None else self.frame_count
                raise DatasetError(
                    self.where,
                    f"{span.label!r} at frames [{span.start}, {span.end}) must lie within the "
                    f"{known} frames of {self.video!r} and end after it starts",
                )
            return Span(span.label, clock.at(span.start), clock.at(span.end))
        # Seconds are written with few digits: an end up to a tenth of a second late is rounding.
        if duration_s is not None and span.end_s > duration_s + 0.1:
            raise DatasetError(
                self.where,
                f"{span.label!r} at [{span.start_s:g}, {span.end_s:g}) s must lie within the "
                f"{duration_s:.2f} s of {self.video!r}",
            )
        return span

    def _has(self, end: int, clock: FrameClock) -> bool:
        known = clock.frames if clock.frames is not None else self.frame_count
        return known is None or end <= known

    def _moment(self, moment: int | float | None, clock: FrameClock | None) -> float | None:
        if not isinstance(moment, int):
            return moment
        assert clock is not None
        if not self._has(moment + 1, clock):
            raise DatasetError(self.where, f"frame {moment} is not in {self.video!r}")
        return clock.at(moment)
