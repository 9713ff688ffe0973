"""Run folders are read whole with how they were made; a broken one is named, never left out."""

from __future__ import annotations

import dataclasses
import shutil
from fractions import Fraction

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.predictions.read import read_predictions
from watchword.output.folder import OutputOptions, write_run
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

BANK = PromptBank((Prompt("a deer on the road", "deer"), Prompt("a road", "", "normal")))


def detection(source="a.mp4", kind="contrast", enter=None):
    values = np.array([[0.1], [np.nan], [0.9]])
    return Detection(
        info=VideoInfo(source, 160, 120, rate=Fraction(30000, 1001), fingerprint=f"print {source}"),
        bank=BANK,
        scores=Scores(values, [0, 1, 2, 3], ("deer",), kind, made_by="words mini"),
        events=(Event("deer", 2.0, 3.0, 0.9, 2.0),),
        decision=Decision(source, "deer", 1.0, 1.0, "any_event"),
        coverage=Coverage(3),
        provenance=Provenance(
            versions={"watchword": "1"},
            config={"smoothing": {"method": "mean"}, "events": {"enter": enter, "min_s": 1.0}},
            encoder="sha-mini",
            encoder_name="mini",
            prompts="sha-bank",
            device="cpu",
            created="2026-11-21",
            fitted={"calibration": {"videos": ["b.mp4"]}},
        ),
    )


def run(folder, source, **changes):
    plain = OutputOptions(report=False)
    return write_run(detection(source, **changes), folder, options=plain)


def test_a_run_is_read_with_how_it_was_made(tmp_path):
    (found,) = read_predictions(run(tmp_path / "a", "a.mp4"))
    assert (found.video, found.path, found.where) == ("a.mp4", "a.mp4", str(tmp_path / "a"))
    np.testing.assert_array_equal(found.scores.values[:, 0], np.float32([0.1, np.nan, 0.9]))
    assert found.events == (Event("deer", 2.0, 3.0, 0.9, 2.0),)
    assert (found.verdict, found.positive) == (1.0, True)
    assert found.rate == pytest.approx(29.97, abs=1e-3)
    assert found.video_fingerprint == "print a.mp4"
    made = found.made
    assert (made.encoder, made.encoder_fingerprint, made.bank) == ("mini", "sha-mini", BANK)
    assert (made.bank_fingerprint, made.sentences) == ("sha-bank", BANK.texts)
    assert made.smoothing == {"method": "mean"}
    assert made.fitted == {"calibration": {"videos": ["b.mp4"]}}
    assert made.config["events"] == {"enter": None, "min_s": 1.0}


def test_scores_before_smoothing_are_read_where_they_were_saved(tmp_path):
    (without,) = read_predictions(run(tmp_path / "a", "a.mp4"))
    assert without.raw is None
    made = detection("b.mp4")
    raw = dataclasses.replace(made.scores, values=np.array([[0.2], [np.nan], [0.8]]))
    write_run(made, tmp_path / "b", options=OutputOptions(report=False), raw_scores=raw)
    (found,) = read_predictions(tmp_path / "b")
    np.testing.assert_array_equal(found.raw.values, raw.values)


def test_the_rules_enter_is_settled(tmp_path):
    (contrast,) = read_predictions(run(tmp_path / "a", "a.mp4"))
    assert contrast.made.rule == {"enter": 0.5, "min_s": 1.0}
    (given,) = read_predictions(run(tmp_path / "b", "a.mp4", enter=0.7))
    assert given.made.rule["enter"] == 0.7
    (cosine,) = read_predictions(run(tmp_path / "c", "a.mp4", kind="cosine"))
    assert cosine.made.rule["enter"] is None


def test_runs_are_found_at_any_depth(tmp_path):
    run(tmp_path / "day 1" / "camera" / "b", "b.mp4")
    run(tmp_path / "a", "a.mp4")
    (tmp_path / "segments.csv").write_text("said less\n")
    found = read_predictions(tmp_path)
    assert [prediction.video for prediction in found] == ["a.mp4", "b.mp4"]


def test_broken_runs_are_named_all_together(tmp_path):
    for name in "abc":
        run(tmp_path / name, f"{name}.mp4")
    (tmp_path / "a" / "detection.json").write_text("{")
    (tmp_path / "b" / "scores.parquet").unlink()
    with pytest.raises(DatasetError) as caught:
        read_predictions(tmp_path)
    assert "holds 2 that cannot be read" in str(caught.value)
    for name in "ab":
        assert str(tmp_path / name) in str(caught.value)


def test_scores_that_lost_their_document_are_no_run(tmp_path):
    run(tmp_path / "a", "a.mp4")
    run(tmp_path / "b", "b.mp4")
    (tmp_path / "b" / "detection.json").unlink()
    with pytest.raises(DatasetError, match="/b: is no run that can be read"):
        read_predictions(tmp_path)


def test_a_video_in_two_runs_is_named_with_both(tmp_path):
    run(tmp_path / "a", "a.mp4")
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    with pytest.raises(DatasetError, match=r"'a.mp4' was predicted twice: .*/a and .*/copy"):
        read_predictions(tmp_path)


def test_a_file_of_a_run_stands_for_the_run(tmp_path):
    folder = run(tmp_path / "a", "a.mp4")
    (found,) = read_predictions(folder / "detection.json")
    assert found.where == str(folder)


def test_nothing_at_all_is_told(tmp_path):
    with pytest.raises(DatasetError, match="holds nothing that can be read, which would be a run"):
        read_predictions(tmp_path)
    with pytest.raises(DatasetError, match="is not there"):
        read_predictions(tmp_path / "nowhere")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("video,score\nv,1\n")
    with pytest.raises(DatasetError, match=r"several predictions, give one of them: a.csv, b.csv"):
        read_predictions(tmp_path)
