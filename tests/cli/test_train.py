"""``watchword train`` and ``watchword test`` as a user of seed 3 gives them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline_clips import coloured
from watchword.cli import main

TRAIN = """
temporal_transformer_layers: 2
temporal_heads: 8
clip_length: 16
stride: 8
generic_prompts:
  normal: "a blue scene"
  abnormal: "a red event"
"""
TEST = """
semantic_prompts:
  - "a red thing"
  - "a yellow thing"
normal_prompts: a blue thing
"""
FAKE = ("--model", "fake")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    splits: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for i in range(6):
        start = 0.4 + i * 0.2
        coloured(folder / f"v{i}.mp4", red=(start, start + 1), seconds=3)
        (folder / f"v{i}.txt").write_text(f"{round(start * 25)} {round((start + 1) * 25)}\n")
        entry = {"video_path": f"v{i}.mp4", "anomaly": 1, "gt_path": f"v{i}.txt"}
        splits["train" if i < 4 else "test"].append(entry)
    meta = {name: {"scene": entries} for name, entries in splits.items()}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


@pytest.fixture
def place(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the two configs, from which commands are run."""
    monkeypatch.setenv("WATCHWORD_HOME", str(clips / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.yaml").write_text(TRAIN)
    (tmp_path / "test.yaml").write_text(TEST)
    (tmp_path / "data").symlink_to(clips)
    return tmp_path


@pytest.fixture
def ask(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert place.is_dir()

    def asked(*words: object, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["watchword", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main.run()
        out, err = capsys.readouterr()
        assert (left.value.code or 0) == code, (out, err)
        assert "Traceback" not in err
        return " ".join(err.split()) if code else out

    return asked


@pytest.mark.torch
def test_seed_3_from_training_to_evaluation(ask, place: Path) -> None:
    words = ("--config", "train.yaml", "-a", "data/meta.json", "-o", "run", *FAKE)
    told = ask("train", "adapter", *words, "--set", "epochs=2", "--set", "threads=1")
    assert "only the split 'train'" in told
    assert told.rstrip().endswith("run/adapter.onnx")
    taken = ask("train", "adapter", *words, code=1)
    assert "--overwrite" in taken
    more = ask("train", "adapter", *words, "--resume", "--set", "epochs=3", "--json")
    assert len(json.loads(more)["epochs"]) == 3
    tested = ask(
        "test", "--config", "test.yaml", "--adapter", "run", "-a", "data/meta.json", *FAKE,
        "-o", "results", "--samples", 20, "--json",
    )  # fmt: skip
    figures = {one["name"]: one["value"] for one in json.loads(tested)["figures"]}
    assert figures["auc_micro"] > 0.95
    card = ask(
        "evaluate", "--gt_path", "data/meta.json", "--pred_path", "results/runs", "--dataset",
        "ucsd", "--output_dir", "judged", "--plot_curves", "--split", "test", "--samples", 20,
    )  # fmt: skip
    assert "AUC, micro" in card
    assert list((place / "judged/plots").glob("*.png"))
    found = ask("detect", "data/v5.mp4", "--adapter", "run", *FAKE, "-o", "runs", "-q")
    assert "abnormal" in found
    assert "The adapter was trained on" in found
    mine = ask("detect", "data/v5.mp4", "--adapter", "run", "-q", code=2)
    assert re.search(r"trained on the encoder fake .* choose that model", mine)


def test_sentences_alone_are_tested_too(ask) -> None:
    told = ask(
        "test", "-c", "test.yaml", "-a", "data/meta.json", *FAKE, "-o", "results",
        "--samples", 20,
    )  # fmt: skip
    assert "AUC, micro" in told
    assert "results/evaluation/report.html" in told.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("test", "-a", "data/meta.json"), "nothing to test"),
        (("test", "-c", "test.yaml"), "--annotations meta.json"),
        (("test", "-a", "data/meta.json", "--adapter", "none"), "none"),
        (("train", "adapter", "-o", "run"), "--annotations meta.json"),
        (("train", "adapter", "-a", "data/meta.json"), "--out FOLDER"),
        (
            ("train", "adapter", "-a", "data/meta.json", "-o", "run", "--set", "epoch=3"),
            "did you mean 'epochs'",
        ),
        (
            ("train", "adapter", "-a", "data/meta.json", "-o", "run", "--resume", "--overwrite"),
            "give one of the two",
        ),
        (("train", "adapter", "-a", "data/meta.json", "-o", "data"), "was not made by Watchword"),
        (("evaluate", "--gt_path", "data/meta.json"), "name predictions"),
        (("evaluate", "data", "--pred_path", "data"), "give one of them"),
        (
            ("evaluate", "data", "--gt_path", "data/meta.json", "--plot_curves"),
            "--plot_curves goes with --output_dir",
        ),
        (("detect", "data/v0.mp4", "--head", "a", "--adapter", "b"), "leave --adapter out"),
        (("detect", "data/v0.mp4", "--adapter", "b", "--kind", "margin"), "--kind is about"),
    ],
)
def test_wrong_use_is_said_before_anything_is_read(ask, words: tuple[str, ...], told: str) -> None:
    code = 1 if told.startswith("was not made") else 2
    assert told in ask(*words, code=code)
