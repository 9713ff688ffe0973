"""Splits by group: what was filmed by one camera is never on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def grouped_folds(
    groups: Sequence[str], truth: Bools, *, folds: int, seed: int
) -> NDArray[np.intp]:
    """(n,) the fold of each example; a group lies in one fold, and folds have alike many events.

    Groups are shuffled, then dealt out, those with most events first, each to the fold that has
    least so far. There are no more folds than groups.

    Args:
        groups: group of each example.
        truth: (n,) which hold the event.
        folds: how many at most; two or more.
        seed: of the shuffle.
    """
    if folds < 2:
        raise ValueError(f"folds is {folds}, it must be 2 or more")
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    folds = min(folds, len(names))
    events = np.bincount(member, weights=truth, minlength=len(names))
    others = np.bincount(member, weights=~truth, minlength=len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.lexsort((-others[order], -events[order]))]
    load = np.zeros((folds, 2))
    where = np.zeros(len(names), np.intp)
    for group in order:
        # Events first where the group has any, else the rest: both kinds come to each fold.
        kind = 0 if events[group] else 1
        fold = int(np.lexsort((load.sum(axis=1), load[:, kind]))[0])
        where[group] = fold
        load[fold] += events[group], others[group]
    return where[member]


def usable_folds(fold: NDArray[np.intp], truth: Bools) -> Iterator[tuple[Bools, Bools]]:
    """(examples to learn from, examples held out) of each fold that leaves both kinds to learn."""
    for number in np.unique(fold):
        held = fold == number
        kept = truth[~held]
        if kept.any() and not kept.all():
            yield ~held, held
