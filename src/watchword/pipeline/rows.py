"""Vectors that come bit by bit and end as one array, held only once meanwhile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Rows:
    """A growing (T,D) float32 array.

    Joining a list of parts in the end would hold everything twice, which for hours of video is most
    of the memory that is used.

    >>> rows = Rows(2)
    >>> rows.extend(np.ones((3, 2), np.float32))
    >>> rows.done().shape
    (3, 2)
    """

    def __init__(self, dim: int) -> None:
        self._array = np.zeros((1024, dim), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> NDArray[np.float32]:
        """The last row (1,D), or none (0,D), as a copy."""
        return self._array[max(0, self._count - 1) : self._count].copy()

    def extend(self, rows: NDArray[np.float32]) -> None:
        """Adds rows (N,D) at the end."""
        needed = self._count + len(rows)
        if needed > len(self._array):
            # In place: the system moves large arrays without copying them.
            self._resize(max(needed, self._count + self._count // 8))
        self._array[self._count : needed] = rows
        self._count = needed

    def done(self) -> NDArray[np.float32]:
        """All rows (T,D); nothing may be added afterwards."""
        self._resize(self._count)
        return self._array

    def _resize(self, rows: int) -> None:
        # No other array looks into this one: what `last` gives is a copy.
        self._array.resize((rows, self._array.shape[1]), refcheck=False)
