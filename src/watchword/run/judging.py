"""Saved predictions beside their truth: from two paths to the cases of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from watchword.errors import CalibrationError, DatasetError
from watchword.evaluation.calibrate.assemble import evidence_of
from watchword.evaluation.calibrate.calibration import (
    Calibration,
    check_fits,
    pictures_of,
)
from watchword.evaluation.calibrate.calibration_file import read_calibration
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import CaseOptions, Cases, load_cases
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.report.folder import read_evaluation
from watchword.evaluation.result import Evaluation
from watchword.evaluation.settling import rule_of
from watchword.evidence.smooth import Smoothing
from watchword.types import Kind


@dataclass(frozen=True, slots=True)
class Sources:
    """Where predictions and truth lie.

    Attributes:
        predictions: file or folder.
        annotations: file or folder.
        format: name of the annotations' format; None tells it from the content.
        kind: what scores are in files that do not say.
    """

    predictions: Path
    annotations: Path
    format: str | None = None
    kind: Kind = "cosine"


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that an evaluation was asked with, so that it can be asked again.

    Attributes:
        sources: where predictions and truth lie.
        cases: which videos, and what is done to their scores.
        options: how figures are measured.
        calibration: file of thresholds to judge with; None judges with those saved or given.
    """

    sources: Sources
    cases: CaseOptions
    options: EvaluationOptions
    calibration: Path | None = None

    def prepared(self) -> tuple[Cases, EvaluationOptions]:
        """The cases, and the options with what the calibration says.

        Raises:
            CalibrationError: the calibration was made for other scores.
            DatasetError: files that cannot be read or do not belong together.
        """
        options = replace(self.options, truth_files=(self.sources.annotations,))
        if self.calibration is None:
            return read_cases(self.sources, self.cases), options
        fitted = read_calibration(self.calibration)
        return (
            read_cases(self.sources, self.cases, calibration=fitted),
            as_calibrated(options, fitted),
        )

    def answered(self) -> Evaluation:
        """The evaluation, which remembers how it was asked for."""
        evaluation = evaluate(*self.prepared())
        asked: dict[str, Any] = to_jsonable_python(self)
        return replace(evaluation, made={**evaluation.made, "question": asked})


def question_of(folder: Path) -> Question:
    """How an evaluation that was written to a folder was asked for.

    Raises:
        DatasetError: there is no evaluation, or it does not say.
    """
    asked = read_evaluation(folder).made.get("question")
    if asked is None:
        raise DatasetError(str(folder), "does not say how it was asked for; evaluate anew")
    try:
        return TypeAdapter(Question).validate_json(json.dumps(asked))
    except ValidationError as exc:
        raise DatasetError(str(folder), f"cannot be asked again: {exc}") from exc


def read_cases(
    sources: Sources,
    options: CaseOptions,
    *,
    calibration: Calibration | None = None,
    raw: bool = False,
) -> Cases:
    """The annotated videos with what was predicted about them.

    Scores that shall be smoothed are taken as they were before they were saved smoothed. With a
    calibration they are smoothed as it says.

    Args:
        sources: where they lie.
        options: which videos, and what is done to their scores.
        calibration: what the scores will be judged with.
        raw: take the scores as they were before smoothing.

    Raises:
        DatasetError: files that cannot be read or do not belong together.
        CalibrationError: the calibration was made for other scores.
    """
    predictions = read_predictions(sources.predictions, rate=options.rate, kind=sources.kind)
    records = read_records(sources.annotations, format=sources.format)
    if calibration is not None:
        predictions, smoothing = for_calibration(predictions, calibration)
        options = replace(options, smoothing=smoothing)
    # What a part was before smoothing is not saved.
    if options.part is None and (raw or options.smoothing.method != "none"):
        predictions = unsmoothed(predictions)
    return load_cases(predictions, records, options=options)


def unsmoothed(predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """The predictions with their scores as they were before smoothing.

    Raises:
        DatasetError: scores were saved smoothed only.
    """
    return tuple(_unsmoothed(prediction) for prediction in predictions)


def for_calibration(
    predictions: Sequence[Prediction], calibration: Calibration
) -> tuple[tuple[Prediction, ...], Smoothing]:
    """Predictions as detect would have made them with the calibration, and their smoothing.

    The smoothing is what is still to be done to their scores: none where they were saved as the
    calibration wants them, else they are given as they were before smoothing.

    Raises:
        CalibrationError: the calibration was made for other scores.
        DatasetError: scores were saved smoothed only, or combined of smoothed words, and otherwise
            than the calibration wants.
    """
    for prediction in predictions:
        _check(calibration, prediction)
    found = tuple(_fitted(one, calibration) for one in predictions)
    asked = calibration.settings().get("smoothing")
    smoothing = Smoothing() if asked is None else Smoothing(**asked)
    if asked is None or all(_was(one) == smoothing for one in found):
        return found, Smoothing()
    for one in found:
        if one.made.together:
            raise DatasetError(
                one.where, "holds words smoothed otherwise than the calibration wants; detect anew"
            )
    return unsmoothed(found), smoothing


def as_calibrated(options: EvaluationOptions, calibration: Calibration) -> EvaluationOptions:
    """The options with the calibration's thresholds, and what they were chosen on."""
    if calibration.events is None:
        raise CalibrationError(
            "the calibration sets only the verdict on whole videos; evaluate detections that "
            "were made with it"
        )
    rule = rule_of(calibration.settings()["events"])
    return replace(
        options,
        rule=rule,
        threshold_from=f"a calibration for {calibration.objective}",
        threshold_videos=calibration.fitted_on.videos,
    )


def _check(calibration: Calibration, prediction: Prediction) -> None:
    if prediction.scores is None:
        raise CalibrationError(f"{prediction.where} holds no scores to judge with a calibration")
    _, fingerprint, score = evidence_of(prediction.made)
    check_fits(
        calibration,
        kind=prediction.scores.kind,
        encoder_fingerprint=prediction.made.encoder_fingerprint,
        bank_fingerprint=fingerprint,
        score=score,
        pictures=pictures_of(prediction.made.config),
    )


def _fitted(prediction: Prediction, calibration: Calibration) -> Prediction:
    """The prediction as detect would have made it, so that the leakage guard sees what was used."""
    fitted = {**prediction.made.fitted, "calibration": calibration.as_fitted()}
    return replace(prediction, made=replace(prediction.made, fitted=fitted), events=None)


def _was(prediction: Prediction) -> Smoothing:
    made = prediction.made.smoothing
    return Smoothing() if made is None else Smoothing(**made)


def _unsmoothed(prediction: Prediction) -> Prediction:
    if prediction.scores is None or _was(prediction).method == "none":
        return prediction
    if prediction.raw is None:
        raise DatasetError(
            prediction.where,
            "holds scores that were smoothed before they were saved, and not what they were "
            "before; detect anew, or leave the smoothing as it is",
        )
    made = replace(prediction.made, smoothing=None)
    return replace(prediction, scores=prediction.raw, events=None, made=made)
