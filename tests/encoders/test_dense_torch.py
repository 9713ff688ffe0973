from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchword.encoders.catalog import load_encoder
from watchword.encoders.dense import place_encoder

pytestmark = pytest.mark.torch

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)


@pytest.fixture(params=["clip", "siglip"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    from torch_models import make_torch_clip, make_torch_siglip

    make = make_torch_clip if request.param == "clip" else make_torch_siglip
    return make(tmp_path / request.param)


def test_the_vector_of_the_whole_picture_is_what_the_model_itself_gives(model: Path) -> None:
    import torch

    from watchword.encoders.dense_torch import see_places

    encoder = load_encoder(model)
    prepared = encoder.prepare(PICTURES)
    with torch.inference_mode():
        whole, places = see_places(encoder.model, torch.tensor(prepared))
    whole = whole.numpy() / np.linalg.norm(whole.numpy(), axis=1, keepdims=True)
    np.testing.assert_allclose(whole, encoder.embed_images(prepared), atol=1e-6)
    assert places.shape == (3, 4, 4, encoder.dim)


def test_each_place_is_what_the_last_attention_makes_of_it_alone(model: Path) -> None:
    """Attention over a single token can only hand on that token's value."""
    import torch

    encoder = place_encoder(load_encoder(model))
    prepared = encoder.prepare(PICTURES)
    found = encoder.embed_places(prepared)
    tower = encoder.model.vision_model
    with torch.inference_mode():
        answer = tower(pixel_values=torch.tensor(prepared), output_hidden_states=True)
        for row, column in ((0, 0), (1, 3), (3, 2)):
            at = row * 4 + column
            if hasattr(tower, "head"):
                alone = tower.head(answer.last_hidden_state[:, at : at + 1])
            else:
                block = tower.encoder.layers[-1](answer.hidden_states[-2][:, [at + 1]], None)
                alone = encoder.model.visual_projection(tower.post_layernorm(block[:, 0]))
            alone = alone.numpy() / np.linalg.norm(alone.numpy(), axis=1, keepdims=True)
            np.testing.assert_allclose(found[:, row, column], alone, atol=1e-6)


def test_places_do_not_depend_on_the_batch(model: Path) -> None:
    encoder = place_encoder(load_encoder(model))
    prepared = encoder.prepare(np.concatenate([PICTURES] * 4))
    together = encoder.embed_places(prepared)
    np.testing.assert_allclose(encoder.embed_places(prepared[4:5]), together[4:5], atol=1e-6)
    assert encoder.embed_places(prepared[:0]).shape == (0, 4, 4, load_encoder(model).dim)


def test_exported_graphs_give_the_same_places(model: Path, tmp_path: Path) -> None:
    from watchword.encoders.export import export_onnx

    assert export_onnx(model, tmp_path / "out", places=True) < 1e-5
    first = place_encoder(load_encoder(model))
    second = place_encoder(load_encoder(tmp_path / "out"))
    assert first.place_shape == second.place_shape == (4, 4)
    assert first.seen_part(60, 40) == second.seen_part(60, 40)
    prepared = first.prepare(PICTURES)
    np.testing.assert_allclose(
        second.embed_places(prepared), first.embed_places(prepared), atol=1e-5
    )


def test_graphs_are_exported_without_places_unless_they_are_asked_for(
    model: Path, tmp_path: Path
) -> None:
    import onnx

    from watchword.encoders.export import export_onnx

    export_onnx(model, tmp_path / "out")
    graph = onnx.load(tmp_path / "out" / "onnx" / "vision_model.onnx").graph
    assert [one.name for one in graph.output] == ["image_embeds"]
