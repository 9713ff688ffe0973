"""How early and how surely accidents are announced.

An alarm is raised at the start of the first window that scores at the threshold or above, as papers
count it in frames; with windows longer than a frame the true moment is up to a window later. Of a
video with an accident only windows that start before it count.

Mean time to accident is a poor headline: it averages over all thresholds, so an alarm that is
always on does best of all. Read it beside `time_to_accident_at_false_alarms` and `always_on`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.frame import average_precision

Floats = NDArray[np.float64]
_SAME_MOMENT_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class AnticipationCase:
    """One video and, if it has one, the moment of its accident.

    Attributes:
        scores: (T,) how strongly an accident is announced in each window; finite.
        edges_s: (T+1,) where the windows start and end, in seconds.
        accident_s: when the accident happens; None in a video without one.
    """

    scores: Floats
    edges_s: Floats
    accident_s: float | None

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, np.float64)
        edges = np.asarray(self.edges_s, np.float64)
        if scores.ndim != 1 or not len(scores) or edges.shape != (len(scores) + 1,):
            raise ValueError(
                f"scores have shape {scores.shape} and edges_s {edges.shape}; "
                "they must be (T,) and (T+1,), T of 1 or more"
            )
        if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise ValueError("edges_s must be finite and strictly rising")
        if not np.isfinite(scores).all():
            unusable = int((~np.isfinite(scores)).sum())
            raise ValueError(f"{unusable} of {len(scores)} scores are NaN or infinite")
        if self.accident_s is not None and not self.accident_s > edges[0] + _SAME_MOMENT_S:
            raise ValueError(
                f"the accident is at {self.accident_s} s and the first window starts at "
                f"{edges[0]} s, so there is nothing to announce"
            )
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "edges_s", edges)

    def before(self, lead_s: float = 0.0) -> Floats:
        """Scores of the windows that start before ``lead_s`` seconds ahead of the accident.

        All scores of a video without an accident.
        """
        if self.accident_s is None:
            return self.scores
        last = self.accident_s - lead_s - _SAME_MOMENT_S
        return self.scores[: int(np.searchsorted(self.edges_s[:-1], last))]


@dataclass(frozen=True, slots=True)
class LeadAtRate:
    """What the warnings are worth if there may be only so many false ones.

    Attributes:
        allowed_per_hour: the false-alarm rate that was asked for.
        false_alarms: how many there are at the threshold, in the videos without an accident.
        hours: hours of video without an accident.
        threshold: lowest score that keeps the rate; None if none does.
        recall: share of accidents that are announced.
        lead_s: mean seconds before the accident, of the announced ones; None if none is.
    """

    allowed_per_hour: float
    false_alarms: int
    hours: float
    threshold: float | None
    recall: float
    lead_s: float | None

    @property
    def per_hour(self) -> float:
        """False alarms an hour at the threshold."""
        return self.false_alarms / self.hours

    @property
    def lead_all_s(self) -> float:
        """Mean seconds before the accident with those not announced as 0: one honest number."""
        return self.recall * (self.lead_s or 0.0)


@dataclass(frozen=True, slots=True)
class HorizonPoint:
    """How well accidents are told apart so long before they happen.

    Attributes:
        horizon_s: seconds before the accident at which watching stops.
        ap: average precision over videos; None where one class is missing.
        accidents: videos with an accident that had a window by then.
        left_out: videos that begin later than that.
    """

    horizon_s: float
    ap: float | None
    accidents: int
    left_out: int


def anticipation_ap(cases: Sequence[AnticipationCase]) -> float | None:
    """Average precision over videos, each with its highest score before the accident.

    By steps and over all thresholds, where UString's code takes trapezoids over thresholds 0.001
    apart. None if accidents or videos without one are missing.

    Raises:
        ValueError: no cases.
    """
    return _watched(_checked(cases), 0.0).ap


def horizon_curve(
    cases: Sequence[AnticipationCase], horizons_s: Sequence[float] = (0.5, 1.0, 1.5)
) -> tuple[HorizonPoint, ...]:
    """Average precision when watching stops so many seconds before the accident.

    The defaults are those of the Nexar challenge, whose score is the mean of the three. A video
    counts with its highest score so far; videos without an accident with that of their whole
    length, so a horizon of 0 gives `anticipation_ap`.

    Raises:
        ValueError: no cases, or a negative horizon.
    """
    if any(not (np.isfinite(h) and h >= 0) for h in horizons_s):
        raise ValueError(f"horizons_s are {tuple(horizons_s)}, they must be 0 or more seconds")
    checked = _checked(cases)
    return tuple(_watched(checked, horizon) for horizon in horizons_s)


def _watched(cases: Sequence[AnticipationCase], horizon_s: float) -> HorizonPoint:
    seen = [(case, case.before(horizon_s)) for case in cases]
    kept = [(case.accident_s is not None, scores.max()) for case, scores in seen if len(scores)]
    truth = np.array([accident for accident, _ in kept], bool)
    ap = average_precision(truth, np.array([top for _, top in kept])) if kept else None
    return HorizonPoint(horizon_s, ap, int(truth.sum()), len(cases) - len(kept))


def always_on(cases: Sequence[AnticipationCase]) -> float | None:
    """Mean seconds before the accident of an alarm that is on from the first window.

    The most that any time to accident can be. None without an accident.
    """
    leads = [c.accident_s - c.edges_s[0] for c in _checked(cases) if c.accident_s is not None]
    return float(np.mean(leads)) if leads else None


def mean_time_to_accident(
    cases: Sequence[AnticipationCase], *, step: float | None = None
) -> float | None:
    """Mean seconds from alarm to accident, averaged over every level of recall that is reached.

    At each level the lowest threshold that reaches it counts, which alarms earliest; the time is
    the mean over the accidents that are announced. The scale is that of each video's accident,
    ``accident - alarm``; see `mean_time_to_accident_common`.

    Args:
        cases: the videos; those without an accident take no part.
        step: distance of the thresholds, from the lowest score of all (0 at least) up to 1, as
            papers place them; all thresholds there are if not given.

    Returns:
        Seconds; None if no video has an accident, or no threshold of the grid announces one.

    Raises:
        ValueError: no cases, or a step that is not positive.
    """
    levels = _levels(_checked(cases), step, _seconds)
    return float(levels[1].mean()) if len(levels[1]) else None


def mean_time_to_accident_common(
    cases: Sequence[AnticipationCase], *, step: float = 0.001
) -> float | None:
    """The same in the wrong scale of much published code, only to compare with its figures.

    UString's ``eval_tools.py`` and those that took it over compute the *relative* lead, ``1 - alarm
    / accident``, and multiply it by the length of the whole clip in place of the time of the
    accident. On DAD, where accidents are at frame 90 of 100, every value is 1.11 times too high: an
    alarm that is always on gets 5.0 s where 4.5 s is all there is. Clips of different lengths are
    scaled by the longest, as arrays padded to it are.
    """
    length_s = max(case.edges_s[-1] - case.edges_s[0] for case in _checked(cases))
    levels = _levels(cases, step, _relative)
    return float(levels[1].mean() * length_s) if len(levels[1]) else None


def tta_at_recall(
    cases: Sequence[AnticipationCase], recall: float = 0.8, *, step: float | None = None
) -> float | None:
    """Mean seconds from alarm to accident at the level of recall nearest to ``recall``.

    Of two equally near levels the lower counts. Arguments, scale and errors as for
    `mean_time_to_accident`.
    """
    if not 0 < recall <= 1:
        raise ValueError(f"recall is {recall}, it must be above 0 and at most 1")
    reached, times = _levels(_checked(cases), step, _seconds)
    if not len(times):
        return None
    return float(times[int(np.argmin(np.abs(reached - recall)))])


def _seconds(case: AnticipationCase) -> Floats:
    """Seconds from the start of each window to the accident."""
    assert case.accident_s is not None
    return case.accident_s - case.edges_s[:-1]


def _relative(case: AnticipationCase) -> Floats:
    """The same as a share of the time from the video's start to its accident."""
    seconds = _seconds(case)
    return np.asarray(seconds / seconds[0])


def _levels(
    cases: Sequence[AnticipationCase],
    step: float | None,
    lead: Callable[[AnticipationCase], Floats],
) -> tuple[Floats, Floats]:
    """Each recall that is reached, rising, and the longest mean lead of a threshold there."""
    crashes = [case for case in cases if case.accident_s is not None]
    empty = np.empty(0)
    if not crashes:
        return empty, empty
    side: Literal["left", "right"] = "right" if step is None else "left"
    rising = [np.maximum.accumulate(case.before()) for case in crashes]
    if step is None:
        # Just above the highest score of the next accident is the lowest threshold without it;
        # below the lowest of them all everything alarms.
        tops = np.unique([series[-1] for series in rising])
        thresholds = np.append(-np.inf, tops[:-1])
    else:
        if not (np.isfinite(step) and step > 0):
            raise ValueError(f"step is {step}, it must be positive")
        lowest = min(case.before().min() for case in cases)
        thresholds = np.arange(max(lowest, 0.0), 1.0, step)
    total, found = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    for case, series in zip(crashes, rising, strict=True):
        first = np.searchsorted(series, thresholds, side=side)
        hit = first < len(series)
        total[hit] += lead(case)[first[hit]]
        found += hit
    some = found > 0
    times = total[some] / found[some]
    counts, level = np.unique(found[some], return_inverse=True)
    longest = np.zeros(len(counts))
    np.maximum.at(longest, level, times)
    return counts / len(crashes), longest


def time_to_accident_at_false_alarms(
    cases: Sequence[AnticipationCase],
    allowed_per_hour: Sequence[float],
    *,
    cooldown_s: float = 10.0,
) -> tuple[LeadAtRate, ...] | None:
    """How early accidents are announced if there may be only so many false alarms an hour.

    False alarms are counted in the videos without an accident: after one, the next can come
    ``cooldown_s`` later, so that an alarm that stays on is not a single one. The threshold is the
    lowest score that keeps the rate.

    Args:
        cases: videos with and without an accident.
        allowed_per_hour: false-alarm rates to answer for.
        cooldown_s: seconds from one alarm of a video to its next.

    Returns:
        One answer a rate; None if there are no accidents or no videos without one.

    Raises:
        ValueError: no cases, a negative rate, or a cooldown that is not positive.
    """
    if any(not (np.isfinite(rate) and rate >= 0) for rate in allowed_per_hour):
        raise ValueError(f"allowed_per_hour is {tuple(allowed_per_hour)}, must be 0 or more each")
    if not (np.isfinite(cooldown_s) and cooldown_s > 0):
        raise ValueError(f"cooldown_s is {cooldown_s}, it must be positive")
    crashes = [case for case in _checked(cases) if case.accident_s is not None]
    calm = [case for case in cases if case.accident_s is None]
    if not crashes or not calm:
        return None
    levels = np.unique(np.concatenate([case.before() for case in cases]))
    hours = sum(float(case.edges_s[-1] - case.edges_s[0]) for case in calm) / 3600

    def alarms(place: int) -> int:
        return sum(false_alarms_of(case, levels[place], cooldown_s) for case in calm)

    answers = []
    for rate in allowed_per_hour:
        # A higher threshold never raises more alarms, so the lowest that keeps the rate is found
        # by halving.
        place = bisect_left(range(len(levels)), -rate * hours, key=lambda i: -alarms(i))
        if place == len(levels):
            answers.append(LeadAtRate(rate, 0, hours, None, 0.0, None))
            continue
        leads = [lead for case in crashes if (lead := lead_s_of(case, levels[place])) is not None]
        answers.append(
            LeadAtRate(
                rate,
                alarms(place),
                hours,
                float(levels[place]),
                len(leads) / len(crashes),
                float(np.mean(leads)) if leads else None,
            )
        )
    return tuple(answers)


def false_alarms_of(case: AnticipationCase, threshold: float, cooldown_s: float) -> int:
    """Alarms of one video: the first hit, and each first hit after the cooldown of the last."""
    times = case.edges_s[:-1][case.scores >= threshold]
    count = place = 0
    while place < len(times):
        count += 1
        place = int(np.searchsorted(times, times[place] + cooldown_s - _SAME_MOMENT_S))
    return count


def lead_s_of(case: AnticipationCase, threshold: float) -> float | None:
    """Seconds from the first alarm before the accident to the accident; None if there is none."""
    hits = np.flatnonzero(case.before() >= threshold)
    return float(_seconds(case)[hits[0]]) if len(hits) else None


def _checked(cases: Sequence[AnticipationCase]) -> Sequence[AnticipationCase]:
    if not cases:
        raise ValueError("there are no cases to measure")
    return cases
