"""Where in the picture: heat maps and boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen, timeline_edges

# (left, top, right, bottom) as shares of the upright picture's width and height.
Part = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """How strongly each place of the picture speaks, window by window; higher is more.

    ``values`` (T,h,w) float16 lie on a grid that covers the whole upright picture: cell (i, j) is
    its i-th of h stripes from the top and j-th of w from the left. NaN is "not measured".
    ``unit`` says what the numbers are, in the reader's words, ``made_by`` what made them.
    """

    values: NDArray[np.float16]
    edges_s: NDArray[np.float64]
    unit: str
    made_by: str = ""

    def __post_init__(self) -> None:
        values = frozen(self.values, np.float16, (None, None, None), "values")
        if not values.shape[1] or not values.shape[2]:
            raise ValueError(f"a heat map needs at least one cell, got {values.shape[1:]}")
        if np.isinf(values).any():
            raise ValueError("values must be finite, or NaN where not measured")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "edges_s", timeline_edges(self.edges_s, len(values)))

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Heat(values={self.values.shape}, unit={self.unit!r})"


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture, in shares of its width and height from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                f"a box must lie within the picture, got left {self.left}, top {self.top}, "
                f"right {self.right}, bottom {self.bottom} as shares of it"
            )
