"""Overlap of intervals in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.types import Span

# 0.5 s of 5 s is a temporal IoU of 0.1, also where frame times make it 0.09999999999999998.
_ROUNDING = 1e-9


def tiou_matrix(truth: Sequence[Span], found: Sequence[Span]) -> NDArray[np.float64]:
    """Intersection over union in seconds of each true with each found interval, (G,F)."""
    starts, ends = bounds(truth)
    found_starts, found_ends = bounds(found)
    shared = np.minimum(ends[:, None], found_ends) - np.maximum(starts[:, None], found_starts)
    shared = np.maximum(shared, 0.0)
    total = (ends - starts)[:, None] + (found_ends - found_starts) - shared
    return np.asarray(shared / total)


def reaches(overlap: NDArray[np.float64], tiou: float) -> NDArray[np.bool_]:
    """Whether overlaps are a temporal IoU or more; what rounding of times takes off is forgiven."""
    return np.asarray(overlap >= tiou - _ROUNDING)


def bounds(spans: Sequence[Span]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends of the intervals in seconds, (N,) each."""
    return np.array([s.start_s for s in spans]), np.array([s.end_s for s in spans])


def checked_tiou(tiou: float) -> float:
    """The share of overlap that makes a match; ValueError unless above 0 and at most 1."""
    if not 0 < tiou <= 1:
        raise ValueError(f"tiou is {tiou}, it must be above 0 and at most 1")
    return tiou
