"""Micro AUC of many resamples, from how often each video's events beat each video's rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import Floats, Weights
from watchword.evaluation.levels.part import ratio


@dataclass(frozen=True, slots=True, eq=False)
class Wins:
    """Pairs of a window with an event and one without, counted by the videos they are of.

    The area under the ROC curve is the share of all pairs that the event wins (Mann and Whitney),
    so a resample needs only these counts. A tie is half a win.

    Attributes:
        pairs: (V,V) wins of event windows of the row's video over others of the column's.
        events: (V,) windows with an event.
        others: (V,) windows without one.
    """

    pairs: Floats
    events: Floats
    others: Floats

    def auc(self, weights: Weights, videos: Sequence[int] | None = None) -> Floats:
        """(B,) micro AUC of each resample; NaN where it holds one class only.

        Args:
            weights: (B,V) how often each video was drawn.
            videos: only these count; all if not given.
        """
        drawn = weights.astype(np.float64)
        if videos is not None:
            kept = np.zeros(drawn.shape[1])
            kept[list(videos)] = 1.0
            drawn = drawn * kept
        won = ((drawn @ self.pairs) * drawn).sum(axis=1)
        return ratio(won, (drawn @ self.events) * (drawn @ self.others))


def count_wins(truths: Sequence[NDArray[np.bool_]], values: Sequence[NDArray[np.floating]]) -> Wins:
    """The wins among V videos, exactly, ties included.

    Args:
        truths: of each video (T_v,) whether each window holds an event.
        values: of each video (T_v,) its scores, none of them NaN.
    """
    events = [value[truth] for truth, value in zip(truths, values, strict=True)]
    others = [value[~truth] for truth, value in zip(truths, values, strict=True)]
    size = len(truths)
    wins = np.zeros((size, size))
    video = np.repeat(np.arange(size), [len(part) for part in events])
    steps, step = np.unique(np.concatenate(events), return_inverse=True)
    # The last slot is for what lies above every step.
    slots = len(steps) + 1
    for column, part in enumerate(others):
        if not (len(part) and len(steps)):
            continue
        # Of the part's windows, how many lie below each step, and how many at or below it.
        below = np.bincount(np.searchsorted(steps, part, side="right"), minlength=slots)
        at_most = np.bincount(np.searchsorted(steps, part, side="left"), minlength=slots)
        beaten = (below + at_most)[: len(steps)].cumsum() / 2
        wins[:, column] = np.bincount(video, weights=beaten[step], minlength=size)
    return Wins(
        wins,
        np.array([len(part) for part in events], np.float64),
        np.array([len(part) for part in others], np.float64),
    )
