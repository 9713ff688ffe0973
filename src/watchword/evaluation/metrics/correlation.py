"""How well two lists of numbers agree in order or in value."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Variant = Literal["b", "c"]


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(
            f"x has shape {first.shape} and y {second.shape}; both must be (N,), N of 1 or more"
        )
    missing = int((np.isnan(first) | np.isnan(second)).sum())
    if missing:
        raise ValueError(f"{missing} of {len(first)} pairs hold a NaN; leave them out")
    return first, second


def pearson(x: ArrayLike, y: ArrayLike) -> float | None:
    """Pearson's correlation of two lists (N,), -1 to 1; None if one of them is constant.

    Raises:
        ValueError: empty, of different lengths, NaN or infinite values.
    """
    first, second = _pair(x, y)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("values must be finite")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    # Scaled first, so that squares of very large or small values stay within range.
    a, b = (values - values.mean() for values in (first / _size(first), second / _size(second)))
    value = np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b))
    return float(np.clip(value, -1.0, 1.0))


def _size(values: Floats) -> float:
    return float(np.abs(values).max()) or 1.0


def spearman(x: ArrayLike, y: ArrayLike) -> float | None:
    """Spearman's correlation: Pearson's of the ranks, equal values sharing their mean rank.

    None if one list is constant.

    Raises:
        ValueError: empty, of different lengths, or NaN.
    """
    first, second = _pair(x, y)
    return pearson(mean_ranks(first), mean_ranks(second))


def mean_ranks(values: ArrayLike) -> Floats:
    """Rank of each value (N,), counted from 1; equal values share the mean of their ranks."""
    _, place, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], np.float64)


def kendall_tau(x: ArrayLike, y: ArrayLike, variant: Variant = "b") -> float | None:
    """Kendall's tau of two lists (N,): pairs in the same order less pairs in opposite order.

    ``b`` divides by ``sqrt((n0 - n1)(n0 - n2))``, all pairs less those tied in x, and in y.
    ``c`` (Stuart's) divides by ``n^2 (m - 1) / 2m`` with m the smaller number of distinct values,
    which suits scales of few steps against continuous scores. O(n log n) comparisons.

    Returns:
        -1 to 1; None if one list is constant.

    Raises:
        ValueError: empty, of different lengths, NaN, or another variant.
    """
    if variant not in ("b", "c"):
        raise ValueError(f"variant is {variant!r}, it must be b or c")
    first, second = _pair(x, y)
    _, a, a_counts = np.unique(first, return_inverse=True, return_counts=True)
    _, b, b_counts = np.unique(second, return_inverse=True, return_counts=True)
    if len(a_counts) == 1 or len(b_counts) == 1:
        return None
    n = len(first)
    pairs = n * (n - 1) // 2
    tied_x, tied_y = _pairs_within(a_counts), _pairs_within(b_counts)
    both = np.unique(a.astype(np.int64) * len(b_counts) + b, return_counts=True)[1]
    # In order of x, and of y where x is equal, whatever falls in y is out of order.
    discordant = _inversions(b[np.lexsort((b, a))])
    balance = pairs - tied_x - tied_y + _pairs_within(both) - 2 * discordant
    if variant == "c":
        steps = min(len(a_counts), len(b_counts))
        return balance / (n * n * (steps - 1) / (2 * steps))
    return balance / math.sqrt((pairs - tied_x) * (pairs - tied_y))


def _pairs_within(counts: NDArray[np.intp]) -> int:
    """Number of pairs that lie within one group."""
    return int((counts.astype(np.int64) * (counts - 1) // 2).sum())


def _inversions(values: NDArray[np.intp]) -> int:
    """Pairs of which the earlier is the greater, counted bit by bit.

    Values that agree in all higher bits stand together, in their first order; of these a pair is
    inverted at this bit if a 1 stands before a 0.
    """
    total = 0
    for bit in reversed(range(int(values.max()).bit_length())):
        one = (values >> bit) & 1
        block = values >> (bit + 1)
        starts = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
        before = np.cumsum(one) - one
        own = before - np.repeat(before[starts], np.diff(np.append(starts, len(values))))
        total += int(own[one == 0].sum())
        values = values[np.argsort(values >> bit, kind="stable")]
    return total
