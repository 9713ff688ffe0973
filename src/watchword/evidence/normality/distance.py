"""How far cells lie from those that were seen at and around their place in normal footage."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Distances held at once: bounds memory, not results.
BLOCK = 2**21

Floats = NDArray[np.float32]


class Neighbours:
    """Entries of a memory, laid out so that each place finds those near it side by side."""

    def __init__(self, entries: Floats, reach: int | None) -> None:
        """Keeps entries for looking up.

        Args:
            entries: (h,w,S,C) of each place; rows of NaN are empty.
            reach: entries so many places away in either direction count too; None: all of them.

        Raises:
            ValueError: entries of another shape, none at all, or a negative reach.
        """
        if entries.ndim != 4 or np.isnan(entries).all():
            raise ValueError(f"entries of shape {entries.shape} hold nothing to compare with")
        if reach is not None and reach < 0:
            raise ValueError(f"reach is {reach}, it must be a whole number from 0, or None")
        self._grid = entries.shape[:2]
        self._anywhere = reach is None
        near = _everywhere(entries) if reach is None else _around(entries, reach)
        empty = np.isnan(near[..., 0])
        near = np.where(empty[..., None], np.float32(0), near)
        self._rows = np.ascontiguousarray(near.transpose(0, 2, 1))
        self._lengths = np.where(empty, np.float32(np.inf), np.einsum("pmc,pmc->pm", near, near))

    def nearest(self, cells: Floats) -> Floats:
        """(n,h,w) Euclidean distance of each cell to the nearest entry near its place.

        NaN where the cell was not measured, or no entry is near it.

        Args:
            cells: (n,h,w,C) in the units of the entries.

        Raises:
            ValueError: another grid or width than the entries have.
        """
        count, *grid, width = cells.shape
        if tuple(grid) != self._grid or width != self._rows.shape[1]:
            raise ValueError(
                f"cells have shape {cells.shape}, the memory holds "
                f"{self._grid[0]}x{self._grid[1]} places of {self._rows.shape[1]} numbers"
            )
        places = len(self._rows)
        asked = cells.reshape(count, -1, width).transpose(1, 0, 2).reshape(places, -1, width)
        far = np.empty(asked.shape[:2], np.float32)
        step = max(1, BLOCK // self._lengths.size)
        for at in range(0, asked.shape[1], step):
            far[:, at : at + step] = self._block(asked[:, at : at + step])
        return np.asarray(far.reshape(math.prod(grid), count).T.reshape(count, *grid))

    def _block(self, asked: Floats) -> Floats:
        own = np.einsum("pnc,pnc->pn", asked, asked)
        # |q - e|^2 = |q|^2 + |e|^2 - 2 q e: one matrix product a place instead of differences.
        between = np.matmul(asked, self._rows)
        between *= -2
        between += self._lengths[:, None]
        squared = between.min(axis=2) + own
        squared[np.isinf(squared)] = np.nan
        return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _everywhere(entries: Floats) -> Floats:
    """(1,M,C) all entries that there are."""
    rows = entries.reshape(1, -1, entries.shape[-1])
    return rows[:, ~np.isnan(rows[0, :, 0])]


def _around(entries: Floats, reach: int) -> Floats:
    """(h*w,M,C) entries at and around each place; NaN beyond the border."""
    height, width, slots, numbers = entries.shape
    rim = ((reach, reach), (reach, reach), (0, 0), (0, 0))
    padded = np.pad(entries, rim, constant_values=np.nan)
    side = 2 * reach + 1
    views = [padded[y : y + height, x : x + width] for y in range(side) for x in range(side)]
    return np.stack(views, axis=2).reshape(height * width, side * side * slots, numbers)


def spread(rows: Floats, keep: int) -> Floats:
    """(P,keep,C) rows of each place that lie furthest from each other: they cover all of them.

    Greedy: the row nearest to the middle, then again and again the one that is furthest from those
    taken (Gonzalez, 1985; at most twice as coarse as the best choice). What covers parts of footage
    covers, put together, all of it, so that footage can be taken in bit by bit. Places with fewer
    different rows are filled up with NaN.

    Args:
        rows: (P,m,C) of P places; rows of NaN are empty.
        keep: rows to keep of each place.
    """
    places, count, width = rows.shape
    kept = np.full((places, keep, width), np.nan, np.float32)
    empty = np.isnan(rows[..., 0])
    filled = np.where(empty[..., None], np.float32(0), rows)
    # Around the middle of each place, so that little is lost where numbers are large.
    middle = filled.sum(axis=1) / np.maximum((~empty).sum(axis=1), 1)[:, None]
    filled = np.where(empty[..., None], np.float32(0), filled - middle[:, None])
    lengths = np.einsum("pmc,pmc->pm", filled, filled)
    # Nearer to each other than rounding tells apart is the same.
    same = 1e-6 * lengths.max(axis=1, initial=0)
    taken = np.where(empty, np.inf, lengths).argmin(axis=1) if count else None
    far = np.where(empty, np.float32(-np.inf), np.float32(np.inf))
    every = np.arange(places)
    for slot in range(min(keep, count)):
        new = far[every, taken] > (same if slot else -1)
        if not new.any():
            break
        kept[new, slot] = rows[every, taken][new]
        last = filled[every, taken]
        apart = lengths + lengths[every, taken][:, None]
        apart -= 2 * np.matmul(filled, last[..., None])[..., 0]
        np.minimum(far, np.where(empty, -np.inf, apart), out=far)
        taken = far.argmax(axis=1)
    return kept
