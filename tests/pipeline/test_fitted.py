"""Detectors with what was learned beforehand: a calibration, and a head in place of sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from pipeline_clips import BLUE, RED, coloured
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import CalibrationError, KindMismatch
from watchword.evaluation.calibrate.calibration import Calibration, FittedOn
from watchword.evidence.head import FitFacts, Head
from watchword.evidence.pooled import PoolOptions
from watchword.evidence.prompts import bank_from_prompts, fingerprint
from watchword.output.document import json_schema, to_document
from watchword.output.folder import read_run
from watchword.pipeline.detector import Detector
from watchword.run.batch import BatchOptions, run_batch
from watchword.run.manifest import Job

BANK = bank_from_prompts(["red"], normal=["blue"])


def calibration(**changes: object) -> Calibration:
    made = Calibration(
        kind="contrast",
        objective="f1",
        fitted_on=FittedOn("made", None, ("a.mp4", "b.mp4")),
        created="2026-01-01T00:00:00+00:00",
        version="0.1.0",
        encoder="fake",
        encoder_fingerprint=FakeEncoder().fingerprint,
        bank=BANK.name,
        bank_fingerprint=fingerprint(BANK),
        smoothing={"method": "none"},
        events={"enter": 0.7, "min_s": 0.2},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def head(**changes: object) -> Head:
    """Tells red from blue by the vectors that the fake encoder gives such pictures."""
    encoder = FakeEncoder()
    pictures = [np.full((8, 8, 3), colour, np.uint8) for colour in (RED, BLUE)]
    red, blue = encoder.embed_images(encoder.prepare(np.stack(pictures)))
    weights = 20 * (red - blue)[None]
    made = Head(
        weights=weights,
        bias=-weights @ (red + blue) / 2,
        mean=np.zeros(len(red)),
        scale=np.ones(len(red)),
        labels=("red",),
        encoder=encoder.fingerprint,
        encoder_name=encoder.name,
        pool=PoolOptions("mean", window_s=0.1),
        steps_s=(0.1, 0.1),
        facts=FitFacts(
            unit="window",
            videos=("a.mp4",),
            fingerprints=("",),
            groups=1,
            examples=8,
            positives={"red": 4},
            strengths={"red": 1.0},
            sentence="Few.",
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return coloured(tmp_path / "clip.mp4")


def test_a_calibration_sets_threshold_and_smoothing(clip: Path) -> None:
    config = apply(Config(), {"events": {"enter": 0.1}, "smoothing": {"width_s": 2.0}})
    detector = Detector(BANK, config=config, encoder=FakeEncoder(), calibration=calibration())
    detection = detector.detect(clip)
    settings = detection.provenance.config
    assert (settings["events"]["enter"], settings["smoothing"]["method"]) == (0.7, "none")
    assert detection.provenance.fitted["calibration"]["videos"] == ["a.mp4", "b.mp4"]
    (event,) = detection.events
    assert event.start_s == pytest.approx(2.0, abs=0.101)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"encoder_fingerprint": "another", "encoder": "clip-vit-b32"},
            "encoder .clip-vit-b32. is another",
        ),
        ({"encoder_fingerprint": None, "encoder": None}, "encoder .imported scores. is unknown"),
        ({"bank_fingerprint": "another"}, "prompt bank"),
        ({"kind": "cosine"}, "cosine"),
        ({"kind": "cosine", "score": {}}, "score kind is cosine, this one is contrast"),
        ({"score": {"top_share": 1.0}}, "score.top_share"),
    ],
)
def test_a_calibration_for_something_else_is_refused(
    changes: dict[str, object], named: str
) -> None:
    with pytest.raises((CalibrationError, KindMismatch), match=named):
        Detector(BANK, encoder=FakeEncoder(), calibration=calibration(**changes))


def test_a_head_takes_the_place_of_sentences(clip: Path, tmp_path: Path) -> None:
    detector = Detector(head=head(), config=Config(), encoder=FakeEncoder())
    (row,) = run_batch(detector, [Job(str(clip))], options=BatchOptions(folder=tmp_path / "out"))
    detection = row.detection
    assert detection is not None
    assert detection.bank is None
    assert detection.scores.kind == "probability"
    (event,) = detection.events
    assert event.start_s == pytest.approx(2.0, abs=0.2)
    assert row.folder is not None
    kept = read_run(row.folder)
    assert kept.bank is None
    assert kept.provenance.fitted["head"]["videos"] == ["a.mp4"]
    Draft202012Validator(json_schema()).validate(json.loads(json.dumps(to_document(kept))))
    page = (row.folder / "report.html").read_text(encoding="utf-8")
    assert "--head HEAD" in page
    assert "Few." in page
    assert not (row.folder / "scores.npy").exists()


def test_a_head_of_another_encoder_is_refused() -> None:
    with pytest.raises(CalibrationError, match="another"):
        Detector(head=head(encoder="another"), encoder=FakeEncoder())


def test_a_calibration_of_a_head_names_the_head() -> None:
    chosen = head()
    fits = calibration(kind="probability", bank="head", bank_fingerprint=chosen.fingerprint)
    detector = Detector(head=chosen, encoder=FakeEncoder(), calibration=fits)
    assert detector.config.events.enter == 0.7
    with pytest.raises(CalibrationError, match="prompt bank"):
        Detector(
            head=chosen, encoder=FakeEncoder(), calibration=replace(fits, bank_fingerprint="other")
        )


def test_prompts_or_a_head_and_not_both() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Detector(BANK, head=head(), encoder=FakeEncoder())
    with pytest.raises(ValueError, match="say what to watch for"):
        Detector(config=apply(Config(), {"evidence": {"kinds": ["words"]}}), encoder=FakeEncoder())
