"""From saved predictions and truth to a calibration, with the tables and curves that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from watchword.evaluation.calibrate.assemble import (
    calibration_of_choice,
    calibration_of_grid,
    fitted_on,
)
from watchword.evaluation.calibrate.calibration import Calibration
from watchword.evaluation.calibrate.choose import Choice, ChoiceOptions, choose, choose_on_split
from watchword.evaluation.calibrate.grid import Grid, grid, segments_of
from watchword.evaluation.calibrate.labels import choose_by_label
from watchword.evaluation.calibrate.objectives import Objective, localised
from watchword.evaluation.calibrate.sweep import Sweep, best_table, sweep, sweep_by_type
from watchword.evaluation.calibrate.thresholds import (
    Values,
    threshold_range,
    usual_thresholds,
)
from watchword.evaluation.cases import Case
from watchword.evaluation.matching import CaseOptions
from watchword.evaluation.result import Table
from watchword.evaluation.settling import rule_of
from watchword.events.tracker import EventRule
from watchword.evidence.segments import SegmentOptions
from watchword.evidence.smooth import Smoothing, smooth
from watchword.run.judging import Sources, read_cases


@dataclass(frozen=True, slots=True)
class Search:
    """What is tried, and how the best is told.

    Attributes:
        objective: what it shall be best at.
        start: first threshold; None takes a round one below the scores.
        stop: last threshold; None takes one above them.
        step: between thresholds; None takes one that suits the range.
        smoothings: what is tried on the raw scores; empty leaves them as they were saved.
        leave_out: "video" or "group" (camera, scene, subject).
        fit_split: the split to choose on; None leaves one out in turn.
        report_split: the split to report on, with ``fit_split``.
        by_label: a threshold for each label.
        samples: bootstrap resamples.
        seed: of them.
    """

    objective: Objective = field(default_factory=Objective)
    start: float | None = None
    stop: float | None = None
    step: float | None = None
    smoothings: tuple[Smoothing, ...] = ()
    leave_out: Literal["video", "group"] = "video"
    fit_split: str | None = None
    report_split: str | None = None
    by_label: bool = False
    samples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        given = [value is not None for value in (self.start, self.stop, self.step)]
        if any(given) and not all(given):
            raise ValueError("start, stop and step go together; give all three or none")
        if self.by_label and (len(self.smoothings) > 1 or self.fit_split is not None):
            raise ValueError("by_label goes with one smoothing and without splits")
        if (self.fit_split is None) != (self.report_split is None):
            raise ValueError("fit_split and report_split go together; give both or none")


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A calibration and what shows how it came about.

    Attributes:
        calibration: what `detect` reads.
        tables: what was tried and what it is worth.
        sweeps: by name, to draw.
        grid: of segment and share thresholds, to draw; None unless asked for.
        notes: sentences that a reader must know.
    """

    calibration: Calibration
    tables: tuple[Table, ...] = ()
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)
    grid: Grid | None = None
    notes: tuple[str, ...] = ()


def calibrate_threshold(sources: Sources, options: CaseOptions, search: Search) -> Calibrated:
    """The best threshold (and smoothing), with what it is worth on videos that had no part in it.

    Raises:
        CalibrationError: too few videos, one class only, or no threshold that may be chosen.
        DatasetError: files that cannot be read or do not belong together.
    """
    fit = options if search.fit_split is None else replace(options, split=search.fit_split)
    variants, left_out = _variants(sources, fit, search.smoothings)
    thresholds = {name: _thresholds(search, cases) for name, cases in variants.items()}
    rule = common_rule(next(iter(variants.values())))
    how = ChoiceOptions(
        objective=search.objective,
        rule=rule,
        leave_out=search.leave_out,
        samples=search.samples,
        seed=search.seed,
    )
    choice: Choice | dict[str, Choice]
    if search.by_label:
        chosen, cases = next(iter(variants.items()))
        choice = choose_by_label(cases, thresholds[chosen], how)
        shown = [table for label, one in choice.items() for table in _named(one, label)]
        notes = [f"{label}: {note}" for label, one in choice.items() for note in one.notes]
    else:
        choice = _chosen(sources, options, search, variants, thresholds, how)
        chosen = choice.variant
        # What was chosen stands last, where a terminal leaves the reader.
        shown, notes = list(reversed(choice.tables())), list(choice.notes)
    cases, _ = localised(variants[chosen])
    whole = sweep(cases, thresholds[chosen], search.objective, rule=rule)
    by_type = sweep_by_type(cases, thresholds[chosen], search.objective, rule=rule)
    made = calibration_of_choice(
        choice,
        cases,
        fitted_on(cases, dataset=str(sources.annotations), split=search.fit_split),
        rule=rule,
        smoothing=_smoothing_of(chosen, search.smoothings),
    )
    types = [best_table(by_type)] if len(by_type) > 1 else []
    tables = (whole.table(), *types, *shown)
    told = (*left_out, *notes, *_no_drift_check(made))
    return Calibrated(made, tables, {"all": whole, **by_type}, notes=told)


def calibrate_verdict(
    sources: Sources, options: CaseOptions, search: Search, *, segments: SegmentOptions
) -> Calibrated:
    """The best pair of segment and share threshold for the verdict on whole videos (seed 2).

    Raises:
        CalibrationError: too few videos or one class only.
        DatasetError: files that cannot be read or do not belong together.
    """
    read = read_cases(sources, options)
    cases = read.cases
    # Segments are tried at thresholds of their own range, which is narrower than that of windows.
    cut = [replace(case, scores=segments_of(case, segments)) for case in cases]
    found = grid(
        cases,
        usual_thresholds(cut) if search.start is None else _thresholds(search, cut),
        objective=search.objective,
        segments=segments,
        leave_out=search.leave_out,
        seed=search.seed,
    )
    data = fitted_on(cases, dataset=str(sources.annotations), split=options.split)
    made = calibration_of_grid(
        found,
        cases,
        data,
        segments={"frames": segments.frames, "seconds": segments.seconds, "mean": "score"},
    )
    notes = (*read.notes, *found.notes, *_no_drift_check(made))
    return Calibrated(made, (found.table(),), grid=found, notes=notes)


def _chosen(
    sources: Sources,
    options: CaseOptions,
    search: Search,
    variants: Mapping[str, Sequence[Case]],
    thresholds: Mapping[str, Values],
    how: ChoiceOptions,
) -> Choice:
    """One threshold, reported by leaving one out or on another split."""
    if search.report_split is None:
        return choose(variants, thresholds, how)
    other = replace(options, split=search.report_split)
    report, notes = _variants(sources, other, search.smoothings)
    choice = choose_on_split(variants, report, thresholds, how, split=search.report_split)
    return replace(choice, notes=(*notes, *choice.notes))


def _no_drift_check(made: Calibration) -> tuple[str, ...]:
    if made.reference is not None:
        return ()
    return ("this is too little footage for 'drift' to compare later footage with",)


def _variants(
    sources: Sources, options: CaseOptions, smoothings: Sequence[Smoothing]
) -> tuple[dict[str, Sequence[Case]], tuple[str, ...]]:
    """The cases by smoothing, and sentences on what was left out."""
    read = read_cases(sources, options, raw=bool(smoothings))
    if not smoothings:
        return {"as saved": read.cases}, read.notes
    return {
        _name(one): [
            replace(case, scores=None if case.scores is None else smooth(case.scores, one))
            for case in read.cases
        ]
        for one in smoothings
    }, read.notes


def _name(smoothing: Smoothing) -> str:
    if smoothing.method == "none":
        return "no smoothing"
    return f"{smoothing.method} {smoothing.width_s:g} s"


def _smoothing_of(name: str, smoothings: Sequence[Smoothing]) -> Smoothing | None:
    return next((one for one in smoothings if _name(one) == name), None)


def _thresholds(search: Search, cases: Sequence[Case]) -> Values:
    if search.start is None or search.stop is None or search.step is None:
        return usual_thresholds(localised(cases)[0])
    return threshold_range(search.start, search.stop, search.step)


def common_rule(cases: Sequence[Case]) -> EventRule | None:
    """The shape of events that the predictions were made with; None if they differ or say none."""
    rules = [case.prediction.made.rule for case in cases]
    if not rules or rules[0] is None or any(rule != rules[0] for rule in rules):
        return None
    return rule_of(rules[0])


def _named(choice: Choice, label: str) -> list[Table]:
    return [
        replace(table, name=f"{table.name}_{label}", title=f"{label}: {table.title}")
        for table in choice.tables()[:1]
    ]
