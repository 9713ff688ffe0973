"""Thresholds to try, and which of them is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.cases import Case

Values = NDArray[np.float64]
# Values closer than this are equal: sums of the same parts in another order.
EQUAL = 1e-12
MOST = 100_000


def threshold_range(start: float, stop: float, step: float) -> Values:
    """(N,) thresholds from start to stop, both included, each the decimal number it looks like.

    >>> threshold_range(0.1, 0.3, 0.1).tolist()
    [0.1, 0.2, 0.3]

    Raises:
        ValueError: not finite, no step, stop before start, or over 100,000 thresholds.
    """
    if not all(map(math.isfinite, (start, stop, step))) or step <= 0 or stop < start:
        raise ValueError(
            f"start {start}, stop {stop} and step {step} make no range; they must be finite, the "
            "step positive and stop not before start"
        )
    first, last, by = (Decimal(repr(float(value))) for value in (start, stop, step))
    count = int((last - first) / by) + 1
    if count > MOST:
        raise ValueError(f"{count} thresholds are too many, at most {MOST}; take a larger step")
    return np.array([float(first + number * by) for number in range(count)])


def usual_thresholds(cases: Sequence[Case]) -> Values:
    """(N,) 50 to 300 round thresholds over the range of the scores.

    The range comes from the scores alone, never from the truth.

    Raises:
        CalibrationError: nothing was measured.
    """
    values = np.concatenate([np.empty(0), *(case.series.astype(np.float64) for case in cases)])
    values = values[~np.isnan(values)]
    if not len(values):
        raise CalibrationError("no window was measured, so there is no threshold to choose")
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise CalibrationError(f"every score is {low:g}, so no threshold tells anything apart")
    step = 10.0 ** math.floor(math.log10((high - low) / 50))
    step *= 2 if (high - low) / step > 200 else 1
    by = Decimal(f"{step:.0e}")
    first, last = math.floor(Decimal(low) / by), math.ceil(Decimal(high) / by)
    return threshold_range(float(first * by), float(last * by), float(by))


def best_of(values: Values, allowed: NDArray[np.bool_] | None = None) -> int | None:
    """Index of the highest value: the middle of the longest row of neighbours that share it.

    The middle because a threshold at the edge of such a row is the first to fail on other data. Of
    rows equally long the first is taken, of two middles the lower one. None if no value may be
    chosen.

    >>> best_of(np.array([0.1, 0.5, 0.5, 0.5, 0.2]))
    2
    """
    fine = ~np.isnan(values) if allowed is None else allowed & ~np.isnan(values)
    if not fine.any():
        return None
    best = fine & (np.where(fine, values, -np.inf) >= values[fine].max() - EQUAL)
    edges = np.flatnonzero(np.diff(np.r_[False, best, False]))
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    return int(starts[longest] + ends[longest] - 1) // 2
