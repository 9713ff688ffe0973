"""How good a head gets with how many labels: whether more of them would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.frame import roc_auc
from watchword.train.crossval import fit_one
from watchword.train.folds import grouped_folds, usable_folds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIZES = (5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """With ``labels`` examples: mean and standard deviation of AUC over ``seeds`` draws."""

    labels: int
    mean: float
    spread: float
    seeds: int


def learning_curve(
    examples: Floats,
    truth: Bools,
    groups: Sequence[str],
    *,
    folds: int,
    seeds: int,
    sizes: Sequence[int] = SIZES,
) -> tuple[CurvePoint, ...]:
    """AUC on held-out groups of models that learn from so many examples of the other groups.

    Each seed splits the groups anew and draws its examples anew, at least one of each kind. Sizes
    for which a fold has too few examples are left out; the last point learns from all there are.

    Args:
        examples: (n,F).
        truth: (n,).
        groups: group of each example.
        folds: of the split.
        seeds: how many draws.
        sizes: how many examples to learn from.
    """
    if len(set(groups)) < 2:
        return ()
    splits = [grouped_folds(groups, truth, folds=folds, seed=seed) for seed in range(seeds)]
    least = min(int((fold != number).sum()) for fold in splits for number in np.unique(fold))
    points = []
    for size in [size for size in sizes if size < least] + [least]:
        found = [
            _auc(examples, truth, np.asarray(groups), fold, size, seed)
            for seed, fold in enumerate(splits)
        ]
        told = [auc for auc in found if auc is not None]
        if told:
            points.append(CurvePoint(size, float(np.mean(told)), float(np.std(told)), len(told)))
    return tuple(points)


def advice(points: Sequence[CurvePoint]) -> str:
    """What the curve says of labelling more, in a sentence; empty if it says nothing."""
    if len(points) < 2:
        return ""
    before, last = points[-2:]
    gain = last.mean - before.mean
    told = (
        f"from {before.labels} to {last.labels} labels AUC went "
        f"from {before.mean:.3f} to {last.mean:.3f}"
    )
    if gain > max(before.spread, last.spread):
        return f"More labels are likely to help: {told}."
    return f"More labels of this kind may not help much: {told}, no more than draws differ."


def _auc(
    examples: Floats,
    truth: Bools,
    groups: NDArray[np.str_],
    fold: NDArray[np.intp],
    size: int,
    seed: int,
) -> float | None:
    draw = np.random.default_rng(seed)
    logits = np.full(len(truth), np.nan)
    for kept, held in usable_folds(fold, truth):
        picked = _drawn(np.flatnonzero(kept), truth, size, draw)
        names = groups[picked].tolist()
        model = fit_one(examples[picked], truth[picked], names, folds=3, seed=seed)
        logits[held] = model.logits(examples[held])
    scored = ~np.isnan(logits)
    return roc_auc(truth[scored], logits[scored]) if scored.any() else None


def _drawn(
    among: NDArray[np.intp], truth: Bools, size: int, draw: np.random.Generator
) -> NDArray[np.intp]:
    """So many of the given examples, one of each kind first."""
    mixed = draw.permutation(among)
    first = [int(mixed[truth[mixed]][0]), int(mixed[~truth[mixed]][0])]
    rest = mixed[~np.isin(mixed, first)]
    return np.concatenate([first, rest[: size - 2]]).astype(np.intp)
