"""From seconds to frame numbers: which frames of a video an event holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from watchword.errors import OutputError, VideoError
from watchword.output.film import open_container, time_zero_s
from watchword.output.slides import picture_files
from watchword.types import Span, VideoInfo

_ADVICE = "give the frames a second that the other program counts with, as rate"


@dataclass(frozen=True, slots=True, eq=False)
class Numbering:
    """When each frame is shown: ``times_s`` (N,), or only a constant ``rate``, or both.

    ``rate`` is None if the frames are not evenly spaced.
    """

    times_s: NDArray[np.float64] | None
    rate: Fraction | None

    @property
    def count(self) -> int | None:
        """Frames of the whole video; None if not known."""
        return None if self.times_s is None else len(self.times_s)

    def frames(self, span: Span) -> tuple[int, int]:
        """First frame of the span and the first one after it, 0-based; at least one frame.

        Frames that come on screen during the span are its own; a span so short that none does
        holds the frame that is on screen.
        """
        first, end = (self._first_from(at_s) for at_s in (span.start_s, span.end_s))
        if end > first:
            return first, end
        return max(0, first - 1), max(1, first)

    def _first_from(self, at_s: float) -> int:
        """The first frame shown at or after a moment, forgiving a thousandth of a frame or so."""
        if self.times_s is not None:
            return int(np.searchsorted(self.times_s, at_s - 1e-5))
        exact = at_s * float(self.rate or 0)
        return max(0, int(np.ceil(exact - 1e-3)))


def number_frames(info: VideoInfo, *, rate: Fraction | float | None = None) -> Numbering:
    """The numbering at a given rate, or that of the video's own frames, read without decoding.

    Raises:
        OutputError: no rate is given and the video's frames cannot be counted.
    """
    if rate is not None:
        return Numbering(None, _exact(rate))
    times_s = _folder_times(info) if Path(info.source).is_dir() else _file_times(info)
    return Numbering(times_s, _constant_rate(times_s, info.rate))


def constant_rate(numbering: Numbering, what: str) -> Fraction:
    """The one rate of a video; OutputError if its frames are not evenly spaced."""
    if numbering.rate is None:
        raise OutputError(
            f"{what} counts frames at a constant rate and this video's frames are not evenly "
            f"spaced; {_ADVICE}"
        )
    return numbering.rate


def _exact(rate: Fraction | float) -> Fraction:
    """The rate as a fraction: 29.97 is taken for what it stands for, 30000/1001."""
    for whole in (24, 30, 48, 60, 120):
        if abs(float(rate) - whole / 1.001) < 5e-3:
            return Fraction(whole * 1000, 1001)
    return Fraction(rate).limit_denominator(1001)


def _folder_times(info: VideoInfo) -> NDArray[np.float64]:
    if info.rate is None:
        raise OutputError(f"{info.source} is a folder of pictures without a rate; {_ADVICE}")
    return np.arange(len(picture_files(Path(info.source)))) / float(info.rate)


def _file_times(info: VideoInfo) -> NDArray[np.float64]:
    """Times of all frames from the container's packets, in the order they are shown."""
    try:
        with open_container(info.source) as container:
            stream = container.streams.video[0]
            start_s = time_zero_s(container, stream)
            pts = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
            tick = stream.time_base
    except (VideoError, av.FFmpegError, OSError) as exc:
        raise OutputError(f"the frames cannot be counted: {exc}; {_ADVICE}") from exc
    known = [at for at in pts if at is not None]
    if tick is None or not known or len(known) < len(pts):
        raise OutputError(f"{info.source} does not say when its frames are shown; {_ADVICE}")
    return np.sort(np.array(known, np.float64)) * float(tick) - start_s


def _constant_rate(times_s: NDArray[np.float64], nominal: Fraction | None) -> Fraction | None:
    """The rate at which frame n is shown within half a frame of n / rate; None if there is none."""
    if nominal is None:
        return None
    off = np.abs(times_s * float(nominal) - np.arange(len(times_s)))
    return nominal if (off < 0.5).all() else None
