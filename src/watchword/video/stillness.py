"""Whether a picture shows anything new since the last one that was encoded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Pixels across a block from which only every second, third, ... is looked at.
_PIXELS_ACROSS = 16


@dataclass(frozen=True, slots=True)
class Stillness:
    """When a picture counts as unchanged, so that the embedding before it is used again.

    Attributes:
        enabled: whether embeddings are used again at all (default False).
        threshold: change of the most changed block, in grey levels of 255, from which a picture
            counts as new (default 6).
        columns: blocks across (default 16).
        rows: blocks down (default 16).
    """

    enabled: bool = False
    threshold: float = 6.0
    columns: int = 16
    rows: int = 16

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise ValueError(f"threshold is {self.threshold}, it must be positive grey levels")
        for name in ("columns", "rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 1 or more")


class StillTest:
    """Compares each picture with the last one that was new; holds that one's block means.

    The largest change of any block decides, not the mean over the picture: a person far away
    moves few blocks much, and the mean not at all. Colours are compared one by one, since red and
    green of one brightness are not the same. Blocks average the noise of single pixels away.
    """

    def __init__(self, options: Stillness = Stillness()) -> None:
        self._options = options
        self._last: NDArray[np.float32] | None = None

    def is_still(self, picture: NDArray[np.uint8]) -> bool:
        """Whether the picture (H,W,3) uint8 shows nothing new; if not, it is the next reference."""
        columns, rows = self._options.columns, self._options.rows
        # Some hundred pixels a block are enough for its mean; a large picture holds far more.
        height, width = picture.shape[:2]
        step = max(1, min(height // rows, width // columns) // _PIXELS_ACROSS)
        means = block_means(picture[::step, ::step], columns=columns, rows=rows)
        if self._last is not None and self._last.shape == means.shape:
            change = float(np.abs(means - self._last).max())
            if change < self._options.threshold:
                return True
        self._last = means
        return False


def block_means(picture: NDArray[np.uint8], *, columns: int, rows: int) -> NDArray[np.float32]:
    """Mean colour of each block, (rows, columns, 3) float32; fewer blocks if pixels are fewer."""
    height, width = picture.shape[:2]
    tops = _starts(height, rows)
    lefts = _starts(width, columns)
    sums = np.add.reduceat(np.add.reduceat(picture, tops, axis=0, dtype=np.uint32), lefts, axis=1)
    area = np.outer(np.diff(tops, append=height), np.diff(lefts, append=width))
    return np.asarray(sums / area[:, :, None], dtype=np.float32)


def _starts(pixels: int, blocks: int) -> NDArray[np.intp]:
    blocks = min(pixels, blocks)
    return np.arange(blocks, dtype=np.intp) * pixels // blocks
