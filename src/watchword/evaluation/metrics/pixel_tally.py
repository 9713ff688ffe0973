"""How many pixels have each score, for more pixels than fit in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32]
Floats = NDArray[np.float64]
_MOST = 2**20


class PixelTally:
    """Normal pixels, event pixels, and weights of event pixels, by score.

    Scores are float32 (float64 ones are rounded to it), kept as whole numbers in the same order.
    While there are at most a million different ones the table is exact. Beyond that their last
    bits are left off, so that neighbours share a row, until they fit: ``dropped_bits`` tells how
    many, and scores within ``2^(dropped_bits - 23)`` of their size count as equal. The table takes
    at most 28 MB, and some times that while it grows.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._keys: Keys = np.empty(0, np.uint32)
        self._columns: Floats = np.empty((3, 0))
        self.dropped_bits = 0

    def add(
        self,
        normal: NDArray[np.floating[Any]],
        event: NDArray[np.floating[Any]],
        weights: Floats,
    ) -> None:
        """Count the scores of normal pixels, and those of event pixels with their weights."""
        if normal.size:
            unique, counts = np.unique(self._keys_of(normal), return_counts=True)
            columns = np.zeros((3, len(unique)))
            columns[0] = counts
            self._merge(unique, columns)
        if event.size:
            unique, place = np.unique(self._keys_of(event), return_inverse=True)
            none = np.zeros(len(unique))
            self._merge(unique, np.stack([none, np.bincount(place), np.bincount(place, weights)]))

    def falling(self) -> tuple[Floats, Floats, Floats]:
        """Normal pixels, event pixels and event weights of each score, from the highest down."""
        normal, event, weights = self._columns[:, ::-1]
        return normal, event, weights

    def _keys_of(self, scores: NDArray[np.floating[Any]]) -> Keys:
        return ordered_keys(scores) >> np.uint32(self.dropped_bits)

    def _merge(self, keys: Keys, columns: Floats) -> None:
        every = np.concatenate([self._keys, keys])
        sums = np.concatenate([self._columns, columns], axis=1)
        order = np.argsort(every, kind="stable")
        self._keys, self._columns = _grouped(every[order], sums[:, order])
        while len(self._keys) > self._most:
            self.dropped_bits += 1
            self._keys, self._columns = _grouped(self._keys >> np.uint32(1), self._columns)


def ordered_keys(scores: NDArray[np.floating[Any]]) -> Keys:
    """Each score as float32, as a whole number that is larger where the score is.

    The bits of a positive float rise with it and those of a negative one fall, so the sign bit is
    set on the former and all bits are turned on the latter. 0 and -0 are the same.
    """
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    negative = bits >> np.uint32(31) == 1
    return np.where(negative, ~bits, bits | np.uint32(1 << 31))


def _grouped(keys: Keys, columns: Floats) -> tuple[Keys, Floats]:
    """Sorted keys once each, their columns summed."""
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[starts], np.add.reduceat(columns, starts, axis=1)
