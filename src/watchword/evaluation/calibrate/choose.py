"""A threshold chosen on data, and what it is worth on data that had no part in the choice.

Either chosen on one split and reported on another, or chosen on all videos and reported by leaving
one video (or group of videos) out in turn. Where there are several variants of the scores, as
smoothings or scorers, the choice among them is part of what is tested (``held_out``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.bootstrap import bootstrap_weights, interval
from watchword.evaluation.calibrate.held_out import Picked, check_groups, leave_one_out, pick
from watchword.evaluation.calibrate.objectives import (
    Objective,
    Values,
    check_classes,
    localised,
    measured,
)
from watchword.evaluation.calibrate.thresholds import usual_thresholds
from watchword.evaluation.cases import Case
from watchword.evaluation.result import Table
from watchword.events.tracker import EventRule


@dataclass(frozen=True, slots=True)
class ChoiceOptions:
    """How a threshold is chosen.

    Attributes:
        objective: what it shall be best at.
        rule: shape of events, if what lies in events counts as found; None takes single windows.
        leave_out: "video", or "group" to leave out all videos of a camera, scene or subject at
            once; a video without a group then stands for itself.
        samples: bootstrap samples.
        seed: of the bootstrap.
    """

    objective: Objective = field(default_factory=Objective)
    rule: EventRule | None = None
    leave_out: Literal["video", "group"] = "video"
    samples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.leave_out not in ("video", "group"):
            raise ValueError(f"leave_out is {self.leave_out!r}, it must be video or group")


@dataclass(frozen=True, slots=True)
class Fold:
    """What was chosen without a group, and what it is worth on that group alone."""

    held_out: str
    variant: str
    threshold: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen threshold, with what it is honestly worth and what that has to beat.

    Attributes:
        threshold: chosen on all videos (or on the split for choosing).
        variant: the variant of the scores that was chosen, likewise.
        objective: what was optimised.
        value: the objective on data that had no part in the choice; None where undefined.
        low: lower end of its 95 % bootstrap interval over videos (or groups), None if undefined.
        high: upper end, likewise.
        apparent: the objective on the data it was chosen on; the excess over ``value`` is optimism.
        always: the objective, on the data reported on, of calling every window an event.
        never: of calling none one.
        reported_on: in words what ``value`` was measured on.
        folds: what was chosen without each group; empty where it is reported on another split.
        notes: sentences that a reader must know.
    """

    threshold: float
    variant: str
    objective: Objective
    value: float | None
    low: float | None
    high: float | None
    apparent: float | None
    always: float | None
    never: float | None
    reported_on: str
    folds: tuple[Fold, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def spread(self) -> tuple[float, float, float] | None:
        """Lowest, median and highest threshold over the folds; None without folds."""
        if not self.folds:
            return None
        chosen = [fold.threshold for fold in self.folds]
        return min(chosen), median(chosen), max(chosen)

    def tables(self) -> tuple[Table, ...]:
        """What was chosen and what it is worth; and, if there are folds, each of them."""
        rows: list[tuple[str, str | float | None]] = [
            ("chosen threshold", self.threshold),
            *([("chosen variant", self.variant)] if self.variant else []),
            ("value on held-out data", self.value),
            ("95 % interval from", self.low),
            ("95 % interval to", self.high),
            ("value on the data it was chosen on", self.apparent),
            ("always on", self.always),
            ("never", self.never),
        ]
        if self.spread is not None:
            words = ("lowest", "median", "highest")
            rows += [
                (f"{w} threshold of a fold", t) for w, t in zip(words, self.spread, strict=True)
            ]
        summary = Table(
            "choice",
            f"Chosen for {self.objective.words}",
            ("", "value"),
            tuple(rows),
            note=f"held-out data: {self.reported_on}",
        )
        if not self.folds:
            return (summary,)
        folds = Table(
            "folds",
            "Chosen without each video or group, and its own value there",
            ("left out", "variant", "threshold", "value"),
            tuple((f.held_out, f.variant, f.threshold, f.value) for f in self.folds),
        )
        return summary, folds


Variants = Mapping[str, Sequence[Case]]
Thresholds = Values | Mapping[str, Values] | None


def choose(
    variants: Variants | Sequence[Case],
    thresholds: Thresholds = None,
    options: ChoiceOptions | None = None,
) -> Choice:
    """The best threshold on all videos, and its worth by leaving one out in turn.

    Args:
        variants: cases by name of the variant of their scores, the same videos in the same order;
            or one list of cases.
        thresholds: (N,) to choose from, or such for each variant; None takes round ones over the
            range of the scores.
        options: what is optimised, and what is left out.

    Raises:
        CalibrationError: fewer than three videos (groups), a class in fewer than two of them, or no
            threshold that may be chosen.
    """
    options = options or ChoiceOptions()
    named, notes = _variants(variants)
    cases = next(iter(named.values()))
    groups = group_names(cases, options.leave_out)
    _check_groups(cases, groups, options.leave_out)
    candidates, sums = _sums(named, groups, thresholds, options)
    within = {name: one[:, :-2] for name, one in sums.items()}
    chosen = pick(within, options.objective)
    by_fold, kept = leave_one_out(within, options.objective)
    names = list(dict.fromkeys(groups))
    folds = tuple(
        Fold(name, one.variant, float(candidates[one.variant][one.place]), _number(value))
        for name, one, value in zip(names, by_fold, options.objective.value(kept), strict=True)
    )
    what = "video" if options.leave_out == "video" else "group"
    words = f"leave one {what} out, {len(names)} {what}s"
    return _report((chosen, candidates, sums), (kept, sums), words, folds, notes, options)


def choose_on_split(
    fit: Variants | Sequence[Case],
    report: Variants | Sequence[Case],
    thresholds: Thresholds = None,
    options: ChoiceOptions | None = None,
    *,
    split: str = "another split",
) -> Choice:
    """The best threshold on one split, and its worth on another.

    Args:
        fit: cases to choose on, as for `choose`.
        report: cases to report on, with the same variants.
        thresholds: as for `choose`.
        options: as for `choose`; variants are compared by leaving out within ``fit``.
        split: name of the split that is reported on.

    Raises:
        CalibrationError: a video is in both, a class is missing, or no threshold may be chosen.
    """
    options = options or ChoiceOptions()
    named, notes = _variants(fit)
    others, more = _variants(report)
    if list(named) != list(others):
        raise ValueError(
            f"variants are {', '.join(named)} to choose and {', '.join(others)} to report on"
        )
    own, other = next(iter(named.values())), next(iter(others.values()))
    _check_apart(own, other)
    check_classes(own)
    groups, report_groups = (group_names(part, options.leave_out) for part in (own, other))
    shared = {c.annotation.group for c in own} & {c.annotation.group for c in other} - {None}
    if shared:
        more = (*more, f"{len(shared)} groups (cameras, scenes) are in both splits")
    candidates, sums = _sums(named, groups, thresholds, options)
    _, report_sums = _sums(others, report_groups, candidates, options)
    chosen = pick({name: one[:, :-2] for name, one in sums.items()}, options.objective)
    kept = report_sums[chosen.variant][:, chosen.place]
    words = f"split {split}, {len(other)} videos"
    where = (chosen, candidates, sums)
    return _report(where, (kept, report_sums), words, (), (*notes, *more), options)


def group_names(cases: Sequence[Case], leave_out: str) -> list[str]:
    """What each case is left out with: its group if groups are left out, else its own name."""
    if leave_out == "video":
        return [case.name for case in cases]
    return [
        case.name if case.annotation.group is None else f"group {case.annotation.group}"
        for case in cases
    ]


def by_group(sums: Values, groups: Sequence[str]) -> Values:
    """(G,...) sums over the videos of each group, in order of first appearance, from (V,...)."""
    order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    out = np.zeros((len(order), *sums.shape[1:]))
    np.add.at(out, np.array([order[name] for name in groups]), sums)
    return out


def _variants(variants: Variants | Sequence[Case]) -> tuple[dict[str, list[Case]], tuple[str, ...]]:
    """Usable cases by variant; ValueError unless all variants have the same videos in order."""
    named = dict(variants) if isinstance(variants, Mapping) else {"": variants}
    if not named:
        raise ValueError("there is no variant to choose from")
    usable: dict[str, list[Case]] = {}
    notes: tuple[str, ...] = ()
    for name, cases in named.items():
        usable[name], notes = localised(cases)
    first = [case.name for case in next(iter(usable.values()))]
    for name, kept in usable.items():
        if [case.name for case in kept] != first:
            raise ValueError(f"variant {name!r} has other videos than the first, or another order")
    if len(set(first)) != len(first):
        raise CalibrationError("two cases have the same name; each video must stand once")
    return usable, notes


def _check_groups(cases: Sequence[Case], groups: Sequence[str], leave_out: str) -> None:
    check_classes(cases)
    truths = [measured(case)[0] for case in cases]
    check_groups(
        groups,
        [group for group, truth in zip(groups, truths, strict=True) if truth.any()],
        [group for group, truth in zip(groups, truths, strict=True) if not truth.all()],
        what=leave_out,
    )


def _check_apart(fit: Sequence[Case], report: Sequence[Case]) -> None:
    """CalibrationError if a video is chosen on and reported on, by name or by content."""
    both = {case.name for case in fit} & {case.name for case in report}
    known = {case.prediction.video_fingerprint for case in fit} - {None}
    both |= {case.name for case in report if case.prediction.video_fingerprint in known}
    if both:
        named = ", ".join(sorted(both)[:5])
        raise CalibrationError(
            f"{len(both)} videos would be both chosen and reported on ({named}); a threshold must "
            "be reported on videos that had no part in it"
        )


def _sums(
    named: Mapping[str, Sequence[Case]],
    groups: Sequence[str],
    thresholds: Thresholds,
    options: ChoiceOptions,
) -> tuple[dict[str, Values], dict[str, Values]]:
    """By variant the candidates (N,) and the sums (G,N+2,S): the last two are always and never."""
    candidates, sums = {}, {}
    for name, cases in named.items():
        own = thresholds[name] if isinstance(thresholds, Mapping) else thresholds
        candidates[name] = usual_thresholds(cases) if own is None else np.asarray(own, np.float64)
        if not (len(candidates[name]) and np.isfinite(candidates[name]).all()):
            raise ValueError("thresholds must be one or more finite numbers")
        tried = np.append(candidates[name], _extremes(cases))
        sums[name] = by_group(options.objective.sums(cases, tried, options.rule), groups)
    return candidates, sums


def _extremes(cases: Sequence[Case]) -> NDArray[np.float64]:
    """A threshold that every measured score reaches, and one that none does."""
    values = np.concatenate([case.series for case in cases]).astype(np.float64)
    values = values[~np.isnan(values)]
    width = 1.0 + float(np.abs(values).max(initial=0.0))
    return np.array([values.min(initial=0.0) - width, values.max(initial=0.0) + width])


def _report(
    where: tuple[Picked, Mapping[str, Values], Mapping[str, Values]],
    held: tuple[Values, Mapping[str, Values]],
    words: str,
    folds: tuple[Fold, ...],
    notes: tuple[str, ...],
    options: ChoiceOptions,
) -> Choice:
    """The choice in words and numbers.

    Args:
        where: what was picked, the candidates by variant, and the sums it was picked from.
        held: (G,S) what is kept of each group at thresholds it had no part in, and all sums of the
            same groups, for the baselines.
        words: what was reported on.
        folds: what was chosen without each group.
        notes: on videos left out.
        options: what was optimised.
    """
    chosen, candidates, sums = where
    kept, report_sums = held
    objective = options.objective
    value = _number(objective.value(kept.sum(axis=0)))
    weights = bootstrap_weights(len(kept), options.samples, options.seed)
    between = interval(objective.value(weights @ kept))
    ends = report_sums[chosen.variant].sum(axis=0)[-2:]
    always, never = (_number(one) for one in objective.value(ends))
    if objective.name == "recall_at_precision":
        total = kept.sum(axis=0)
        reached = total[3] / (total[1] + total[3]) if total[1] + total[3] else math.nan
        notes = (*notes, f"on held-out data the precision is {reached:.3f}")
    elif value is not None and always is not None:
        worse = value >= always if objective.lower_is_better else value <= always
        if worse:
            notes = (
                *notes,
                "calling every window an event does as well or better on the same data",
            )
    apparent = objective.value(sums[chosen.variant].sum(axis=0)[chosen.place])
    return Choice(
        threshold=float(candidates[chosen.variant][chosen.place]),
        variant=chosen.variant,
        objective=objective,
        value=value,
        low=between.low,
        high=between.high,
        apparent=_number(apparent),
        always=always,
        never=never,
        reported_on=words,
        folds=folds,
        notes=notes,
    )


def _number(value: float | np.floating | Values) -> float | None:
    return None if np.isnan(value) else float(value)
