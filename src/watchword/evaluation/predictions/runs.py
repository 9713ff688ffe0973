"""Predictions from run folders of ``watchword detect``, one or a tree of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError, KindMismatch, OutputError
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.events.thresholds import threshold_or_balance
from watchword.output.folder import read_run
from watchword.output.series import read_raw_parquet
from watchword.types import Detection

MARK = "detection.json"


def read_run_folder(folder: Path) -> Prediction:
    """What a run found, and all that it says of how.

    Raises:
        DatasetError: the folder is no run, or is damaged.
    """
    try:
        detection = read_run(folder)
        raw = read_raw_parquet(folder / "scores.parquet")
    except (OutputError, OSError, ValueError) as exc:
        raise DatasetError(str(folder), f"is no run that can be read: {exc}") from exc
    info = detection.info
    return Prediction(
        video=info.source,
        where=str(folder),
        scores=detection.scores,
        raw=raw,
        events=detection.events,
        verdict=detection.decision.score,
        positive=detection.decision.positive,
        parts=detection.parts,
        path=info.source,
        rate=None if info.rate is None else float(info.rate),
        video_fingerprint=info.fingerprint,
        made=_made(detection),
    )


def _made(detection: Detection) -> Made:
    provenance = detection.provenance
    config = provenance.config
    return Made(
        encoder=provenance.encoder_name,
        encoder_fingerprint=provenance.encoder,
        bank=detection.bank,
        bank_fingerprint=provenance.prompts,
        sentences=() if detection.bank is None else detection.bank.texts,
        smoothing=config.get("smoothing"),
        rule=_rule(config.get("events"), detection),
        fitted=provenance.fitted,
        config=config,
    )


def _rule(rule: Mapping[str, Any] | None, detection: Detection) -> Mapping[str, Any] | None:
    """The rule with ``enter`` as it was when it was None: the kind's own balance."""
    if rule is None or rule.get("enter") is not None:
        return rule
    try:
        enter = threshold_or_balance(None, detection.scores.kind, "events.enter")
    except KindMismatch:  # only label rules were used
        return rule
    return {**rule, "enter": enter}
