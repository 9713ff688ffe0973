"""Whether probabilities mean what they say: reliability by bins, Brier score, calibration error.

Every function takes a flat truth and flat probabilities; a window that was not measured is left out
by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.inputs import scores_of, truth_of, weights_of

Floats = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The windows whose probability lies in ``[low, high)``; the last bin holds 1 too.

    Attributes:
        low: lower border.
        high: upper border.
        count: windows in it (their weight, if weights were given).
        said: mean probability; None if it is empty.
        true: share of them that hold an event; None likewise.
    """

    low: float
    high: float
    count: float
    said: float | None
    true: float | None


def reliability(
    truth: ArrayLike,
    probability: ArrayLike,
    *,
    bins: int = BINS,
    weights: ArrayLike | None = None,
) -> tuple[Bin, ...]:
    """What was said and what was true, in bins of equal width.

    Args:
        truth: (N,) whether an event is there.
        probability: (N,) from 0 to 1.
        bins: how many.
        weights: (N,) how much each counts; 1 each if not given.

    Raises:
        ValueError: empty input, lengths that differ, NaN, or a probability outside [0, 1].
    """
    if bins < 1:
        raise ValueError(f"bins is {bins}, it must be 1 or more")
    true, said = _checked(truth, probability)
    weight = weights_of(weights, len(true))
    count, saying, holding = bin_sums(true, said, bins, weight)
    edges = np.linspace(0, 1, bins + 1)
    return tuple(
        Bin(
            float(edges[i]),
            float(edges[i + 1]),
            float(count[i]),
            float(saying[i] / count[i]) if count[i] else None,
            float(holding[i] / count[i]) if count[i] else None,
        )
        for i in range(bins)
    )


def brier(truth: ArrayLike, probability: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Mean square of what was said less what was true (Brier, 1950): 0 is perfect.

    Saying the share of events everywhere gives share * (1 - share): the figure to beat. Arguments
    and errors as for `reliability`.
    """
    true, said = _checked(truth, probability)
    weight = weights_of(weights, len(true))
    return float(np.average((said - true) ** 2, weights=weight))


def calibration_error(
    truth: ArrayLike,
    probability: ArrayLike,
    *,
    bins: int = BINS,
    weights: ArrayLike | None = None,
) -> float:
    """Expected calibration error: mean distance of what was said and what was true over the bins.

    Each bin counts as much as it has windows (Naeini et al., 2015). 0 is perfect, and what always
    says the share of events reaches it, so read it beside the Brier score. Arguments and errors as
    for `reliability`.
    """
    true, said = _checked(truth, probability)
    count, saying, holding = bin_sums(true, said, bins, weights_of(weights, len(true)))
    return float(np.abs(saying - holding).sum() / count.sum())


def bin_sums(
    truth: NDArray[np.bool_], probability: Floats, bins: int, weights: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """(bins,) of windows, of their probabilities and of their events, summed in each bin."""
    place = np.minimum((probability * bins).astype(np.intp), bins - 1)
    each = np.ones(len(truth)) if weights is None else weights
    summed = [np.bincount(place, part, bins) for part in (each, each * probability, each * truth)]
    count, saying, holding = (np.asarray(part, np.float64) for part in summed)
    return count, saying, holding


def _checked(truth: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    true = truth_of(truth)
    said = scores_of(probability, len(true)).astype(np.float64)
    if said.min() < 0 or said.max() > 1:
        raise ValueError(
            f"probabilities reach from {said.min():g} to {said.max():g}, they must lie in [0, 1]"
        )
    return true, said
