"""The YAML of an adapter: seed 3's keys as they stand, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.errors import ConfigError
from watchword.evidence.adapter import AdapterSpec
from watchword.train.adapter.config_file import (
    AdapterConfig,
    apply_keys,
    check_states,
    read_config,
)

SEED_TRAIN = """
# Model parameters
temporal_transformer_layers: 2
temporal_heads: 8
clip_length: 16
stride: 8

# Generic prompts for training
generic_prompts:
  normal: "a normal scene"
  abnormal: "an abnormal event"
"""
SEED_TEST = """
# Semantic prompts for UCSD anomalies
semantic_prompts:
  - "a person riding a bicycle"
  - "a person on a skateboard"
  - "a small cart on a walkway"
  - "a person in a wheelchair"
"""


def read(folder: Path, text: str) -> AdapterConfig:
    path = folder / "adapter.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_the_configs_of_seed_3_are_read_as_they_stand(tmp_path: Path) -> None:
    train = read(tmp_path, SEED_TRAIN)
    assert dict(train.training) == {
        "temporal_transformer_layers": 2,
        "temporal_heads": 8,
        "clip_length": 16,
        "stride": 8,
    }
    assert train.generic_prompts.normal == ("a normal scene",)
    assert train.generic_prompts.abnormal == ("an abnormal event",)
    test = read(tmp_path, SEED_TEST)
    assert len(test.semantic_prompts) == 4
    assert test.semantic_prompts[0] == "a person riding a bicycle"


def test_an_empty_config_is_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing\n") == AdapterConfig()


def test_paths_count_from_the_folder_of_the_config(tmp_path: Path) -> None:
    config = read(
        tmp_path, "annotations: data/meta.json\nvideos: /clips\nadapter: run\nout: here\n"
    )
    assert config.annotations == tmp_path / "data/meta.json"
    assert config.videos == Path("/clips")
    assert config.adapter == tmp_path / "run"
    assert config.out == Path("here")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temporal_transformer_layer: 2", "did you mean 'temporal_transformer_layers'"),
        ("clip_lenght: 2", "did you mean 'clip_length'"),
        ("semantic_prompt: a fight", "did you mean 'semantic_prompts'"),
        ("zzz: 2", "known are temporal_transformer_layers"),
        ("generic_prompts: {normal: a, abnorml: b}", "did you mean 'abnormal'"),
        ("generic_prompts: a normal scene", "must map normal and abnormal"),
        ("generic_prompts: {normal: []}", "generic_prompts.normal is empty"),
        ("semantic_prompts: ['']", "empty sentence"),
        ("semantic_prompts: [1]", "valid string"),
        ("score: maximum", "'contrast', 'margin', 'cosine' or 'probability'"),
        ("threshold: high", "valid number"),
        ("- clip_length", "must hold keys"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "none.yaml")


def test_what_is_said_later_counts() -> None:
    first = apply_keys(AdapterConfig(), {"clip_length": 8, "rate": 5}, where="one")
    second = apply_keys(first, {"clip_length": 4}, where="two")
    assert (second.training["clip_length"], second.rate) == (4, 5.0)


def test_a_test_must_not_say_of_the_adapter_what_it_is_not() -> None:
    spec = AdapterSpec(
        width=8, source="vectors", layers=2, heads=8, clip_length=16, stride=8, causal=False,
        rate=10, encoder="e", encoder_name="mini", temperature=0.1, objective="frame",
    )  # fmt: skip
    same = apply_keys(AdapterConfig(), {"clip_length": 16, "epochs": 3}, where="here")
    check_states(same, spec)
    other = apply_keys(AdapterConfig(), {"temporal_transformer_layers": 4}, where="here")
    with pytest.raises(ConfigError, match=r"temporal_transformer_layers is 4 .* trained with 2"):
        check_states(other, spec)
