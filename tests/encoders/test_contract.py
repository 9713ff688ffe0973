"""What every encoder promises, asked of every encoder that is installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnxruntime.quantization import QuantType, quantize_dynamic

from models import make_clip_directory
from watchword.encoders.base import Encoder
from watchword.encoders.catalog import load_encoder
from watchword.errors import PromptError

TEXTS = ["a cat", "two people on a road", "a red car, at night", "the", "a cat sat on the mat"]

# Beyond rounding of float32 sums that are taken in another order.
TOLERANCE = 1e-5


@pytest.fixture(
    params=[
        "fake",
        "mini",
        "onnx",
        "int8",
        pytest.param("torch clip", marks=pytest.mark.torch),
        pytest.param("torch siglip", marks=pytest.mark.torch),
    ]
)
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    if request.param in ("fake", "mini"):
        return load_encoder(request.param)
    folder = tmp_path / "model"
    if request.param.startswith("torch"):
        from torch_models import make_torch_clip, make_torch_siglip

        make = make_torch_clip if request.param == "torch clip" else make_torch_siglip
        return load_encoder(make(folder))
    make_clip_directory(folder)
    if request.param == "int8":
        quantise(folder)
        return load_encoder(folder, precision="int8")
    return load_encoder(folder)


def quantise(folder: Path) -> None:
    """Adds dynamically quantised copies of both graphs."""
    for kind in ("vision", "text"):
        graph = folder / "onnx" / f"{kind}_model.onnx"
        quantize_dynamic(
            graph, graph.with_stem(f"{kind}_model_quantized"), weight_type=QuantType.QUInt8
        )


def pictures(count: int = 5) -> np.ndarray:
    """Pictures of very different contrast, so that a scale shared by a batch would show."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (count, 90, 120, 3))
    contrast = np.linspace(0.05, 1, count)[:, None, None, None]
    return (noise * contrast + 20 * (1 - contrast)).astype(np.uint8)


def test_it_has_every_part_of_the_protocol(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.name
    assert encoder.fingerprint
    assert encoder.batch_size >= 1
    assert encoder.device == "cpu"


def test_rows_are_float32_of_unit_length(encoder: Encoder) -> None:
    for rows in (encoder.embed_images(encoder.prepare(pictures())), encoder.encode_texts(TEXTS)):
        assert rows.dtype == np.float32
        assert rows.shape == (5, encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_picture_has_the_same_vector_alone_and_in_company(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    together = encoder.embed_images(prepared)
    alone = np.concatenate([encoder.embed_images(prepared[at : at + 1]) for at in range(5)])
    np.testing.assert_allclose(together, alone, atol=TOLERANCE)


def test_all_that_is_seen_in_one_run_is_what_three_runs_give(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    together, without = encoder.see(prepared, maps=True), encoder.see(prepared)
    np.testing.assert_array_equal(together.vectors, encoder.embed_images(prepared))
    np.testing.assert_array_equal(without.vectors, together.vectors)
    assert without.maps is None
    if encoder.feature_dim is None:
        assert together.features is None
        assert without.features is None
    else:
        assert together.features is not None
        assert together.features.shape == (5, encoder.feature_dim)
        assert together.features.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(together.features, axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(without.features, together.features)
    if encoder.map_shape is None:
        assert together.maps is None
    else:
        assert together.maps is not None
        assert together.maps.shape == (5, *encoder.map_shape)
        assert together.maps.dtype == np.float32


def test_features_and_maps_are_the_same_alone_and_in_company(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    together = encoder.see(prepared, maps=True)
    alone = [encoder.see(prepared[at : at + 1], maps=True) for at in range(5)]
    for name in ("features", "maps"):
        if getattr(together, name) is not None:
            singly = np.concatenate([getattr(one, name) for one in alone])
            np.testing.assert_allclose(getattr(together, name), singly, atol=TOLERANCE)


def test_a_sentence_has_the_same_vector_alone_and_in_company(encoder: Encoder) -> None:
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), alone, atol=TOLERANCE)


def test_order_is_kept(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    forth, back = encoder.embed_images(prepared), encoder.embed_images(prepared[::-1].copy())
    np.testing.assert_allclose(forth, back[::-1], atol=TOLERANCE)
    said = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(said, encoder.encode_texts(TEXTS[::-1])[::-1], atol=TOLERANCE)
    assert np.abs(said[0] - said[1]).max() > 10 * TOLERANCE


def test_the_same_input_gives_the_same_answer(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    np.testing.assert_array_equal(encoder.embed_images(prepared), encoder.embed_images(prepared))
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), encoder.encode_texts(TEXTS))


def test_nothing_in_gives_nothing_out(encoder: Encoder) -> None:
    none = encoder.prepare(np.zeros((0, 90, 120, 3), np.uint8))
    assert encoder.embed_images(none).shape == (0, encoder.dim)
    seen = encoder.see(none, maps=True)
    assert (seen.features is None) == (encoder.feature_dim is None)
    assert (seen.maps is None) == (encoder.map_shape is None)
    assert encoder.encode_texts([]).shape == (0, encoder.dim)


def test_several_threads_at_once_get_what_one_gets(encoder: Encoder) -> None:
    prepared = encoder.prepare(pictures())
    alone = encoder.embed_images(prepared)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(encoder.embed_images, [prepared] * 8):
            np.testing.assert_allclose(rows, alone, atol=TOLERANCE)


def test_a_sentence_too_long_is_refused_with_its_length(encoder: Encoder) -> None:
    sentence = "x y " * 200
    used, allowed = encoder.count_tokens(sentence)
    assert used > allowed
    with pytest.raises(PromptError, match=f"{used} tokens, the model takes {allowed}"):
        encoder.encode_texts([sentence])


def test_a_sentence_too_long_is_cut_when_that_is_asked_for(encoder: Encoder) -> None:
    rows = encoder.encode_texts(["x y " * 200], truncate=True)
    np.testing.assert_allclose(np.linalg.norm(rows), 1, atol=1e-5)


def test_dynamic_int8_in_batches_would_break_the_promise(tmp_path: Path) -> None:
    folder = make_clip_directory(tmp_path / "model")
    quantise(folder)
    encoder = load_encoder(folder, precision="int8")
    prepared = encoder.prepare(pictures())
    kept = encoder.embed_images(prepared)
    # The policy that the contract rests on, taken away.
    encoder._step, encoder._side_by_side = len(prepared), 1
    broken = encoder.embed_images(prepared)
    assert np.abs(kept - broken).max() > 100 * TOLERANCE
