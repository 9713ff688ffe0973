from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hub_server import serve
from models import make_clip_directory
from watchword.encoders.catalog import load_encoder
from watchword.errors import MissingDependency, ModelFileError, OutputError

pytestmark = pytest.mark.torch

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
TEXTS = ["a cat", "two people on a road", "the mat"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    from torch_models import make_torch_clip

    return make_torch_clip(tmp_path / "clip")


@pytest.fixture
def siglip(tmp_path: Path) -> Path:
    from torch_models import make_torch_siglip

    return make_torch_siglip(tmp_path / "siglip")


def test_vectors_equal_those_of_transformers(clip: Path) -> None:
    import torch
    from transformers import CLIPModel

    encoder = load_encoder(clip)
    model = CLIPModel.from_pretrained(clip).eval()
    ids = torch.tensor([encoder._tokens.ids("the mat")])
    with torch.inference_mode():
        answer = model(input_ids=ids, pixel_values=torch.tensor(encoder.prepare(PICTURES)))
    np.testing.assert_allclose(
        encoder.encode_texts(["the mat"]), answer.text_embeds.numpy(), atol=1e-6
    )
    np.testing.assert_allclose(
        encoder.embed_images(encoder.prepare(PICTURES)), answer.image_embeds.numpy(), atol=1e-6
    )


@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 5e-3), ("bfloat16", 3e-2)])
def test_half_precisions_stay_near_and_have_their_own_fingerprint(
    clip: Path, precision: str, tolerance: float
) -> None:
    whole, half = load_encoder(clip), load_encoder(clip, precision=precision)
    np.testing.assert_allclose(
        half.embed_images(half.prepare(PICTURES)),
        whole.embed_images(whole.prepare(PICTURES)),
        atol=tolerance,
    )
    assert half.fingerprint != whole.fingerprint


def test_nothing_is_shown_while_loading(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_encoder(clip)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_a_model_of_the_hub_is_fetched_with_its_weights_alone(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {file.name: file.read_bytes() for file in clip.iterdir()}
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serve() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.repos["a/clip"] = {**files, "pytorch_model.bin": b"pickle", "modeling.py": b"code"}
        encoder = load_encoder("hf:a/clip")
    assert not any(request.endswith((".bin", ".py")) for request in hub.requests)
    np.testing.assert_array_equal(
        encoder.encode_texts(TEXTS), load_encoder(clip).encode_texts(TEXTS)
    )


def test_int8_is_not_for_torch(clip: Path) -> None:
    with pytest.raises(ValueError, match="the torch backend takes float32"):
        load_encoder(clip, precision="int8")


def test_cuda_that_is_not_here_is_an_error(clip: Path) -> None:
    import torch

    if torch.cuda.is_available():
        assert load_encoder(clip, device="cuda").device == "cuda"
        return
    with pytest.raises(MissingDependency, match="a CUDA device that this torch can use"):
        load_encoder(clip, device="cuda")


def test_another_kind_of_model_is_refused(clip: Path) -> None:
    config = json.loads((clip / "config.json").read_text())
    (clip / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(ModelFileError, match="model_type 'bert'; the torch backend loads clip"):
        load_encoder(clip)


def test_missing_weights_are_never_filled_with_random_numbers(clip: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(clip / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, clip / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFileError, match=r"lacks weights: visual_projection\.weight"):
        load_encoder(clip)


def test_damaged_weights_are_refused(clip: Path) -> None:
    weights = clip / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match="cannot be loaded"):
        load_encoder(clip)


def test_pickled_weights_are_not_even_opened(clip: Path) -> None:
    (clip / "model.safetensors").rename(clip / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match=r"holds no ONNX graphs"):
        load_encoder(clip)
    with pytest.raises(ModelFileError, match=r"holds no model\.safetensors"):
        load_encoder(clip, backend="torch")


def test_preprocessing_that_does_not_fit_is_refused(clip: Path) -> None:
    told = (clip / "preprocessor_config.json").read_text()
    (clip / "preprocessor_config.json").write_text(told.replace("32", "64"))
    with pytest.raises(ModelFileError, match="do not fit together"):
        load_encoder(clip)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_exported_graphs_agree_with_the_model(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from watchword.encoders.export import export_onnx

    source = request.getfixturevalue(kind)
    difference = export_onnx(source, tmp_path / "out")
    assert difference < 1e-5
    first, second = load_encoder(source), load_encoder(tmp_path / "out")
    assert type(first).__name__ == "TorchEncoder"
    assert type(second).__name__ == "OnnxEncoder"
    np.testing.assert_allclose(first.encode_texts(TEXTS), second.encode_texts(TEXTS), atol=1e-5)
    np.testing.assert_allclose(
        first.embed_images(first.prepare(PICTURES)),
        second.embed_images(second.prepare(PICTURES)),
        atol=1e-5,
    )


def test_export_overwrites_nothing(clip: Path, tmp_path: Path) -> None:
    from watchword.encoders.export import export_onnx

    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="exists already; name a new directory"):
        export_onnx(clip, tmp_path / "out")


def test_export_needs_weights(tmp_path: Path) -> None:
    from watchword.encoders.export import export_onnx

    folder = make_clip_directory(tmp_path / "model")
    with pytest.raises(ModelFileError, match="cannot be loaded"):
        export_onnx(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
