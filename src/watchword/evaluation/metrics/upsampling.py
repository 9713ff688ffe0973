"""Maps on a coarse grid, read at every pixel of the picture that the grid covers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


def upsampled(cells: NDArray[np.floating], height: int, width: int) -> Map:
    """(height,width) values of a map (h,w), linear between the middles of its cells.

    Outside the outermost middles the nearest row and column go on, as in Pillow's BILINEAR and
    PyTorch's ``align_corners=False`` when they enlarge. A pixel is NaN (not measured) where a cell
    that it is made of is.
    """
    rows, columns = _shares(cells.shape[0], height), _shares(cells.shape[1], width)
    unknown = np.isnan(cells)
    known = np.where(unknown, 0, cells).astype(np.float32)
    values = np.asarray(rows @ known @ columns.T, np.float32)
    if unknown.any():
        touched = (rows > 0).astype(np.float32) @ unknown.astype(np.float32) @ (columns > 0).T
        values[touched > 0] = np.nan
    return values


@lru_cache(maxsize=8)
def _shares(cells: int, pixels: int) -> Map:
    """(pixels,cells) how much of each cell a pixel is made of; a row sums to 1."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, cells - 1)
    shares = np.zeros((pixels, cells))
    every = np.arange(pixels)
    np.add.at(shares, (every, low), 1 - (at - low))
    np.add.at(shares, (every, high), at - low)
    return shares.astype(np.float32)
