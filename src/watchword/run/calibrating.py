"""From saved predictions and truth to a calibration, with the tables and curves that show it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.assemble import (
    calibration_of_budget,
    calibration_of_choice,
    calibration_of_grid,
    fitted_on,
)
from watchword.evaluation.calibrate.budget import BudgetOptions, budget
from watchword.evaluation.calibrate.calibration import Calibration
from watchword.evaluation.calibrate.choose import Choice, ChoiceOptions, choose, choose_on_split
from watchword.evaluation.calibrate.drift import Drift, drift
from watchword.evaluation.calibrate.grid import Grid, grid
from watchword.evaluation.calibrate.labels import choose_by_label
from watchword.evaluation.calibrate.objectives import Objective
from watchword.evaluation.calibrate.sweep import Sweep, best_table, sweep, sweep_by_type
from watchword.evaluation.calibrate.thresholds import (
    Values,
    threshold_range,
    usual_thresholds,
)
from watchword.evaluation.cases import Case
from watchword.evaluation.matching import CaseOptions
from watchword.evaluation.names import short_names
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.result import Table
from watchword.evaluation.settling import rule_of
from watchword.events.tracker import EventRule
from watchword.evidence.segments import SegmentOptions
from watchword.evidence.smooth import Smoothing, smooth
from watchword.run.judging import Sources, read_cases, unsmoothed
from watchword.types import Annotation, Kind

_BUDGET = re.compile(r"\s*([0-9.eE+-]+)\s*/\s*(hour|day)\s*")


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
    fit_options = options if search.fit_split is None else replace(options, split=search.fit_split)
    variants = _variants(sources, fit_options, search.smoothings)
    thresholds = {name: _thresholds(search, cases) for name, cases in variants.items()}
    rule = _rule(next(iter(variants.values())))
    how = ChoiceOptions(
        objective=search.objective,
        rule=rule,
        leave_out=search.leave_out,
        samples=search.samples,
        seed=search.seed,
    )
    notes: list[str] = []
    choice: Choice | dict[str, Choice]
    if search.by_label:
        if len(variants) > 1 or search.fit_split is not None:
            raise ValueError("by_label goes with one smoothing and without splits")
        name, cases = next(iter(variants.items()))
        choice = choose_by_label(cases, thresholds[name], how)
        chosen = name
        tables = [table for label, one in choice.items() for table in _named(one, label)]
    else:
        if search.report_split is None:
            choice = choose(variants, thresholds, how)
        else:
            report = _variants(
                sources, replace(options, split=search.report_split), search.smoothings
            )
            choice = choose_on_split(
                variants, report, thresholds, how, split=str(search.report_split)
            )
        chosen, tables = choice.variant, list(choice.tables())
        notes += choice.notes
    cases = variants[chosen]
    smoothing = _smoothing_of(chosen, search.smoothings)
    whole = sweep(cases, thresholds[chosen], search.objective, rule=rule)
    by_type = sweep_by_type(cases, thresholds[chosen], search.objective, rule=rule)
    data = fitted_on(cases, dataset=str(sources.annotations), split=search.fit_split)
    made = calibration_of_choice(choice, cases, data, rule=rule, smoothing=smoothing)
    if len(by_type) > 1:
        tables.insert(0, best_table(by_type))
    tables.insert(0, whole.table())
    return Calibrated(made, tuple(tables), {"all": whole, **by_type}, notes=tuple(notes))


def calibrate_verdict(
    sources: Sources, options: CaseOptions, search: Search, *, segments: SegmentOptions
) -> Calibrated:
    """The best pair of segment and share threshold for the verdict on whole videos (seed 2).

    Raises:
        CalibrationError: too few videos or one class only.
        DatasetError: files that cannot be read or do not belong together.
    """
    cases = read_cases(sources, options).cases
    found = grid(
        cases,
        _thresholds(search, cases),
        objective=search.objective,
        segments=segments,
        leave_out=search.leave_out,
        seed=search.seed,
    )
    data = fitted_on(cases, dataset=str(sources.annotations), split=options.split)
    cut = {"frames": segments.frames, "seconds": segments.seconds, "mean": "score"}
    made = calibration_of_grid(found, cases, data, segments=cut)
    return Calibrated(made, (found.table(),), grid=found, notes=found.notes)


def calibrate_budget(
    predictions: Path,
    annotations: Path | None,
    options: CaseOptions,
    allowed: BudgetOptions,
    *,
    format: str | None = None,
    kind: Kind = "cosine",
    camera: str | None = None,
) -> Calibrated:
    """The lowest thresholds that keep a budget of false alarms on footage without events.

    Args:
        predictions: of footage without events.
        annotations: its truth, of which the videos without events are taken; None takes the
            user's word that there are none.
        options: which videos, and what is done to their scores.
        allowed: the budget.
        format: of the annotations.
        kind: what scores are in files that do not say.
        camera: name of what it is for; with annotations only videos of this group.

    Raises:
        CalibrationError: an event in the footage, or too little of it for the promise.
        DatasetError: files that cannot be read or do not belong together.
    """
    if annotations is None:
        cases = _presumed_normal(predictions, options, kind)
        dataset = f"{predictions} (said to be without events)"
    else:
        found = read_cases(Sources(predictions, annotations, format=format, kind=kind), options)
        cases = found.cases
        if camera is not None:
            cases = _of_camera(cases, camera)
        dataset = str(annotations)
    smoothing = None if options.smoothing.method == "none" else options.smoothing
    kept = budget(cases, _rule(cases), allowed)
    data = fitted_on(cases, dataset=dataset, split=options.split)
    made = calibration_of_budget(kept, cases, data, camera=camera, smoothing=smoothing)
    return Calibrated(made, notes=kept.notes)


def check_drift(calibration: Calibration, predictions: Path) -> Drift:
    """Whether the scores of new footage still look like those that were calibrated on.

    Raises:
        CalibrationError: the calibration was made for other scores, or holds no reference.
        DatasetError: predictions that cannot be read.
    """
    found = read_predictions(predictions)
    asked = calibration.settings().get("smoothing")
    smoothing = Smoothing() if asked is None else Smoothing(**asked)
    timelines = [
        smooth(one.scores, smoothing) for one in unsmoothed(found) if one.scores is not None
    ]
    return drift(calibration, timelines)


def parse_budget(text: str) -> BudgetOptions:
    """The budget of a text such as "2/day" or "0.5/hour".

    >>> parse_budget("2/day").per_day
    2.0
    """
    match = _BUDGET.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        return BudgetOptions(alarms=float(match[1]), per=match[2])  # type: ignore[arg-type]
    except ValueError as exc:
        raise ValueError(
            f"the budget is {text!r}; it must be a positive number a day or hour, as 2/day"
        ) from exc


def _variants(
    sources: Sources, options: CaseOptions, smoothings: Sequence[Smoothing]
) -> dict[str, Sequence[Case]]:
    if not smoothings:
        return {"as saved": read_cases(sources, options).cases}
    raw = read_cases(sources, options, raw=True).cases
    return {
        _name(one): [
            replace(case, scores=None if case.scores is None else smooth(case.scores, one))
            for case in raw
        ]
        for one in smoothings
    }


def _name(smoothing: Smoothing) -> str:
    if smoothing.method == "none":
        return "no smoothing"
    return f"{smoothing.method} {smoothing.width_s:g} s"


def _smoothing_of(name: str, smoothings: Sequence[Smoothing]) -> Smoothing | None:
    return next((one for one in smoothings if _name(one) == name), None)


def _thresholds(search: Search, cases: Sequence[Case]) -> Values:
    if search.start is None or search.stop is None or search.step is None:
        return usual_thresholds(cases)
    return threshold_range(search.start, search.stop, search.step)


def _rule(cases: Sequence[Case]) -> EventRule | None:
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


def _presumed_normal(path: Path, options: CaseOptions, kind: Kind) -> tuple[Case, ...]:
    found: tuple[Prediction, ...] = read_predictions(path, rate=options.rate, kind=kind)
    if options.smoothing.method != "none":
        found = unsmoothed(found)
    names = short_names([one.video for one in found])
    return tuple(
        Case(
            name,
            one,
            Annotation(one.video, (), (), anomalous=False),
            None if one.scores is None else smooth(one.scores, options.smoothing),
        )
        for name, one in zip(names, found, strict=True)
    )


def _of_camera(cases: Sequence[Case], camera: str) -> tuple[Case, ...]:
    own = tuple(case for case in cases if case.annotation.group == camera)
    if not own:
        known = sorted({case.annotation.group or "(none)" for case in cases})
        raise CalibrationError(f"no video is of camera {camera!r}; there are {', '.join(known)}")
    return own
