"""From videos and a truth file to a trained adapter and its test, with the fake encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline_clips import coloured
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import CalibrationError, ConfigError, OutputError
from watchword.evaluation.evaluate import EvaluationOptions
from watchword.evidence.adapter import Adapter, AdapterSpec, load_adapter
from watchword.evidence.adapter_motion import motion_rows
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import VideoEncoder
from watchword.run.fitting import Found, TruthOptions, find_pairs
from watchword.run.splits import settled_split
from watchword.run.testing import detect_and_judge, semantic_bank, settled_for_test
from watchword.run.training import (
    Footage,
    objective_for,
    sentence_rows,
    settled_for_training,
    train_adapter,
    training_options,
    training_videos,
)
from watchword.train.adapter.config_file import AdapterConfig, GenericPrompts

QUICK = AdapterConfig(
    training={"epochs": 3, "clip_length": 8, "stride": 4, "temporal_heads": 2, "inner": 16},
    generic_prompts=GenericPrompts(("a blue scene",), ("a red event",)),
)
PLAIN = apply(Config(), {"cache": {"enabled": False}})


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Seed 3's layout: four videos to train on and two to test, blue, and red for a second."""
    splits: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for i in range(6):
        start = 0.4 + i * 0.2
        coloured(tmp_path / f"v{i}.mp4", red=(start, start + 1), seconds=3)
        truth = f"v{i}_gt.txt"
        (tmp_path / truth).write_text(f"{round(start * 25)} {round((start + 1) * 25)}\n")
        entry = {"video_path": f"v{i}.mp4", "anomaly": 1, "gt_path": truth}
        splits["train" if i < 4 else "test"].append(entry)
    meta = {name: {"scene": entries} for name, entries in splits.items()}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return tmp_path


def encoder() -> VideoEncoder:
    return VideoEncoder(PLAIN, encoder=FakeEncoder())


def learned(folder: Path, *, source: str = "vectors") -> Footage:
    truth = TruthOptions(folder / "meta.json", split="train")
    return training_videos(
        encoder(),
        find_pairs([], truth),
        truth,
        source=source,  # type: ignore[arg-type]
    )


def test_videos_to_learn_from_have_rows_truth_and_origin(footage: Path) -> None:
    videos = learned(footage).videos
    assert [one.name for one in videos] == ["v0.mp4", "v1.mp4", "v2.mp4", "v3.mp4"]
    first = videos[0]
    assert (first.group, first.split, first.video_label) == ("v0.mp4", "train", True)
    middle = (first.edges_s[:-1] + first.edges_s[1:]) / 2
    assert first.frame_labels is not None
    np.testing.assert_array_equal(first.frame_labels, (middle >= 0.4) & (middle < 1.4))
    np.testing.assert_allclose(np.linalg.norm(first.rows, axis=1), 1, atol=1e-5)
    motion = learned(footage, source="motion").videos[0]
    np.testing.assert_allclose(motion.rows, motion_rows(first.rows, first.edges_s), atol=1e-5)
    assert learned(footage, source="features").videos[0].rows.shape == first.rows.shape


def test_a_video_that_cannot_be_read_is_told_and_none_at_all_is_an_error(footage: Path) -> None:
    (footage / "v1.mp4").write_bytes(b"not a video")
    found = learned(footage)
    assert len(found.videos) == 3
    assert any("v1.mp4" in note for note in found.notes)
    with pytest.raises(CalibrationError, match="no videos to learn from"):
        training_videos(encoder(), Found(()), TruthOptions(footage / "meta.json"), source="vectors")


def test_an_event_between_pictures_leaves_what_is_known_of_the_video(footage: Path) -> None:
    (footage / "v0_gt.txt").write_text("11 12\n")
    slow = apply(PLAIN, {"sampling": {"rate": 1}})
    truth = TruthOptions(footage / "meta.json", split="train")
    found = training_videos(
        VideoEncoder(slow, encoder=FakeEncoder()),
        find_pairs([], truth),
        truth,
        source="vectors",
    )
    first = found.videos[0]
    assert (first.frame_labels, first.video_label) == (None, True)
    assert any("fall between the pictures" in note for note in found.notes)


def test_the_most_exact_labels_decide_what_is_learned(footage: Path) -> None:
    videos = learned(footage).videos
    assert objective_for(videos) == "frame"
    weak = [replace(one, frame_labels=None) for one in videos]
    assert objective_for(weak) == "video"
    calm = [replace(one, frame_labels=None, video_label=False) for one in videos]
    assert objective_for(calm) == "normal"


def test_generic_rows_begin_from_the_sentences() -> None:
    rows = sentence_rows(encoder(), QUICK)
    expected = FakeEncoder().encode_texts(["a blue scene", "a red event"])
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    several = AdapterConfig(generic_prompts=GenericPrompts(("blue", "green"), ("red",)))
    np.testing.assert_allclose(np.linalg.norm(sentence_rows(encoder(), several), axis=1), 1)


def test_values_of_the_config_are_checked() -> None:
    with pytest.raises(ConfigError, match="epochs"):
        training_options(AdapterConfig(training={"epochs": 0}))
    with pytest.raises(ConfigError, match="stride"):
        training_options(AdapterConfig(training={"stride": "wide"}))
    with pytest.raises(ConfigError, match="both must be 1"):
        settled_for_training(AdapterConfig(), apply(Config(), {"windows": {"length": 4}}))
    settings = settled_for_training(AdapterConfig(model="fake", rate=5), Config())
    assert (settings.encoder.name, settings.sampling.rate) == ("fake", 5.0)


def test_a_split_that_nobody_named_is_the_commands_own(footage: Path) -> None:
    truth = TruthOptions(footage / "meta.json")
    train, notes = settled_split(truth, "train")
    assert train.split == "train"
    assert "not test" in notes[0]
    assert settled_split(TruthOptions(truth.path, split="test"), "train")[0].split == "test"
    meta = json.loads(truth.path.read_text())
    truth.path.write_text(json.dumps({"train": meta["train"]}))
    assert settled_split(truth, "train") == (truth, ())


@pytest.mark.torch
def test_an_adapter_is_trained_tested_and_not_tested_on_what_it_learned_from(
    footage: Path,
) -> None:
    fit = train_adapter(encoder(), learned(footage), QUICK, footage / "run")
    assert fit.spec.objective == "frame"
    report = (footage / "run/report.md").read_text(encoding="utf-8")
    assert f"Weights of epoch {fit.best} of 3" in report
    assert "| this adapter | 1.000 |\n| untrained |" in report
    assert "| always | 0.500 |" in report
    assert "curves.png" in report
    assert report.count("\n| ") == 9
    with pytest.raises(OutputError, match="--overwrite"):
        train_adapter(encoder(), learned(footage), QUICK, footage / "run")
    adapter = load_adapter(footage / "run")
    config = AdapterConfig(semantic_prompts=("red", "yellow"), normal_prompts=("blue",))
    settings = settled_for_test(config, adapter, PLAIN)
    assert (settings.sampling.rate, settings.score.pool) == (10.0, "max")
    detector = Detector(
        semantic_bank(config), config=settings, encoder=FakeEncoder(), adapter=adapter
    )
    truth, _ = settled_split(TruthOptions(footage / "meta.json"), "test")
    found = find_pairs([], truth)
    few = EvaluationOptions(samples=20)
    tested = detect_and_judge(detector, found, truth, footage / "results", options=few)
    figures = {one.name: one.value for one in tested.evaluation.figures}
    assert figures["auc_micro"] == pytest.approx(1.0, abs=0.02)
    assert (footage / "results/evaluation/report.html").is_file()
    assert not [f for f in tested.evaluation.findings if "fitted" in f.code]
    with pytest.raises(OutputError, match="--overwrite"):
        detect_and_judge(detector, found, truth, footage / "results", options=few)
    again = replace(truth, split="train")
    leaked = detect_and_judge(
        detector, find_pairs([], again), again, footage / "leaked", options=few
    )
    assert [f for f in leaked.evaluation.findings if "fitted" in f.code or "learned" in f.code]


def test_a_test_looks_at_the_rate_that_was_trained_at() -> None:
    def rate(trained: float, said: float | None = None) -> float | None:
        spec = AdapterSpec(
            width=64, source="vectors", layers=1, heads=1, clip_length=8, stride=4, causal=False,
            rate=trained, encoder="fake-1", encoder_name="fake", temperature=0.1, objective="frame",
        )  # fmt: skip
        config = AdapterConfig(rate=said)
        return settled_for_test(config, Adapter(spec, None), PLAIN).sampling.rate

    assert rate(9.95) == 10.0
    assert rate(24.9) == 25.0
    assert rate(24.9, 12) == 12.0


def test_sentences_of_a_test_compete_with_the_normal_ones() -> None:
    assert semantic_bank(AdapterConfig()) is None
    bank = semantic_bank(AdapterConfig(semantic_prompts=("a bicycle",)))
    assert bank is not None
    assert [p.text for p in bank.prompts if p.role == "normal"] == ["a normal scene"]
