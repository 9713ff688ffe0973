"""Pictures spread evenly over footage of any length, kept to be measured in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Seconds of pictures in a row, so that what is averaged over time can be.
RUN_S = 2.0
# Bytes of cells kept: about 1,500 pictures of 16x16 cells of 40 numbers.
MOST_BYTES = 64 * 2**20

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A picture of the footage: cells by part, its clip, and its time on the footage's clock."""

    at_s: float
    length_s: float
    cells: Mapping[str, Floats]
    clip: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """n pictures of one part and one clip that follow each other: ``cells`` (n,h,w,C)."""

    cells: Floats
    at_s: NDArray[np.float64]
    length_s: NDArray[np.float64]
    clip: int = 0


class Sample:
    """Keeps every picture while they are few, then every second run, every fourth, and so on."""

    def __init__(self) -> None:
        self._runs: dict[int, list[list[Held]]] = {}
        self._every = 1
        self._bytes = 0
        self._parted = True
        self._last: int | None = None

    def part(self) -> None:
        """Says that the next picture does not follow the one before it."""
        self._parted = True

    def add(self, picture: Held) -> None:
        """Keeps the picture, if its turn it is."""
        turn = int(picture.at_s // RUN_S)
        if turn % self._every:
            return
        runs = self._runs.setdefault(turn, [])
        if self._parted or not runs:
            runs.append([])
        runs[-1].append(picture)
        self._parted = False
        self._bytes += _size(picture)
        while self._bytes > MOST_BYTES and len(self._runs) > 1:
            self._thin()

    @property
    def every(self) -> int:
        """How many pictures of the footage each that is kept stands for."""
        return self._every

    def of(self, name: str) -> list[Run]:
        """The pictures of one part."""
        return [_run(run, name) for turn in self._runs.values() for run in turn]

    def _thin(self) -> None:
        self._every *= 2
        self._runs = {turn: runs for turn, runs in self._runs.items() if turn % self._every == 0}
        self._bytes = sum(_size(one) for runs in self._runs.values() for run in runs for one in run)


def _size(picture: Held) -> int:
    return sum(cells.nbytes for cells in picture.cells.values())


def _run(run: list[Held], name: str) -> Run:
    cells = np.stack([one.cells[name] for one in run])
    at_s, length_s = (np.array([getattr(o, n) for o in run]) for n in ("at_s", "length_s"))
    return Run(cells, at_s, length_s, run[0].clip)
