"""Videos that look like copies of each other, by nothing but their scores.

Three signs. *Whole*: both series, averaged to 128 parts, rise and fall alike, whatever the frame
rate or the scale of the values. *Pieces*: stretches of 24 windows of the one occur in the other, so
that a copy that was cut or shifted is found. *Columns*: the scores of four or more labels rise and
fall together far more than those of different videos ever did, which finds copies that were
encoded anew or mirrored. Series without texture (constant, straight, strongly smoothed or very
short) tell nothing; a copy that was filmed anew or cropped, or encoded anew and cut too, is not
found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_PARTS = 128
_SHORTEST = 24
_ALIKE = 0.999
_CHANGES_ALIKE = 0.99
_PIECE = 24
_TURNS = 5
# Values of a piece, in its own standard deviations, are told apart at this fineness.
_FINENESS = 0.5
# A piece that is in more videos than this is a habit of the scorer, not a copy.
_COMMON = 4
_PIECES_ALIKE = 8

# Over labels together. Of 3,500 pairs of different real videos (60 windows and more) the changes of
# none correlate above 0.24; copies, encoded anew at a low rate or mirrored, lie from 0.33 up.
_COLUMNS = 4
_CHANGES_TOGETHER = 0.3
_LEVELS_TOGETHER = 0.5
# Few or smooth windows agree by chance: so many standard deviations of chance are asked for.
_BEYOND_CHANCE = 3.0

Series = NDArray[np.float64]


def alike(series: Sequence[NDArray[np.floating]]) -> tuple[tuple[int, int], ...]:
    """Pairs of series, by their places, that look like copies; NaN is not measured.

    Args:
        series: of each video (T,) scores.
    """
    if len(series) < 2:
        return ()
    pairs = set(_whole(series)) | set(_pieces(series))
    return tuple(sorted(pairs))


def alike_together(tables: Sequence[NDArray[np.floating]]) -> tuple[tuple[int, int], ...]:
    """Pairs of videos, by their places, whose labels' scores rise and fall together.

    Args:
        tables: of each video (T,K) scores of the same K labels; fewer than four tell nothing.
    """
    places, levels, changes, chance = [], [], [], []
    for place, values in enumerate(tables):
        table = np.asarray(values, np.float64)
        table = table[~np.isnan(table).any(axis=1)]
        if table.shape[1] < _COLUMNS or len(table) < _SHORTEST or not np.ptp(table, axis=0).any():
            continue
        parts = np.stack([_averaged(column) for column in table.T], axis=1)
        places.append(place)
        levels.append(_unit(parts - parts.mean(axis=0)))
        changes.append(_unit(np.diff(parts, axis=0)))
        chance.append(_BEYOND_CHANCE / np.sqrt(2 * _independent(table)))
    if len(places) < 2:
        return ()
    rows, steps = np.array(levels), np.array(changes)
    limit = np.maximum(_CHANGES_TOGETHER, np.maximum.outer(chance, chance))
    close = (rows @ rows.T > _LEVELS_TOGETHER) & (steps @ steps.T > limit)
    return tuple(
        (places[a], places[b]) for a, b in zip(*np.nonzero(np.triu(close, 1)), strict=True)
    )


def _unit(table: Series) -> Series:
    flat = table.ravel()
    return np.asarray(flat / (np.linalg.norm(flat) or 1.0))


def _independent(table: Series) -> float:
    """How many windows of a table say something of their own; smooth ones repeat each other."""
    steps = np.diff(table, axis=0)
    again = float((steps[1:] * steps[:-1]).sum() / ((steps**2).sum() or 1.0))
    return max(1.0, min(len(table), _PARTS) * min(1.0, (1 - again) / (1 + again)))


def _whole(series: Sequence[NDArray[np.floating]]) -> list[tuple[int, int]]:
    places, rows = [], []
    for place, values in enumerate(series):
        measured = np.asarray(values, np.float64)[~np.isnan(values)]
        if len(measured) >= _SHORTEST and len(np.unique(measured)) >= _SHORTEST // 2:
            places.append(place)
            rows.append(_averaged(measured))
    if len(rows) < 2:
        return []
    levels = np.array(rows)
    changes = np.diff(levels, axis=1)
    close = (_correlation(levels) > _ALIKE) & (_correlation(changes) > _CHANGES_ALIKE)
    return [(places[a], places[b]) for a, b in zip(*np.nonzero(np.triu(close, 1)), strict=True)]


def _averaged(values: Series) -> Series:
    """The mean of each of equally long parts, windows being shared out at the borders."""
    so_far = np.concatenate([[0.0], np.cumsum(values)])
    borders = np.linspace(0, len(values), _PARTS + 1)
    return np.asarray(np.diff(np.interp(borders, np.arange(len(so_far)), so_far)))


def _correlation(rows: Series) -> Series:
    """(V,V) correlation of rows; 0 with a row that never changes."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    # What rounding leaves of a straight line is no shape.
    flat = norm <= 1e-6 * np.abs(rows).max(axis=1, keepdims=True) * np.sqrt(rows.shape[1])
    unit = np.where(flat, 0.0, centred / np.where(flat, 1.0, norm))
    return np.asarray(unit @ unit.T)


def _pieces(series: Sequence[NDArray[np.floating]]) -> list[tuple[int, int]]:
    found = [_keys(np.asarray(values, np.float64)) for values in series]
    sizes = [len(keys) for keys, _ in found]
    keys = np.concatenate([keys for keys, _ in found])
    starts = np.concatenate([starts for _, starts in found])
    video = np.repeat(np.arange(len(series)), sizes)
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(keys[order]) != 0, True)) + 1
    begins = np.append(0, ends[:-1])
    several = (ends - begins > 1) & (ends - begins <= _COMMON)
    shared: Counter[tuple[int, int, int]] = Counter()
    for begin, end in zip(begins[several].tolist(), ends[several].tolist(), strict=True):
        for one, other in combinations(order[begin:end].tolist(), 2):
            a, b = int(video[one]), int(video[other])
            if a != b:
                shared[(a, b, int(starts[other] - starts[one]))] += 1
    pairs = {
        (a, b)
        for (a, b, _), count in shared.items()
        if count >= max(_PIECES_ALIKE, 0.1 * min(sizes[a], sizes[b]))
    }
    return sorted(pairs)


def _keys(values: Series) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """A number for each textured piece of a series, equal for pieces of the same shape."""
    if len(values) < _PIECE:
        return np.empty(0, np.int64), np.empty(0, np.intp)
    pieces = np.lib.stride_tricks.sliding_window_view(values, _PIECE)
    spread = pieces.std(axis=1)
    steps = np.diff(pieces, axis=1)
    turns = (steps[:, 1:] * steps[:, :-1] < 0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        starts = np.flatnonzero((spread > 1e-6) & (turns >= _TURNS))
    chosen = pieces[starts]
    shape = (chosen - chosen.mean(axis=1, keepdims=True)) / spread[starts, None]
    cells = np.floor(shape / _FINENESS).astype(np.int64)
    factors = np.random.default_rng(0).integers(1, 2**62, _PIECE, dtype=np.int64)
    with np.errstate(over="ignore"):
        return np.asarray((cells * factors).sum(axis=1)), starts
