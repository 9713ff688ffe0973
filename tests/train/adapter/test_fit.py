"""Training of adapters: it learns what is there, nothing else, and can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_videos import WIDTH, flicker_video, flicker_videos
from watchword.errors import CalibrationError, OutputError
from watchword.evaluation.metrics.frame import roc_auc
from watchword.evidence.adapter import load_adapter

pytestmark = pytest.mark.torch


def options_of(**changes: Any) -> Any:
    from watchword.train.adapter.options import AdapterOptions

    usual = {
        "temporal_heads": 4,
        "inner": 32,
        "batch": 64,
        "epochs": 12,
        "lr": 3e-3,
        "threads": 1,
    }
    return AdapterOptions(**{**usual, **changes})


def fit(videos: Any, folder: Path, *, listener: Any = None, **changes: Any) -> Any:
    from watchword.train.adapter.fit import Origin, fit_adapter

    own = {name: changes.pop(name) for name in ("resume", "overwrite") if name in changes}
    origin = changes.pop("origin", None) or Origin("enc", "fake")
    return fit_adapter(
        videos, options_of(**changes), origin=origin, folder=folder, listener=listener, **own
    )


def auc_of(folder: Path, videos: Any) -> float:
    adapter = load_adapter(folder)
    scores = np.concatenate([adapter.adapt(video.rows)[1] for video in videos])
    found = roc_auc(np.concatenate([video.frame_labels for video in videos]), scores)
    assert found is not None
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Everything a training made, but for what its clock said."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    kept = {str(p.relative_to(folder)): p.read_bytes() for p in files if p.suffix != ".json"}
    kept["metrics.jsonl"] = json.dumps(history(folder)).encode()
    return kept


def history(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(one).items() if k != "seconds"} for one in lines]


def test_one_clip_is_learned_by_heart(tmp_path: Path) -> None:
    video = flicker_video(0, abnormal=True)
    made = fit([video], tmp_path / "run", epochs=60, validation=0.0, dropout=0.0, smooth=0.0)
    assert auc_of(tmp_path / "run", [video]) == 1.0
    assert made.history[-1]["frame"] < 0.02
    assert made.history[-1]["frame"] < made.history[0]["frame"] / 20


@pytest.mark.parametrize("causal", [False, True])
def test_what_can_only_be_seen_over_time_is_found_in_new_videos(
    tmp_path: Path, causal: bool
) -> None:
    made = fit(flicker_videos(24), tmp_path / "run", causal=causal)
    # The first picture that sways is not unusual for who does not know the next.
    assert auc_of(tmp_path / "run", flicker_videos(12, first=100)) > (0.8 if causal else 0.9)
    assert made.difference < 1e-4


def test_labels_of_videos_alone_teach_which_videos_and_roughly_when(tmp_path: Path) -> None:
    videos = [flicker_video(n, abnormal=n % 2 == 0, labelled=False) for n in range(32)]
    made = fit(videos, tmp_path / "run", objective="video", epochs=30, patience=30)
    assert made.history[-1]["level"] == "video"
    test = flicker_videos(20, first=100)
    adapter = load_adapter(tmp_path / "run")
    scores = [adapter.adapt(video.rows)[1] for video in test]
    assert roc_auc([v.video_label for v in test], [score.max() for score in scores]) > 0.95
    assert auc_of(tmp_path / "run", test) > 0.6


def test_normal_footage_alone_teaches_what_is_not_normal(tmp_path: Path) -> None:
    normal = [flicker_video(n, abnormal=False) for n in range(24)]
    made = fit(normal, tmp_path / "run", objective="normal", epochs=20)
    assert made.history[-1]["level"] == "made"
    test = []
    for video in (flicker_video(n, abnormal=False) for n in range(100, 110)):
        rows = video.rows.copy()
        labels = np.zeros(len(rows), bool)
        labels[20:30] = True
        rows[labels] += 0.3 * np.random.default_rng(1).standard_normal(WIDTH, np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        test.append(replace(video, rows=rows, frame_labels=labels, video_label=True))
    assert auc_of(tmp_path / "run", test) > 0.9


def test_shuffled_labels_teach_nothing_that_holds_for_new_videos(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    test = flicker_videos(30, first=100)
    found = []
    for seed in range(4):
        videos = []
        for video in flicker_videos(24):
            labels = chance.permutation(video.frame_labels)
            videos.append(replace(video, frame_labels=labels))
        fit(videos, tmp_path / f"run{seed}", seed=seed, epochs=6)
        found.append(auc_of(tmp_path / f"run{seed}", test))
    assert abs(np.mean(found) - 0.5) < 0.08


def test_the_same_seed_gives_the_same_bits_and_another_gives_others(tmp_path: Path) -> None:
    import torch

    videos = flicker_videos(12)
    torch.manual_seed(5)
    fit(videos, tmp_path / "one", epochs=3)
    after = torch.rand(1)
    torch.manual_seed(6)
    fit(videos, tmp_path / "two", epochs=3)
    fit(videos, tmp_path / "three", epochs=3, seed=1)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    one, three = content(tmp_path / "one"), content(tmp_path / "three")
    assert one["adapter.onnx"] != three["adapter.onnx"]
    torch.manual_seed(5)
    assert torch.rand(1) == after, "the caller's draws must go on as if nothing had been trained"


class StopHere(Exception):
    """What breaks a training off."""


@pytest.mark.parametrize("objective", ["frame", "video", "normal"])
def test_a_training_taken_up_again_ends_with_the_same_bits(tmp_path: Path, objective: str) -> None:
    videos = flicker_videos(12)
    if objective == "normal":
        videos = [flicker_video(number, abnormal=False) for number in range(12)]
    changes = {"objective": objective, "patience": 9}

    def stop(told: Mapping[str, Any]) -> None:
        if told["epoch"] in (2, 3):
            raise StopHere

    fit(videos, tmp_path / "whole", epochs=5, **changes)
    for _ in range(2):
        with pytest.raises(StopHere):
            fit(videos, tmp_path / "parts", epochs=5, listener=stop, resume=True, **changes)
    fit(videos, tmp_path / "parts", epochs=4, resume=True, **changes)
    fit(videos, tmp_path / "parts", epochs=5, resume=True, **changes)
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    from watchword.train.adapter.fit import Origin

    videos = flicker_videos(8)
    fit(videos, tmp_path, epochs=1)
    with pytest.raises(CalibrationError, match=r"lr was 0\.003 and is 0\.1"):
        fit(videos, tmp_path, resume=True, lr=0.1)
    with pytest.raises(CalibrationError, match="videos, their embeddings or labels"):
        fit(flicker_videos(8, first=8), tmp_path, resume=True)
    with pytest.raises(
        CalibrationError, match=r"of the encoder fake \(enc\), not of big \(other\)"
    ):
        fit(videos, tmp_path, resume=True, origin=Origin("other", "big"))


def test_only_files_of_a_training_are_ever_replaced(tmp_path: Path) -> None:
    videos = flicker_videos(8)
    fit(videos, tmp_path / "run", epochs=2)
    (tmp_path / "run" / "mine.txt").write_text("mine")
    before = content(tmp_path / "run")
    with pytest.raises(OutputError, match="holds a training already"):
        fit(videos, tmp_path / "run", epochs=1)
    assert content(tmp_path / "run") == before
    fit(videos, tmp_path / "run", epochs=1, overwrite=True)
    assert (tmp_path / "run" / "mine.txt").read_text() == "mine"
    assert len(history(tmp_path / "run")) == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text("{}")
    for how in ("resume", "overwrite"):
        with pytest.raises(OutputError, match="was not made by a training"):
            fit(videos, other, **{how: True})
    assert [path.name for path in other.iterdir()] == ["config.json"]


def test_it_stops_when_validation_gets_no_better_and_keeps_the_best(tmp_path: Path) -> None:
    made = fit(flicker_videos(16), tmp_path / "run", epochs=80, patience=3)
    aucs = [one["auc"] for one in made.history]
    assert len(aucs) == made.best + 3 < 80
    assert aucs[made.best - 1] == max(aucs)
    held = [v for v in flicker_videos(16) if v.name in made.validation]
    assert auc_of(tmp_path / "run", held) == pytest.approx(max(aucs), abs=1e-4)


def test_the_file_tells_what_it_was_trained_on(tmp_path: Path) -> None:
    videos = flicker_videos(8)
    made = fit(videos, tmp_path / "run", epochs=1)
    spec = load_adapter(tmp_path / "run").spec
    assert spec == made.spec
    assert (spec.width, spec.rate, spec.encoder) == (WIDTH, pytest.approx(5.0), "enc")
    assert spec.facts["videos"] == [video.name for video in videos]
    assert spec.facts["fingerprints"] == [video.fingerprint for video in videos]
    assert spec.facts["split"] == "train"
    assert set(made.train) | set(made.validation) == set(spec.facts["videos"])
    cameras = [
        {v.group for v in videos if v.name in side} for side in (made.train, made.validation)
    ]
    assert not cameras[0] & cameras[1]


def test_learned_prompts_start_as_the_sentences(tmp_path: Path) -> None:
    from watchword.train.adapter.fit import Origin
    from watchword.train.adapter.loop import Training

    prompts = np.eye(WIDTH, dtype=np.float32)[:2]
    training = Training(flicker_videos(4), [], options_of(), prompts=prompts)
    np.testing.assert_allclose(training.best_model().generic().detach().numpy(), prompts)
    with pytest.raises(CalibrationError, match="generic prompts have shape"):
        fit(flicker_videos(4), tmp_path, origin=Origin("enc", "fake", prompts[:, :5]))


def test_a_class_that_is_not_there_is_told(tmp_path: Path) -> None:
    normal = [flicker_video(n, abnormal=False) for n in range(4)]
    for objective in ("frame", "video"):
        with pytest.raises(CalibrationError, match="nothing is abnormal in 4 videos"):
            fit(normal, tmp_path, objective=objective)
    abnormal = [flicker_video(n, abnormal=True) for n in range(4)]
    with pytest.raises(CalibrationError, match="nothing is normal in 4 videos"):
        fit(abnormal, tmp_path, objective="video")
    with pytest.raises(CalibrationError, match=r"hold something abnormal: video_0\.mp4"):
        fit(flicker_videos(4), tmp_path, objective="normal")


def test_missing_labels_are_told(tmp_path: Path) -> None:
    videos = [*flicker_videos(4), flicker_video(9, abnormal=True, labelled=False)]
    with pytest.raises(CalibrationError, match=r"needs labels of pictures.*video_9\.mp4"):
        fit(videos, tmp_path)
    unlabelled = replace(videos[-1], video_label=None)
    with pytest.raises(CalibrationError, match=r"needs labels of videos.*video_9\.mp4"):
        fit([*videos[:4], unlabelled], tmp_path, objective="video")


def test_videos_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    videos = flicker_videos(4)
    fast = flicker_video(9, abnormal=True, rate=10.0)
    with pytest.raises(CalibrationError, match=r"video_9\.mp4 has 10 pictures a second"):
        fit([*videos, fast], tmp_path)
    narrow = replace(fast, rows=np.eye(60, 16, dtype=np.float32) + np.float32(0.0))
    with pytest.raises(CalibrationError, match="16 and 32 numbers wide"):
        fit([*videos, narrow], tmp_path)
    with pytest.raises(CalibrationError, match="are none"):
        fit([], tmp_path)


def test_holes_are_left_out_of_learning_and_of_the_answer(tmp_path: Path) -> None:
    videos = []
    for video in flicker_videos(12):
        rows = video.rows.copy()
        rows[20:40:3] = np.nan
        videos.append(replace(video, rows=rows))
    made = fit(videos, tmp_path / "run", epochs=3)
    assert all(np.isfinite(one["loss"]) for one in made.history)
    chance = load_adapter(tmp_path / "run").adapt(videos[0].rows)[1]
    np.testing.assert_array_equal(np.isnan(chance), np.isnan(videos[0].rows[:, 0]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("dropout", 1.0),
        ("validation", 0.6),
        ("anchor", -1.0),
        ("stride", 17),
        ("temporal_heads", 5),
        ("source", "pixels"),
        ("objective", "guess"),
    ],
)
def test_an_option_out_of_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        options_of(**{field: value})
