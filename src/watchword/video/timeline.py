"""When each picture is on screen: exact rising times, durations that end where others begin."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.video.decoded import Shown, Tally
from watchword.video.sampling import FramePicker, Sampling

# A step longer than this many nominal durations beside a decoding error is a gap, not a slow video.
_GAP_STEPS = 1.5

# Longer than this no picture is believed to have been on screen: damaged times jump by hours.
_LONGEST_S = 300.0

# How many steps the median step is taken over, where the video does not say its rate.
_STEPS_KEPT = 100

# Last resort for how long a picture is on screen: the only one of a video without a rate.
_FALLBACK_S = 0.1


@dataclass(frozen=True, slots=True)
class Timed:
    """A picture whose time is known: ``own_s`` is how long it is shown if nothing follows."""

    pts_s: float
    own_s: float
    after_gap: bool
    shown: Shown


@dataclass(frozen=True, slots=True)
class Picked:
    """A picture that is looked at, on screen during ``[pts_s, pts_s + duration_s)``."""

    pixels: NDArray[np.uint8]
    pts_s: float
    duration_s: float


def timed(pictures: Iterator[Shown], *, step_s: float | None, tally: Tally) -> Iterator[Timed]:
    """The pictures with strictly rising times and the duration of each by itself.

    A missing time continues from the picture before; a picture whose time does not rise is dropped
    and counted. ``step_s`` is the nominal seconds from picture to picture, None if not known.
    """
    steps: deque[float] = deque(maxlen=_STEPS_KEPT)
    last: Timed | None = None
    near_loss = False
    for shown in pictures:
        near_loss = near_loss or shown.near_loss
        own_s = shown.own_s or step_s or _median(steps)
        pts_s = shown.pts_s
        if pts_s is None:
            pts_s = 0.0 if last is None else last.pts_s + last.own_s
            tally.say(f"pictures without a stored time are taken to follow {own_s:.4g} s apart")
        if last is not None and pts_s <= last.pts_s:
            tally.lose("their time does not rise")
            continue
        step = 0.0 if last is None else pts_s - last.pts_s
        doubtful = near_loss or step > _LONGEST_S
        gap = last is not None and doubtful and step > _GAP_STEPS * last.own_s
        last = Timed(pts_s, own_s, gap, shown)
        near_loss = False
        if step:
            steps.append(step)
        yield last


def picked(
    pictures: Iterator[Shown], *, sampling: Sampling, step_s: float | None, tally: Tally
) -> Iterator[Picked]:
    """The pictures that ``sampling`` looks at, each shown until the next of them or until a gap.

    Memory: one picture is held back, because its duration is known when the next one comes.
    """
    picker = FramePicker(sampling)
    end_s = math.inf if sampling.end_s is None else sampling.end_s
    held: tuple[NDArray[np.uint8], float] | None = None
    last: Timed | None = None
    for frame in timed(pictures, step_s=step_s, tally=tally):
        if held is not None and last is not None and frame.after_gap:
            yield _shown_until(*held, min(last.pts_s + last.own_s, end_s))
            held = None
        last = frame
        if picker.is_past(frame.pts_s):
            break
        if not picker.wants(frame.pts_s):
            continue
        if held is not None:
            yield _shown_until(*held, frame.pts_s)
        pixels = frame.shown.make()
        held = None if pixels is None else (pixels, frame.pts_s)
    if held is not None and last is not None:
        yield _shown_until(*held, min(last.pts_s + last.own_s, end_s))


def _shown_until(pixels: NDArray[np.uint8], pts_s: float, end_s: float) -> Picked:
    return Picked(pixels, pts_s, end_s - pts_s)


def _median(steps: deque[float]) -> float:
    return statistics.median(steps) if steps else _FALLBACK_S
