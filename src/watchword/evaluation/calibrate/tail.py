"""How rare a score is against those of footage without events: p-values and thresholds of a tail.

The unit is the highest score of a block (``blocks``), because neighbouring windows are no
independent observations. Conformal prediction (Vovk et al., 2005): if a new block is exchangeable
with n blocks without events, its p-value is at most alpha with a chance of at most alpha.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def tail_p_values(calibration_maxima: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    """How often footage without events reaches each value: ``(1 + #{maxima >= v}) / (n + 1)``.

    Args:
        calibration_maxima: (n,) block maxima of footage without events.
        values: scores or block maxima, any shape; NaN stays NaN.

    >>> tail_p_values([0.1, 0.2, 0.3, 0.4], [0.5, 0.4, 0.15]).tolist()
    [0.2, 0.4, 0.8]
    """
    maxima = np.sort(np.asarray(calibration_maxima, np.float64))
    if np.isnan(maxima).any() or not len(maxima):
        raise ValueError("calibration_maxima must be at least one number, and none NaN")
    asked = np.asarray(values, np.float64)
    reached = len(maxima) - np.searchsorted(maxima, asked, side="left")
    return np.where(np.isnan(asked), np.nan, (1 + reached) / (len(maxima) + 1))


def tail_rank(blocks: int, alpha: float, confidence: float | None = None) -> int | None:
    """Which of the block maxima, counted from the lowest as 1, a threshold must lie above.

    ``ceil((n + 1) (1 - alpha))``: the chance of an alarm in a new block is then at most alpha, on
    average over calibrations. With ``confidence`` it is at most alpha in this share of all
    calibrations: the chance above the k-th lowest of n is Beta(n + 1 - k, k), Vovk 2012.

    Returns:
        None if there are too few blocks.
    """
    if confidence is None:
        # Rounding errors of the product must not cost a whole rank.
        rank = math.ceil((blocks + 1) * (1 - alpha) - 1e-9)
        return rank if rank <= blocks else None
    from scipy.special import betainc

    ranks = np.arange(1, blocks + 1)
    enough = betainc(blocks + 1 - ranks, ranks, alpha) >= confidence
    return int(ranks[enough][0]) if enough.any() else None


def blocks_needed(alpha: float, confidence: float | None = None) -> int:
    """The fewest blocks with which a chance of alpha can be promised.

    >>> blocks_needed(0.01), blocks_needed(0.01, 0.95)
    (99, 299)
    """
    if confidence is None:
        return math.ceil(1 / alpha - 1 - 1e-9)
    return math.ceil(math.log1p(-confidence) / math.log1p(-alpha) - 1e-9)


def smallest_alpha(blocks: int, confidence: float | None = None) -> float:
    """The smallest chance of an alarm that can be promised with so many blocks."""
    if confidence is None:
        return 1 / (blocks + 1)
    return float(-math.expm1(math.log1p(-confidence) / blocks))


def just_above(value: float) -> float:
    """The lowest threshold that ``value`` does not reach.

    Scores are float32 and are compared as such, so the next float32 is meant.

    >>> import numpy as np
    >>> bool(np.float32(0.3) >= np.float32(just_above(0.3)))
    False
    """
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))
