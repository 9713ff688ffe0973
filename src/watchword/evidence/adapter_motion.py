"""How a picture differs from those before it, in few numbers that no camera world owns.

What an encoder sees of a picture says which street it is, and an adapter that learns streets is
lost in the next one. These numbers say only how fast and how far the picture moves away from its
past, so that they mean much the same wherever they were taken.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.cuts import TOLERANCE_S, CutFinder

Floats = NDArray[np.float64]

# Numbers of a picture: a constant, what `_run` measures, and nothing else.
WIDTH = 14

_LAGS_S = 0.15, 0.3, 0.75, 1.5
_MEMORIES_S = 0.5, 2.0, 10.0
_PASTS_S = 2.0, 10.0
# Distances of unit rows are between 0 and 2; below this they are noise.
_FLOOR = 0.05
# Logarithms of what is usual, about, so that a usual picture lies near the constant alone.
_USUAL_STEP, _USUAL_AWAY = -1.2, -1.0
_CONSTANT = 2.0
# Half the angle between the prompts that learning begins from, as a tangent.
_APART = 0.15
_BLOCK = 256


def motion_prompts() -> NDArray[np.float32]:
    """Rows (2,14) that learning begins from: less change than usual is normal, more is abnormal."""
    more = np.zeros(WIDTH)
    more[1:12] = 11**-0.5
    middle = np.eye(WIDTH)[0]
    rows = np.stack([middle - _APART * more, middle + _APART * more])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def motion_rows(rows: NDArray[np.float32], edges_s: Floats) -> NDArray[np.float32]:
    """Unit rows (N,14) of how each picture differs from those before it; NaN where not measured.

    Logarithms of: the distance from the pictures at least 0.15, 0.3, 0.75 and 1.5 s before; the
    bend, which is the distance from where the two before were heading; the mean step over 0.5, 2
    and 10 s; how these compare; the distance from the mean picture of the last 2 and 10 s. Causal.
    A beginning (of the video, after a cut, after pictures that could not be decoded) is quiet.

    Args:
        rows: (N,F) unit rows of features, NaN where nothing could be decoded.
        edges_s: (N+1,) when each picture is shown.
    """
    made = np.full((len(rows), WIDTH), np.nan, np.float32)
    if not len(rows):
        return made
    seen = ~np.isnan(rows[:, 0])
    begins = CutFinder().update(rows, edges_s[:-1]) | ~seen | ~np.append(False, seen[:-1])
    bounds = np.append(np.flatnonzero(begins), len(rows))
    for first, last in pairwise(bounds):
        if seen[first]:
            made[first:last] = _run(rows[first:last], edges_s[first : last + 1])
    return made


def _run(rows: NDArray[np.float32], edges: Floats) -> NDArray[np.float32]:
    """The same of pictures that follow each other without a cut or hole."""
    starts, lengths, own = edges[:-1], np.diff(edges), np.arange(len(rows))
    before = np.maximum(own - 1, 0)
    lags = [np.minimum(_back(starts, lag), before) for lag in _LAGS_S]
    step, bend = _apart(rows, before), _bend(rows)
    means = [_mean(step, lengths, memory) for memory in _MEMORIES_S]
    levels = [_log(one) for one in (*(_apart(rows, lag) for lag in lags), bend, *means)]
    short, middle, long = levels[-3:]
    away = [_log(_from_mean(rows, lengths, past)) for past in _PASTS_S]
    columns = [
        np.full(len(rows), _CONSTANT),
        *(one - _USUAL_STEP for one in levels),
        short - long,
        short - middle,
        _log(step) - long,
        *(one - _USUAL_AWAY for one in away),
    ]
    made = np.stack(columns, axis=1)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def _log(values: Floats) -> Floats:
    return np.asarray(np.log(values + _FLOOR))


def _back(starts: Floats, lag: float) -> NDArray[np.intp]:
    """(N,) the last picture that began at least that long before each; else the first."""
    return np.maximum(0, np.searchsorted(starts, starts - lag + TOLERANCE_S, side="right") - 1)


def _apart(rows: NDArray[np.float32], other: NDArray[np.intp]) -> Floats:
    """(N,) distance of each picture from another."""
    parts = [
        np.linalg.norm(rows[at : at + _BLOCK] - rows[other[at : at + _BLOCK]], axis=1)
        for at in range(0, len(rows), _BLOCK)
    ]
    return np.concatenate(parts).astype(np.float64)


def _bend(rows: NDArray[np.float32]) -> Floats:
    """(N,) distance of each picture from the straight continuation of the two before it."""
    made = np.zeros(len(rows))
    for at in range(2, len(rows), _BLOCK):
        part = rows[at - 2 : at + _BLOCK]
        made[at : at + _BLOCK] = np.linalg.norm(part[2:] - 2 * part[1:-1] + part[:-2], axis=1)
    return made


def _mean(values: Floats, lengths: Floats, memory: float) -> Floats:
    """(N,) mean that forgets; of the first few pictures it is the plain mean."""
    made = np.zeros(len(values))
    level = 0.0
    for at in range(1, len(values)):
        level += (values[at] - level) * min(1.0, max(lengths[at] / memory, 1 / at))
        made[at] = level
    return made


def _from_mean(rows: NDArray[np.float32], lengths: Floats, memory: float) -> Floats:
    """(N,) distance of each picture from such a mean of those before it."""
    made = np.zeros(len(rows))
    mean = rows[0].astype(np.float64)
    for at in range(1, len(rows)):
        away = rows[at] - mean
        made[at] = np.linalg.norm(away)
        mean += away * min(1.0, max(lengths[at] / memory, 1 / (at + 1)))
    return made
