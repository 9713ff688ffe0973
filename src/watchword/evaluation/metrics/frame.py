"""How well scores put windows with an event above windows without one.

Every metric here takes a flat truth and flat scores; a score that was not measured is left out by
the caller. Where a number is not defined, as with one class only, the answer is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.confusion import Confusion, checked_beta
from watchword.evaluation.metrics.confusion import confusion as confusion
from watchword.evaluation.metrics.confusion import threshold_counts as threshold_counts
from watchword.evaluation.metrics.inputs import scores_of, truth_of, weights_of

Floats = NDArray[np.float64]
Padding = Literal["skip", "pad"]
PADDINGS: tuple[Padding, ...] = ("skip", "pad")


def _steps(
    truth: ArrayLike, scores: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Each distinct score from the highest down, with the true and false hits from there up.

    Windows without weight are not there: their scores are no thresholds.
    """
    true = truth_of(truth)
    values = scores_of(scores, len(true))
    weight = weights_of(weights, len(true))
    kept = np.flatnonzero(weight)
    order = kept[np.argsort(values[kept])[::-1]]
    ranked = values[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    tp = np.cumsum((weight * true)[order])[last]
    fp = np.cumsum((weight * ~true)[order])[last]
    return ranked[last].astype(np.float64), tp, fp


def roc_auc(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | None:
    """Chance that a window with an event scores above one without; a tie counts half.

    Args:
        truth: (N,) whether an event is there.
        scores: (N,) higher is more.
        weights: (N,) how much each counts, as the seconds it lasts; 1 each if not given.

    Returns:
        0 to 1, 0.5 for scores that know nothing; None if only one class is there.

    Raises:
        ValueError: empty input, lengths that differ, NaN scores, or a truth that is not 0 or 1.
    """
    _, tp, fp = _steps(truth, scores, weights)
    if not (tp[-1] > 0 and fp[-1] > 0):
        return None
    before = np.concatenate([[0.0], tp[:-1]])
    area = np.dot(np.diff(fp, prepend=0.0), tp + before) / 2
    return float(area / tp[-1] / fp[-1])


def average_precision(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | None:
    """Mean precision over the events as they are reached from the highest score down.

    By steps, ``sum (R_n - R_(n-1)) P_n``, without interpolation; windows of equal score are one
    step. Scores that know nothing reach the share of event windows. None if only one class is
    there. Arguments and errors as for `roc_auc`.
    """
    _, tp, fp = _steps(truth, scores, weights)
    if not (tp[-1] > 0 and fp[-1] > 0):
        return None
    return float(np.dot(np.diff(tp, prepend=0.0), tp / (tp + fp)) / tp[-1])


def trapezoid_pr_auc(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | None:
    """Area under the precision-recall curve with straight lines between its points.

    Starts at recall 0 with precision 1. Some papers (LAVAD) report this in place of average
    precision; it is too kind where scores tie. None if only one class is there.
    """
    curve = pr_curve(truth, scores, weights=weights)
    if curve is None:
        return None
    precision, recall, _ = curve
    return float(np.trapezoid(precision, recall))


def roc_curve(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats] | None:
    """``(false positive rate, true positive rate, thresholds)`` from no hit to all, (M+1,) each.

    One point a distinct score; the first threshold is infinite. None if only one class is there.
    """
    thresholds, tp, fp = _steps(truth, scores, weights)
    if not (tp[-1] > 0 and fp[-1] > 0):
        return None
    return (
        np.concatenate([[0.0], fp / fp[-1]]),
        np.concatenate([[0.0], tp / tp[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def pr_curve(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats] | None:
    """``(precision, recall, thresholds)`` from no hit to all, (M+1,) each.

    The first point has an infinite threshold, recall 0 and, as is usual, precision 1. None if only
    one class is there.
    """
    thresholds, tp, fp = _steps(truth, scores, weights)
    if not (tp[-1] > 0 and fp[-1] > 0):
        return None
    return (
        np.concatenate([[1.0], tp / (tp + fp)]),
        np.concatenate([[0.0], tp / tp[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def best_f1(
    truth: ArrayLike, scores: ArrayLike, *, beta: float = 1.0, weights: ArrayLike | None = None
) -> tuple[float, float] | None:
    """``(threshold, F)`` with the highest F (F1 unless ``beta`` is given) of all thresholds.

    Chosen on the very data it is measured on, which flatters it. Of equally good thresholds the
    highest is given, which raises the fewest alarms. None if no event is there.
    """
    thresholds, tp, fp = _steps(truth, scores, weights)
    if not tp[-1] > 0:
        return None
    found = checked_beta(beta) * tp
    values = found / (found + beta**2 * (tp[-1] - tp) + fp)
    best = int(np.argmax(values))
    return float(thresholds[best]), float(values[best])


def best_youden(
    truth: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> tuple[float, float] | None:
    """``(threshold, recall + specificity - 1)`` with the highest sum of all thresholds.

    Chosen on the very data it is measured on. Of equally good thresholds the highest is given.
    None if only one class is there.
    """
    thresholds, tp, fp = _steps(truth, scores, weights)
    if not (tp[-1] > 0 and fp[-1] > 0):
        return None
    # Over a common denominator, where equal values are equal numbers.
    values = tp * fp[-1] - fp * tp[-1]
    best = int(np.argmax(values))
    return float(thresholds[best]), float(values[best] / fp[-1] / tp[-1])


def macro_auc(
    pairs: Iterable[tuple[ArrayLike, ArrayLike]],
    *,
    padding: Padding,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> float | None:
    """Mean over videos of the AUC within each.

    Args:
        pairs: the truth and the scores of each video.
        padding: what becomes of videos that hold one class only, as papers differ: ``skip`` leaves
            them out; ``pad`` adds a window without an event at the lowest possible score and one
            with an event at the highest to *every* video, as AED-SSMTL does, which raises the mean.
        bounds: the lowest and the highest score there can be, where padding.

    Returns:
        The mean; None if no video has both classes (``skip``) or there is none at all.

    Raises:
        ValueError: as for `roc_auc`, or a score is outside the bounds where padding.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding is {padding!r}, it must be one of {', '.join(PADDINGS)}")
    low, high = bounds
    areas = []
    for truth, scores in pairs:
        true = truth_of(truth)
        values = scores_of(scores, len(true))
        if padding == "pad":
            if values.min() < low or values.max() > high:
                raise ValueError(
                    f"scores reach from {values.min():g} to {values.max():g}, padding takes "
                    f"{low:g} and {high:g} as their bounds; give the bounds of this kind of score"
                )
            true = np.concatenate([true, [False, True]])
            values = np.concatenate([values.astype(np.float64), [low, high]])
        area = roc_auc(true, values)
        if area is not None:
            areas.append(area)
    return float(np.mean(areas)) if areas else None


__all__ = [
    "PADDINGS",
    "Confusion",
    "Padding",
    "average_precision",
    "best_f1",
    "best_youden",
    "confusion",
    "macro_auc",
    "pr_curve",
    "roc_auc",
    "roc_curve",
    "threshold_counts",
    "trapezoid_pr_auc",
]
