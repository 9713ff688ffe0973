"""Probabilities put right: as often as a score of p is given, an event should follow.

A logistic curve over a probability's logit has two numbers, so a few dozen held-out examples fit
it (Platt, 1999). It never changes the order of scores. `train/platt.py` fits it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Beyond this a probability is as good as certain; its logit stays finite.
CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Platt:
    """What turns a score's logit into that of a probability: ``slope * logit + offset``.

    Attributes:
        slope: above 1 the scores were too timid, below 1 too sure (default 1).
        offset: above 0 the event is more frequent than the scores say (default 0).
    """

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and self.slope > 0 and math.isfinite(self.offset)):
            raise ValueError(
                f"slope is {self.slope} and offset {self.offset}; both must be finite, slope above "
                "0, or the order of scores would be lost"
            )

    def __call__(self, probability: ArrayLike) -> NDArray[np.float64]:
        """The probabilities put right, of the same shape; NaN stays NaN.

        >>> Platt(1.0, 0.0)([0.25, 0.5]).tolist()
        [0.25, 0.5]
        """
        return expit(self.slope * logit(probability) + self.offset)


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """log(p / (1 - p)) of probabilities; 0 and 1 as ``CERTAIN`` says."""
    p = np.clip(np.asarray(probability, np.float64), CERTAIN, 1 - CERTAIN)
    return np.asarray(np.log(p) - np.log1p(-p))


def expit(value: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-value)), which neither overflows nor leaves [0, 1]."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(value, np.float64))))
