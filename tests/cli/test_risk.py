"""``watchword risk`` as people call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from risk_drives import drive
from watchword.cli import main


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven drives with their truth."""
    folder = tmp_path_factory.mktemp("drives")
    rows = []
    for number, at_s in enumerate([2.3, 2.8, 3.3, 3.8, 4.3, 4.8, 5.3, 5.7, None, None, None]):
        drive(folder / f"drive{number}.mp4", at_s)
        row: dict[str, object] = {"clip": f"drive{number}.mp4", "n_frames": 60, "fps": 10.0}
        frames = [] if at_s is None else [[round(at_s * 10), 60]]
        rows.append({**row, "label": "accident", "anomaly_intervals": frames})
    (folder / "labels.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture(scope="module")
def road(drives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A light model of them."""
    path = tmp_path_factory.mktemp("light") / "road.risk"
    told = ["--annotations", str(drives / "labels.json"), "-o", str(path), "--model", "fake"]
    assert run(["fit", *told, "--no-cache", "-q"]) == 0
    return path


def run(words: list[str]) -> int:
    """Exit status of ``watchword risk`` with these words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["watchword", "risk", *map(str, words)])
        try:
            main.run()
        except SystemExit as exc:
            return int(exc.code or 0)
    return 0


def test_a_light_model_says_how_good_it_is(drives, tmp_path, capsys):
    words = ["fit", "-a", drives / "labels.json", "-o", tmp_path / "a.risk", "--model", "fake"]
    assert run([*words, "--no-cache", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure["value"] for figure in told["labels"][0]["figures"]}
    assert figures["auc"] > figures["auc_later"]
    assert told["lead_s"] == 1.0
    assert told["brier"][1] < told["brier_of_base_rate"]
    assert run([*words, "--no-cache"]) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_risk_is_scores_like_any_other(drives, road, tmp_path, capsys):
    words = ["predict", drives / "drive4.mp4", "--light", road, "--encoder", "fake", "--no-cache"]
    assert run([*words, "-o", tmp_path / "runs", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["events"][0]["label"] == "collision"
    assert (tmp_path / "runs" / "drive4" / "report.html").is_file()


def test_predictions_are_judged_by_what_is_foreseen(drives, road, tmp_path, capsys, monkeypatch):
    words = ["predict", drives, "--light", road, "--encoder", "fake", "-o", tmp_path / "runs"]
    assert run([*words, "--no-cache", "-q"]) == 0
    capsys.readouterr()
    argv = ["watchword", "evaluate", tmp_path / "runs", drives / "labels.json", "--lead", "1"]
    monkeypatch.setattr(sys, "argv", [*map(str, argv), "--json", "--videos", str(drives)])
    with pytest.raises(SystemExit) as left:
        main.run()
    assert not left.value.code
    card = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure["value"] for figure in card["figures"]}
    assert figures["auc_micro"] > 0.8
    assert figures["brier"] < 0.2
    assert any("fitted on" in finding["sentence"] for finding in card["findings"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "a.mp4"], "what tells the risk"),
        (["predict", "a.mp4", "--light", "r", "--cascade", "r"], "--cascade"),
        (["predict", "a.mp4", "--light", "r", "--budget", "5"], "--budget goes with"),
        (["predict", "a.mp4", "--model", "m", "--endpoint", "http://x"], "not both"),
        (["predict", "a.mp4", "--endpoint", "http://x"], "--endpoint-model"),
        (["predict", "a.mp4", "--model", "m", "--cascade", "r", "--budget", "many"], "20%"),
        (["predict", "a.mp4", "--light", "absent.risk"], "watchword risk fit"),
        (["predict", "a.mp4", "--light", "r", "--answered", "x.csv"], "--answered goes with"),
        (["predict", "a.mp4", "--model", "m", "--cascade", "r", "--answered", "x.csv"], "columns"),
        (["data"], "--annotations"),
    ],
)
def test_wrong_words_are_explained(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "m").mkdir()
    assert run(words) == 2
    assert said in capsys.readouterr().err


def test_the_doctor_says_what_is_missing(tmp_path, capsys):
    assert run(["doctor", tmp_path]) == 1
    assert "config.json" in capsys.readouterr().out


@pytest.mark.torch
def test_a_video_language_model_answers_alone_and_in_a_cascade(drives, road, tmp_path, capsys):
    from tiny_vlm import tiny_vlm

    model = tiny_vlm(tmp_path / "tiny")
    assert run(["doctor", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ready"]
    words = ["predict", drives / "drive4.mp4", "--model", model, "--pictures", 2, "--json"]
    assert run([*words, "-o", tmp_path / "alone", "--no-cache"]) == 0
    (alone,) = json.loads(capsys.readouterr().out)["results"]
    assert alone["provenance"]["encoder_name"]
    more = ["--cascade", road, "--encoder", "fake", "--budget", "3", "--no-cache"]
    assert run([*words, *more, "-o", tmp_path / "both"]) == 0
    (both,) = json.loads(capsys.readouterr().out)["results"]
    assert any("asked about" in note for note in both["coverage"]["notes"])


@pytest.mark.torch
@pytest.mark.timeout(600)
def test_a_data_set_is_written_trained_on_and_asked(drives, tmp_path, capsys, monkeypatch):
    from tiny_vlm import tiny_vlm

    monkeypatch.chdir(tmp_path)
    model = tiny_vlm(tmp_path / "tiny")
    words = ["data", "-a", drives / "labels.json", "--out", "freeway", "--clip-s", "1"]
    assert run([*words, "--lead", "0.5", "--clear-s", "1", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts["train"]["yes"] >= 1
    # Seed 4's words.
    train = ["train", "--dataset", "freeway", "--epoch", "1", "--model", model, "--pictures", "2"]
    assert run([*train, "--tuning", "full", "--freeze", "vision", "--freeze", "connector"]) == 0
    capsys.readouterr()
    asked = ["predict", drives / "drive4.mp4", "--model", "risk-freeway", "--json", "--no-cache"]
    assert run([*asked, "-o", "runs"]) == 0
    made = json.loads(capsys.readouterr().out)["results"][0]["provenance"]
    assert made["fitted"]["answers"]["videos"]
    # As it was trained, since nothing else was said.
    assert made["asked"]["clip_s"] == pytest.approx(1.0, abs=0.1)
    assert made["asked"]["pictures"] == 2
