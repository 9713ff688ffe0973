"""From videos and a truth file to a head on disk, with the fake encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline_clips import coloured
from watchword.cli.fit import fit
from watchword.config import Config
from watchword.encoders.fake import FakeEncoder
from watchword.errors import CalibrationError, DatasetError, OutputError
from watchword.evidence.head import score_head
from watchword.evidence.head_file import read_head
from watchword.evidence.prompts import bank_from_prompts
from watchword.pipeline.embed import VideoEncoder
from watchword.run.fitting import (
    Found,
    TruthOptions,
    find_pairs,
    fit_tables,
    fit_videos,
    write_head,
)
from watchword.train.head import FitOptions

QUICK = FitOptions(samples=50, sizes=(5,), seeds=2, window_s=0.5)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Six videos of three seconds, blue, and red for one of them; the truth in seconds."""
    rows = ["video,label,start_s,end_s"]
    for i in range(6):
        start = 0.5 + i * 0.2
        coloured(tmp_path / f"v{i}.mp4", red=(start, start + 1), seconds=3)
        rows.append(f"v{i}.mp4,red,{start:.1f},{start + 1:.1f}")
    (tmp_path / "truth.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def encoder() -> VideoEncoder:
    return VideoEncoder(Config(), encoder=FakeEncoder())


def test_a_head_is_fitted_written_and_used(footage: Path):
    truth = TruthOptions(footage / "truth.csv")
    found = find_pairs([], truth)
    bank = bank_from_prompts(["red"], normal=["blue"])
    result = fit_videos(encoder(), found, QUICK, truth=truth, bank=bank)
    (fitted,) = result.labels
    assert fitted["auc"].value > 0.9
    assert fitted["auc_zero_shot"].value > 0.8
    out = footage / "red.head.safetensors"
    write_head(result, out)
    head = read_head(out)
    assert (head.labels, head.encoder_name, head.encoder) == (("red",), "fake", "fake-1")
    assert all(head.facts.fingerprints)
    scores = score_head(encoder().embed(footage / "v0.mp4").embeddings, head)
    middle = (scores.edges_s[:-1] + scores.edges_s[1:]) / 2
    assert scores["red"][(middle > 0.8) & (middle < 1.4)].min() > 0.5
    assert scores["red"][middle > 2.2].max() < 0.5
    with pytest.raises(OutputError, match="--overwrite"):
        write_head(result, out)
    assert {table.name for table in fit_tables(result)} == {"red-figures", "red-curve"}


def test_what_has_no_partner_and_what_cannot_be_read_is_told(footage: Path):
    (footage / "v5.mp4").write_bytes(b"not a video")
    coloured(footage / "extra.mp4", seconds=1)
    truth = TruthOptions(footage / "truth.csv")
    sources = [str(footage / f"{name}.mp4") for name in ("v0", "v1", "v2", "v3", "v5", "extra")]
    found = find_pairs(sources, truth)
    assert [job.name for job, _ in found.pairs] == ["v0", "v1", "v2", "v3", "v5"]
    result = fit_videos(encoder(), found, QUICK, truth=truth)
    said = " ".join(result.notes)
    assert "1 videos without annotation were left out" in said
    assert "1 annotated videos were not found" in said
    assert "v5.mp4" in said
    assert len(result.head.facts.videos) == 4


def test_no_video_of_the_truth_is_there(footage: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    truth = TruthOptions(footage / "truth.csv", videos=tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"names 6 videos, as 'v0.mp4'.*--videos"):
        find_pairs([], truth)


def test_nothing_could_be_read(footage: Path):
    for i in range(6):
        (footage / f"v{i}.mp4").write_bytes(b"not a video")
    truth = TruthOptions(footage / "truth.csv")
    with pytest.raises(CalibrationError, match="no videos"):
        fit_videos(encoder(), find_pairs([], truth), QUICK, truth=truth)
    with pytest.raises(CalibrationError, match="no videos"):
        fit_videos(encoder(), Found(()), QUICK, truth=truth)


# --- The command ---------------------------------------------------------------------------------


def run(*words: object, code: int = 0) -> str:
    app = typer.Typer()
    app.command()(fit)
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_the_command_says_how_good_the_head_is(footage: Path):
    out = footage / "red.head.safetensors"
    told = run(
        "--annotations", footage / "truth.csv", "-o", out, "--window-s", 0.5, "--model", "fake",
        "-p", "red", "-n", "blue", "--set", "cache.enabled=false",
    )  # fmt: skip
    assert "AUC, held-out windows" in told
    assert "zero-shot score" in told
    assert told.rstrip().endswith(str(out))
    assert read_head(out).facts.unit == "window"


def test_the_command_as_json(footage: Path):
    out = footage / "red.head.safetensors"
    told = run(
        footage, "--annotations", footage / "truth.csv", "-o", out, "--model", "fake", "--json"
    )
    document = json.loads(told)
    assert document["fingerprint"] == read_head(out).fingerprint
    assert document["labels"][0]["label"] == "red"
    assert {figure["name"] for figure in document["labels"][0]["figures"]} >= {"auc", "auc_macro"}


def test_the_command_refuses_before_it_encodes(footage: Path):
    truth = ("--annotations", footage / "truth.csv", "--model", "fake")
    taken = footage / "taken.safetensors"
    taken.write_bytes(b"mine")
    app = typer.Typer()
    app.command()(fit)
    result = CliRunner().invoke(app, [str(w) for w in (*truth, "-o", taken)])
    assert isinstance(result.exception, OutputError)
    assert taken.read_bytes() == b"mine"
    assert "unit" not in run(*truth, "-o", "x", "--window-s", 0, code=2)
    run(footage, *truth, "-o", "x", "--videos", footage, code=2)
    run(*truth, code=2)
