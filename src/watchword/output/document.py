"""A detection as a JSON document, and back.

Unknown and not measured are ``null``, never NaN; how many windows were not measured is counted.
The series of scores is not in the document: it lies beside it in ``scores.parquet``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import to_json

from watchword.output.schema import (
    SCHEMA_VERSION,
    BankPart,
    CoveragePart,
    DecisionPart,
    Document,
    EventPart,
    PeakPart,
    PromptPart,
    ProvenancePart,
    ScoresPart,
    VideoPart,
)
from watchword.types import (
    Coverage,
    Decision,
    Detection,
    Event,
    Prompt,
    PromptBank,
    Provenance,
    Scores,
    VideoInfo,
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every document of this version satisfies."""
    made = Document.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def to_document(detection: Detection) -> dict[str, Any]:
    """The detection as plain JSON values that satisfy ``json_schema()``."""
    document = Document(
        schema_version=SCHEMA_VERSION,
        watchword=detection.provenance.versions.get("watchword"),
        video=_video(detection.info),
        decision=_decision(detection.decision),
        events=[_event(event) for event in detection.events],
        scores=_scores(detection.scores),
        coverage=_coverage(detection.coverage),
        prompts=None if detection.bank is None else _bank(detection.bank),
        provenance=_provenance(detection.provenance),
        notice=detection.notice,
    )
    return document.model_dump(mode="json")


def write_document(detection: Detection, path: Path) -> None:
    """The document as a JSON file."""
    text = json.dumps(to_document(detection), ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def from_document(document: Mapping[str, Any], *, scores: Scores) -> Detection:
    """The detection of a document and its series of scores.

    Raises:
        ValueError: the document does not satisfy the schema, or the scores are not its own.
    """
    try:
        read = Document.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as exc:
        raise ValueError(f"not a detection document of version {SCHEMA_VERSION}: {exc}") from exc
    named = tuple(part.label for part in read.scores.labels)
    if (named, read.scores.windows) != (scores.labels, len(scores)):
        raise ValueError("the scores belong to another document: labels or windows differ")
    video, coverage = read.video, read.coverage
    verdict = read.decision.model_dump(exclude={"positive", "evidence"})
    return Detection(
        info=VideoInfo(
            rate=None if video.rate_fraction is None else Fraction(video.rate_fraction),
            **video.model_dump(exclude={"rate", "rate_fraction"}),
        ),
        bank=None if read.prompts is None else _as_bank(read.prompts),
        scores=scores,
        events=tuple(_as_event(part) for part in read.events),
        decision=Decision(
            evidence=tuple(_as_event(part) for part in read.decision.evidence), **verdict
        ),
        coverage=Coverage(
            notes=tuple(coverage.notes),
            **coverage.model_dump(exclude={"notes", "share", "reused_share"}),
        ),
        provenance=Provenance(**read.provenance.model_dump()),
        notice=read.notice,
    )


def _as_bank(part: BankPart) -> PromptBank:
    return PromptBank(
        prompts=tuple(Prompt(**prompt.model_dump()) for prompt in part.prompts),
        templates=tuple(part.templates),
        name=part.name,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _event(event: Event) -> EventPart:
    return EventPart(
        label=event.label,
        start_s=event.start_s,
        end_s=event.end_s,
        duration_s=event.duration_s,
        score=_known(event.score),
        peak_s=_known(event.peak_s),
    )


def _as_event(part: EventPart) -> Event:
    score = math.nan if part.score is None else part.score
    peak_s = math.nan if part.peak_s is None else part.peak_s
    return Event(part.label, part.start_s, part.end_s, score, peak_s)


def _video(info: VideoInfo) -> VideoPart:
    return VideoPart(
        source=info.source,
        width=info.width,
        height=info.height,
        duration_s=info.duration_s,
        rate=None if info.rate is None else float(info.rate),
        rate_fraction=None if info.rate is None else str(info.rate),
        frame_count=info.frame_count,
        codec=info.codec,
        rotation=info.rotation,
        fingerprint=info.fingerprint,
    )


def _decision(decision: Decision) -> DecisionPart:
    return DecisionPart(
        video=decision.video,
        positive=decision.positive,
        label=decision.label,
        score=decision.score,
        threshold=decision.threshold,
        rule=decision.rule,
        evidence=[_event(event) for event in decision.evidence],
    )


def _scores(scores: Scores) -> ScoresPart:
    return ScoresPart(
        kind=scores.kind,
        made_by=scores.made_by,
        video=scores.video,
        windows=len(scores),
        start_s=float(scores.edges_s[0]),
        end_s=float(scores.edges_s[-1]),
        labels=[_peak(scores, label) for label in scores.labels],
    )


def _peak(scores: Scores, label: str) -> PeakPart:
    values = scores[label]
    missing = np.isnan(values)
    if missing.all():
        return PeakPart(label=label, score=None, at_s=None, unmeasured=len(values))
    at = int(np.nanargmax(values))
    return PeakPart(
        label=label,
        score=float(values[at]),
        at_s=float(scores.edges_s[at]),
        unmeasured=int(missing.sum()),
    )


def _coverage(coverage: Coverage) -> CoveragePart:
    return CoveragePart(
        frames=coverage.frames,
        failed=coverage.failed,
        reused=coverage.reused,
        covered_s=coverage.covered_s,
        expected_s=coverage.expected_s,
        share=coverage.share,
        reused_share=coverage.reused_share,
        notes=list(coverage.notes),
    )


def _bank(bank: PromptBank) -> BankPart:
    return BankPart(
        name=bank.name,
        templates=list(bank.templates),
        prompts=[
            PromptPart(text=p.text, label=p.label, role=p.role, weight=p.weight)
            for p in bank.prompts
        ],
    )


def _provenance(made: Provenance) -> ProvenancePart:
    # JSON has no infinity: a setting that is infinite is written as the word.
    config = json.loads(to_json(dict(made.config), inf_nan_mode="strings"))
    return ProvenancePart(
        versions=dict(made.versions),
        config=config,
        encoder=made.encoder,
        encoder_name=made.encoder_name,
        prompts=made.prompts,
        device=made.device,
        created=made.created,
        seconds=dict(made.seconds),
        cached=made.cached,
        fitted=dict(made.fitted),
    )
