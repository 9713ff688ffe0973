"""How far a figure could be off: the videos drawn again with replacement, many times at once.

Videos are drawn, not windows: windows of one video resemble each other, and intervals over windows
would be far too narrow. A resample is a row of weights, how often each video was drawn, so that one
sort of the scores serves them all, and two runs are compared on the same draws.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.inputs import scores_of, truth_of

Floats = NDArray[np.float64]
Weights = NDArray[np.int64]
Places = NDArray[np.intp]


def bootstrap_weights(videos: int, samples: int, seed: int) -> Weights:
    """How often each video is in each resample, (B,V); every row sums to V.

    Args:
        videos: V, how many there are.
        samples: B, how many resamples.
        seed: the same seed gives the same draws.

    Raises:
        ValueError: no video or no sample.
    """
    if videos < 1 or samples < 1:
        raise ValueError(f"got {videos} videos and {samples} samples, both must be 1 or more")
    draws = np.random.default_rng(seed).multinomial(videos, np.full(videos, 1 / videos), samples)
    return draws.astype(np.int64)


def checked_weights(weights: ArrayLike, videos: int) -> Weights:
    """Resamples (B,V) of ``videos`` videos.

    Raises:
        ValueError: another shape, or not whole numbers of 0 or more.
    """
    array = np.asarray(weights)
    if array.ndim != 2 or array.shape[1] != videos:
        raise ValueError(f"weights have shape {array.shape}, they must be (samples, {videos})")
    if not np.issubdtype(array.dtype, np.integer) or (array.size and array.min() < 0):
        raise ValueError("weights must be whole numbers, how often each video was drawn")
    return array.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies, by its resamples.

    Attributes:
        low: lower end; None if more than half of the resamples leave the figure undefined.
        high: upper end, likewise.
        undefined: resamples that leave it undefined, as when all videos drawn hold one class only.
        samples: resamples in all.
    """

    low: float | None
    high: float | None
    undefined: int
    samples: int


def interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """The percentile interval of a figure's resamples (B,); NaN is a resample that leaves it open.

    Undefined resamples are left out and counted.

    Raises:
        ValueError: no resamples, or a level outside (0, 1).
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"values have shape {array.shape}, they must be (samples,)")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, it must be between 0 and 1")
    defined = array[~np.isnan(array)]
    undefined = len(array) - len(defined)
    if 2 * undefined > len(array):
        return Interval(None, None, undefined, len(array))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), undefined, len(array))


def paired_difference(a_values: ArrayLike, b_values: ArrayLike, level: float = 0.95) -> Interval:
    """The interval of ``a - b`` over resamples (B,) that both share, draw by draw.

    Raises:
        ValueError: different numbers of resamples.
    """
    a, b = np.asarray(a_values, np.float64), np.asarray(b_values, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} resamples against {b.shape}; draw both with the same weights")
    return interval(a - b, level)


def other_sign_p(differences: ArrayLike) -> float | None:
    """How often chance alone turns the sign: twice the smaller share of resamples beyond zero.

    Differences of exactly 0 count on both sides. At least ``2 / (B + 1)``, since B draws cannot
    show less, and at most 1; None if more than half of the resamples are undefined.
    """
    array = np.asarray(differences, np.float64)
    defined = array[~np.isnan(array)]
    if not len(defined) or 2 * len(defined) < len(array):
        return None
    fewer = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * (fewer + 1) / (len(defined) + 1))


def resampled_ratio(numerators: ArrayLike, denominators: ArrayLike, weights: Weights) -> Floats:
    """Sum over the drawn videos of one number, by that of another, (B,); NaN where it is by 0.

    Args:
        numerators: (V,) of each video, as its true positives.
        denominators: (V,) of each video, as its found windows.
        weights: (B,V) from `bootstrap_weights`.
    """
    above = weights @ np.asarray(numerators, np.float64)
    below = weights @ np.asarray(denominators, np.float64)
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def resampled_mean(values: Sequence[float | None], weights: Weights) -> Floats:
    """Mean of a number of each video over the drawn videos that have it, (B,); NaN if none has."""
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    known = ~np.isnan(numbers)
    return resampled_ratio(np.where(known, numbers, 0.0), known, weights)


def resampled(
    statistic: Callable[[Weights], float | None], weights: Weights, *, threads: int | None = None
) -> Floats:
    """Any statistic of one row of weights, for every row, (B,); NaN where it is None.

    The result does not depend on the number of threads.
    """
    values = np.full(len(weights), np.nan)

    def fill(rows: NDArray[np.intp]) -> None:
        for row in rows:
            value = statistic(weights[row])
            values[row] = np.nan if value is None else value

    _on_threads(fill, len(weights), threads)
    return values


def _on_threads(fill: Callable[[NDArray[np.intp]], Any], rows: int, threads: int | None) -> None:
    """Run ``fill`` on all rows, spread over threads."""
    count = max(1, min(threads or _cores(), rows))
    parts = np.array_split(np.arange(rows), count)
    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(fill, parts):
            pass


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class FrameBootstrap:
    """Micro AUC and average precision of many resamples, from one sort of all windows.

    Exact, ties included: equal to repeating each video's windows as often as it was drawn. Holds
    about 40 bytes a window, and as much again a thread while it runs.
    """

    def __init__(
        self,
        truths: Sequence[ArrayLike],
        scores: Sequence[ArrayLike],
        *,
        threads: int | None = None,
    ) -> None:
        """Sort the windows of all videos.

        Args:
            truths: of each video (T_v,) whether each window holds an event.
            scores: of each video (T_v,); higher is more.
            threads: how many to use; as many as there are cores if not given.

        Raises:
            ValueError: no video, or as for every metric.
        """
        if len(truths) != len(scores) or not len(truths):
            raise ValueError(f"got {len(truths)} truths and {len(scores)} scores of videos")
        true = [truth_of(truth) for truth in truths]
        values = [scores_of(score, len(t)) for score, t in zip(scores, true, strict=True)]
        lengths = np.array([len(t) for t in true])
        flat = np.concatenate(values)
        order = np.argsort(flat)[::-1]
        ranked = flat[order]
        truth = np.concatenate(true)[order]
        video = np.repeat(np.arange(len(true)), lengths)[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) + 1
        starts = np.concatenate([[0], ends[:-1]])
        counted = np.concatenate([[0], np.cumsum(truth)])
        # Only groups of equal scores that hold an event add anything to either area.
        holds = counted[ends] > counted[starts]
        self._videos = len(true)
        self._longest = int(lengths.max())
        self._threads = threads
        self._order = _Order(
            video=video,
            true_video=video[truth],
            starts=starts[holds],
            ends=ends[holds],
            true_starts=counted[starts[holds]],
            true_ends=counted[ends[holds]],
        )

    def areas(self, weights: ArrayLike) -> tuple[Floats, Floats]:
        """``(AUC, average precision)`` of each resample, (B,) each; NaN without both classes.

        Args:
            weights: (B,V) how often each video was drawn.

        Raises:
            ValueError: another number of videos, or weights that are no whole numbers.
        """
        drawn = checked_weights(weights, self._videos)
        result = np.full((2, len(drawn)), np.nan)
        # int32 halves the memory that is moved, and windows that are drawn can be counted in it.
        most = int(drawn.sum(axis=1).max(initial=0)) * self._longest
        kind = np.int32 if most < 2**31 else np.int64

        def fill(rows: NDArray[np.intp]) -> None:
            pass_ = _Pass(self._order, kind)
            for row in rows:
                result[:, row] = pass_.areas(drawn[row].astype(kind))

        _on_threads(fill, len(drawn), self._threads)
        return result[0], result[1]

    def auc(self, weights: ArrayLike) -> Floats:
        """Micro AUC of each resample, (B,); NaN where it holds one class only."""
        return self.areas(weights)[0]

    def average_precision(self, weights: ArrayLike) -> Floats:
        """Average precision by steps of each resample, (B,); NaN where it holds one class only."""
        return self.areas(weights)[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """All windows from the highest score down, in G groups of equal score that hold an event.

    Attributes:
        video: (N,) which video each window is of.
        true_video: (P,) the same of windows with an event alone.
        starts: (G,) windows before each group.
        ends: (G,) windows up to its end.
        true_starts: (G,) windows with an event before it.
        true_ends: (G,) windows with an event up to its end.
    """

    video: Places
    true_video: Places
    starts: Places
    ends: Places
    true_starts: Places
    true_ends: Places


class _Pass:
    """One thread's walk over the windows, with memory that it uses again for every resample."""

    def __init__(self, order: _Order, kind: type[np.int32] | type[np.int64]) -> None:
        self._order = order
        events = len(order.true_video)
        self._drawn = np.empty(len(order.video), kind)
        self._every = np.zeros(len(order.video) + 1, kind)
        self._drawn_true = np.empty(events, kind)
        self._true = np.zeros(events + 1, kind)
        # Groups that hold windows without an event too: their pairs count half.
        windows, events_in = order.ends - order.starts, order.true_ends - order.true_starts
        self._mixed = np.flatnonzero(windows > events_in)
        self._tp, self._gained, self._found = (np.empty(len(order.ends), kind) for _ in range(3))
        self._product = np.empty(len(order.ends))

    def areas(self, drawn: NDArray[Any]) -> tuple[float, float]:
        """AUC and average precision if each video counts as often as it was drawn."""
        order = self._order
        # Without clipping numpy checks every place first, in memory of its own.
        drawn.take(order.video, out=self._drawn, mode="clip")
        np.cumsum(self._drawn, out=self._every[1:])
        drawn.take(order.true_video, out=self._drawn_true, mode="clip")
        np.cumsum(self._drawn_true, out=self._true[1:])
        positives = int(self._true[-1])
        negatives = int(self._every[-1]) - positives
        if not (positives and negatives):
            return np.nan, np.nan
        tp, gained, found, product = self._tp, self._gained, self._found, self._product
        self._true.take(order.true_ends, out=tp, mode="clip")
        self._true.take(order.true_starts, out=gained, mode="clip")
        np.subtract(tp, gained, out=gained)
        self._every.take(order.ends, out=found, mode="clip")
        # Each event against the false hits above it: those to the end of its group, less half of
        # those within. Sums of whole numbers, exact in float64.
        np.subtract(found, tp, out=product)
        product *= gained
        above = float(product.sum()) - self._tied() / 2
        np.maximum(found, 1, out=found)
        np.divide(tp, found, out=product)
        product *= gained
        return 1 - above / positives / negatives, float(product.sum()) / positives

    def _tied(self) -> float:
        """Pairs of a window with an event and one without at the same score."""
        mixed, order = self._mixed, self._order
        if not len(mixed):
            return 0.0
        gained = self._gained[mixed].astype(np.float64)
        windows = self._every[order.ends[mixed]] - self._every[order.starts[mixed]]
        return float((gained * (windows - gained)).sum())
