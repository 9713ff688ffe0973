"""Training with prompts that learn through a text tower, from start to a file without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from adapter_videos import flicker_videos
from watchword.encoders.catalog import load_encoder
from watchword.encoders.fake import FakeEncoder
from watchword.evidence.adapter import load_adapter
from watchword.run.training import soft_prompts
from watchword.train.adapter.config_file import AdapterConfig, GenericPrompts
from watchword.train.adapter.fit import fit_adapter
from watchword.train.adapter.loop import Training
from watchword.train.adapter.options import AdapterOptions, Origin

pytestmark = pytest.mark.torch

CONFIG = AdapterConfig(generic_prompts=GenericPrompts(("the mat",), ("two people on a road",)))
OPTIONS = AdapterOptions(
    temporal_heads=2, inner=8, clip_length=8, stride=4, epochs=4, lr=1e-2, context=2, threads=1
)


@pytest.fixture
def encoder(tmp_path: Path) -> Any:
    from torch_models import make_torch_clip

    return load_encoder(make_torch_clip(tmp_path / "clip"))


def videos(width: int) -> list[Any]:
    return [replace(one, rows=narrowed(one.rows, width)) for one in flicker_videos(8)]


def narrowed(rows: Any, width: int) -> Any:
    return rows[:, :width] / np.linalg.norm(rows[:, :width], axis=1, keepdims=True)


def origin(encoder: Any) -> Origin:
    soft = soft_prompts(encoder, CONFIG, OPTIONS)
    assert soft is not None
    return Origin(encoder.fingerprint, encoder.name, soft=soft)


def test_prompts_learn_through_the_tower_and_the_file_needs_none(
    encoder: Any, tmp_path: Path
) -> None:
    given = videos(encoder.dim)
    training = Training(given, [], OPTIONS, soft=origin(encoder).soft)
    before = training.best_model().generic().detach().numpy()
    assert list(training.epochs())
    after = training.best_model().generic().detach().numpy()
    assert np.abs(after - before).max() > 1e-3
    made = fit_adapter(given, OPTIONS, origin=origin(encoder), folder=tmp_path / "run")
    assert made.difference < 1e-4
    assert load_adapter(tmp_path / "run").adapt(given[0].rows)[1].shape == (60,)


def test_a_training_through_the_tower_taken_up_again_ends_with_the_same_bits(
    encoder: Any, tmp_path: Path
) -> None:
    given = videos(encoder.dim)

    def made(name: str, epochs: int, **said: bool) -> bytes:
        options = replace(OPTIONS, epochs=epochs)
        own = fit_adapter(given, options, origin=origin(encoder), folder=tmp_path / name, **said)
        return own.adapter.read_bytes()

    whole = made("whole", 4)
    made("parts", 2)
    assert made("parts", 4, resume=True) == whole


def test_rows_learn_directly_where_there_is_no_tower_to_learn_through(encoder: Any) -> None:
    assert soft_prompts(FakeEncoder(), CONFIG, OPTIONS) is None
    assert soft_prompts(encoder, CONFIG, replace(OPTIONS, context=0)) is None
    assert soft_prompts(encoder, CONFIG, replace(OPTIONS, source="motion")) is None
    several = AdapterConfig(generic_prompts=GenericPrompts(("the mat", "a cat"), ("a road",)))
    assert soft_prompts(encoder, several, OPTIONS) is None
