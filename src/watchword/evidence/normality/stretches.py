"""Cells of one part of normality, stretch by stretch of the footage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchword.errors import NormalityError
from watchword.evidence.normality.distance import spread
from watchword.evidence.normality.memory import PartOptions

# Stretches at most; when there would be more, each takes in the one after it.
MOST_STRETCHES = 16

Floats = NDArray[np.float32]


class PartStretches:
    """Keeps cells that cover what each stretch of the footage showed at each place."""

    def __init__(self, options: PartOptions, scale: Floats | None = None) -> None:
        """Begins without a stretch.

        Args:
            options: how the part is remembered.
            scale: (h,w,C) units of the numbers; None takes their spread in the footage.
        """
        self._options = options
        self._scale = scale
        self._stretches: list[Floats | None] = []
        self._count = 0
        self._mean = np.zeros(0)
        self._square = np.zeros(0)

    @property
    def spread(self) -> Floats:
        """(C,) spread of each number of a cell over all footage so far."""
        spread_of = np.sqrt(self._square / max(self._count, 1))
        if not self._options.equal:
            spread_of = np.full_like(spread_of, np.sqrt((spread_of**2).mean()))
        # A number that never changed has no unit.
        return np.where(spread_of > 0, spread_of, 1.0).astype(np.float32)

    @property
    def stretches(self) -> Floats:
        """(n,h,w,S,C) cells of every stretch so far; NaN where there are fewer.

        Raises:
            NormalityError: no cell was ever measured.
        """
        filled = [one for one in self._stretches if one is not None]
        if not filled:
            raise NormalityError("nothing of the footage could be measured; give other footage")
        empty = np.full_like(filled[0], np.nan)
        return np.stack([empty if one is None else one for one in self._stretches])

    def add(self, stretch: int, cells: Floats) -> None:
        """Takes in cells (n,h,w,C) of a stretch; cells of NaN are left out."""
        self._stretches += [None] * (stretch + 1 - len(self._stretches))
        if np.isnan(cells).all():
            return
        self._measure(cells)
        height, width, numbers = cells.shape[1:]
        rows = cells.transpose(1, 2, 0, 3).reshape(height * width, len(cells), numbers)
        old = self._stretches[stretch]
        if old is not None:
            rows = np.concatenate([old.reshape(height * width, -1, numbers), rows], axis=1)
        self._stretches[stretch] = self._thinned(rows, (height, width))

    def pair_up(self) -> None:
        """Makes one stretch of every two."""
        pairs: list[Floats | None] = []
        for at in range(0, len(self._stretches), 2):
            both = [one for one in self._stretches[at : at + 2] if one is not None]
            if not both:
                pairs.append(None)
                continue
            height, width = both[0].shape[:2]
            rows = np.concatenate([one.reshape(height * width, *one.shape[2:]) for one in both], 1)
            pairs.append(self._thinned(rows, (height, width)))
        self._stretches = pairs

    def _thinned(self, rows: Floats, grid: tuple[int, int]) -> Floats:
        numbers = rows.shape[-1]
        if not self._options.keep:
            return np.zeros((*grid, 1, numbers), np.float32)
        units = self.spread if self._scale is None else self._scale.reshape(-1, 1, numbers)
        kept = spread(rows / units, self._options.keep) * units
        return np.asarray(kept.reshape(*grid, *kept.shape[1:]), np.float32)

    def _measure(self, cells: Floats) -> None:
        """Takes the cells into mean and spread (Chan, Golub and LeVeque, 1983)."""
        rows = cells.reshape(-1, cells.shape[-1]).astype(np.float64)
        rows = rows[~np.isnan(rows[:, 0])]
        if not len(rows):
            return
        if not self._count:
            self._mean = np.zeros(rows.shape[1])
            self._square = np.zeros(rows.shape[1])
        mean = rows.mean(axis=0)
        away = mean - self._mean
        total = self._count + len(rows)
        self._square += ((rows - mean) ** 2).sum(axis=0)
        self._square += away**2 * self._count * len(rows) / total
        self._mean += away * len(rows) / total
        self._count = total
