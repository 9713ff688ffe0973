"""Clips out of a video as it comes: what lies before each moment, in memory that does not grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.answers.base import Clip, look
from watchword.types import Frames

# Time stamps are rounded: a picture this near an edge lies on it.
ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class SlideOptions:
    """How a question slides over a drive.

    Attributes:
        clip_s: seconds of the past that an answer is about (default 4).
        stride_s: seconds from one answer to the next (default 0.5).
        pictures: of a clip that are looked at (default 8).
        least_s: seconds of the past that an answer needs (default 1); windows with less are not
            measured.
    """

    clip_s: float = 4.0
    stride_s: float = 0.5
    pictures: int = 8
    least_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("clip_s", "stride_s"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} is {getattr(self, name)}, it must be a positive number")
        if self.pictures < 1:
            raise ValueError(f"pictures is {self.pictures}, it must be at least 1")
        if not 0 <= self.least_s <= self.clip_s:
            raise ValueError(
                f"least_s is {self.least_s}, it must be from 0 to clip_s, {self.clip_s}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """``[start_s, end_s)`` and the clip that ends with it; None where it was not measured."""

    number: int
    start_s: float
    end_s: float
    clip: Clip | None


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    pixels: NDArray[np.uint8]
    at_s: float
    ends_s: float


class Slider:
    """Windows of a video, each told as soon as it has ended: window i is [start, start + stride).

    A window's clip holds pictures that are shown before its end and none after. It is not measured
    if no picture is on screen in it, or if less than ``least_s`` of the past was seen.

    Args:
        options: lengths and number of pictures.
        wanted: numbers of the windows whose clips are made; None makes all.
    """

    def __init__(self, options: SlideOptions, *, wanted: frozenset[int] | None = None) -> None:
        self._options = options
        self._wanted = wanted
        self._past: deque[_Picture] = deque()
        self._first_s: float | None = None
        self._number = 0

    @property
    def held(self) -> int:
        """Pictures held just now."""
        return len(self._past)

    def extend(self, frames: Frames) -> Iterator[Window]:
        """The windows that end with these pictures, which follow those before."""
        times = zip(frames.pixels, frames.pts_s, frames.duration_s, strict=True)
        for pixels, at_s, duration_s in times:
            if self._first_s is None:
                self._first_s = float(at_s)
            while self._end_s <= at_s + ROUNDING_S:
                yield self._window(self._end_s)
            # A copy, so that one picture does not hold the batch it came in.
            self._past.append(_Picture(pixels.copy(), float(at_s), float(at_s + duration_s)))
            self._forget()

    def finish(self) -> Iterator[Window]:
        """The windows up to the video's end, the last of which may be short."""
        if not self._past:
            return
        last_s = self._past[-1].ends_s
        while self._end_s < last_s - ROUNDING_S:
            yield self._window(self._end_s)
        yield self._window(last_s)

    @property
    def _start_s(self) -> float:
        assert self._first_s is not None
        return self._first_s + self._number * self._options.stride_s

    @property
    def _end_s(self) -> float:
        assert self._first_s is not None
        return self._first_s + (self._number + 1) * self._options.stride_s

    def _forget(self) -> None:
        """Lets go of pictures before every clip to come; the newest stays, it may still show."""
        # The last window may end as soon as it has begun.
        from_s = self._start_s - self._options.clip_s - ROUNDING_S
        while len(self._past) > 1 and self._past[0].at_s < from_s:
            self._past.popleft()

    def _window(self, end_s: float) -> Window:
        made = Window(self._number, self._start_s, end_s, self._clip(end_s))
        self._number += 1
        return made

    def _clip(self, end_s: float) -> Clip | None:
        options = self._options
        if self._wanted is not None and self._number not in self._wanted:
            return None
        from_s = end_s - options.clip_s
        seen = [p for p in self._past if p.at_s >= from_s - ROUNDING_S]
        assert self._first_s is not None
        enough = end_s - self._first_s >= options.least_s - ROUNDING_S
        if not seen or not enough or seen[-1].ends_s <= self._start_s + ROUNDING_S:
            return None
        # A source may change its size; pictures of one clip have one.
        alike = [p for p in seen if p.pixels.shape == seen[-1].pixels.shape]
        clip = Clip(
            np.stack([p.pixels for p in alike]),
            np.array([p.at_s for p in alike]),
            max(from_s, self._first_s),
            end_s,
        )
        return look(clip, options.pictures)
