"""Cuts: moments at which the picture becomes unlike everything of the moment before.

A film jumps to another scene, a camera is switched, a title comes up. None of it is an event, and
none of what was seen before says anything of what comes after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.features import Features

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6
# Pictures whose features are looked at in one go: bounds memory, not results.
AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class CutOptions:
    """When the picture counts as cut.

    Attributes:
        below: cosine to every picture of the moment before under which a picture is a cut; None
            finds none. 0.64 suits the visual features of the built-in model; its 384 numbers for
            words jump as far at a crash as at a cut, and need None.
        memory_s: seconds that are the moment before.
    """

    below: float | None = 0.64
    memory_s: float = 1.0

    def __post_init__(self) -> None:
        if self.below is not None and not -1 < self.below < 1:
            raise ValueError(f"below is {self.below}, it must be a cosine in (-1, 1) or None")
        if not (math.isfinite(self.memory_s) and self.memory_s > 0):
            raise ValueError(
                f"memory_s is {self.memory_s}, it must be a positive number of seconds"
            )


class CutFinder:
    """Finds the cuts of a video as it comes, in memory that does not grow with it.

    Cut up in any way, a video has the same cuts.
    """

    def __init__(self, options: CutOptions | None = None) -> None:
        self._options = options or CutOptions()
        self._rows: NDArray[np.float32] | None = None
        self._starts = np.zeros(0)

    def update(
        self, vectors: NDArray[np.float32], starts_s: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """(n,) whether each of the next pictures is the first after a cut.

        Pictures that follow each other by more than ``memory_s`` are too far apart to tell a cut
        from movement, and a stretch that was not measured (NaN) is no cut.

        Args:
            vectors: (n,D) unit rows.
            starts_s: (n,) when each is first shown, rising from one call to the next.
        """
        if self._options.below is None or not len(vectors):
            return np.zeros(len(vectors), bool)
        if self._rows is None:
            rows, starts = vectors, starts_s
        else:
            rows = np.concatenate([self._rows, vectors])
            starts = np.concatenate([self._starts, starts_s])
        old = len(rows) - len(vectors)
        found = np.zeros(len(rows), bool)
        cosines = np.einsum("td,td->t", rows[1:], rows[:-1])
        begin = 0
        for i in np.flatnonzero(cosines < self._options.below) + 1:
            if i >= old and self._is_cut(rows, starts, begin, int(i)):
                found[i] = True
                begin = int(i)
        keep = max(begin, int(np.searchsorted(starts, starts[-1] - self._options.memory_s)))
        self._rows, self._starts = rows[keep:].copy(), starts[keep:].copy()
        return found[old:]

    def _is_cut(
        self, rows: NDArray[np.float32], starts: NDArray[np.float64], begin: int, i: int
    ) -> bool:
        """Whether picture ``i`` is unlike all since ``begin`` that the memory holds."""
        assert self._options.below is not None
        since = starts[i] - self._options.memory_s - TOLERANCE_S
        first = max(begin, int(np.searchsorted(starts, since)))
        if first == i:
            return False
        likeness = np.einsum("td,d->t", rows[first:i], rows[i])
        # What lies before a stretch that was not measured is not the moment before.
        holes = np.flatnonzero(np.isnan(likeness))
        likeness = likeness[holes[-1] + 1 :] if len(holes) else likeness
        return bool((likeness < self._options.below).all())


def cuts(features: Features, options: CutOptions | None = None) -> NDArray[np.float64]:
    """Seconds at which the picture is cut, in order; none for a video of one take.

    Args:
        features: of T pictures.
        options: what counts as a cut.
    """
    finder, starts = CutFinder(options), features.edges_s[:-1]
    found = [np.zeros(0)]
    for at in range(0, len(features), AT_ONCE):
        part = slice(at, min(at + AT_ONCE, len(features)))
        found.append(starts[part][finder.update(features.rows(part), starts[part])])
    return np.concatenate(found)
