"""A calibration put together from the predictions it was chosen on and what was chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

import watchword
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.blocks import reference_of
from watchword.evaluation.calibrate.budget import Budget
from watchword.evaluation.calibrate.calibration import (
    Calibration,
    FittedOn,
    pictures_of,
    plain,
)
from watchword.evaluation.calibrate.choose import Choice
from watchword.evaluation.calibrate.grid import Grid
from watchword.evaluation.cases import Case
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.events.tracker import EventRule, LabelRule
from watchword.evidence.smooth import Smoothing
from watchword.types import Scores


def fitted_on(cases: Sequence[Case], *, dataset: str, split: str | None) -> FittedOn:
    """What a calibration must remember of the data it was chosen on.

    Args:
        cases: what it was chosen on.
        dataset: name of the data, or path of its annotations.
        split: the split it was chosen on; None if there is none.
    """
    seconds = sum(_measured_s(case.scores) for case in cases if case.scores is not None)
    known = (case.prediction.video_fingerprint for case in cases)
    return FittedOn(
        dataset=dataset,
        split=split,
        videos=tuple(dict.fromkeys(case.annotation.video for case in cases)),
        fingerprints=tuple(dict.fromkeys(one for one in known if one is not None)),
        hours=round(seconds / 3600, 4),
        positives=sum(case.annotation.positive for case in cases),
    )


def made_with(cases: Sequence[Case], *, smoothing: Smoothing | None = None) -> dict[str, Any]:
    """The fields of a calibration that say how the scores were made, the same for every case.

    Args:
        cases: what it was chosen on.
        smoothing: how the scores were smoothed, if that was done after they were saved; None is how
            the predictions say they were.

    Raises:
        CalibrationError: scores of different kinds, models, banks or settings, or smoothing of a
            score that several kinds of evidence gave: what is smoothed there lies ahead of it.
    """
    if not cases:
        raise CalibrationError("there is no video to calibrate on")
    first, *others = [(case, _origin(case.prediction, _scores_of(case))) for case in cases]
    for case, origin in others:
        for name, value in origin.items():
            if value != first[1][name]:
                raise CalibrationError(
                    f"{first[0].name} has {name} {_short(first[1][name])} and {case.name} "
                    f"{_short(value)}; a calibration is for scores that are all made alike"
                )
    made = dict(first[1])
    if smoothing is not None:
        for case in cases:
            if case.prediction.made.together:
                raise CalibrationError(
                    f"the scores of {case.name} come from {made['bank']}, where words are smoothed "
                    "before they are combined and nothing else is; leave --smooth out"
                )
        made["smoothing"] = asdict(smoothing)
    return made


def calibration_of_choice(
    choice: Choice | Mapping[str, Choice],
    cases: Sequence[Case],
    data: FittedOn,
    *,
    rule: EventRule | None = None,
    smoothing: Smoothing | None = None,
) -> Calibration:
    """A calibration from a chosen threshold, or from one for each label.

    Args:
        choice: what was chosen, or that by label.
        cases: what it was chosen on, of the chosen variant.
        data: from `fitted_on`.
        rule: shape of events; bare stretches if not given.
        smoothing: as for `made_with`.

    Raises:
        CalibrationError: as for `made_with`.
    """
    made = made_with(cases, smoothing=smoothing)
    rule = rule or EventRule()
    low = None if rule.exit is None else rule.exit
    if isinstance(choice, Choice):
        exit_at = None if low is None else min(low, choice.threshold)
        rule = replace(rule, enter=choice.threshold, exit=exit_at, kind=made["kind"])
        return _calibration(choice, made, data, cases, events=_fields(rule))
    own = {
        label: replace(rule.per_label.get(label, LabelRule()), enter=one.threshold, exit=None)
        for label, one in choice.items()
    }
    enter = max(one.threshold for one in choice.values())
    exit_at = None if low is None else min(low, enter)
    rule = replace(rule, enter=enter, exit=exit_at, union=False, per_label=own, kind=made["kind"])
    first = next(iter(choice.values()))
    worth = [one.value for one in choice.values()]
    mean = None if None in worth else float(np.mean([one for one in worth if one is not None]))
    whole = replace(
        first,
        value=mean,
        low=None,
        high=None,
        always=None,
        reported_on=f"{first.reported_on}; mean over {len(choice)} labels",
    )
    return _calibration(whole, made, data, cases, events=_fields(rule))


def calibration_of_grid(
    grid: Grid, cases: Sequence[Case], data: FittedOn, *, segments: Mapping[str, Any] | None = None
) -> Calibration:
    """A calibration of the verdict on whole videos (seed 2).

    Args:
        grid: what was chosen.
        cases: what it was chosen on.
        data: from `fitted_on`.
        segments: the config section of that name that the segments were cut with.

    Raises:
        CalibrationError: as for `made_with`.
    """
    made = made_with(cases)
    return _calibration(grid, made, data, cases, decision=grid.decision(), segments=segments)


def calibration_of_budget(
    budget: Budget,
    cases: Sequence[Case],
    data: FittedOn,
    *,
    camera: str | None = None,
    smoothing: Smoothing | None = None,
) -> Calibration:
    """A calibration from a budget of false alarms.

    Args:
        budget: what was chosen.
        cases: the footage without events.
        data: from `fitted_on`.
        camera: what it is for; None is any camera.
        smoothing: as for `made_with`.

    Raises:
        CalibrationError: as for `made_with`.
    """
    made = made_with(cases, smoothing=smoothing)
    rule = replace(budget.rule, kind=made["kind"])
    return Calibration(
        **made,
        objective="budget",
        fitted_on=data,
        created=_now(),
        version=watchword.__version__,
        events=_fields(rule),
        reported_on=f"alarms counted: {budget.counted_on}",
        camera=camera,
        reference=budget.reference,
        promise=budget.promise,
    )


def _calibration(
    chosen: Choice | Grid,
    made: Mapping[str, Any],
    data: FittedOn,
    cases: Sequence[Case],
    **sections: Any,
) -> Calibration:
    timelines = [case.scores for case in cases if case.scores is not None]
    try:
        reference = reference_of(timelines)
    except CalibrationError:
        # Too little footage to compare later footage with: there is no drift check, and the file
        # says so by holding no reference.
        reference = None
    return Calibration(
        **made,
        objective=chosen.objective.name,
        fitted_on=data,
        created=_now(),
        version=watchword.__version__,
        value=chosen.value,
        low=chosen.low,
        high=chosen.high,
        always=chosen.always,
        reported_on=chosen.reported_on,
        reference=reference,
        **sections,
    )


def evidence_of(made: Made) -> tuple[str | None, str | None, Any]:
    """Name, fingerprint and settings of what gave the scores; None is not known.

    That is sentences, a head, an adapter, a light model of risk, or several kinds of evidence:
    their names joined, as "change+normality", and the fingerprint over all of them.
    """
    if made.together:
        return "+".join(made.kinds), made.bank_fingerprint, None
    for learned in ("head", "adapter", "risk"):
        facts = made.fitted.get(learned)
        # With sentences, the bank's fingerprint covers the adapter that they are used with.
        if facts is not None and made.bank is None:
            # Settings of sentences, which a run names in any case, had no part in it.
            return learned, facts.get("fingerprint"), None
    name = None if made.bank is None else made.bank.name
    return name, made.bank_fingerprint, made.config.get("score")


def _origin(prediction: Prediction, scores: Scores) -> dict[str, Any]:
    made = prediction.made
    name, fingerprint, score = evidence_of(made)
    return {
        "kind": scores.kind,
        "encoder": made.encoder,
        "encoder_fingerprint": made.encoder_fingerprint,
        "bank": name,
        "bank_fingerprint": fingerprint,
        "score": None if score is None else plain(score),
        "pictures": pictures_of(made.config),
        "smoothing": plain(made.smoothing),
    }


def _scores_of(case: Case) -> Scores:
    found = case.scores if case.scores is not None else case.prediction.segments
    if found is None:
        raise CalibrationError(f"{case.name} has no scores; leave it out")
    return found


def _measured_s(scores: Scores) -> float:
    known = ~np.isnan(scores.values).all(axis=1)
    return float(np.diff(scores.edges_s)[known].sum())


def _fields(rule: EventRule) -> dict[str, Any]:
    """The rule as a file holds it, without what is not set."""
    fields = {name: value for name, value in plain(asdict(rule)).items() if value is not None}
    own = {
        label: {name: value for name, value in part.items() if value is not None}
        for label, part in fields.pop("per_label").items()
    }
    return {**fields, "per_label": own} if own else fields


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
