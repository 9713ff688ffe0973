"""What every metric asks of its input, said once: no hole, no missing value, no third class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def truth_of(truth: ArrayLike) -> NDArray[np.bool_]:
    """The truth (N,) as booleans.

    Raises:
        ValueError: it is empty, not flat, or holds something that is neither 0 nor 1.
    """
    array = np.asarray(truth)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"truth has shape {array.shape}, it must be (N,) with N of 1 or more")
    if array.dtype == np.bool_:
        return array
    if not np.isin(array, (0, 1)).all():
        other = array[~np.isin(array, (0, 1))][0]
        raise ValueError(f"truth holds {other!r}, it must hold only 0 and 1 (or booleans)")
    return array.astype(np.bool_)


def scores_of(scores: ArrayLike, count: int) -> NDArray[np.floating[Any]]:
    """The scores (N,) in their own precision, one for each of ``count`` truths.

    Raises:
        ValueError: another length, or a NaN: what was not measured is left out by the caller, who
            knows how to say so.
    """
    array = np.asarray(scores)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.shape != (count,):
        raise ValueError(f"scores have shape {array.shape}, the truth has shape ({count},)")
    missing = int(np.isnan(array).sum())
    if missing:
        raise ValueError(f"{missing} of {count} scores are NaN (not measured); leave them out")
    return array


def weights_of(weights: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """How much each of ``count`` items counts (N,), 1 each if not said.

    Raises:
        ValueError: another length, a weight that is negative or not finite, or nothing but 0.
    """
    if weights is None:
        return np.ones(count)
    array = np.asarray(weights, np.float64)
    if array.shape != (count,):
        raise ValueError(f"weights have shape {array.shape}, the truth has shape ({count},)")
    if not ((np.isfinite(array) & (array >= 0)).all() and array.any()):
        raise ValueError("weights must be finite, not negative and not all 0")
    return array
