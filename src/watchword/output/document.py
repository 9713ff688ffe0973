"""A detection as a JSON document, and back.

Unknown and not measured are ``null``, never NaN; how many windows were not measured is counted.
The series of scores is not in the document: it lies beside it in ``scores.parquet``, as heat maps
do in ``maps.npy``.
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

from watchword.output.heat_scale import HeatScale, heat_scale
from watchword.output.hot_regions import boxes_at
from watchword.output.schema import (
    SCHEMA_VERSION,
    BankPart,
    BoxPart,
    CoveragePart,
    DecisionPart,
    Document,
    EventPart,
    EvidencePart,
    HeatPart,
    PeakPart,
    PromptPart,
    ProvenancePart,
    ScoresPart,
    VideoPart,
)
from watchword.places import Heat
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
    scale = heat_scale(detection)
    document = Document(
        schema_version=SCHEMA_VERSION,
        watchword=detection.provenance.versions.get("watchword"),
        video=_video(detection.info),
        decision=_decision(detection, scale),
        events=[_event(event, detection, scale) for event in detection.events],
        scores=_scores(detection.scores),
        parts=None if detection.parts is None else _scores(detection.parts),
        heat=None if detection.heat is None else _heat(detection.heat),
        cuts_s=list(detection.cuts_s),
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


def from_document(
    document: Mapping[str, Any],
    *,
    scores: Scores,
    parts: Scores | None = None,
    heat: Heat | None = None,
) -> Detection:
    """The detection of a document, its series of scores and of parts, and its heat maps.

    Raises:
        ValueError: the document does not satisfy the schema, or the arrays are not its own.
    """
    read = read_document(document)
    _check_series(read.scores, scores, "scores")
    _check_series(read.parts, parts, "parts")
    if (read.heat is None) != (heat is None) or (heat is not None and read.heat != _heat(heat)):
        raise ValueError("the heat maps belong to another document: shape or unit differs")
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
        parts=parts,
        heat=heat,
        cuts_s=tuple(read.cuts_s),
    )


def read_document(document: Mapping[str, Any]) -> Document:
    """The document, checked; ValueError if it does not satisfy the schema."""
    try:
        return Document.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as exc:
        raise ValueError(f"not a detection document of version {SCHEMA_VERSION}: {exc}") from exc


def _check_series(told: ScoresPart | None, series: Scores | None, what: str) -> None:
    expected = None if told is None else ([p.label for p in told.labels], told.windows)
    got = None if series is None else (list(series.labels), len(series))
    if expected != got:
        raise ValueError(f"the {what} belong to another document: labels or windows differ")


def _as_bank(part: BankPart) -> PromptBank:
    return PromptBank(
        prompts=tuple(Prompt(**prompt.model_dump()) for prompt in part.prompts),
        templates=tuple(part.templates),
        name=part.name,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _event(event: Event, detection: Detection, scale: HeatScale | None) -> EventPart:
    return EventPart(
        label=event.label,
        start_s=event.start_s,
        end_s=event.end_s,
        duration_s=event.duration_s,
        score=_known(event.score),
        peak_s=_known(event.peak_s),
        raised_by=[
            EvidencePart(part=name, surprise=_known(value)) for name, value in event.raised_by
        ],
        boxes=[
            BoxPart(left=box.left, top=box.top, right=box.right, bottom=box.bottom, score=box.score)
            for box in boxes_at(detection, event.peak_s, scale)
        ],
    )


def _as_event(part: EventPart) -> Event:
    raised_by = tuple((one.part, _or_nan(one.surprise)) for one in part.raised_by)
    return Event(
        part.label,
        part.start_s,
        part.end_s,
        score=_or_nan(part.score),
        peak_s=_or_nan(part.peak_s),
        raised_by=raised_by,
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


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


def _decision(detection: Detection, scale: HeatScale | None) -> DecisionPart:
    decision = detection.decision
    return DecisionPart(
        video=decision.video,
        positive=decision.positive,
        label=decision.label,
        score=decision.score,
        threshold=decision.threshold,
        rule=decision.rule,
        evidence=[_event(event, detection, scale) for event in decision.evidence],
    )


def _heat(heat: Heat) -> HeatPart:
    windows, height, width = heat.values.shape
    return HeatPart(
        unit=heat.unit, made_by=heat.made_by, windows=windows, height=height, width=width
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
        asked=dict(made.asked),
    )
