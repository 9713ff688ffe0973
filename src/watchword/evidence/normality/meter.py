"""How unlike normal footage each picture of a video is, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.combine import sum_of_parts
from watchword.evidence.normality.distance import Neighbours, spread
from watchword.evidence.normality.folds import BESIDE
from watchword.evidence.normality.memory import NormalMemory, PartMemory, PartOptions

UNIT = "surprise (1 in 10^x cells of normal footage)"

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6

Floats = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeterPart:
    """Pictures that follow each other, measured by P parts of a memory.

    Attributes:
        values: (n,P) how many times the usual distance the most unusual cells have; NaN where not
            measured.
        surprise: (n,P) how rare that is in normal footage that the memory had not seen, as -log10
            of its chance; NaN where not measured.
        heat: (n,h,w) the same of single cells, by the sum of what the parts say; NaN where no part
            measured.
    """

    values: Floats
    surprise: Floats
    heat: Floats


class NormalMeter:
    """Measures a video against a memory as it comes, in memory that does not grow with it.

    Causal; cut up in any way, a video has the same values but for rounding. A memory that holds its
    stretches (of the clip itself) measures each picture without those at and beside its time, which
    then count from 0 s on.
    """

    def __init__(self, memory: NormalMemory) -> None:
        self._memory = memory
        self._parts = {
            name: _PartMeter(part, memory.stretch_s) for name, part in memory.parts.items()
        }
        grids = [part.grid for part in memory.parts.values()]
        self._grid = max(grids, key=lambda grid: grid[0] * grid[1])

    @property
    def names(self) -> tuple[str, ...]:
        """The P parts, in the order of the columns."""
        return self._memory.names

    def update(self, cells: Mapping[str, Floats], pts_s: Times, duration_s: Times) -> MeterPart:
        """What the next pictures of the video are measured as.

        Args:
            cells: by part (n,h,w,C); a picture without a measured cell begins anew.
            pts_s: (n,) when each picture is first shown.
            duration_s: (n,) for how long.

        Raises:
            ValueError: parts other than the memory's, or cells of another shape.
        """
        if set(cells) != set(self._parts):
            raise ValueError(
                f"cells are given of {', '.join(sorted(cells)) or 'no part'}; the memory has "
                f"{', '.join(self.names)}"
            )
        values, surprises, heats = [], [], []
        for name, meter in self._parts.items():
            part = self._memory.parts[name]
            excess = meter.update(cells[name], pts_s, duration_s)
            scores = top_mean(excess, part.options.top)
            values.append(scores)
            surprises.append(part.tail.surprise(scores))
            heats.append(regrid(part.cell_tail.surprise(excess), self._grid))
        beside = np.stack(heats, axis=-1)
        heat = sum_of_parts(beside.reshape(-1, len(heats))).reshape(beside.shape[:-1])
        return MeterPart(
            np.stack(values, axis=1), np.stack(surprises, axis=1), heat.astype(np.float32)
        )


class _PartMeter:
    """How many times the usual distance each cell has, averaged over the last moments."""

    def __init__(self, memory: PartMemory, stretch_s: float | None) -> None:
        self._memory = memory
        self._stretch_s = stretch_s
        self._mean = CausalMean(memory.options.window_s)
        self._near: dict[int | None, Neighbours] = {}

    def update(self, cells: Floats, pts_s: Times, duration_s: Times) -> Floats:
        """(n,h,w) of the next pictures."""
        scaled = self._scaled(cells, pts_s)
        far = np.empty(cells.shape[:3], np.float32)
        stretches = self._stretches(pts_s)
        for stretch in dict.fromkeys(stretches):
            here = np.array([one == stretch for one in stretches])
            far[here] = self._neighbours(stretch).nearest(scaled[here])
        excess = excess_of(far, self._memory.usual, self._memory.options)
        return self._mean.update(excess, pts_s, duration_s)

    def _scaled(self, cells: Floats, pts_s: Times) -> Floats:
        """The cells in units that the footage of their moment had no part in."""
        unseen = self._memory.unseen
        if not unseen:
            return np.asarray(cells / self._memory.scale, np.float32)
        ends_s = [end_s for _, end_s in unseen]
        at = np.minimum(np.searchsorted(ends_s, pts_s, side="right"), len(unseen) - 1)
        return np.asarray(cells / np.stack(list(unseen.values()))[at], np.float32)

    def _stretches(self, pts_s: Times) -> list[int | None]:
        stretches = self._memory.stretches
        if stretches is None or self._stretch_s is None:
            return [None] * len(pts_s)
        numbers = (np.maximum(pts_s, 0) // self._stretch_s).astype(int)
        return [min(int(number), len(stretches) - 1) for number in numbers]

    def _neighbours(self, stretch: int | None) -> Neighbours:
        if stretch not in self._near:
            memory = self._memory
            entries = memory.entries
            if stretch is not None and memory.stretches is not None:
                entries = without(memory.stretches, stretch, memory.options)
                self._near.clear()
            self._near[stretch] = Neighbours(entries, memory.options.reach)
        return self._near[stretch]


class CausalMean:
    """Mean of maps over the last seconds, weighted by how long each picture is shown."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._past: list[tuple[float, float, Floats]] = []

    def update(self, maps: Floats, pts_s: Times, duration_s: Times) -> Floats:
        """(n,h,w) means of the next maps; a map of NaN throughout stays so and ends the past."""
        out = np.empty_like(maps)
        for i, (own, start, length) in enumerate(zip(maps, pts_s, duration_s, strict=True)):
            if np.isnan(own).all():
                self._past = []
                out[i] = own
                continue
            since = start - self._window_s + TOLERANCE_S
            # A picture that stood for long must not outweigh what comes after it.
            weight = min(float(length), self._window_s) or 1.0
            self._past = [one for one in self._past if one[0] >= since]
            self._past.append((float(start), weight, own))
            out[i] = _weighted(self._past)
        return out


def _weighted(past: list[tuple[float, float, Floats]]) -> Floats:
    weights = np.array([weight for _, weight, _ in past], np.float32)
    maps = np.stack([one for _, _, one in past])
    # A cell that was not measured now is not known from before.
    known = ~np.isnan(maps)
    total = np.einsum("t,thw->hw", weights, np.where(known, maps, np.float32(0)))
    share = np.einsum("t,thw->hw", weights, known.astype(np.float32))
    mean = total / np.where(known[-1], share, np.float32(np.nan))
    return np.asarray(mean, np.float32)


def without(stretches: Floats, stretch: int, options: PartOptions) -> Floats:
    """(h,w,keep,C) entries of all stretches but one and those beside it."""
    far = np.abs(np.arange(len(stretches)) - stretch) > BESIDE
    return union(stretches[far], options.keep)


def union(stretches: Floats, keep: int) -> Floats:
    """(h,w,keep,C) entries that cover those of several stretches (n,h,w,S,C)."""
    count, height, width, slots, numbers = stretches.shape
    rows = stretches.transpose(1, 2, 0, 3, 4).reshape(height * width, count * slots, numbers)
    return spread(rows, max(keep, 1)).reshape(height, width, max(keep, 1), numbers)


def excess_of(far: Floats, usual: Floats, options: PartOptions) -> Floats:
    """(n,h,w) how many times the usual distance the cells have, of single pictures."""
    excess = np.asarray(far / usual, np.float32)
    return blurred(excess) if options.blur else excess


def blurred(maps: Floats) -> Floats:
    """(n,h,w) mean of each cell and the eight around it, as far as they were measured."""
    known = ~np.isnan(maps)
    total = _box(np.where(known, maps, np.float32(0)))
    if known.all():
        share = _box(np.ones((1, *maps.shape[1:]), np.float32))
        return np.asarray(total / share, np.float32)
    share = _box(known.astype(np.float32))
    return np.asarray(total / np.where(known, share, np.float32(np.nan)), np.float32)


def _box(maps: Floats) -> Floats:
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray(rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:], np.float32)


def top_mean(maps: Floats, top: int) -> Floats:
    """(n,) mean of the highest cells of each map that were measured; NaN where none was."""
    flat = np.where(np.isnan(maps), -np.inf, maps).reshape(len(maps), math.prod(maps.shape[1:]))
    highest = np.sort(flat, axis=1)[:, -top:]
    measured = np.isfinite(highest)
    total = np.where(measured, highest, 0).sum(axis=1)
    count = measured.sum(axis=1)
    return np.asarray(np.where(count, total / np.maximum(count, 1), np.nan), np.float32)


def regrid(maps: Floats, grid: tuple[int, int]) -> Floats:
    """(n,*grid) the maps on another grid over the same picture, linear between middles of cells."""
    for axis, size in enumerate(grid, start=1):
        own = maps.shape[axis]
        if own == size:
            continue
        at = np.clip((np.arange(size) + 0.5) * own / size - 0.5, 0, own - 1)
        low = np.minimum(at.astype(int), max(own - 2, 0))
        high = np.minimum(low + 1, own - 1)
        shape = [1, 1, 1]
        shape[axis] = size
        share = (at - low).astype(np.float32).reshape(shape)
        maps = maps.take(low, axis) * (1 - share) + maps.take(high, axis) * share
    return maps
