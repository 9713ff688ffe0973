"""A SmolVLM with random weights, from its files to its answers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiny_vlm import tiny_vlm
from watchword.errors import AnswerError, ModelFileError, PromptError
from watchword.evidence.answers.base import AnswerOptions, Clip, Responder
from watchword.evidence.answers.loading import load_model
from watchword.evidence.answers.local import load_responder
from watchword.evidence.answers.question import CRASH, Question, ask, read_question
from watchword.evidence.answers.smol_inputs import SmolInputs
from watchword.evidence.answers.smolvlm import SmolVlm

pytestmark = pytest.mark.torch
DIGITS = read_question("Will they collide?(0: No, 1: Yes)")


def loaded(path: Path, **told: Any) -> SmolVlm:
    made = load_responder(path, AnswerOptions(threads=1, **told))
    assert isinstance(made, SmolVlm)
    assert isinstance(made, Responder)
    return made


def plain_logits(path: Path, clip: Clip, words: str, lead: str = "") -> np.ndarray:
    """Next-token logits by the model's own forward pass, one clip and no tricks."""
    import torch

    inputs, model = SmolInputs(path), load_model(path, AnswerOptions())
    ids = torch.tensor([inputs.encode(inputs.prompt(words, clip, lead=lead))])
    pixels = torch.from_numpy(inputs.pixels(clip.pictures))[None]
    with torch.no_grad():
        return model(input_ids=ids, pixel_values=pixels).logits[0, -1].numpy()


@pytest.mark.parametrize("question", [CRASH, DIGITS])
def test_the_answer_is_the_softmax_of_the_models_next_token(
    smolvlm: Path, make_clip: Any, question: Question
) -> None:
    clip, inputs = make_clip(), SmolInputs(smolvlm)
    sides = ([" Yes", " yes"], [" No", " no"]) if question is CRASH else (["1"], ["0"])
    odds = []
    for order in ("yes_first", "no_first"):
        lead = "" if question is CRASH else " "
        logits = plain_logits(smolvlm, clip, ask(question, order=order), lead)  # type: ignore[arg-type]
        yes, no = (
            sum(np.exp(float(logits[inputs.encode(word)[-1]])) for word in side) for side in sides
        )
        odds.append(np.log(yes / no))
    one = loaded(smolvlm, swap=False).answer([clip], question)
    both = loaded(smolvlm).answer([clip], question)
    assert one[0] == pytest.approx(1 / (1 + np.exp(-odds[0])), abs=1e-5)
    assert both[0] == pytest.approx(1 / (1 + np.exp(-np.mean(odds))), abs=1e-5)


def test_an_answer_does_not_depend_on_its_batch(smolvlm: Path, make_clip: Any) -> None:
    clips = [make_clip(8), make_clip(3, 7.0), make_clip(1, 65.0), make_clip(5), make_clip(8, 9.5)]
    alone = loaded(smolvlm, batch=1).answer(clips, CRASH)
    together = loaded(smolvlm, batch=5).answer(clips, CRASH)
    backwards = loaded(smolvlm, batch=2).answer(clips[::-1], CRASH)[::-1]
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(backwards - alone).max() < 1e-5
    assert alone.std() > 0.01


def test_the_order_of_the_options_is_averaged_out(smolvlm: Path, make_clip: Any) -> None:
    turned = Question(CRASH.text, yes=("No", "no"), no=("Yes", "yes"))
    model, clips = loaded(smolvlm), [make_clip(), make_clip()]
    assert model.answer(clips, turned) == pytest.approx(1 - model.answer(clips, CRASH), abs=1e-5)


def test_each_picture_is_looked_at_once(
    smolvlm: Path, make_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, long = loaded(smolvlm), make_clip(12)
    looked: list[int] = []
    real = model._look_at
    monkeypatch.setattr(
        model,
        "_look_at",
        lambda seen: looked.append(len(seen)) or real(seen),  # type: ignore[func-returns-value]
    )
    slid = [Clip(long.pictures[at : at + 8], long.at_s[:8], 0.0, 4.0) for at in (0, 1, 2, 4)]
    model.answer(slid, CRASH)
    assert looked == [8, 1, 1, 2]


def test_a_long_clip_is_looked_at_through_so_many_pictures(smolvlm: Path, make_clip: Any) -> None:
    clip = make_clip(8)
    spread = [0, 2, 5, 7]
    few = Clip(clip.pictures[spread], clip.at_s[spread], 0.0, 4.0)
    model = loaded(smolvlm, pictures=4)
    assert model.answer([clip], CRASH) == pytest.approx(model.answer([few], CRASH), abs=1e-6)


def test_no_clips_give_no_answers(smolvlm: Path) -> None:
    assert loaded(smolvlm).answer([], CRASH).shape == (0,)


def test_pictures_are_resized_to_their_edge_and_then_made_square(
    smolvlm: Path, make_clip: Any
) -> None:
    picture = make_clip(1).pictures
    edge = Image.fromarray(picture[0]).resize((32, 18), Image.Resampling.LANCZOS)
    square = np.asarray(edge.resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    made = SmolInputs(smolvlm).pixels(picture)
    assert made.shape == (1, 3, 32, 32)
    assert made[0].transpose(1, 2, 0) == pytest.approx(square / 127.5 - 1, abs=1e-5)


@pytest.mark.parametrize("value", [0, 127, 128, 255])
def test_a_picture_of_one_colour_is_answered(smolvlm: Path, value: int) -> None:
    plain = Clip(np.full((2, 36, 64, 3), value, np.uint8), np.array([0.0, 0.5]), 0.0, 1.0)
    assert 0 < loaded(smolvlm).answer([plain], CRASH)[0] < 1


def test_a_picture_that_normalises_to_zero_is_not_taken_for_padding(tmp_path: Path) -> None:
    path = tiny_vlm(tmp_path / "zero")
    file = path / "preprocessor_config.json"
    file.write_text(file.read_text().replace("[\n    0.5,\n    0.5,\n    0.5\n  ]", "[0, 0, 0]", 1))
    black = Clip(np.zeros((2, 36, 64, 3), np.uint8), np.array([0.0, 0.5]), 0.0, 1.0)
    model = loaded(path)
    assert 0 < np.abs(model.inputs.pixels(black.pictures)).max() < 1e-5
    assert 0 < model.answer([black], CRASH)[0] < 1


def test_a_question_too_long_says_how_many_tokens_it_got(tmp_path: Path, make_clip: Any) -> None:
    model = loaded(tiny_vlm(tmp_path / "short", context=400))
    assert model.answer([make_clip()], CRASH).shape == (1,)
    with pytest.raises(PromptError, match=r"8 pictures of 4, \d+ of text\), 400 are allowed"):
        model.answer([make_clip()], Question("Is it? " * 40))


def test_a_question_cannot_smuggle_in_the_models_marks(smolvlm: Path, make_clip: Any) -> None:
    for mark in ("<image>", "<end_of_utterance>", "<|im_start|>"):
        with pytest.raises(PromptError, match="mark of the model"):
            loaded(smolvlm).answer([make_clip()], Question(f"Is it? {mark}"))


def test_out_of_memory_halves_the_batch(
    smolvlm: Path, make_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    clips = [make_clip(4) for _ in range(6)]
    expected = loaded(smolvlm).answer(clips, CRASH)
    model = loaded(smolvlm, batch=6)
    real = model._logits

    def tight(part: Sequence[Clip], asked: Any) -> np.ndarray:
        if len(part) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(part, asked)

    monkeypatch.setattr(model, "_logits", tight)
    assert model.answer(clips, CRASH) == pytest.approx(expected, abs=1e-5)
    assert model.batch_size == 1


def test_weights_that_are_no_numbers_are_an_error(smolvlm: Path, make_clip: Any) -> None:
    model = loaded(smolvlm)
    model.model.lm_head.weight.data.fill_(float("nan"))
    with pytest.raises(AnswerError, match="no numbers"):
        model.answer([make_clip()], CRASH)


def test_shards_and_bfloat16_give_about_the_same(
    smolvlm: Path, tmp_path: Path, make_clip: Any
) -> None:
    clips = [make_clip(), make_clip()]
    expected = loaded(smolvlm).answer(clips, CRASH)
    parts = tiny_vlm(tmp_path / "parts", shards=True)
    assert len(list(parts.glob("*.safetensors"))) > 1
    assert loaded(parts).answer(clips, CRASH) == pytest.approx(expected, abs=1e-6)
    assert loaded(parts, dtype="bfloat16").answer(clips, CRASH) == pytest.approx(expected, abs=0.1)


def test_the_fingerprint_follows_what_answers_rest_on(smolvlm: Path, tmp_path: Path) -> None:
    same = shutil.copytree(smolvlm, tmp_path / "copy")
    other = tiny_vlm(tmp_path / "other", seed=1)
    first = loaded(smolvlm).fingerprint
    assert loaded(same).fingerprint == first
    others = [
        loaded(other),
        loaded(smolvlm, pictures=4),
        loaded(smolvlm, swap=False),
        loaded(smolvlm, dtype="bfloat16"),
    ]
    assert len({first, *(one.fingerprint for one in others)}) == 5
    assert loaded(smolvlm).name == "tiny-smolvlm"


def test_a_directory_that_lacks_something_says_what(smolvlm: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no directory"):
        load_responder(tmp_path / "nothing")
    for name, said in {
        "config.json": "config.json is not there",
        "tokenizer.json": "tokenizer.json is not there",
        "preprocessor_config.json": "preprocessor_config.json is not there",
        "model.safetensors": "watchword risk doctor",
    }.items():
        path = shutil.copytree(smolvlm, tmp_path / name)
        (path / name).unlink()
        with pytest.raises(ModelFileError, match=said):
            load_responder(path)


def test_missing_weights_are_not_made_up(smolvlm: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = shutil.copytree(smolvlm, tmp_path / "holes")
    tensors = load_file(path / "model.safetensors")
    del tensors["model.connector.modality_projection.proj.weight"]
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelFileError, match=r"lacks weights: model\.connector"):
        load_responder(path)
