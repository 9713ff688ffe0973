"""Blocks of footage and the highest score in each: the unit in which false alarms are counted.

Neighbouring windows look alike, so a million of them are no million observations. Highest scores of
blocks that are long against that likeness nearly are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.calibration import Reference
from watchword.evaluation.metrics.correlation import spearman
from watchword.types import Scores

# Seconds that a block may last, if nobody chooses.
LENGTHS_S = (2.0, 5.0, 10.0, 30.0, 60.0)
# Rank correlation of neighbouring blocks under which they count as independent.
INDEPENDENT = 0.2
# Blocks that a correlation between neighbours needs to mean something.
FEWEST = 20
# Share of a block that must have been measured: the highest of less would be lower.
MEASURED = 0.9
# Maxima that a file keeps.
KEPT = 1000

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The highest score of each whole block, timeline by timeline.

    Attributes:
        block_s: seconds of a block.
        maxima: (n,) for each timeline, in order of time.
        dropped: blocks left out because they were cut short or hardly measured.
    """

    block_s: float
    maxima: tuple[Series, ...]
    dropped: int = 0

    @property
    def pooled(self) -> Series:
        """(n,) maxima of all timelines."""
        return np.concatenate([np.empty(0), *self.maxima])

    @property
    def correlation(self) -> float | None:
        """Rank correlation of neighbouring blocks; None if there are too few or all are equal."""
        before = np.concatenate([np.empty(0), *(one[:-1] for one in self.maxima)])
        after = np.concatenate([np.empty(0), *(one[1:] for one in self.maxima)])
        return spearman(before, after) if len(before) >= FEWEST else None


def strongest(scores: Scores) -> NDArray[np.float32]:
    """(T,) highest score over labels of each window; NaN where none was measured."""
    return np.asarray(np.fmax.reduce(scores.values, axis=1, initial=np.nan), np.float32)


def block_maxima(
    timelines: Sequence[Scores], block_s: float, *, label: str | None = None
) -> Blocks:
    """The highest score of consecutive blocks that each timeline is cut into.

    A window belongs to the block that its middle lies in. Blocks that the end cuts short, or of
    which less than 90 % was measured, are left out and counted: their highest would be too low.

    Args:
        timelines: scores of one video each.
        block_s: seconds of a block.
        label: the label that is looked at; None is the highest over labels.
    """
    if not block_s > 0:
        raise ValueError(f"block_s is {block_s}, it must be a positive number of seconds")
    found, dropped = [], 0
    for scores in timelines:
        values = strongest(scores) if label is None else scores[label]
        maxima, short = _of_one(np.asarray(values, np.float64), scores.edges_s, block_s)
        found.append(maxima)
        dropped += short
    return Blocks(block_s, tuple(found), dropped)


def _of_one(values: Series, edges_s: Series, block_s: float) -> tuple[Series, int]:
    if not len(values):
        return np.empty(0), 0
    middles = (edges_s[:-1] + edges_s[1:]) / 2 - edges_s[0]
    number = np.floor(middles / block_s).astype(np.intp)
    cuts = np.flatnonzero(np.r_[True, np.diff(number) > 0])
    known = ~np.isnan(values)
    seconds = np.add.reduceat(np.where(known, np.diff(edges_s), 0.0), cuts)
    highest = np.maximum.reduceat(np.where(known, values, -np.inf), cuts)
    # A hair of room: the last window of a block may end a rounding error early.
    whole = seconds >= MEASURED * block_s - 1e-6
    return highest[whole], int((~whole).sum())


def choose_blocks(timelines: Sequence[Scores], *, label: str | None = None) -> tuple[Blocks, str]:
    """Blocks of the shortest length at which neighbours hardly tell of each other, and why so.

    Of 2, 5, 10, 30 and 60 seconds, the first at which the rank correlation of neighbouring maxima
    is under 0.2; where even long blocks resemble their neighbours, the longest with 20 pairs.

    Raises:
        CalibrationError: there are not 20 pairs of neighbouring blocks of even two seconds.
    """
    tried: list[tuple[Blocks, float]] = []
    for block_s in LENGTHS_S:
        blocks = block_maxima(timelines, block_s, label=label)
        pairs = sum(max(0, len(one) - 1) for one in blocks.maxima)
        if pairs < FEWEST:
            break
        correlation = blocks.correlation
        # Nothing varies: no block tells anything of another.
        tried.append((blocks, 0.0 if correlation is None else correlation))
        if tried[-1][1] < INDEPENDENT:
            return blocks, (
                f"blocks of {block_s:g} s: the shortest whose neighbours hardly resemble each "
                f"other (rank correlation {tried[-1][1]:.2f})"
            )
    if not tried:
        total_s = sum(float(one.edges_s[-1] - one.edges_s[0]) for one in timelines)
        raise CalibrationError(
            f"{total_s:.0f} s of footage in {len(timelines)} videos are too few: {FEWEST} pairs of "
            "neighbouring blocks of 2 s are needed to begin with; give longer footage, or a block "
            "length"
        )
    blocks, correlation = tried[-1]
    return blocks, (
        f"blocks of {blocks.block_s:g} s still resemble their neighbours (rank correlation "
        f"{correlation:.2f}) and longer ones would be too few: the promise is weaker than it reads"
    )


def reference_of(timelines: Sequence[Scores], blocks: Blocks | None = None) -> Reference:
    """What scores looked like, for a later drift check.

    Args:
        timelines: scores of one video each.
        blocks: blocks of their highest score over labels; None cuts them anew.

    Raises:
        CalibrationError: too little footage to cut into blocks, or nothing was measured.
    """
    if blocks is None:
        blocks, _ = choose_blocks(timelines)
    values = np.concatenate([strongest(scores) for scores in timelines]).astype(np.float64)
    values = values[~np.isnan(values)]
    maxima = np.sort(blocks.pooled)
    if not len(values) or not len(maxima):
        raise CalibrationError("no block of the footage was measured; give footage with scores")
    kept = np.unique(np.linspace(0, len(maxima) - 1, min(KEPT, len(maxima))).round().astype(int))
    return Reference(
        windows=len(values),
        quantiles=_rounded(np.quantile(values, np.linspace(0, 1, 101))),
        block_s=blocks.block_s,
        blocks=len(maxima),
        maxima=_rounded(maxima[kept]),
        correlation=round(min(max(0.0, blocks.correlation or 0.0), 0.99), 3),
    )


def _rounded(values: Series) -> tuple[float, ...]:
    """Six digits: what a float32 score holds, and a file that people can read."""
    return tuple(float(f"{value:.6g}") for value in values)
