"""Thresholds from footage without events, for a budget of false alarms; and how long they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.assemble import calibration_of_budget, fitted_on
from watchword.evaluation.calibrate.budget import BudgetOptions, budget, by_camera
from watchword.evaluation.calibrate.calibration import Calibration
from watchword.evaluation.calibrate.drift import Drift, drift
from watchword.evaluation.cases import Case
from watchword.evaluation.matching import CaseOptions
from watchword.evaluation.names import short_names
from watchword.evaluation.predictions.read import read_predictions
from watchword.evidence.smooth import smooth
from watchword.run.calibrating import Calibrated, common_rule
from watchword.run.judging import Sources, for_calibration, read_cases, unsmoothed
from watchword.types import Annotation

_BUDGET = re.compile(r"\s*([0-9.eE+-]+)\s*/\s*(hour|day)\s*")


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """Footage without events.

    Attributes:
        cases: its videos.
        dataset: what it is called.
        options: which videos were taken, and how their scores were smoothed.
        notes: sentences on what was left out.
    """

    cases: tuple[Case, ...]
    dataset: str
    options: CaseOptions
    notes: tuple[str, ...] = ()

    def of_camera(self, camera: str) -> Footage:
        """That of one camera; CalibrationError lists the cameras if there is none of it."""
        known = by_camera(self.cases)
        if camera not in known:
            raise CalibrationError(
                f"no video without events is of camera {camera!r}; there are {', '.join(known)}"
            )
        return replace(self, cases=tuple(known[camera]))


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


def said_quiet(sources: Sources, options: CaseOptions) -> Footage:
    """All predictions, on the user's word that their videos hold no event; no truth is read.

    Raises:
        DatasetError: predictions that cannot be read.
    """
    found = read_predictions(sources.predictions, rate=options.rate, kind=sources.kind)
    if options.smoothing.method != "none":
        found = unsmoothed(found)
    cases = tuple(
        Case(
            name,
            one,
            Annotation(one.video, (), (), anomalous=False),
            None if one.scores is None else smooth(one.scores, options.smoothing),
        )
        for name, one in zip(short_names([one.video for one in found]), found, strict=True)
    )
    return Footage(cases, f"{sources.predictions} (said to be without events)", options)


def known_quiet(sources: Sources, options: CaseOptions) -> Footage:
    """Those predictions whose truth says that there is no event; others are left out and counted.

    Raises:
        CalibrationError: every video holds an event.
        DatasetError: files that cannot be read or do not belong together.
    """
    found = read_cases(sources, replace(options, partial=True))
    cases = tuple(case for case in found.cases if not case.annotation.positive)
    if not cases:
        raise CalibrationError(
            f"each of the {len(found.cases)} videos holds an event; a budget of false alarms needs "
            "footage without any"
        )
    notes = found.notes
    if len(cases) < len(found.cases):
        notes = (*notes, f"{len(found.cases) - len(cases)} videos that hold events are left out")
    return Footage(cases, str(sources.annotations), options, notes)


def calibrate_budget(
    footage: Footage, allowed: BudgetOptions, *, camera: str | None = None
) -> Calibrated:
    """The lowest thresholds that keep a budget of false alarms on footage without events.

    Args:
        footage: what is known, or said, to hold no event.
        allowed: the budget.
        camera: name of what the calibration is for; None is any camera.

    Raises:
        CalibrationError: too little footage for the promise, or scores not made alike.
    """
    smoothing = footage.options.smoothing
    found = budget(footage.cases, common_rule(footage.cases), allowed)
    data = fitted_on(footage.cases, dataset=footage.dataset, split=footage.options.split)
    made = calibration_of_budget(
        found,
        footage.cases,
        data,
        camera=camera,
        smoothing=None if smoothing.method == "none" else smoothing,
    )
    return Calibrated(made, (found.table(),), notes=(*footage.notes, *found.notes))


def calibrate_cameras(footage: Footage, allowed: BudgetOptions) -> dict[str, Calibrated]:
    """A calibration for each camera, which is the group that annotations name.

    Raises:
        CalibrationError: a video without a group, or as for `calibrate_budget`, with the camera.
    """
    made = {}
    for camera in by_camera(footage.cases):
        try:
            made[camera] = calibrate_budget(footage.of_camera(camera), allowed, camera=camera)
        except CalibrationError as exc:
            raise CalibrationError(f"camera {camera}: {exc}") from exc
    return made


def check_drift(calibration: Calibration, predictions: Path) -> Drift:
    """Whether the scores of new footage still look like those that were calibrated on.

    Raises:
        CalibrationError: the calibration was made for other scores, or holds no reference.
        DatasetError: predictions that cannot be read.
    """
    found, smoothing = for_calibration(read_predictions(predictions), calibration)
    timelines = [smooth(one.scores, smoothing) for one in found if one.scores is not None]
    return drift(calibration, timelines)
