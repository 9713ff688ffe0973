"""What the model of risk sees and what of it is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tiny_vlm import tiny_vlm
from watchword.errors import ConfigError, MissingDependency, ModelFileError
from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.question import CRASH, read_question
from watchword.train.risk import model as model_module
from watchword.train.risk.inputs import RiskInputs
from watchword.train.risk.lessons import answer_odds, ready
from watchword.train.risk.lora import merge_lora
from watchword.train.risk.model import (
    RiskModel,
    build_model,
    pool_last,
    pool_mean,
    put_weights,
    trained_weights,
)
from watchword.train.risk.options import RiskTrainOptions

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm(tmp_path_factory.mktemp("vlm"))


def built(vlm: Path, **changes: object) -> tuple[RiskModel, RiskInputs]:
    options = RiskTrainOptions(hidden=16, **changes)  # type: ignore[arg-type]
    inputs = RiskInputs(vlm)
    torch.manual_seed(0)
    return build_model(vlm, inputs.image_token_id, options), inputs


def clip(number: int, pictures: int = 3) -> Clip:
    pixels = np.random.default_rng(number).integers(0, 255, (pictures, 24, 32, 3)).astype(np.uint8)
    return Clip(pixels, np.arange(pictures) * 1.0, 0.0, float(pictures))


def trained_parts(model: RiskModel) -> set[str]:
    parts = ("vision_model", "connector", "text_model", "lm_head", "head")
    names = trained_weights(model)
    return {part for name in names for part in parts if part in name.split(".")}


def test_the_last_token_is_the_last_that_is_no_padding_on_either_side() -> None:
    states = torch.arange(2 * 4 * 3).reshape(2, 4, 3).float()
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0]])
    torch.testing.assert_close(pool_last(states, mask), torch.stack([states[0, 3], states[1, 1]]))


def test_the_mean_leaves_padding_out() -> None:
    states = torch.randn(2, 4, 3)
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0]])
    wanted = torch.stack([states[0, 1:].mean(0), states[1, :2].mean(0)])
    torch.testing.assert_close(pool_mean(states, mask), wanted)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_an_answer_does_not_depend_on_what_is_asked_beside_it(vlm: Path, pooling: str) -> None:
    model, inputs = built(vlm, pooling=pooling)
    model.eval()
    made = [
        ready(clip(0), CRASH, inputs=inputs, model=model),
        ready(clip(1, pictures=5), read_question("Smoke?"), inputs=inputs, model=model),
    ]
    with torch.inference_mode():
        together = answer_odds(model, inputs, made)
        alone = torch.cat([answer_odds(model, inputs, [one]) for one in made])
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=0)


def test_the_states_are_those_of_the_model_itself(vlm: Path) -> None:
    model, inputs = built(vlm)
    model.eval()
    one = clip(0)
    made = ready(one, CRASH, inputs=inputs, model=model)
    batch = inputs.batch([made.prompt])
    with torch.inference_mode():
        whole = model.vlm.model(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            pixel_values=inputs.pixels(one)[None],
        ).last_hidden_state
        wanted = model.head(whole[:, -1]).squeeze(-1)
        torch.testing.assert_close(answer_odds(model, inputs, [made]), wanted)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"tuning": "full", "freeze": ()}, {"vision_model", "connector", "text_model", "head"}),
        ({"tuning": "full", "freeze": ("text",)}, {"vision_model", "connector", "head"}),
        ({"tuning": "full", "freeze": ("vision", "connector", "text")}, {"head"}),
        ({"tuning": "lora"}, {"text_model", "head"}),
    ],
)
def test_only_what_is_not_frozen_is_trained(
    vlm: Path, changes: dict[str, object], parts: set[str]
) -> None:
    model, _ = built(vlm, **changes)
    assert trained_parts(model) == parts


def test_every_part_that_is_trained_gets_a_gradient(vlm: Path) -> None:
    model, inputs = built(vlm, tuning="full", freeze=())
    made = ready(clip(0), CRASH, inputs=inputs, model=None)
    answer_odds(model, inputs, [made]).sum().backward()
    reached = {name for name, one in model.named_parameters() if one.grad is not None}
    unreached = set(trained_weights(model)) - reached
    assert not {name for name in unreached if "post_layernorm" not in name}


def test_lora_is_in_the_text_model_alone_and_changes_nothing_at_first(vlm: Path) -> None:
    plain, inputs = built(vlm, tuning="full")
    fitted, _ = built(vlm, tuning="lora")
    names = [name for name in trained_weights(fitted) if not name.startswith("head.")]
    assert len(names) == 2 * 7 * 2
    assert all("text_model" in name and "lora_" in name for name in names)
    for model in (plain, fitted):
        model.eval()
    fitted.head.load_state_dict(plain.head.state_dict())
    made = ready(clip(0), CRASH, inputs=inputs, model=plain)
    with torch.inference_mode():
        one, other = (answer_odds(model, inputs, [made]) for model in (plain, fitted))
    assert torch.equal(one, other)


def test_merged_matrices_answer_as_they_did_beside_the_weights(vlm: Path) -> None:
    model, inputs = built(vlm, tuning="lora")
    with torch.no_grad():
        for name, one in model.named_parameters():
            if "lora_B" in name:
                one.normal_(std=0.1)
    model.eval()
    made = ready(clip(0), CRASH, inputs=inputs, model=model)
    with torch.inference_mode():
        before = answer_odds(model, inputs, [made])
        assert merge_lora(model.vlm) == 14
        after = answer_odds(model, inputs, [made])
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-5)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]


def test_weights_of_another_model_are_refused(vlm: Path) -> None:
    model, _ = built(vlm, tuning="lora")
    other, _ = built(vlm, tuning="full")
    with pytest.raises(ModelFileError, match="of another model"):
        put_weights(model, trained_weights(other))


def test_4_bits_need_what_computes_with_them(vlm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.train.risk.lora.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"bitsandbytes.*tuning='lora'"):
        built(vlm, tuning="qlora")
    with pytest.raises(MissingDependency, match=r"peft.*watchword\[vlm\]"):
        built(vlm, tuning="lora")


def test_bfloat16_is_refused_where_it_is_not_real(
    vlm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "_has_bfloat16", lambda device: False)
    with pytest.raises(ConfigError, match="by detours"):
        built(vlm, dtype="bfloat16")
    model, _ = built(vlm, dtype="auto")
    assert {one.dtype for one in model.parameters()} == {torch.float32}


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llava"}')
    with pytest.raises(ModelFileError, match="'llava'; training knows smolvlm"):
        RiskInputs(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"lr": 0.0},
        {"dropout": 1.0},
        {"tuning": "some"},
        {"freeze": ("eyes",)},
        {"freeze": ("text", "vision", "connector")},
        {"save_steps": 0},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RiskTrainOptions(**wrong)  # type: ignore[arg-type]
