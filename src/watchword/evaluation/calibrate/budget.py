"""Thresholds for a budget of false alarms, from footage without events: "at most two a day".

What is counted are alarms as a person gets them, which are events of the rule, not windows. Alarms
closer than one block are made one (``merge_gap_s`` is at least ``block_s``), so that a block holds
the peak of one alarm at most: where the chance that a block's highest score reaches the threshold
is alpha, there are at most alpha alarms a block. A least length only takes alarms away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.blocks import (
    Blocks,
    block_maxima,
    choose_blocks,
    reference_of,
)
from watchword.evaluation.calibrate.calibration import Promise, Reference
from watchword.evaluation.calibrate.tail import (
    blocks_needed,
    just_above,
    smallest_alpha,
    tail_rank,
)
from watchword.evaluation.cases import Case
from watchword.evaluation.metrics.event import poisson_interval
from watchword.evaluation.result import Table
from watchword.events.tracker import EventRule, LabelRule, detect_events
from watchword.types import Scores

HOUR_S = 3600.0
DAY_S = 86400.0
# Into how many parts of equal length footage of one or two videos is cut to check the promise.
PARTS = 5


@dataclass(frozen=True, slots=True)
class BudgetOptions:
    """How many false alarms are allowed, and how sure that must be.

    Attributes:
        alarms: at most so many, over all labels together.
        per: "day" or "hour" of footage.
        block_s: seconds of a block; None chooses it from the footage.
        per_label: a threshold for each label, which share the budget evenly; otherwise one for the
            highest score over labels.
        confidence: None keeps the budget on average over calibrations; 0.95 keeps it in 95 % of
            them, for which three times as much footage is needed.
        allow_uncertified: where footage is too short for the promise, take the highest score seen
            as threshold and say so, instead of refusing.
    """

    alarms: float = 1.0
    per: Literal["day", "hour"] = "day"
    block_s: float | None = None
    per_label: bool = False
    confidence: float | None = None
    allow_uncertified: bool = False

    def __post_init__(self) -> None:
        if self.per not in ("day", "hour"):
            raise ValueError(f"per is {self.per!r}, it must be day or hour")
        for name in ("alarms", "block_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}, it must be a positive number")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise ValueError(f"confidence is {self.confidence}, it must lie between 0 and 1")

    @property
    def per_day(self) -> float:
        """Alarms a day."""
        return self.alarms * (24 if self.per == "hour" else 1)


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """A rule that keeps a budget of false alarms, and what that promise rests on.

    Attributes:
        rule: when a score becomes an alarm.
        promise: the budget and what was counted on held-out footage.
        reference: what scores looked like, for the drift check.
        counted_on: in words, on what the alarms of the promise were counted.
        notes: sentences that a reader must know.
    """

    rule: EventRule
    promise: Promise
    reference: Reference
    counted_on: str
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """What was promised, what that rests on, and what was counted on held-out footage."""
        one, rule = self.promise, self.rule
        named = {label: own.enter for label, own in rule.per_label.items()}
        rows: list[tuple[str, str | float | None]] = [
            # As texts: beside rates a day a column of numbers would round them away.
            *((f"threshold of {label}", f"{enter:.6g}") for label, enter in named.items()),
            *([] if named else [("threshold", f"{rule.enter:.6g}")]),
            ("alarms a day that are allowed", one.alarms_per_day),
            ("certified", "yes" if one.certified else "no: too little footage"),
            ("blocks of footage", f"{one.blocks} of {one.block_s:g} s"),
            ("alarms counted on held-out footage", one.achieved),
            ("hours of it", one.achieved_hours),
            ("alarms a day there", one.achieved_per_day),
            ("95 % interval from", one.achieved_low),
            ("95 % interval to", one.achieved_high),
        ]
        note = f"held-out footage: {self.counted_on}; exact Poisson interval"
        return Table("budget", "Budget of false alarms", ("", "value"), tuple(rows), note=note)


def budget(
    cases: Sequence[Case], rule: EventRule | None = None, options: BudgetOptions | None = None
) -> Budget:
    """The lowest thresholds that keep a budget of false alarms.

    Args:
        cases: footage without events, with its scores; smoothed as they will be when it is used.
        rule: least length, gaps and padding of an alarm; its thresholds are replaced.
        options: the budget.

    Raises:
        CalibrationError: an event is annotated in the footage, there is too little of it (the
            message says how much is needed, and what could be promised), or nothing to set.
    """
    rule, options = rule or EventRule(), options or BudgetOptions()
    timelines = _event_free(cases)
    labels = timelines[0].labels
    single: tuple[str | None, ...] = labels if options.per_label else (None,)
    by_label, notes = _blocks(timelines, single, options)
    block_s = by_label[0].block_s
    alpha = options.per_day * block_s / DAY_S / len(single)
    if alpha >= 1:
        raise CalibrationError(
            f"{options.alarms:g} alarms a {options.per} allow one in each block of {block_s:g} s, "
            "so there is nothing to calibrate; ask for fewer, or use shorter blocks"
        )
    thresholds, certified = _thresholds(by_label, alpha, options)
    settled = _with_thresholds(rule, dict(zip(single, thresholds, strict=True)), block_s)
    if rule.merge_gap_s < block_s:
        notes.append(f"alarms less than {block_s:g} s apart are one alarm")
    if not certified:
        notes.append(_too_short(by_label, alpha, options))
    count, hours, alarmed, counted_on = _held_out(
        timelines, single, rule, replace(options, block_s=block_s)
    )
    # An alarm that never ends is one alarm: only its length tells.
    notes.append(f"alarms last {alarmed:.2%} of the held-out footage")
    low, high = poisson_interval(count, hours)
    promise = Promise(
        alarms_per_day=options.per_day,
        alpha=alpha,
        block_s=block_s,
        blocks=min(len(one.pooled) for one in by_label),
        certified=certified,
        achieved=count,
        achieved_hours=hours,
        achieved_low=low * 24,
        achieved_high=high * 24,
    )
    whole = block_maxima(timelines, block_s) if options.per_label else by_label[0]
    return Budget(settled, promise, reference_of(timelines, whole), counted_on, tuple(notes))


def by_camera(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases of each camera, which is the group that annotations name.

    Raises:
        CalibrationError: a video without a group.
    """
    cameras: dict[str, list[Case]] = {}
    for case in cases:
        if case.annotation.group is None:
            raise CalibrationError(
                f"{case.name} names no camera (group); give each video one, or calibrate all as one"
            )
        cameras.setdefault(case.annotation.group, []).append(case)
    return cameras


def _event_free(cases: Sequence[Case]) -> list[Scores]:
    """The scores of the cases; CalibrationError unless they can serve as footage without events."""
    contaminated = [case.name for case in cases if case.annotation.positive]
    if contaminated:
        named = ", ".join(contaminated[:5]) + (", ..." if len(contaminated) > 5 else "")
        raise CalibrationError(
            f"{len(contaminated)} of {len(cases)} videos hold annotated events ({named}); a budget "
            "of false alarms needs footage without any: leave them out"
        )
    timelines = []
    for case in cases:
        if case.scores is None:
            raise CalibrationError(f"{case.name} has no scores over time; a budget needs them")
        timelines.append(case.scores)
    if not timelines:
        raise CalibrationError("there is no footage; give videos without events")
    for case, scores in zip(cases, timelines, strict=True):
        if (scores.kind, scores.labels) != (timelines[0].kind, timelines[0].labels):
            raise CalibrationError(
                f"{case.name} has {scores.kind} scores of {', '.join(scores.labels)}, "
                f"{cases[0].name} {timelines[0].kind} of {', '.join(timelines[0].labels)}; "
                "one calibration is for one kind of score and one set of labels"
            )
    return timelines


def _blocks(
    timelines: Sequence[Scores], single: Sequence[str | None], options: BudgetOptions
) -> tuple[list[Blocks], list[str]]:
    """Blocks of one length for each series that gets a threshold, and notes on them."""
    notes = []
    block_s = options.block_s
    if block_s is None:
        chosen = [choose_blocks(timelines, label=label) for label in single]
        block_s, why = max(((blocks.block_s, why) for blocks, why in chosen), key=lambda c: c[0])
        notes.append(why)
    by_label = [block_maxima(timelines, block_s, label=label) for label in single]
    dropped = max(one.dropped for one in by_label)
    if dropped:
        notes.append(f"{dropped} blocks were cut short or not measured, and are left out")
    return by_label, notes


def _thresholds(
    by_label: Sequence[Blocks], alpha: float, options: BudgetOptions
) -> tuple[list[float], bool]:
    """A threshold for each series, and whether all of them keep the promise."""
    thresholds, certified = [], True
    for blocks in by_label:
        maxima = np.sort(blocks.pooled)
        rank = tail_rank(len(maxima), alpha, options.confidence)
        if rank is None:
            if not (options.allow_uncertified and len(maxima)):
                raise CalibrationError(_too_short(by_label, alpha, options))
            certified = False
        thresholds.append(just_above(maxima[-1 if rank is None else rank - 1]))
    return thresholds, certified


def _too_short(by_label: Sequence[Blocks], alpha: float, options: BudgetOptions) -> str:
    """What was promised, how much footage that takes, and what this much is good for."""
    block_s = by_label[0].block_s
    blocks = min(len(one.pooled) for one in by_label)
    needed = blocks_needed(alpha, options.confidence)
    have = (
        f"at most {options.alarms:g} alarms a {options.per} cannot be promised yet: that takes "
        f"{needed * block_s / HOUR_S:.1f} hours of footage without events and there are "
        f"{blocks * block_s / HOUR_S:.2f} ({blocks} of {needed} blocks of {block_s:g} s)"
    )
    if not blocks:
        return have + "; give longer footage"
    smallest = smallest_alpha(blocks, options.confidence) * len(by_label) / block_s
    return have + (
        f"; the smallest that can be is {_rounded_up(smallest * DAY_S)} a day "
        f"({_rounded_up(smallest * HOUR_S)} an hour). Give more footage or allow more alarms"
    )


def _rounded_up(number: float) -> str:
    """Three digits that promise no more than the number: to ask for them is granted.

    >>> _rounded_up(1053.2), _rounded_up(43.88), _rounded_up(0.61234)
    ('1,060', '43.9', '0.613')
    """
    places = 2 - math.floor(math.log10(number))
    raised = math.ceil(round(number * 10.0**places, 6)) / 10.0**places
    return f"{raised:,.{max(0, places)}f}"


def _with_thresholds(
    rule: EventRule, thresholds: dict[str | None, float], block_s: float
) -> EventRule:
    """The rule with new thresholds, in which a block holds the peak of one alarm at most."""
    gap_s = max(rule.merge_gap_s, block_s)
    if None in thresholds:
        enter = thresholds[None]
        low = None if rule.exit is None else min(rule.exit, enter)
        return replace(rule, enter=enter, exit=low, merge_gap_s=gap_s, union=True, per_label={})
    own = {
        label: replace(
            rule.per_label.get(label, LabelRule()), enter=enter, exit=None, merge_gap_s=gap_s
        )
        for label, enter in thresholds.items()
        if label is not None
    }
    enter = max(thresholds.values())
    low = None if rule.exit is None else min(rule.exit, enter)
    return replace(rule, enter=enter, exit=low, merge_gap_s=gap_s, union=False, per_label=own)


def _held_out(
    timelines: Sequence[Scores],
    single: Sequence[str | None],
    rule: EventRule,
    options: BudgetOptions,
) -> tuple[int, float, float, str]:
    """Alarms on footage that had no part in the threshold.

    Returns:
        Their number, the hours of footage, the share of it that is alarm, and what it was in words.
    """
    assert options.block_s is not None
    if len(timelines) >= 3:
        parts, words = list(timelines), f"leave one video out, {len(timelines)} videos"
    else:
        parts = [part for one in timelines for part in _parts(one)]
        words = f"leave one part out, each video cut into {PARTS} parts"
    allowing = replace(options, allow_uncertified=True)
    alpha = options.per_day * options.block_s / DAY_S / len(single)
    by_label = [block_maxima(parts, options.block_s, label=label) for label in single]
    count, seconds, alarm_s = 0, 0.0, 0.0
    for number, part in enumerate(parts):
        rest = [
            replace(one, maxima=one.maxima[:number] + one.maxima[number + 1 :]) for one in by_label
        ]
        if not all(len(one.pooled) for one in rest):
            raise CalibrationError(
                "one part of the footage holds every block, so the promise cannot be checked on "
                "the others; give longer footage"
            )
        thresholds, _ = _thresholds(rest, alpha, allowing)
        settled = _with_thresholds(
            rule, dict(zip(single, thresholds, strict=True)), options.block_s
        )
        alarms = detect_events(part, settled)
        count += len(alarms)
        alarm_s += sum(alarm.duration_s for alarm in alarms) / len(single)
        measured = ~np.isnan(part.values).all(axis=1)
        seconds += float(np.diff(part.edges_s)[measured].sum())
    share = min(1.0, alarm_s / seconds) if seconds else 0.0
    return count, seconds / HOUR_S, share, words


def _parts(scores: Scores) -> list[Scores]:
    """The timeline in stretches of about equal length, one after the other."""
    cuts = np.linspace(0, len(scores), PARTS + 1).round().astype(int)
    return [
        replace(scores, values=scores.values[a:b], edges_s=scores.edges_s[a : b + 1])
        for a, b in pairwise(cuts)
        if b > a
    ]
