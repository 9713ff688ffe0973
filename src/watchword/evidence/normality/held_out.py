"""What is usual in footage: pictures measured against all of it but their own clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import NormalityError
from watchword.evidence.normality.distance import Neighbours
from watchword.evidence.normality.folds import Span, groups_of, left_out
from watchword.evidence.normality.memory import PartOptions
from watchword.evidence.normality.meter import CausalMean, excess_of, top_mean, union
from watchword.evidence.normality.sample import Run

# Seconds of footage after which what is usual at a place is trusted half as far as it ever is.
TRUSTED_S = 30.0
# What is usual at a place is never less than this share of what is usual anywhere.
LEAST = 0.05

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Normal footage measured by what it is not part of.

    Attributes:
        usual: (h,w) distance that is usual at each place.
        scores: (n,) of pictures.
        groups: (n,) number of the part of the footage, mostly a clip, that each is of.
        excess: (m,) of single cells.
    """

    usual: Floats
    scores: Floats
    groups: NDArray[np.int64]
    excess: Floats


def held_out(
    runs: list[Run],
    stretches: Floats,
    stretch_s: float,
    options: PartOptions,
    *,
    spans: Mapping[int, Span],
    known: Floats | None = None,
) -> HeldOut:
    """What is usual, and how far pictures that the memory did not know strayed from it.

    Args:
        runs: pictures of the footage.
        stretches: (n,h,w,S,C) what each stretch of it showed.
        stretch_s: seconds of a stretch.
        options: how cells are compared.
        spans: of the clips that are left out as a whole.
        known: (h,w,S,C) entries of footage before this one, which all pictures are measured
            against too.

    Raises:
        NormalityError: the footage is too short to be measured so, or nothing ever differs in it.
    """
    far: list[Floats] = [np.full(run.cells.shape[:3], np.nan, np.float32) for run in runs]
    without = [left_out(run, spans, stretch_s) for run in runs]
    for first, last in np.unique(np.concatenate(without), axis=0):
        near = _near(stretches, (first, last), options, known)
        for distances, run, own in zip(far, runs, without, strict=True):
            here = (own == (first, last)).all(axis=1)
            if here.any():
                distances[here] = near.nearest(run.cells[here])
    usual = _usual(np.concatenate(far), options, len(stretches) * stretch_s)
    excess = [
        CausalMean(options.window_s).update(
            excess_of(distances, usual, options), run.at_s, run.length_s
        )
        for distances, run in zip(far, runs, strict=True)
    ]
    scores = np.concatenate([top_mean(one, options.top) for one in excess])
    cells = np.concatenate([one.ravel() for one in excess])
    known = ~np.isnan(scores)
    groups = groups_of(runs, spans)[known]
    return HeldOut(usual, scores[known], groups, cells[~np.isnan(cells)])


def _near(
    stretches: Floats, without: tuple[int, int], options: PartOptions, known: Floats | None
) -> Neighbours:
    at = np.arange(len(stretches))
    others = stretches[(at < without[0]) | (at > without[1])]
    if known is not None:
        others = np.concatenate([others, known[None]])
    if np.isnan(others).all():
        raise NormalityError(
            "the footage is too short to tell what is usual: nothing is left to compare a moment "
            "of it with; give more of it"
        )
    return Neighbours(union(others, options.keep), options.reach)


def _usual(far: Floats, options: PartOptions, seconds: float) -> Floats:
    """(h,w) usual distance at each place: between that of the place and that of all of them."""
    known = ~np.isnan(far)
    count = known.sum(axis=0)
    if not count.any():
        raise NormalityError("nothing of the footage could be measured; give other footage")
    at_place = np.where(known, far, 0).sum(axis=0) / np.maximum(count, 1)
    anywhere = float(at_place[count > 0].mean())
    if anywhere <= 0:
        raise NormalityError(
            "nothing ever differs in the footage: it is frozen or black; check the camera, and "
            "give footage of a usual day"
        )
    if options.stirred is not None:
        return np.ones(count.shape, np.float32)
    at_place = np.where(count > 0, np.maximum(at_place, LEAST * anywhere), anywhere)
    local = options.local * seconds / (seconds + TRUSTED_S)
    return np.asarray(anywhere ** (1 - local) * at_place**local, np.float32)
