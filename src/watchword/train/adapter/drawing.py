"""In which order windows are learned from: shuffled, both classes in equal parts.

The order rests on seed and epoch alone, so that a training that was stopped goes on as if it had
not been.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.train.adapter.windows import Windows

Numbers = NDArray[np.intp]


def draw_windows(
    windows: Windows, *, batch: int, seed: int, epoch: int, balanced: bool = True
) -> Iterator[Numbers]:
    """Numbers of windows (B,), batch by batch: each window at least once an epoch.

    Args:
        windows: to draw from.
        batch: windows of a batch; the last may be smaller.
        seed: of the training.
        epoch: counted from 0.
        balanced: windows that hold something abnormal and windows that do not take turns, those of
            the rarer kind repeated; else each window comes once.

    Raises:
        ValueError: balanced, and all windows are of one kind.
    """
    chance = np.random.default_rng((seed, epoch))
    positive = windows.abnormal > 0
    order = _in_turn(positive, chance) if balanced else chance.permutation(len(windows))
    for at in range(0, len(order), batch):
        yield order[at : at + batch]


def drawn_pictures(windows: Windows, *, balanced: bool = True) -> tuple[float, float]:
    """(normal, abnormal) pictures that an epoch of `draw_windows` shows: for `class_weights`."""
    share = np.ones(len(windows))
    positive = windows.abnormal > 0
    if balanced:
        _both(positive)
        most = max(positive.sum(), (~positive).sum())
        share = np.where(positive, most / positive.sum(), most / (~positive).sum())
    return float(windows.normal @ share), float(windows.abnormal @ share)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnVideos:
    """Windows of V videos, some of which may be one video seen in other windows.

    Attributes:
        windows: (B,) numbers of windows.
        bags: (B,) which of the V each belongs to.
        truth: (V,) bool, which of them are abnormal.
    """

    windows: Numbers
    bags: Numbers
    truth: NDArray[np.bool_]


def draw_videos(
    windows: Windows, *, videos: int, each: int, seed: int, epoch: int
) -> Iterator[DrawnVideos]:
    """Batches of ``videos`` videos, abnormal and normal in turn, those of the rarer kind repeated.

    Each labelled video comes at least once an epoch, with ``each`` windows spread evenly over it
    from a random beginning, or all it has. Cut the windows with a stride of their own length here,
    so that no picture counts twice among a video's most abnormal.

    Raises:
        ValueError: the videos are all of one class.
    """
    chance = np.random.default_rng((seed, epoch))
    there = np.array([n for n in np.unique(windows.videos) if windows.labels[n] is not None], int)
    truth = np.array([windows.labels[n] is True for n in there], np.bool_)
    order = _in_turn(truth, chance)
    bounds = np.searchsorted(windows.videos, [there[order], there[order] + 1])
    for at in range(0, len(order), videos):
        mine = bounds[:, at : at + videos].T
        parts = [_spread(first, last, each, chance) for first, last in mine]
        bags = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        yield DrawnVideos(np.concatenate(parts), bags, truth[order[at : at + videos]])


def _spread(first: int, last: int, most: int, chance: np.random.Generator) -> Numbers:
    count = min(last - first, most)
    steps = (np.arange(count) + chance.random()) * (last - first) / count
    return first + steps.astype(np.intp)


def _in_turn(positive: NDArray[np.bool_], chance: np.random.Generator) -> Numbers:
    """Both kinds in turn, each shuffled and gone through again until the other is through."""
    _both(positive)
    kinds = [np.flatnonzero(positive), np.flatnonzero(~positive)]
    most = max(map(len, kinds))
    rounds = [
        np.concatenate([chance.permutation(kind) for _ in range(-(-most // len(kind)))])[:most]
        for kind in kinds
    ]
    return np.stack(rounds, axis=1).ravel()


def _both(positive: NDArray[np.bool_]) -> None:
    if positive.all() or not positive.any():
        raise ValueError(
            f"{int(positive.sum())} of {len(positive)} hold something abnormal; both kinds are "
            "needed: label more, or learn from normal footage alone (objective: normal)"
        )
