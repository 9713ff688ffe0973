"""Platt's curve fitted on scores of examples that the model had not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.metrics.inputs import scores_of, truth_of
from watchword.evidence.platt import Platt, expit, logit

Floats = NDArray[np.float64]

# Fewer of either class, and two numbers are as good as guessed.
LEAST = 5
STEPS = 100
# Scores that rank backwards would need a falling curve; no rising one serves them.
FLATTEST = 1e-3


def fit_platt(probability: ArrayLike, truth: ArrayLike) -> Platt:
    """The curve under which the truth is most likely, by Newton's method with halved steps.

    Positives count as (n+1)/(n+2) and negatives as 1/(n+2), as Platt does, so that a handful of
    examples makes nothing certain. Scores that tell nothing, or the opposite, become the share of
    positives wherever they are.

    Args:
        probability: (N,) held-out scores from 0 to 1.
        truth: (N,) what was true of them.

    Raises:
        CalibrationError: fewer than five examples of a class.
        ValueError: lengths that differ, or NaN.
    """
    true = truth_of(truth)
    x = logit(scores_of(probability, len(true)))
    positives, negatives = int(true.sum()), int((~true).sum())
    if min(positives, negatives) < LEAST:
        raise CalibrationError(
            f"{positives} positive and {negatives} negative examples are too few to say how "
            f"frequent an event is at a score; {LEAST} of each are the least"
        )
    target = np.where(true, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    wide = np.column_stack([x, np.ones(len(x))])
    at = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    loss = _loss(wide, target, at)
    for _ in range(STEPS):
        chance = expit(wide @ at)
        slope = wide.T @ (chance - target)
        curve = wide.T @ (wide * (chance * (1 - chance))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and _loss(wide, target, at - size * step) > loss:
            size /= 2
        at = at - size * step
        before, loss = loss, _loss(wide, target, at)
        if before - loss < 1e-10 * max(before, 1.0):
            break
    if at[0] < FLATTEST:
        return Platt(FLATTEST, float(logit(target.mean())))
    return Platt(float(at[0]), float(at[1]))


def _loss(wide: Floats, target: Floats, at: Floats) -> float:
    logits = wide @ at
    return float((np.logaddexp(0, logits) - target * logits).sum())
