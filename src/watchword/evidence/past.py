"""Surprise at a value beside a video's own past, and lasting changes of what is usual in it.

One camera looks on a still yard, another out of a moving car: what is sudden here is nothing there.
A video begins with what is usual elsewhere and learns what is usual in itself. What surprises it
is put aside: an event that passes teaches nothing; a new state that lasts (a camera that begins to
move, rain, night) is told as drift, and from then on is what is usual.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.surprise import Tail
from watchword.types import Scores

# The past is kept as seconds in bins of the value's logarithm, around the median of elsewhere.
DECADES, BINS_A_DECADE = 4, 20
# Beyond a value seen, chances fall to a tenth with every so many decades: with every 1.4 times.
STEP_DECADES = 0.15
# Below this share of a lasting change, what was put aside is over.
OVER = 0.02

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PastOptions:
    """How a video's own past is weighed.

    Attributes:
        prior_s: seconds that what is usual elsewhere counts for at the beginning; half as much
            after every two times as long.
        memory_s: seconds after which the past counts for a third (1 / e).
        above: surprise from which a value is put aside at first; 1.3 is one in twenty.
        lasting_s: seconds that a new state must last to be what is usual.
    """

    prior_s: float = 60.0
    memory_s: float = 1800.0
    above: float = 1.3
    lasting_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("prior_s", "memory_s", "above", "lasting_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}, it must be a positive number")


@dataclass(frozen=True, slots=True)
class Drift:
    """A lasting change of what is usual, from ``start_s`` on; ``sentence`` is for people.

    At ``settled_s`` it had lasted long enough to be what is usual.
    """

    start_s: float
    settled_s: float
    sentence: str


class PastTail:
    """Tells how surprising values are as they come, in memory that does not grow.

    Cut up in any way, a series has the same values.
    """

    def __init__(self, prior: Tail, options: PastOptions | None = None) -> None:
        """Begin a video.

        Args:
            prior: what is usual elsewhere, of values from 0.
            options: how the past is weighed.
        """
        self._options = options or PastOptions()
        self._prior = prior
        self._prior_s = self._options.prior_s
        middle = float(np.interp(prior.count / 2, prior.reached[::-1], prior.values[::-1]))
        self._log_middle = math.log10(max(middle, 1e-12))
        bins = 2 * DECADES * BINS_A_DECADE + 1
        self._places = np.linspace(-DECADES, DECADES, bins)
        self._past_s = np.zeros(bins)
        self._aside_s = np.zeros(bins)
        self._aside_since_s = 0.0
        self._drift: list[Drift] = []

    @property
    def drift(self) -> tuple[Drift, ...]:
        """The lasting changes so far, in order."""
        return tuple(self._drift)

    def update(self, values: NDArray[np.float32], starts_s: Floats, lengths_s: Floats) -> Floats:
        """Surprise (n,) of the next values: -log10 of the share of the past that reaches them.

        Args:
            values: (n,) from 0; NaN was not measured, stays NaN and teaches nothing.
            starts_s: (n,) when each begins, rising from one call to the next.
            lengths_s: (n,) seconds that each lasts.
        """
        if not values.shape == starts_s.shape == lengths_s.shape or values.ndim != 1:
            raise ValueError(
                f"values have shape {values.shape}, starts_s {starts_s.shape}, lengths_s "
                f"{lengths_s.shape}; each must be (n,)"
            )
        # Elsewhere does not depend on this past: all of it at once.
        elsewhere = 10.0 ** -self._prior.surprise(values).astype(np.float64)
        places = np.log10(np.maximum(values.astype(np.float64), 1e-30)) - self._log_middle
        places = np.clip(places, -DECADES, None)
        out = np.full(len(values), np.nan)
        for i in np.flatnonzero(~np.isnan(values)):
            chance, below = self._chances(places[i], elsewhere[i])
            out[i] = max(0.0, -math.log10(chance))
            rare = min(chance, below) <= 10**-self._options.above
            self._learn(places[i], starts_s[i], lengths_s[i], rare=rare)
        return out

    def _chances(self, place: float, elsewhere: float) -> tuple[float, float]:
        """Shares of the past that lie at this place or above, and at it or below."""
        away = (place - self._places) / STEP_DECADES
        total = self._prior_s + self._past_s.sum()
        above = self._past_s @ 10.0 ** -np.maximum(away, 0.0)
        below = self._past_s @ 10.0 ** np.minimum(away, 0.0)
        # Quiet is never rare elsewhere.
        chance = (self._prior_s * elsewhere + above) / total
        return float(chance), float((self._prior_s + below) / total)

    def _learn(self, place: float, start_s: float, length_s: float, *, rare: bool) -> None:
        options = self._options
        bin_ = int(np.clip(np.rint((place + DECADES) * BINS_A_DECADE), 0, len(self._places) - 1))
        kept = math.exp(-length_s / options.memory_s)
        self._past_s *= kept
        self._prior_s *= 0.5 ** (length_s / (2 * options.prior_s))
        # A state that lasts without a break fills half of what may be aside after `lasting_s`.
        self._aside_s *= 0.5 ** (length_s / options.lasting_s)
        half = 0.5 * options.lasting_s / math.log(2)
        if not rare:
            self._past_s[bin_] += length_s
            return
        if self._aside_s.sum() < OVER * half:
            self._aside_since_s = start_s
        self._aside_s[bin_] += length_s
        if self._aside_s.sum() >= half:
            self._settle(start_s + length_s)

    def _settle(self, now_s: float) -> None:
        """What was put aside becomes what is usual, beside the past, which counts no more."""
        aside = self._aside_s.sum()
        total = self._past_s.sum() + self._prior_s
        before = _median(self._places, self._past_s) if self._past_s.any() else 0.0
        times = 10 ** (_median(self._places, self._aside_s) - before)
        self._past_s *= min(1.0, aside / total)
        self._prior_s *= min(1.0, aside / total)
        self._past_s += self._aside_s
        self._aside_s[:] = 0.0
        since_s = self._aside_since_s
        self._drift.append(Drift(since_s, now_s, _sentence(since_s, times)))


@dataclass(frozen=True, slots=True)
class AgainstPast:
    """What `against_past` gives: ``scores`` of kind surprise, and the ``drift`` it noticed."""

    scores: Scores
    drift: tuple[Drift, ...]


def against_past(scores: Scores, prior: Tail, options: PastOptions | None = None) -> AgainstPast:
    """How surprising scores (T,1) are beside the video's own past: kind surprise, causal.

    Args:
        scores: of one label, from 0, such as change.
        prior: what is usual elsewhere.
        options: how the past is weighed.

    Raises:
        ValueError: scores of several labels.
    """
    if len(scores.labels) != 1:
        raise ValueError(f"scores have {len(scores.labels)} labels; one at a time has a past")
    edges = scores.edges_s
    past = PastTail(prior, options)
    values = past.update(scores.values[:, 0], edges[:-1], np.diff(edges))
    made = replace(
        scores,
        values=values[:, None].astype(np.float32),
        kind="surprise",
        made_by=f"{scores.made_by}, beside its own past".lstrip(", "),
    )
    return AgainstPast(made, past.drift)


def settled(
    surprise: NDArray[np.float32],
    values: NDArray[np.float32],
    prior: Tail,
    edges_s: Floats,
    options: PastOptions | None = None,
) -> tuple[NDArray[np.float32], tuple[Drift, ...]]:
    """Surprise (n,) that does not go on for ever: once a new state has lasted, beside that too.

    Until then it is what it was. So a memory of normal footage judges alone until the camera is
    moved, dusk falls or rain sets in for good.

    Args:
        surprise: (n,) of the values beside normal footage.
        values: (n,) from 0.
        prior: what is usual in normal footage.
        edges_s: (n+1,) of their windows.
        options: how long is lasting.

    Returns:
        The surprise, and the lasting changes.
    """
    past = PastTail(prior, options)
    beside = past.update(values, edges_s[:-1], np.diff(edges_s))
    if not past.drift:
        return surprise, ()
    later = edges_s[:-1] >= past.drift[0].settled_s
    calmer = np.fmin(surprise, beside.astype(np.float32))
    return np.where(later, calmer, surprise), past.drift


def _median(places: Floats, seconds: Floats) -> float:
    return float(places[np.searchsorted(np.cumsum(seconds), 0.5 * seconds.sum())])


def _sentence(start_s: float, times: float) -> str:
    how = f"{times:.0f} times" if times >= 1 else f"1/{1 / times:.0f} of"
    return (
        f"from {start_s:.0f} s on the level is about {how} what it was before, and stays there: "
        "taken for a new state of the scene, not for an event"
    )
