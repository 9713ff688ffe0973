"""Scores that look rescaled with the tested videos themselves, though nobody says so.

Who stretches each video to 0..1, to any other range, or to mean 0 and spread 1, leaves the same
number in all of them, which scores of different pictures never have by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.types import Scores

# What fewer videos or windows have in common may be chance.
_ENOUGH_VIDEOS, _LONG_ENOUGH = 3, 8
# Numbers that bounded scores reach by themselves, when a softmax is sure.
_SATURATED = 1.0

Values = NDArray[np.float64]


def looks_stretched(scores: Sequence[Scores]) -> str:
    """What all videos have in common that shows they were rescaled one by one; "" if nothing.

    Args:
        scores: of each video; the highest over labels and each label by itself are looked at.
    """
    return next(filter(None, map(_stretched, _columns(scores))), "")


def _columns(known: Sequence[Scores]) -> Iterator[list[Values]]:
    if not known:
        return
    shared = set.intersection(*(set(scores.labels) for scores in known))
    yield [_measured(np.fmax.reduce(s.values, axis=1, initial=np.nan)) for s in known]
    for label in sorted(shared):
        yield [_measured(scores[label]) for scores in known]


def _measured(values: NDArray[Any]) -> Values:
    return np.asarray(values[~np.isnan(values)], np.float64)


def _stretched(videos: Sequence[Values]) -> str:
    """What the same in all videos shows that each was rescaled by itself; "" if nothing does."""
    told = [values for values in videos if len(values) >= _LONG_ENOUGH and np.ptp(values) > 0]
    if len(told) < _ENOUGH_VIDEOS:
        return ""
    lows, highs = (np.array([pick(v) for v in told]) for pick in (np.min, np.max))
    # Scores that are cut off at a bound touch it often; a stretched series hardly ever.
    often = [max((v == v.min()).sum(), (v == v.max()).sum()) > 0.1 * len(v) for v in told]
    if any(often):
        return ""
    if _same(lows) and _same(highs):
        return f"Scores reach from {lows[0]:.4g} to {highs[0]:.4g}"
    means, spreads = (np.array([pick(v) for v in told]) for pick in (np.mean, np.std))
    if _same(means) and _same(spreads):
        return f"Scores have mean {means[0]:.4g} and standard deviation {spreads[0]:.4g}"
    if _same(highs) and highs[0] != _SATURATED:
        return f"The highest score is {highs[0]:.4g}"
    return ""


def _same(numbers: Values) -> bool:
    """Whether all but one in ten are the same number, as far as single precision tells."""
    off = np.abs(numbers - np.median(numbers)) > 1e-5 * max(1.0, float(np.abs(numbers).max()))
    return bool(off.sum() <= 0.1 * len(numbers))
