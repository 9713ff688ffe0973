"""Scores of examples by models that saw nothing of their group: nested, as two things are chosen.

The outer folds give each example a score from a model fitted without its group; within what such a
model learns from, inner folds choose the strength of its penalty. So no example has a say in
anything that its own score depends on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.train.folds import grouped_folds, usable_folds
from watchword.train.logistic import Rotated, fit_logistic, log_loss, rotate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# On standardised numbers: from "hardly anything but the bias" to "hardly any penalty".
STRENGTHS: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)

# Where there are too few groups to choose one: a strong penalty, as few examples want.
USUAL_STRENGTH = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """One label's model on raw numbers: logit = weights · (x − mean) / scale + bias.

    ``chosen`` says whether inner folds chose ``strength``, or the usual one was taken.
    """

    weights: Floats
    bias: float
    mean: Floats
    scale: Floats
    strength: float
    chosen: bool

    def logits(self, examples: Floats) -> Floats:
        """(n,) logits of (n,F) examples."""
        weights = self.weights / self.scale
        return np.asarray(examples @ weights + (self.bias - weights @ self.mean))


def fit_one(
    examples: Floats, truth: Bools, groups: Sequence[str], *, folds: int, seed: int
) -> Fitted:
    """A model of one label on (n,F) examples, its penalty chosen by inner folds.

    Raises:
        ValueError: one class only.
    """
    strength = choose_strength(examples, truth, groups, folds=folds, seed=seed)
    basis = rotate(examples)
    used = USUAL_STRENGTH if strength is None else strength
    return _unrotated(basis, *fit_logistic(basis.x, truth, used), used, chosen=strength is not None)


def choose_strength(
    examples: Floats, truth: Bools, groups: Sequence[str], *, folds: int, seed: int
) -> float | None:
    """The strength with the lowest mean log loss on held-out folds; the stronger penalty of equals.

    None if no fold can be both learned from and judged: too few groups hold the event or lack it.
    """
    if len(set(groups)) < 2:
        return None
    fold = grouped_folds(groups, truth, folds=folds, seed=seed)
    losses = []
    for kept, held in usable_folds(fold, truth):
        basis = rotate(examples[kept])
        part = (examples[held] - basis.mean) / basis.scale @ basis.back.T
        losses.append([_held_loss(basis, truth[kept], part, truth[held], one) for one in STRENGTHS])
    told = [row for row in losses if not np.isnan(row).any()]
    return STRENGTHS[int(np.mean(told, axis=0).argmin())] if told else None


def held_out_logits(
    examples: Floats, truth: Bools, groups: Sequence[str], *, folds: int, seed: int
) -> Floats:
    """(n,) logit of each example by a model that saw nothing of its group.

    NaN where no model could be fitted: without that fold, only one class is left to learn from.
    """
    logits = np.full(len(truth), np.nan)
    if len(set(groups)) < 2:
        return logits
    names = np.asarray(groups)
    fold = grouped_folds(groups, truth, folds=folds, seed=seed)
    for kept, held in usable_folds(fold, truth):
        model = fit_one(examples[kept], truth[kept], names[kept].tolist(), folds=folds, seed=seed)
        logits[held] = model.logits(examples[held])
    return logits


def _held_loss(basis: Rotated, kept: Bools, part: Floats, held: Bools, strength: float) -> float:
    weights, bias = fit_logistic(basis.x, kept, strength)
    return log_loss(part @ weights + bias, held)


def _unrotated(
    basis: Rotated, weights: Floats, bias: float, strength: float, *, chosen: bool
) -> Fitted:
    return Fitted(weights @ basis.back, bias, basis.mean, basis.scale, strength, chosen)
