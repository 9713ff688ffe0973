"""Training of risk: what goes in, that it learns, can be interrupted, and what it leaves."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from risk_clips import SEED_4, make_dataset
from tiny_vlm import tiny_vlm
from watchword.errors import AnswerError, CalibrationError, ModelFileError, OutputError, PromptError
from watchword.evidence.answers.base import Responder
from watchword.evidence.answers.question import CRASH, ask, read_question
from watchword.run.risk_folder import read_risk_dataset
from watchword.train.risk.clips import read_clip
from watchword.train.risk.examples import RiskDataset
from watchword.train.risk.fit import train_risk
from watchword.train.risk.loop import RiskTraining, drawn
from watchword.train.risk.metrics import judge, probability
from watchword.train.risk.model_file import merge_model, read_spec
from watchword.train.risk.options import RiskTrainOptions
from watchword.train.risk.responder import RiskResponder, is_risk_model
from watchword.video.fingerprint import fingerprint

pytestmark = pytest.mark.torch

QUICK = RiskTrainOptions(
    epochs=2,
    batch=2,
    accumulate=1,
    lr=3e-3,
    head_lr=3e-3,
    pictures=3,
    hidden=32,
    threads=1,
)


class Interrupted(Exception):
    """Somebody pulled the plug."""


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm(tmp_path_factory.mktemp("vlm"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> RiskDataset:
    folder = tmp_path_factory.mktemp("data")
    return read_risk_dataset(make_dataset(folder, {"train": 10, "val": 4, "test": 2}))


def flipped(dataset: RiskDataset) -> RiskDataset:
    turned = {
        split: tuple(replace(one, label=1 - one.label) for one in dataset.of(split))
        for split in ("train", "val", "test")
    }
    return RiskDataset(dataset.folder, **turned)


def prepared(training: RiskTraining) -> list[tuple[Any, ...]]:
    """Prompt, tokens, mask, positions and pictures of each training example."""
    lessons = training.lessons["train"]
    made = []
    for number in range(len(lessons)):
        one = lessons.read(number)
        batch = training.inputs.batch([one.prompt])
        shown = one.shown if isinstance(one.shown, torch.Tensor) else one.shown.pictures.copy()
        made.append((one.prompt, batch.ids, batch.mask, batch.positions, torch.as_tensor(shown)))
    return made


@pytest.mark.parametrize("freeze", [("vision", "connector"), ("text",)])
def test_no_label_enters_the_input(
    vlm: Path, dataset: RiskDataset, freeze: tuple[str, ...]
) -> None:
    options = replace(QUICK, tuning="full", freeze=freeze)
    one, other = (
        prepared(RiskTraining(made, vlm, options)) for made in (dataset, flipped(dataset))
    )
    for before, after in zip(one, other, strict=True):
        assert before[0] == after[0]
        for tensor, same in zip(before[1:], after[1:], strict=True):
            assert tensor.dtype == same.dtype
            assert torch.equal(tensor, same)


def test_the_prompt_of_training_is_the_prompt_of_use(vlm: Path, dataset: RiskDataset) -> None:
    training = RiskTraining(dataset, vlm, QUICK)
    clip = read_clip(dataset.train[0], pictures=3, rate=10.0)
    asked = training.inputs.prompt(clip, read_question(SEED_4))
    assert training.lessons["train"].read(0).prompt == asked
    # Seed 4's question as it stands, and nothing behind it but the turn of the model.
    assert asked.endswith(f"{SEED_4}<end_of_utterance>\nAssistant:")
    assert ask(read_question(SEED_4), order="no_first") == SEED_4


def test_ten_clips_are_learned_by_heart(vlm: Path, dataset: RiskDataset, tmp_path: Path) -> None:
    options = replace(QUICK, epochs=15, dropout=0.0, lora_dropout=0.0)
    alone = RiskDataset(dataset.folder, dataset.train)
    fit = train_risk(alone, vlm, options, tmp_path / "run")
    first, last = fit.history[0]["train"], fit.history[-1]["train"]
    assert first["loss"] > 0.6
    assert last["loss"] < 0.2
    assert fit.figures["train"]["accuracy"] == 1.0
    assert fit.best == 15
    assert any("no validation" in note for note in fit.notes)


@pytest.mark.shared
def test_ten_real_clips_are_learned_by_heart(vlm: Path, shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "crash_cctv"
    labels = json.loads((source / "labels.json").read_text())
    (tmp_path / "train").mkdir()
    lines = []
    for label, called in enumerate(("no_crash", "crash")):
        for one in [clip for clip in labels if clip["label"] == called][:5]:
            name = one["clip"].replace("/", "-")
            shutil.copy(source / one["clip"], tmp_path / "train" / name)
            lines.append({"video": name, "text": SEED_4, "label": label})
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    options = replace(QUICK, epochs=25, dropout=0.0, lora_dropout=0.0, lr=1e-2)
    fit = train_risk(read_risk_dataset(tmp_path), vlm, options, tmp_path / "run")
    assert fit.figures["train"]["accuracy"] == 1.0
    assert fit.figures["train"]["auc"] == 1.0


def test_steps_of_several_batches_are_those_of_one_large_batch(
    vlm: Path, dataset: RiskDataset
) -> None:
    weights = []
    for batch, accumulate in ((4, 1), (1, 4)):
        options = replace(
            QUICK, epochs=1, batch=batch, accumulate=accumulate, dropout=0.0, lora_dropout=0.0
        )
        training = RiskTraining(dataset, vlm, options)
        list(training.epochs())
        weights.append(training.state("", ended=True).weights)
    for name, one in weights[0].items():
        torch.testing.assert_close(one, weights[1][name], atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("changes", [{}, {"tuning": "full", "freeze": ("text",), "batch": 1}])
def test_an_interrupted_training_ends_as_an_uninterrupted_one_to_the_bit(
    vlm: Path,
    dataset: RiskDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
) -> None:
    options = replace(QUICK, save_steps=2, **changes)
    whole = train_risk(dataset, vlm, options, tmp_path / "whole")
    steps = _stop_after(monkeypatch, 8)
    with pytest.raises(Interrupted):
        train_risk(dataset, vlm, options, tmp_path / "parts")
    monkeypatch.undo()
    assert steps() == 8
    parts = train_risk(dataset, vlm, options, tmp_path / "parts", resume=True)
    assert _timeless(parts.history) == _timeless(whole.history)
    for name in ("model/weights.safetensors", "probabilities.csv", "probabilities/epoch-002.csv"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def _stop_after(monkeypatch: pytest.MonkeyPatch, count: int) -> Callable[[], int]:
    """Pulls the plug in the step after so many."""
    done = 0
    real = RiskTraining._step

    def step(self: RiskTraining, *args: Any) -> None:
        nonlocal done
        if done == count:
            raise Interrupted
        real(self, *args)
        done += 1

    monkeypatch.setattr(RiskTraining, "_step", step)
    return lambda: done


def _timeless(history: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    return [{name: one for name, one in epoch.items() if name != "seconds"} for epoch in history]


def test_training_leaves_the_random_draws_of_others_alone(vlm: Path, dataset: RiskDataset) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    list(RiskTraining(dataset, vlm, replace(QUICK, epochs=1)).epochs())
    assert torch.equal(torch.rand(4), wanted)


def test_yes_and_no_weigh_the_same_altogether(vlm: Path, dataset: RiskDataset) -> None:
    rare = RiskDataset(dataset.folder, (*dataset.train[::2], dataset.train[1]), dataset.val)
    assert RiskTraining(rare, vlm, QUICK).yes_weight == 5.0
    assert RiskTraining(rare, vlm, replace(QUICK, balance=False)).yes_weight == 1.0


def test_every_probability_and_every_figure_is_kept(
    vlm: Path, dataset: RiskDataset, tmp_path: Path
) -> None:
    heard: list[Mapping[str, Any]] = []
    fit = train_risk(dataset, vlm, QUICK, tmp_path / "run", listener=heard.append)
    lines = [json.loads(one) for one in (fit.folder / "metrics.jsonl").read_text().splitlines()]
    assert lines == list(fit.history) == heard
    assert set(lines[0]["val"]) == {
        *("loss", "average_precision", "auc", "f1", "accuracy", "brier"),
    }
    with (fit.folder / "probabilities.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["train"] * 10 + ["val"] * 4 + ["test"] * 2
    chances = np.array([float(row["probability"]) for row in rows if row["split"] == "val"])
    labels = np.array([float(row["label"]) for row in rows if row["split"] == "val"])
    assert fit.figures["val"]["brier"] == pytest.approx(np.mean((chances - labels) ** 2), abs=1e-7)
    with (fit.folder / "probabilities" / "epoch-001.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 14


def test_the_trained_model_answers_as_it_did_in_training(
    vlm: Path, dataset: RiskDataset, tmp_path: Path
) -> None:
    fit = train_risk(dataset, vlm, QUICK, tmp_path / "run")
    responder = RiskResponder(fit.folder, batch=3)
    assert isinstance(responder, Responder)
    assert responder.pictures == 3
    clips = [read_clip(one, pictures=3, rate=10.0) for one in dataset.test]
    given = responder.answer(clips, read_question(SEED_4))
    with (fit.folder / "probabilities.csv").open() as file:
        told = [float(r["probability"]) for r in csv.DictReader(file) if r["split"] == "test"]
    np.testing.assert_allclose(given, told, atol=1e-5)
    assert responder.answer([], read_question(SEED_4)).shape == (0,)
    again = RiskResponder(fit.model)
    assert again.fingerprint == responder.fingerprint
    assert is_risk_model(fit.folder)
    assert not is_risk_model(vlm)


def test_a_question_it_was_not_trained_on_is_refused(
    vlm: Path, dataset: RiskDataset, tmp_path: Path
) -> None:
    fit = train_risk(dataset, vlm, replace(QUICK, epochs=1), tmp_path / "run")
    clips = [read_clip(dataset.test[0], pictures=3, rate=10.0)]
    with pytest.raises(PromptError, match="does not know the question"):
        RiskResponder(fit.folder).answer(clips, CRASH)


@pytest.mark.parametrize("changes", [{}, {"tuning": "full", "freeze": ("text",)}])
def test_a_merged_model_needs_no_other_folder_and_answers_the_same(
    vlm: Path, dataset: RiskDataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    base = tmp_path / "base"
    shutil.copytree(vlm, base)
    fit = train_risk(dataset, base, replace(QUICK, **changes), tmp_path / "run")
    clips = [read_clip(one, pictures=3, rate=10.0) for one in dataset.test]
    before = RiskResponder(fit.folder).answer(clips, read_question(SEED_4))
    merged = merge_model(fit.model, tmp_path / "merged")
    shutil.rmtree(base)
    with pytest.raises(ModelFileError, match="which is not there"):
        RiskResponder(fit.folder)
    moved = merged.rename(tmp_path / "elsewhere")
    whole = RiskResponder(moved)
    assert whole.name == "elsewhere trained for risk"
    after = whole.answer(clips, read_question(SEED_4))
    np.testing.assert_allclose(before, after, atol=1e-5)
    assert read_spec(moved).facts == read_spec(fit.model).facts


def test_another_base_than_the_trained_one_is_refused(
    vlm: Path, dataset: RiskDataset, tmp_path: Path
) -> None:
    fit = train_risk(dataset, vlm, replace(QUICK, epochs=1), tmp_path / "run")
    other = tiny_vlm(tmp_path / "other", seed=1)
    with pytest.raises(ModelFileError, match="is not the model that"):
        RiskResponder(fit.folder, base=other)


def test_a_damaged_model_is_refused(vlm: Path, dataset: RiskDataset, tmp_path: Path) -> None:
    fit = train_risk(dataset, vlm, replace(QUICK, epochs=1), tmp_path / "run")
    (fit.model / "weights.safetensors").write_bytes(b"half a file")
    with pytest.raises(ModelFileError, match=r"weights\.safetensors cannot be read"):
        RiskResponder(fit.folder)
    with pytest.raises(ModelFileError, match="holds no trained model of risk"):
        RiskResponder(tmp_path)


def test_a_taken_folder_is_left_alone(vlm: Path, dataset: RiskDataset, tmp_path: Path) -> None:
    run = tmp_path / "run"
    short = replace(QUICK, epochs=1)
    train_risk(dataset, vlm, short, run)
    with pytest.raises(OutputError, match="holds a training already"):
        train_risk(dataset, vlm, short, run)
    with pytest.raises(CalibrationError, match=r"lr was 0\.003 and is 0\.1"):
        train_risk(dataset, vlm, replace(short, lr=0.1), run, resume=True)
    with pytest.raises(CalibrationError, match="clips, questions or labels"):
        train_risk(flipped(dataset), vlm, short, run, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(OutputError, match="was not made by a training of risk"):
        train_risk(dataset, vlm, short, tmp_path / "mine", overwrite=True)
    (run / "checkpoint" / "state.json").write_text("{")
    with pytest.raises(CalibrationError, match="cannot be taken up again"):
        train_risk(dataset, vlm, short, run, resume=True)


def test_a_question_that_is_too_long_is_refused_before_training(
    dataset: RiskDataset, tmp_path: Path
) -> None:
    small = tiny_vlm(tmp_path / "small", context=128)
    with pytest.raises(PromptError, match="128 are allowed"):
        RiskTraining(dataset, small, QUICK)


def test_out_of_memory_says_which_batch_fits(
    vlm: Path, dataset: RiskDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = RiskTraining(dataset, vlm, replace(QUICK, batch=8, accumulate=2))
    _full_above(monkeypatch, training, 2)
    with pytest.raises(AnswerError, match=r"batch 8 .*; batch 2 fits, and with accumulate 8"):
        list(training.epochs())
    training = RiskTraining(dataset, vlm, replace(QUICK, batch=8))
    _full_above(monkeypatch, training, 0)
    with pytest.raises(AnswerError, match="not even 1 fits: take checkpointing, fewer pictures"):
        list(training.epochs())


def _full_above(monkeypatch: pytest.MonkeyPatch, training: RiskTraining, most: int) -> None:
    """As a GPU does that has room for so many examples."""
    lessons = training.lessons["train"]
    real = lessons.odds

    def odds(numbers: list[int]) -> torch.Tensor:
        if len(numbers) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(numbers)

    monkeypatch.setattr(lessons, "odds", odds)


def test_answers_that_are_no_numbers_stop_the_training(vlm: Path, dataset: RiskDataset) -> None:
    training = RiskTraining(dataset, vlm, QUICK)
    with torch.no_grad():
        training.model.head[0].weight.fill_(np.inf)
    with pytest.raises(CalibrationError, match="no numbers any more"):
        list(training.epochs())


def test_checkpointing_and_a_full_shelf_change_no_bit(vlm: Path, dataset: RiskDataset) -> None:
    kept = []
    for changes in ({}, {"checkpointing": True}, {"keep_mib": 0}):
        training = RiskTraining(dataset, vlm, replace(QUICK, epochs=1, **changes))  # type: ignore[arg-type]
        list(training.epochs())
        kept.append(training.state("", ended=True).weights)
    for other in kept[1:]:
        assert all(torch.equal(one, other[name]) for name, one in kept[0].items())


def test_figures_of_validation_are_those_of_its_answers(vlm: Path, dataset: RiskDataset) -> None:
    training = RiskTraining(dataset, vlm, replace(QUICK, epochs=1))
    (told,) = training.epochs()
    with drawn(QUICK, 0):
        odds = training.answers("val")
    labels = np.array([one.label for one in dataset.val], float)
    assert told["val"] == judge(labels, odds, yes_weight=1.0)
    assert told["val"]["brier"] == pytest.approx(np.mean((probability(odds) - labels) ** 2))


def test_a_model_tells_the_videos_it_learned_from_and_those_they_were_cut_from(
    vlm: Path, dataset: RiskDataset, tmp_path: Path
) -> None:
    train = tuple(
        replace(one, cut_from=f"/drives/monday/d{number}.mp4", cut_fingerprint=f"f{number}")
        for number, one in enumerate(dataset.train)
    )
    fit = train_risk(replace(dataset, train=train), vlm, replace(QUICK, epochs=1), tmp_path / "run")
    told = RiskResponder(fit.folder).as_fitted()
    assert {"monday/d0.mp4", "/".join(dataset.val[0].video.parts[-2:])} <= set(told["videos"])
    assert {"f0", fingerprint(train[0].video)} <= set(told["fingerprints"])
    assert fingerprint(dataset.test[0].video) not in told["fingerprints"]
    assert told["split"] == "train"
    assert told["sentence"].startswith("The model that answers was trained on 10 stretches of")
    assert told["clip_s"] == pytest.approx(1.0, abs=0.2)
