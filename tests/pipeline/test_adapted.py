"""Detectors with an adapter: by itself, and between the pictures and the sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from pipeline_clips import BLUE, RED, coloured
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import CalibrationError, KindMismatch
from watchword.evaluation.calibrate.assemble import evidence_of
from watchword.evaluation.calibrate.calibration import Calibration, FittedOn
from watchword.evaluation.predictions.read import read_predictions
from watchword.evidence.adapter import Adapter, AdapterSpec
from watchword.evidence.head import FitFacts, Head
from watchword.evidence.pooled import PoolOptions
from watchword.evidence.prompts import bank_from_prompts, fingerprint
from watchword.output.document import json_schema, to_document
from watchword.output.folder import read_run
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import VideoEncoder
from watchword.run.batch import BatchOptions, run_batch
from watchword.run.manifest import Job

BANK = bank_from_prompts(["red"], normal=["blue"])
PLAIN = apply(Config(), {"smoothing": {"method": "none"}, "cache": {"enabled": False}})


def colours() -> tuple[np.ndarray, np.ndarray]:
    """Vectors (D,) of a red and of a blue picture."""
    encoder = FakeEncoder()
    pictures = [np.full((8, 8, 3), colour, np.uint8) for colour in (RED, BLUE)]
    red, blue = encoder.embed_images(encoder.prepare(np.stack(pictures)))
    return red, blue


class Session:
    """In place of a graph: red is abnormal; vectors stay, or all become those of blue pictures."""

    def __init__(self, *, blue: bool = False) -> None:
        self._red, self._blue = colours()
        self._all_blue = blue

    def run(self, _names: list[str], given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        x = given["x"]
        chance = 1 / (1 + np.exp(-20 * (x @ (self._red - self._blue))))
        adapted = np.broadcast_to(self._blue, x.shape).copy() if self._all_blue else x
        return adapted, chance.astype(np.float32)


def adapter(*, blue: bool = False, **changes: object) -> Adapter:
    encoder = FakeEncoder()
    spec = AdapterSpec(
        width=encoder.dim,
        source="vectors",
        layers=1,
        heads=1,
        clip_length=8,
        stride=4,
        causal=False,
        rate=10.0,
        encoder=encoder.fingerprint,
        encoder_name=encoder.name,
        temperature=0.1,
        objective="frame",
        facts={"videos": ["a.mp4"], "fingerprints": [""], "sentence": "Trained on one video."},
    )
    spec = replace(spec, **changes)  # type: ignore[arg-type]
    return Adapter(spec, Session(blue=blue), fingerprint="f" * 16)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return coloured(tmp_path / "clip.mp4")


def test_without_sentences_its_probability_is_the_evidence(clip: Path, tmp_path: Path) -> None:
    detector = Detector(adapter=adapter(), config=PLAIN, encoder=FakeEncoder())
    assert (detector.labels, detector.kind) == (("abnormal",), "probability")
    (row,) = run_batch(detector, [Job(str(clip))], options=BatchOptions(folder=tmp_path / "out"))
    detection = row.detection
    assert detection is not None
    assert detection.bank is None
    assert detection.scores.kind == "probability"
    (event,) = detection.events
    assert (event.label, event.start_s) == ("abnormal", pytest.approx(2.0, abs=0.101))
    assert row.folder is not None
    kept = read_run(row.folder)
    fitted = kept.provenance.fitted["adapter"]
    assert (fitted["fingerprint"], fitted["videos"]) == ("f" * 16, ["a.mp4"])
    Draft202012Validator(json_schema()).validate(json.loads(json.dumps(to_document(kept))))
    page = (row.folder / "report.html").read_text(encoding="utf-8")
    assert "--adapter ADAPTER" in page
    assert not (row.folder / "scores.npy").exists()


def test_with_sentences_these_score_what_it_makes_of_the_pictures(clip: Path) -> None:
    plain = Detector(BANK, config=PLAIN, encoder=FakeEncoder())
    same = Detector(BANK, config=PLAIN, encoder=FakeEncoder(), adapter=adapter())
    blue = Detector(BANK, config=PLAIN, encoder=FakeEncoder(), adapter=adapter(blue=True))
    assert (same.labels, same.kind) == (("red",), "contrast")
    before, after = plain.detect(clip).scores, same.detect(clip).scores
    np.testing.assert_allclose(before.values, after.values, atol=1e-5)
    assert blue.detect(clip).scores.values.max() < 0.5 < before.values.max()
    assert "adapter" in same.detect(clip).provenance.fitted


def test_the_cosines_that_are_saved_are_those_that_were_scored(clip: Path) -> None:
    detector = Detector(BANK, config=PLAIN, encoder=FakeEncoder(), adapter=adapter(blue=True))
    embeddings = VideoEncoder(PLAIN, encoder=FakeEncoder()).embed(clip).embeddings
    cosines = detector.prompt_scores(embeddings)
    assert np.ptp(cosines["red"]) < 1e-6


def test_an_adapter_of_features_reads_features(clip: Path) -> None:
    # The fake encoder's features are its vectors.
    detector = Detector(adapter=adapter(source="features"), config=PLAIN, encoder=FakeEncoder())
    (event,) = detector.detect(clip).events
    assert event.start_s == pytest.approx(2.0, abs=0.101)
    embeddings = VideoEncoder(PLAIN, encoder=FakeEncoder()).embed(clip).embeddings
    with pytest.raises(CalibrationError, match="features"):
        detector.raw_scores(embeddings)


@pytest.mark.parametrize("source", ["features", "motion"])
def test_sentences_do_not_speak_of_features(source: str) -> None:
    with pytest.raises(CalibrationError, match="leave the sentences out"):
        Detector(BANK, encoder=FakeEncoder(), adapter=adapter(source=source))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"encoder": "another", "encoder_name": "clip"}, "trained on the encoder clip"),
        ({"width": 63}, "63 wide"),
        ({"rate": 25.0}, "25 pictures a second"),
    ],
)
def test_an_adapter_for_something_else_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(CalibrationError, match=named):
        Detector(adapter=adapter(**changes), encoder=FakeEncoder())


def test_a_video_slower_than_what_it_was_trained_on_is_refused(clip: Path) -> None:
    config = apply(PLAIN, {"sampling": {"rate": 50}})
    detector = Detector(adapter=adapter(rate=50.0), config=config, encoder=FakeEncoder())
    with pytest.raises(CalibrationError, match="at 50 pictures a second, these come at 25"):
        detector.detect(clip)


def test_a_head_and_an_adapter_exclude_each_other() -> None:
    red, blue = colours()
    head = Head(
        weights=(red - blue)[None],
        bias=np.zeros(1),
        mean=np.zeros(len(red)),
        scale=np.ones(len(red)),
        labels=("red",),
        encoder=FakeEncoder().fingerprint,
        encoder_name="fake",
        pool=PoolOptions("mean", window_s=0.1),
        steps_s=(0.1, 0.1),
        facts=FitFacts("window", ("a.mp4",), ("",), 1, 8, {"red": 4}, {"red": 1.0}),
    )
    with pytest.raises(ValueError, match="leave out the head"):
        Detector(head=head, adapter=adapter(), encoder=FakeEncoder())


def calibration(kind: str, bank: str, **changes: object) -> Calibration:
    made = Calibration(
        kind=kind,  # type: ignore[arg-type]
        objective="f1",
        fitted_on=FittedOn("made", None, ("a.mp4",)),
        created="2026-01-01T00:00:00+00:00",
        version="0.1.0",
        encoder="fake",
        encoder_fingerprint=FakeEncoder().fingerprint,
        bank="adapter",
        bank_fingerprint=bank,
        events={"enter": 0.7},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_calibration_names_the_adapter_that_it_is_for() -> None:
    chosen = calibration("probability", "f" * 16)
    Detector(adapter=adapter(), encoder=FakeEncoder(), config=PLAIN, calibration=chosen)
    other = calibration("probability", "e" * 16)
    with pytest.raises(CalibrationError, match="eeee"):
        Detector(adapter=adapter(), encoder=FakeEncoder(), config=PLAIN, calibration=other)


def test_a_calibration_of_sentences_is_not_for_sentences_behind_an_adapter() -> None:
    chosen = calibration("contrast", fingerprint(BANK))
    Detector(BANK, encoder=FakeEncoder(), config=PLAIN, calibration=chosen)
    with pytest.raises((CalibrationError, KindMismatch), match="prompt bank"):
        Detector(BANK, encoder=FakeEncoder(), config=PLAIN, calibration=chosen, adapter=adapter())


@pytest.mark.parametrize("bank", [None, BANK], ids=["adapter", "words"])
def test_saved_scores_name_the_evidence_that_a_calibration_of_them_is_for(
    clip: Path, tmp_path: Path, bank: Any
) -> None:
    detector = Detector(bank, adapter=adapter(), config=PLAIN, encoder=FakeEncoder())
    list(run_batch(detector, [Job(str(clip))], options=BatchOptions(folder=tmp_path / "out")))
    (prediction,) = read_predictions(tmp_path / "out")
    _, told, _ = evidence_of(prediction.made)
    assert detector.words is not None
    assert told == detector.words.fingerprint


def test_an_adapter_is_weighed_with_other_evidence(clip: Path) -> None:
    config = apply(PLAIN, {"evidence": {"kinds": ["words", "change"]}})
    for bank in (None, BANK):
        detection = Detector(bank, adapter=adapter(), config=config, encoder=FakeEncoder()).detect(
            clip
        )
        assert detection.scores.kind == "surprise"
        assert detection.parts is not None
        assert {"adapter", "normal"} & set(detection.provenance.fitted) == {"adapter"}
