"""The four counts of a yes-or-no decision, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.inputs import scores_of, truth_of, weights_of

Counts = NDArray[np.float64]


def share(part: float, whole: float) -> float | None:
    """``part / whole``; None where there is no whole to have a part of."""
    return part / whole if whole > 0 else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often the decision was right and wrong: whole numbers of windows, or seconds.

    Attributes:
        tn: rightly silent.
        fp: false alarms.
        fn: missed.
        tp: rightly found.
    """

    tn: float
    fp: float
    fn: float
    tp: float

    def __post_init__(self) -> None:
        if min(self.tn, self.fp, self.fn, self.tp) < 0:
            raise ValueError(f"counts must not be negative, got {self}")

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.tn + other.tn, self.fp + other.fp, self.fn + other.fn, self.tp + other.tp
        )

    @property
    def precision(self) -> float | None:
        """Share of what was found that is true; None if nothing was found."""
        return share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of what is true that was found; None if nothing is true."""
        return share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float | None:
        """Share of what is not true that was left alone; None if all is true."""
        return share(self.tn, self.tn + self.fp)

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions; None if nothing was decided."""
        return share(self.tp + self.tn, self.tp + self.tn + self.fp + self.fn)

    @property
    def iou(self) -> float | None:
        """What is both found and true, of what is either; None if neither was."""
        return share(self.tp, self.tp + self.fp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where nothing is true and nothing found."""
        return self.f_beta(1.0)

    @property
    def youden(self) -> float | None:
        """Recall + specificity - 1; None if either class is missing."""
        if self.recall is None or self.specificity is None:
            return None
        return self.recall + self.specificity - 1

    def f_beta(self, beta: float) -> float | None:
        """F with recall ``beta`` times as important as precision; None as for ``f1``.

        ``(1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp)``, which is 0 if nothing true was found.

        Raises:
            ValueError: beta is not positive.
        """
        found = checked_beta(beta) * self.tp
        return share(found, found + beta**2 * self.fn + self.fp)


def checked_beta(beta: float) -> float:
    """``1 + beta^2``; ValueError unless beta is positive and finite."""
    if not (np.isfinite(beta) and beta > 0):
        raise ValueError(f"beta is {beta}, it must be positive")
    return 1 + beta**2


def confusion(truth: ArrayLike, hits: ArrayLike, *, weights: ArrayLike | None = None) -> Confusion:
    """How often the ``hits`` (N,) agree with the ``truth`` (N,).

    Args:
        truth: whether it is so, as booleans or 0 and 1.
        hits: whether it was said so, likewise.
        weights: how much each counts, as the seconds it lasts; 1 each if not given.

    Raises:
        ValueError: empty, of different lengths, or neither 0 nor 1.
    """
    true = truth_of(truth)
    said = truth_of(hits)
    if len(said) != len(true):
        raise ValueError(f"hits have shape {said.shape}, the truth has shape {true.shape}")
    if weights is None:
        number = np.bincount(2 * true + said, minlength=4).tolist()
    else:
        number = np.bincount(2 * true + said, weights_of(weights, len(true)), 4).tolist()
    return Confusion(*number)


def threshold_counts(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    *,
    weights: ArrayLike | None = None,
) -> tuple[Counts, Counts, Counts, Counts]:
    """The four counts at each threshold, ``(tn, fp, fn, tp)`` with a (K,) array each.

    A hit is ``score >= threshold``, compared in the precision of the scores as numpy compares an
    array with a number: 0.7 means the float32 next to it where scores are float32.

    Args:
        truth: (N,) whether it is so.
        scores: (N,) higher is more.
        thresholds: (K,) in any order.
        weights: (N,) how much each counts; 1 each if not given.

    Raises:
        ValueError: as for every metric, or a threshold is NaN.
    """
    true = truth_of(truth)
    values = scores_of(scores, len(true))
    weight = weights_of(weights, len(true))
    levels = np.asarray(thresholds, np.float64)
    if levels.ndim != 1 or np.isnan(levels).any():
        raise ValueError("thresholds must be a flat list of numbers, none of them NaN")
    order = np.argsort(values)
    first = np.searchsorted(values[order], levels.astype(values.dtype), side="left")
    below_true = np.concatenate([[0.0], np.cumsum((weight * true)[order])])
    below_other = np.concatenate([[0.0], np.cumsum((weight * ~true)[order])])
    fn, tn = below_true[first], below_other[first]
    return tn, below_other[-1] - tn, fn, below_true[-1] - fn
