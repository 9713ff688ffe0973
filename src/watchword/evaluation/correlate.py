"""How well scores agree with what people said, with intervals."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.bootstrap import Interval, bootstrap_weights, interval
from watchword.evaluation.metrics.correlation import kendall_tau, pearson, spearman

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """One correlation and where it lies.

    Attributes:
        value: -1 to 1; None if scores or ratings are all the same.
        interval: of the resamples.
    """

    value: float | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class Correlations:
    """Four ways in which scores agree with ratings.

    Attributes:
        items: pairs of a score and a rating.
        groups: groups that were drawn; None where single items were.
        level: how much of the resamples an interval holds.
        kendall_b: Kendall's tau-b, which leaves ties out of its scale.
        kendall_c: Kendall's (Stuart's) tau-c, for ratings of few steps.
        spearman: Spearman's rho.
        pearson: Pearson's r.
    """

    items: int
    groups: int | None
    level: float
    kendall_b: Correlation
    kendall_c: Correlation
    spearman: Correlation
    pearson: Correlation


def correlate(
    scores: ArrayLike,
    ratings: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Correlations:
    """How well scores (N,) agree with ratings (N,): Kendall's taus, Spearman's rho, Pearson's r.

    Intervals are percentiles of resamples: items are drawn with replacement, or whole groups where
    items of one group resemble each other (videos of one prompt). Of N items a resample's tau-c is
    smaller by a share of about 1 / N, since copies of an item are no pair.

    Args:
        scores: what a program gave.
        ratings: what people said, one number an item (such as the mean over raters).
        groups: (N,) the group of each item; None draws items.
        samples: how many resamples.
        seed: the same seed gives the same resamples.
        level: how much of the resamples an interval holds.

    Raises:
        ValueError: fewer than 2 items or groups, lengths that differ, or values that are not
            finite: leave out what was not measured, and say so.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(ratings, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(
            f"scores have shape {x.shape} and ratings {y.shape}; both must be (N,), N of 2 or more"
        )
    missing = int((~np.isfinite(x) | ~np.isfinite(y)).sum())
    if missing:
        raise ValueError(f"{missing} of {len(x)} pairs hold NaN or infinity; leave them out")
    place = np.arange(len(x)) if groups is None else _places(groups, len(x))
    drawn = int(place.max()) + 1
    if drawn < 2:
        raise ValueError("all items are of one group; 2 or more groups are needed to draw from")
    values = np.array(
        [
            _correlations(np.repeat(x, counts), np.repeat(y, counts))
            for counts in bootstrap_weights(drawn, samples, seed)[:, place]
        ]
    )
    first, second, third, fourth = (
        Correlation(None if np.isnan(value) else float(value), interval(column, level))
        for value, column in zip(_correlations(x, y), values.T, strict=True)
    )
    return Correlations(
        len(x), None if groups is None else drawn, level, first, second, third, fourth
    )


def _correlations(x: Floats, y: Floats) -> Floats:
    """Tau-b, tau-c, rho and r; NaN where undefined."""
    found = kendall_tau(x, y, "b"), kendall_tau(x, y, "c"), spearman(x, y), pearson(x, y)
    return np.array(found, np.float64)


def _places(groups: Sequence[Hashable], items: int) -> NDArray[np.intp]:
    """The number of each item's group (N,), counted in order of appearance."""
    if len(groups) != items:
        raise ValueError(f"{len(groups)} groups for {items} items; each item needs one")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.intp)
