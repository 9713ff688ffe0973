"""The figures of anticipation in many resamples of the videos at once.

Exact: equal to measuring each resample by itself, with every video as often as it was drawn.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import FrameBootstrap, Weights
from watchword.evaluation.metrics.anticipation import AnticipationCase, false_alarms_of, lead_s_of

Floats = NDArray[np.float64]
COOLDOWN_S = 10.0


def resampled_ap(
    cases: Sequence[AnticipationCase], weights: Weights, horizon_s: float = 0.0
) -> Floats:
    """(B,) `anticipation_ap`, or that so long before the accident as `horizon_curve` has it.

    NaN where accidents or videos without one are missing.
    """
    seen = [case.before(horizon_s) for case in cases]
    kept = [i for i, scores in enumerate(seen) if len(scores)]
    if not kept:
        return np.full(len(weights), np.nan)
    return FrameBootstrap(
        [np.array([cases[i].accident_s is not None]) for i in kept],
        [seen[i].max(keepdims=True) for i in kept],
    ).areas(np.asarray(weights)[:, kept])[1]


def resampled_leads(
    cases: Sequence[AnticipationCase], weights: Weights, recall: float = 0.8
) -> tuple[Floats, Floats]:
    """(B,) `mean_time_to_accident` and `tta_at_recall`; NaN without an accident.

    The thresholds of all videos serve each resample: of those that reach one recall the lowest
    alarms earliest, and the lowest there is for a resample is among them.
    """
    crashes = [i for i, case in enumerate(cases) if case.accident_s is not None]
    drawn = np.asarray(weights, np.float64)[:, crashes]
    tops = np.unique([cases[i].before().max() for i in crashes])
    thresholds = np.append(-np.inf, tops[:-1])
    hits = np.zeros((len(crashes), len(thresholds)))
    leads = np.zeros_like(hits)
    for row, i in enumerate(crashes):
        case = cases[i]
        rising = np.maximum.accumulate(case.before())
        first = np.searchsorted(rising, thresholds, side="right")
        hit = first < len(rising)
        hits[row] = hit
        assert case.accident_s is not None
        leads[row, hit] = case.accident_s - case.edges_s[first[hit]]
    found, total = drawn @ hits, drawn @ leads
    lowest = (found > 0) & (np.diff(found, axis=1, prepend=-1.0) != 0)
    some = lowest.any(axis=1)
    times = np.divide(total, found, out=np.zeros_like(total), where=found > 0)
    levels = lowest.sum(axis=1)
    mean = np.where(some, (times * lowest).sum(axis=1) / np.maximum(levels, 1), np.nan)
    reached = found / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    away = np.where(lowest, np.abs(reached - recall), np.inf)
    # Recall falls to the right, and of two equally near levels the lower counts.
    nearest = away.shape[1] - 1 - np.argmin(away[:, ::-1], axis=1)
    return mean, np.where(some, times[np.arange(len(times)), nearest], np.nan)


def resampled_lead_at_false_alarms(
    cases: Sequence[AnticipationCase], weights: Weights, allowed_per_hour: float
) -> Floats:
    """(B,) `LeadAtRate.lead_all_s` at the rate; NaN where one of the classes is missing."""
    crashes = [i for i, case in enumerate(cases) if case.accident_s is not None]
    calm = [i for i, case in enumerate(cases) if case.accident_s is None]
    levels = np.unique(np.concatenate([case.before() for case in cases]))
    hours = np.array([cases[i].edges_s[-1] - cases[i].edges_s[0] for i in calm]) / 3600

    @cache
    def alarms(place: int) -> NDArray[np.int64]:
        return np.array([false_alarms_of(cases[i], levels[place], COOLDOWN_S) for i in calm])

    @cache
    def leads(place: int) -> Floats:
        return np.array([lead_s_of(cases[i], levels[place]) or 0.0 for i in crashes])

    result = np.full(len(weights), np.nan)
    for row, drawn in enumerate(np.asarray(weights)):
        of_calm, of_crashes = drawn[calm], drawn[crashes]
        if not (of_calm.any() and of_crashes.any()):
            continue
        most = allowed_per_hour * float(of_calm @ hours)

        def kept(place: int, of_calm: Weights = of_calm) -> int:
            return -int(of_calm @ alarms(place))

        place = bisect_left(range(len(levels)), -most, key=kept)
        if place == len(levels):
            result[row] = 0.0
        else:
            result[row] = of_crashes @ leads(place) / of_crashes.sum()
    return result
