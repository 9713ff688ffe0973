"""Which pictures of a video are looked at: how often, from when to when, and which part of them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass

# Share of a sampling period by which a time may miss its grid point through rounding alone.
_GRID_TOLERANCE = 1e-6

_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which pictures are looked at.

    Attributes:
        rate: pictures a second (default 10); None looks at every frame.
        every: take one of so many frames (default 1); needs ``rate`` None.
        start_s: first second that is looked at (default None, the beginning).
        end_s: second at which looking ends, not itself included (default None, the end).
        region: x, y, width, height in pixels of the upright picture; None is all of it.
    """

    rate: float | None = 10.0
    every: int = 1
    start_s: float | None = None
    end_s: float | None = None
    region: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate is {self.rate}, it must be positive, or None for every frame")
        if self.every < 1:
            raise ValueError(f"every is {self.every}, it must be 1 or more")
        if self.every > 1 and self.rate is not None:
            raise ValueError("every counts frames, so it needs rate None; give one of the two")
        self._check_range()
        if self.region is not None:
            _check_region(self.region)

    def _check_range(self) -> None:
        for name, value in (("start_s", self.start_s), ("end_s", self.end_s)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}, it must be 0 or more seconds, or None")
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise ValueError(f"end_s is {self.end_s}, it must lie after start_s, {self.start_s}")

    @property
    def fingerprint(self) -> str:
        """Short hash that is equal for samplings that look at the same pixels."""
        fields = asdict(self)
        for name in ("rate", "start_s", "end_s"):
            fields[name] = None if fields[name] is None else float(fields[name])
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class FramePicker:
    """Says of each frame, in order of time, whether it is looked at.

    At a fixed rate these are the first frames at or after the times ``start + k / rate``; a source
    slower than that gives every frame once. Every n-th frame counts from the first in the range.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._start_s = 0.0 if sampling.start_s is None else sampling.start_s
        self._end_s = math.inf if sampling.end_s is None else sampling.end_s
        self._rate = sampling.rate
        self._every = sampling.every
        self._next_tick = 0
        self._seen = 0

    def is_past(self, pts_s: float) -> bool:
        """Whether this time, and so every later one, lies behind the range."""
        return pts_s >= self._end_s

    def wants(self, pts_s: float) -> bool:
        """Whether the frame shown at this time is looked at; call once a frame, times rising."""
        if pts_s < self._start_s or self.is_past(pts_s):
            return False
        if self._rate is None:
            self._seen += 1
            return (self._seen - 1) % self._every == 0
        ticks = (pts_s - self._start_s) * self._rate + _GRID_TOLERANCE
        if ticks < self._next_tick:
            return False
        self._next_tick = math.floor(ticks) + 1
        return True


def _check_region(region: tuple[int, int, int, int]) -> None:
    if len(region) != 4 or not all(isinstance(n, int) for n in region):
        raise ValueError(f"region is {region}, it must be four whole numbers x, y, width, height")
    x, y, width, height = region
    if min(x, y) < 0 or min(width, height) < 1:
        raise ValueError(
            f"region is {region}: x and y must be 0 or more, width and height 1 or more"
        )


def parse_region(text: str) -> tuple[int, int, int, int]:
    """The region that a person wrote as ``x,y,width,height`` in pixels.

    Raises:
        ValueError: it is not four whole numbers, or they make no region.

    >>> parse_region("100,50,640,360")
    (100, 50, 640, 360)
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as exc:
        raise ValueError(
            f"region is {text!r}, it must be x,y,width,height such as 100,50,640,360"
        ) from exc
    region = (x, y, width, height)
    _check_region(region)
    return region


def parse_time(text: str) -> float:
    """Seconds of a time that a person wrote: ``62.5``, ``1:02.5`` or ``1:01:02.5``.

    Raises:
        ValueError: it is no such time, or its minutes or seconds exceed 59.

    >>> parse_time("1:02.5")
    62.5
    """
    match = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = match.groups() if match else (None, None, None)
    in_range = minutes is None or (float(seconds or 0) < 60 and (not hours or int(minutes) < 60))
    if seconds is None or not in_range:
        raise ValueError(f"time is {text!r}, it must be seconds (62.5), 1:02.5 or 1:01:02.5")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)
