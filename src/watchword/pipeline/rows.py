"""Rows that come bit by bit and end as one array, held only once meanwhile."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.float32, np.int8)


class Rows(Generic[Number]):
    """A growing (T,D) array of one type of number.

    Joining a list of parts in the end would hold everything twice, which for hours of video is most
    of the memory that is used.

    >>> rows = Rows(2, np.float32)
    >>> rows.extend(np.ones((3, 2), np.float32))
    >>> rows.done().shape
    (3, 2)
    """

    def __init__(self, dim: int, number: type[Number]) -> None:
        self._array: NDArray[Number] = np.zeros((1024, dim), number)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, rows: NDArray[Number]) -> None:
        """Adds rows (N,D) at the end."""
        needed = self._count + len(rows)
        if needed > len(self._array):
            # In place: the system moves large arrays without copying them.
            self._resize(max(needed, self._count + self._count // 32))
        self._array[self._count : needed] = rows
        self._count = needed

    def done(self) -> NDArray[Number]:
        """All rows (T,D); nothing may be added afterwards."""
        self._resize(self._count)
        return self._array

    def _resize(self, rows: int) -> None:
        # No other array looks into this one.
        self._array.resize((rows, self._array.shape[1]), refcheck=False)
