"""Surprise: how rare a value is among those of normal footage, on one scale for all evidence.

Surprise is -log10 p: 0 is what normal footage always reaches, 2 what one value in a hundred of it
reaches, 3 one in a thousand. Scores of any unit become comparable so, and what was never seen has
its place too: beyond the highest value seen the tail goes on, so that worse is always higher.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.arrays import frozen
from watchword.errors import CalibrationError

# With fewer values nothing is known of what one in ten reaches.
FEWEST = 20
# The share of the highest values that the tail beyond them is fitted to, and how many at least.
UPPER_SHARE, UPPER_FEWEST = 0.1, 8
# Values that are kept. The highest are kept each, the others ever more sparsely.
KNOTS = 256
# Beyond this shape a tail has no spread; a fit says so of a single outlier.
HEAVIEST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """What normal footage reaches how often: turns values into surprise.

    Of ``count`` values, ``reached[i]`` were at least ``values[i]`` (m,), which rise. Beyond the
    highest, chances fall like those of a generalised Pareto distribution of ``scale`` and ``shape``
    for what exceeds ``edge``.
    """

    values: NDArray[np.float64]
    reached: NDArray[np.int64]
    count: int
    edge: float
    scale: float
    shape: float

    def __post_init__(self) -> None:
        values = frozen(self.values, np.float64, (None,), "values")
        reached = frozen(self.reached, np.int64, values.shape, "reached")
        if not (len(values) and np.isfinite(values).all() and (np.diff(values) > 0).all()):
            raise ValueError("values of a tail must be finite and rise")
        inside = reached[0] <= self.count and reached[-1] >= 1
        if not (inside and (np.diff(reached) < 0).all()):
            raise ValueError(f"reached must fall, from {self.count} at most to 1 at least")
        sizes = (self.edge, self.scale, self.shape)
        if not (all(map(math.isfinite, sizes)) and self.scale > 0 and self.shape > 0):
            raise ValueError("edge must be finite, scale and shape of a tail positive")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "reached", reached)

    @classmethod
    def fit(cls, values: ArrayLike, *, block: int = 1) -> Tail:
        """The tail of what normal footage says.

        Few values make a flatter tail: what they leave open of it counts as chance (the predictive
        distribution of an exponential tail known from k values has shape 1 / k).

        Args:
            values: (n,) values of normal footage, in order of time; NaN is left out.
            block: so many values in a row count as one, by their highest: values that follow each
                other are nearly the same one. Surprise is then that of so long a stretch.

        Raises:
            CalibrationError: fewer than 20 values, or all of them the same.
        """
        seen = np.sort(_highest(np.asarray(values, np.float64), block))
        if len(seen) < FEWEST:
            raise CalibrationError(
                f"how rare a value is was to be learned from {len(seen)} values of normal footage; "
                f"at least {FEWEST} are needed: give more footage"
            )
        if seen[0] == seen[-1]:
            raise CalibrationError(
                f"all {len(seen)} values of normal footage are {seen[0]:g}, which tells nothing of "
                "how rare others are: give footage in which something moves"
            )
        upper = max(round(UPPER_SHARE * len(seen)), UPPER_FEWEST)
        edge = float(seen[-upper - 1])
        scale, shape = _pareto(seen[-upper:] - edge)
        # Ties would make the tail infinitely steep.
        scale = max(scale, 1e-3 * float(seen[-1] - seen[0]))
        kept, first = np.unique(seen, return_index=True)
        reached = len(seen) - first
        knots = _knots(reached)
        return cls(kept[knots], reached[knots], len(seen), edge, scale, shape)

    def surprise(self, values: ArrayLike) -> NDArray[np.float32]:
        """How rare each value is: -log10 of its chance in normal footage, 0 or more, in any shape.

        ``(1 + reached) / (count + 1)`` at the values seen (Vovk et al., 2005), never more between
        them, and always more for a higher value from the lowest seen on. NaN stays NaN.
        """
        asked = np.asarray(values, np.float64)
        rare = -np.log10((1 + self.reached) / (self.count + 1))
        inside = np.interp(asked, self.values, rare)
        highest = self.values[-1]
        beyond = np.maximum(asked, highest) - highest
        # Of what exceeds the edge by as much as the highest value does, this share exceeds it more.
        reach = self.scale + self.shape * (highest - self.edge)
        further = np.log1p(self.shape * beyond / reach) / (self.shape * math.log(10))
        return np.asarray(inside + further, np.float32)

    def to_dict(self) -> dict[str, Any]:
        """The tail as plain numbers and lists, for a file."""
        return {
            "values": self.values.tolist(),
            "reached": self.reached.tolist(),
            "count": self.count,
            "edge": self.edge,
            "scale": self.scale,
            "shape": self.shape,
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Tail:
        """The tail that `to_dict` wrote down.

        Raises:
            ValueError: a number is missing or makes no sense.
        """
        try:
            values, reached = np.asarray(saved["values"]), np.asarray(saved["reached"])
            sizes = (float(saved[name]) for name in ("edge", "scale", "shape"))
            return cls(values, reached, int(saved["count"]), *sizes)
        except (KeyError, TypeError) as exc:
            raise ValueError(f"this is no saved tail: {exc!r}") from exc


def _highest(values: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """The highest of every ``block`` values in a row; blocks of NaN are left out."""
    if values.ndim != 1 or np.isinf(values).any():
        raise ValueError(f"values must be one finite series, got shape {values.shape}")
    if block < 1:
        raise ValueError(f"block is {block}, it must be a whole number from 1")
    filled = np.where(np.isnan(values), -np.inf, values)
    if len(filled):
        filled = np.maximum.reduceat(filled, np.arange(0, len(filled), block))
    return np.asarray(filled[np.isfinite(filled)])


def _pareto(excess: NDArray[np.float64]) -> tuple[float, float]:
    """(scale, shape) of what rises above an edge, by probability-weighted moments.

    Hosking and Wallis, 1987. A tail that ends, as moments may say, is taken for an exponential one.
    """
    k = len(excess)
    mean = float(excess.mean())
    # Excesses rise, so the lowest has the greatest chance of being exceeded.
    weighted = float((excess * (k - 1 - np.arange(k)) / (k - 1)).mean())
    shape = 0.0 if mean <= 2 * weighted else 2 - mean / (mean - 2 * weighted)
    shape = min(max(shape, 0.0), HEAVIEST)
    return mean * (1 - shape), shape + 1 / k


def _knots(reached: NDArray[np.int64]) -> NDArray[np.intp]:
    """Which of the distinct values are kept: all if few, else evenly in surprise, both ends."""
    if len(reached) <= KNOTS:
        return np.arange(len(reached))
    wanted = np.geomspace(reached[-1], reached[0], KNOTS)
    return np.unique(len(reached) - 1 - np.searchsorted(reached[::-1], wanted, side="left"))
