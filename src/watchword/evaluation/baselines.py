"""What is reached without looking at the picture: the numbers to stand beside every figure.

- *always*: every window is a hit; one event over the whole video; every video is positive.
- *never*: the contrary.
- *random*: expected value. As a ranking, AUC 0.5 and an average precision of the base rate; as
  decisions, a coin that says yes as often as the truth does.
- *centre*: the nearer to the middle of its video, the higher (a Gaussian whose sigma is half the
  video's length, as VERA multiplies its scores with). As decisions, the middle share of every video
  that is as long as the share which the model flags over all.
- *shorter*: the shorter a video, the higher all its windows (one over the root of its length). As
  decisions, the shortest videos that make up the share which the model flags.
- *later*: the longer since the start of its video, the higher. In the table of baselines only, and
  in a note where it does as well as the model, as on clips that end with their event.
- *oracle*: the truth about whole videos, on all their windows. Only it knows anything of the truth.

Centre and shorter need a video's length, so they are no rivals for a live camera, but they are for
every number reported on a finished file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGMA = 0.5
# Finer than a window of the longest video, coarser than rounding.
_DIGITS = 9

Floats = NDArray[np.float64]


def centre(position: NDArray[np.floating]) -> Floats:
    """The centre prior of windows at a relative position (0 first, 1 last moment).

    >>> bool(centre(np.array([0.5])) > centre(np.array([0.1])))
    True
    """
    # Windows equally far from the middle are equal, whatever rounding made of their positions.
    away = np.round(np.abs(np.asarray(position, np.float64) - 0.5), _DIGITS)
    return np.asarray(np.exp(-0.5 * (away / SIGMA) ** 2), np.float64)


def shorter(duration_s: float) -> float:
    """The score that every window of a video of this length gets from its length alone.

    >>> shorter(4.0)
    0.5
    """
    return float(duration_s**-0.5)


def middle_share(share: float, duration_s: float) -> tuple[float, float] | None:
    """The middle share of a video as an interval in seconds; None for no share.

    >>> middle_share(0.5, 10.0)
    (2.5, 7.5)
    """
    if share <= 0:
        return None
    half = min(share, 1.0) / 2
    return ((0.5 - half) * duration_s, (0.5 + half) * duration_s)


def shortest_within(
    durations_s: Sequence[float], weights: Sequence[float], share: float
) -> list[bool]:
    """Which videos are the shortest that together make up a share of the weight, at least.

    >>> shortest_within([10.0, 2.0, 5.0], [10, 2, 5], 0.3)
    [False, True, True]
    """
    total = float(sum(weights))
    chosen = [False] * len(durations_s)
    held = 0.0
    for number in np.argsort(np.asarray(durations_s), kind="stable").tolist():
        if held >= share * total - 1e-9:
            break
        chosen[number] = True
        held += weights[number]
    return chosen


def coin(positives: int, negatives: int) -> Floats:
    """(tn, fp, fn, tp) that a coin is expected to count which says yes as often as the truth does.

    >>> coin(1, 3).tolist()
    [2.25, 0.75, 0.75, 0.25]
    """
    total = positives + negatives
    base = positives / total if total else 0.0
    counts = [negatives * (1 - base), negatives * base, positives * (1 - base), positives * base]
    return np.array(counts)
