"""What a head sees of a stretch of video: its pictures' mean, spread and change, per dimension.

How a scene changes tells more about events than how it looks, and a mean of pictures says nothing
of change; so beside the mean stand the standard deviation over time and the mean absolute
difference between one picture and the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.types import Embeddings

Pooling = Literal["mean", "mean+std+change"]
POOLINGS: tuple[Pooling, ...] = ("mean", "mean+std+change")

# Rows worked on at a time: bounds memory to some tens of megabytes however long the video is.
BLOCK = 2048

# Time stamps are rounded.
_ROUNDING_S = 1e-3


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How pictures become the numbers that a head weighs.

    Attributes:
        pooling: "mean" of the pictures (D numbers), or "mean+std+change" (3 D numbers).
        window_s: seconds up to the end of a window that are looked at; never what comes later.
    """

    pooling: Pooling = "mean+std+change"
    window_s: float = 2.0

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}, it must be one of {POOLINGS}")
        if not (math.isfinite(self.window_s) and self.window_s > 0):
            raise ValueError(
                f"window_s is {self.window_s}, it must be a positive number of seconds"
            )

    def width(self, dim: int) -> int:
        """F, how many numbers come of embeddings of width ``dim``."""
        return dim if self.pooling == "mean" else 3 * dim


def pool_clip(embeddings: Embeddings, pooling: Pooling) -> NDArray[np.float64]:
    """(F,) what is seen of the video as a whole; NaN throughout if too little of it was measured.

    Change needs two pictures in a row that were measured, a mean needs one.
    """
    windows = len(embeddings)
    if not windows:
        return np.full(PoolOptions(pooling).width(embeddings.vectors.shape[1]), np.nan)
    first = np.zeros(1, np.intp)
    return np.asarray(_pool(embeddings.vectors, first, first + windows, pooling)[0])


def pool_windows(
    embeddings: Embeddings, options: PoolOptions
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """What is seen of the last ``window_s`` seconds at each window, in blocks.

    A block is its first window and (N,F) rows, a row a window. Causal: a window sees the pictures
    whose middle lies within ``window_s`` of its own end, at the start of a video those there are.
    Rows are NaN for windows that were not measured, or that see too little (`pool_clip`).
    """
    edges = embeddings.edges_s
    middles = (edges[:-1] + edges[1:]) / 2
    own = np.arange(len(embeddings))
    starts = np.minimum(np.searchsorted(middles, edges[1:] - options.window_s), own)
    for at in range(0, len(own), BLOCK):
        part = own[at : at + BLOCK]
        first = starts[part[0]]
        rows = embeddings.vectors[first : part[-1] + 1]
        pooled = _pool(rows, starts[part] - first, part + 1 - first, options.pooling)
        pooled[np.isnan(embeddings.vectors[part, 0])] = np.nan
        yield at, pooled


def looks_whole(edges_s: NDArray[np.float64], window_s: float) -> NDArray[np.bool_]:
    """Which windows (T,) have all of the ``window_s`` seconds before their end, with (T+1,) edges.

    At the start of a video those seconds are fewer, and their spread is the smaller for it: it
    would tell how late it is.
    """
    return np.asarray(edges_s[1:] - edges_s[0] >= window_s - _ROUNDING_S)


def _pool(
    rows: NDArray[np.float32], starts: NDArray[np.intp], stops: NDArray[np.intp], pooling: Pooling
) -> NDArray[np.float64]:
    """(N,F) of the stretches ``rows[starts[i]:stops[i]]``, by differences of running sums."""
    seen = ~np.isnan(rows[:, 0])
    values = np.where(seen[:, None], rows, np.float32(0)).astype(np.float64)
    count = _between(seen[:, None].astype(np.float64), starts, stops)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN: nothing was measured
        mean = _between(values, starts, stops) / count
        if pooling == "mean":
            return np.asarray(mean)
        square = _between(values**2, starts, stops) / count
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        # Step j is from row j-1 to row j, so a stretch holds those after its first row.
        both = np.concatenate([[False], seen[1:] & seen[:-1]])
        steps = np.zeros_like(values)
        steps[1:] = np.abs(np.diff(values, axis=0))
        steps[~both] = 0
        pairs = _between(both[:, None].astype(np.float64), starts + 1, stops)
        change = _between(steps, starts + 1, stops) / pairs
    pooled = np.concatenate([mean, spread, change], axis=1)
    pooled[pairs[:, 0] == 0] = np.nan
    return pooled


def _between(
    values: NDArray[np.float64], starts: NDArray[np.intp], stops: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(N,F) sums of ``values[starts[i]:stops[i]]``."""
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(running[stops] - running[np.minimum(starts, stops)])
