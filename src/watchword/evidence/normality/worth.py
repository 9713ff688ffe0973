"""How much pictures of normal footage are worth as witnesses of what is rare.

Pictures of one clip are alike: who stands there stands there in all of them. A thousand of them
tell less of what another day brings than ten clips do, and of a part that is the same throughout a
clip they tell no more than one. Taken for a thousand, they would make of each new day an alarm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.surprise import Tail

# The shape that few upper values make a tail at most; a part that they say no more of stays useful.
FLATTEST = 0.5
# The share of the values that the tail beyond them rests on, as in `Tail.fit`.
UPPER_SHARE = 0.1

Floats = NDArray[np.float64]


def worth(surprise: Floats, groups: NDArray[np.int64], seconds: float) -> float:
    """How many independent pictures these are worth: the design effect of clustered samples.

    If they were independent, the means of G groups would differ as little as means of that many
    pictures do; as far as they differ more, each group is worth fewer (Kish, 1965). At least 1 and
    at most one a second.

    Args:
        surprise: (n,) of each picture, beside all of them.
        groups: (n,) number of the clip, or part of the footage, that each belongs to.
        seconds: how long the footage is.
    """
    each = np.unique(groups)
    means = np.array([surprise[groups == group].mean() for group in each])
    most = max(min(seconds, float(len(surprise))), 1.0)
    spread = float(surprise.var())
    apart = float(((means - surprise.mean()) ** 2).mean())
    # No more than that can be told from it, not even where groups agree by chance.
    return max(min(len(each) * spread, most * apart) / apart, 1.0) if apart > 0 else most


def tail_worth(scores: Floats, groups: NDArray[np.int64], seconds: float) -> Tail:
    """The tail of scores of normal footage, no surer of itself than they are worth.

    Args:
        scores: (n,) of pictures that the memory did not know.
        groups: (n,) number of the clip, or part of the footage, that each belongs to.
        seconds: how long the footage is.

    Raises:
        CalibrationError: as `Tail.fit`.
    """
    plain = Tail.fit(scores)
    count = max(round(worth(plain.surprise(scores).astype(np.float64), groups, seconds)), 1)
    values = np.unique(np.quantile(scores, (np.arange(count) + 0.5) / count))
    # Of few upper values is known how long the tail is, and the less, the flatter it must be.
    shape = max(plain.shape, min(1 / (UPPER_SHARE * len(values)), FLATTEST))
    edge = min(plain.edge, float(values[-1]))
    return Tail(values, _reached(len(values)), len(values), edge, plain.scale, shape)


def joined(first: Tail, second: Tail) -> Tail:
    """The tail of the footage of both."""
    values = np.unique(np.concatenate([tail_values(first), tail_values(second)]))
    share = first.count / (first.count + second.count)
    edge, scale, shape = (
        share * getattr(first, name) + (1 - share) * getattr(second, name)
        for name in ("edge", "scale", "shape")
    )
    return Tail(values, _reached(len(values)), len(values), edge, scale, shape)


def tail_values(tail: Tail) -> Floats:
    """(n,) values, rising, that a tail came of, as far as it keeps them."""
    return np.repeat(tail.values, -np.diff(tail.reached, append=0))


def _reached(count: int) -> NDArray[np.int64]:
    return np.arange(count, 0, -1, dtype=np.int64)
