"""Scores smoothed in time, in seconds, whatever the sampling was.

A window takes part by its middle. Windows that were not measured (NaN) stay NaN and lend nothing to
their neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.types import Scores

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6
# A Gaussian is cut where it has fallen to 0.0003 of its height.
SIGMAS = 4.0
# Windows whose neighbourhoods are sorted at once by the median: bounds memory, not results.
BLOCK = 4096

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How scores are smoothed in time.

    Attributes:
        method: "none"; "mean", weighted by the windows' lengths; "gaussian", likewise weighted;
            "median", in which each window counts once.
        width_s: seconds; the whole width of mean and median, the Gaussian's standard deviation.
        causal: use only the past and the present, as a live camera must. Mean and median then look
            back over ``width_s``, the Gaussian keeps its left half.
    """

    method: Literal["none", "mean", "gaussian", "median"] = "none"
    width_s: float = 1.0
    causal: bool = False

    def __post_init__(self) -> None:
        if self.method not in ("none", "mean", "gaussian", "median"):
            raise ValueError(
                f"method is {self.method!r}, it must be none, mean, gaussian or median"
            )
        if not (math.isfinite(self.width_s) and self.width_s > 0):
            raise ValueError(f"width_s is {self.width_s}, it must be a positive number of seconds")


def smooth(scores: Scores, smoothing: Smoothing) -> Scores:
    """The scores smoothed in time: same windows, labels and kind.

    A smoothed value lies between the lowest and the highest that it is made of, and a window of NaN
    stays NaN.
    """
    if smoothing.method == "none" or not len(scores):
        return scores
    values = scores.values.astype(np.float64)
    middles = (scores.edges_s[:-1] + scores.edges_s[1:]) / 2
    first, last = _reach(middles, smoothing)
    if smoothing.method == "median":
        smoothed = _median(values, first, last)
    else:
        lengths = np.diff(scores.edges_s)
        sigma_s = smoothing.width_s if smoothing.method == "gaussian" else None
        smoothed = _weighted_mean(values, middles, lengths, (first, last), sigma_s)
    smoothed[np.isnan(values)] = np.nan
    return replace(scores, values=smoothed.astype(np.float32))


def _reach(middles: Series, smoothing: Smoothing) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and one past the last window that take part in each window's value."""
    width = smoothing.width_s
    if smoothing.method == "gaussian":
        back = SIGMAS * width + TOLERANCE_S
    elif smoothing.causal:
        # Half-open, so that as many windows take part as fill the width.
        back = width - TOLERANCE_S
    else:
        back = width / 2 + TOLERANCE_S
    own = np.arange(len(middles))
    first = np.minimum(np.searchsorted(middles, middles - back, side="left"), own)
    if smoothing.causal:
        return first, own + 1
    return first, np.searchsorted(middles, middles + back, side="right")


def _weighted_mean(
    values: Series,
    middles: Series,
    lengths: Series,
    reach: tuple[NDArray[np.intp], NDArray[np.intp]],
    sigma_s: float | None,
) -> Series:
    """Mean over each window's reach, weighted by length and, with a sigma, by a Gaussian.

    One pass an offset between windows, each over the whole series: regular and irregular sampling
    take the same path.
    """
    measured = ~np.isnan(values)
    filled = np.where(measured, values, 0.0)
    whole = bool(measured.all())
    total = np.zeros_like(values)
    weight = np.zeros((len(values), 1) if whole else values.shape)
    for here, there in _offsets(*reach):
        share = lengths[there].copy()
        if sigma_s is not None:
            share *= np.exp(-0.5 * ((middles[there] - middles[here]) / sigma_s) ** 2)
        total[here] += filled[there] * share[:, None]
        weight[here] += share[:, None] if whole else measured[there] * share[:, None]
    with np.errstate(invalid="ignore"):
        mean = total / weight
    # Rounding must not push a value past those that it is made of: contrast ends at 1.
    return np.clip(mean, filled.min(), filled.max(), out=mean)


Places = NDArray[np.intp] | slice


def _offsets(first: NDArray[np.intp], last: NDArray[np.intp]) -> Iterator[tuple[Places, Places]]:
    """For each distance between windows, (windows, their partners at that distance)."""
    own = np.arange(len(first))
    for offset in range(int((first - own).min()), int((last - own).max())):
        partner = own + offset
        here = np.flatnonzero((partner >= first) & (partner < last))
        if len(here) and here[-1] - here[0] + 1 == len(here):
            # Nearly always: a slice is several times as fast as a list of places.
            start, stop = int(here[0]), int(here[-1]) + 1
            yield slice(start, stop), slice(start + offset, stop + offset)
        else:
            yield here, here + offset


def _median(values: Series, first: NDArray[np.intp], last: NDArray[np.intp]) -> Series:
    widest = int((last - first).max())
    out = np.empty_like(values)
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        around = first[block, None] + np.arange(widest)
        inside = around < last[block, None]
        near = values[np.minimum(around, len(values) - 1)]
        near[~inside] = np.nan
        out[block] = _middle(near)
    return out


def _middle(near: Series) -> Series:
    """Median over axis 1 of what is not NaN; NaN where nothing is (numpy's would warn)."""
    near.sort(axis=1)  # puts NaN last
    count = (~np.isnan(near)).sum(axis=1, keepdims=True)
    low = np.take_along_axis(near, np.maximum(count - 1, 0) // 2, axis=1)
    high = np.take_along_axis(near, np.minimum(count // 2, near.shape[1] - 1), axis=1)
    return np.asarray(((low + high) / 2)[:, 0])
