from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import make_clip_directory
from watchword.encoders.base import encode_images
from watchword.encoders.catalog import load_encoder
from watchword.encoders.onnx import PROVIDERS, available_devices
from watchword.encoders.specs import CATALOG
from watchword.errors import EncoderError, MissingDependency, ModelFileError

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_clip_directory(tmp_path / "model")


def change(graph: Path, edit: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(graph)
    edit(model)
    onnx.save(model, graph)


def test_pictures_and_sentences_equal_the_graph_s_formula(folder: Path) -> None:
    encoder = load_encoder(folder)
    graph = onnx.load(folder / "onnx" / "text_model.onnx").graph
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    ids = encoder._tokens.ids("the cat")
    slow = weights["table"][ids].mean(axis=0) @ weights["projection"]
    np.testing.assert_allclose(
        encoder.encode_texts(["the cat"])[0], slow / np.linalg.norm(slow), atol=1e-6
    )


def test_encode_images_is_prepare_and_embed_in_batches(folder: Path) -> None:
    encoder = load_encoder(folder)
    many = np.concatenate([PICTURES] * 5)
    direct = encoder.embed_images(encoder.prepare(many))
    np.testing.assert_allclose(encode_images(encoder, many), direct, atol=1e-6)
    assert encode_images(encoder, many[:0]).shape == (0, 16)
    assert encoder.picture_size is None


def test_other_layouts_are_found(folder: Path, tmp_path: Path) -> None:
    expected = load_encoder(folder).encode_texts(["a cat"])
    for at, (vision, text) in enumerate(
        [
            ("vision_model.onnx", "text_model.onnx"),
            ("visual/model.onnx", "textual/model.onnx"),
            ("visual.onnx", "textual.onnx"),
        ]
    ):
        other = make_clip_directory(tmp_path / str(at))
        for old, new in (("vision", vision), ("text", text)):
            (other / new).parent.mkdir(exist_ok=True)
            (other / "onnx" / f"{old}_model.onnx").rename(other / new)
        np.testing.assert_array_equal(load_encoder(other).encode_texts(["a cat"]), expected)


def test_every_weight_and_setting_is_in_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    same = make_clip_directory(tmp_path / "same")
    seed = make_clip_directory(tmp_path / "seed", seed=1)
    prepared = make_clip_directory(tmp_path / "prepared")
    told = json.loads((prepared / "preprocessor_config.json").read_text())
    (prepared / "preprocessor_config.json").write_text(json.dumps({**told, "resample": 2}))
    prints = [load_encoder(f).fingerprint for f in (folder, same, seed, prepared)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_half_precision_inputs_are_served(folder: Path) -> None:
    expected = load_encoder(folder)
    graph = folder / "onnx" / "vision_model.onnx"

    def halve(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
        cast = helper.make_node("Cast", ["pixel_values"], ["wide"], to=TensorProto.FLOAT)
        model.graph.node[0].input[0] = "wide"
        model.graph.node.insert(0, cast)

    change(graph, halve)
    got = load_encoder(folder)
    vectors = got.embed_images(got.prepare(PICTURES))
    np.testing.assert_allclose(
        vectors, expected.embed_images(expected.prepare(PICTURES)), atol=2e-3
    )


def test_mask_and_narrow_ids_are_served(folder: Path) -> None:
    expected = load_encoder(folder).encode_texts(["a cat"])

    def narrow(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32
        model.graph.input.append(
            helper.make_tensor_value_info("attention_mask", TensorProto.INT32, ["batch", "length"])
        )

    change(folder / "onnx" / "text_model.onnx", narrow)
    np.testing.assert_array_equal(load_encoder(folder).encode_texts(["a cat"]), expected)


def test_a_graph_that_takes_one_picture_at_a_time_is_served(folder: Path) -> None:
    expected = load_encoder(folder)

    def alone(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1

    change(folder / "onnx" / "vision_model.onnx", alone)
    got = load_encoder(folder)
    np.testing.assert_allclose(
        encode_images(got, PICTURES), encode_images(expected, PICTURES), atol=1e-6
    )


def rename_output(model: onnx.ModelProto) -> None:
    extra = helper.make_tensor_value_info("other", TensorProto.FLOAT, ["batch", 16])
    model.graph.node.append(helper.make_node("Identity", ["projected"], ["other"]))
    model.graph.node[-2].output[0] = "projected"
    model.graph.node.append(helper.make_node("Identity", ["projected"], ["vectors"]))
    model.graph.output[0].name = "vectors"
    model.graph.output.append(extra)


def fix_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2


def other_size(model: onnx.ModelProto) -> None:
    for at in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[at].dim_value = 64


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (rename_output, r"gives vectors tensor\(float\).*other.*one of image_embeds"),
        (fix_batch, r"takes pixel_values tensor\(float\) \(2, 3, 32, 32\)"),
        (other_size, r"\(batch,3,32,32\) is needed"),
    ],
)
def test_wrong_tensors_are_refused_with_what_was_found(
    folder: Path, edit: Callable[[onnx.ModelProto], None], says: str
) -> None:
    change(folder / "onnx" / "vision_model.onnx", edit)
    with pytest.raises(ModelFileError, match=says):
        load_encoder(folder)


def test_a_width_other_than_said_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "projection_dim": 512}))
    with pytest.raises(ModelFileError, match=r"image_embeds .*16.*width 512 is needed"):
        load_encoder(folder)


def test_towers_of_two_widths_are_refused(folder: Path, tmp_path: Path) -> None:
    other = make_clip_directory(tmp_path / "other", dim=8)
    (other / "onnx" / "text_model.onnx").replace(folder / "onnx" / "text_model.onnx")
    with pytest.raises(ModelFileError, match="pictures have width 16, so must sentences"):
        load_encoder(folder).encode_texts(["a"])


def test_swapped_towers_are_refused(folder: Path) -> None:
    vision, text = (folder / "onnx" / f"{kind}_model.onnx" for kind in ("vision", "text"))
    vision.rename(vision.with_suffix(".kept"))
    text.rename(vision)
    vision.with_suffix(".kept").rename(text)
    with pytest.raises(ModelFileError, match="takes input_ids"):
        load_encoder(folder)


def test_a_damaged_graph_is_refused(folder: Path) -> None:
    graph = folder / "onnx" / "vision_model.onnx"
    graph.write_bytes(graph.read_bytes()[:200])
    with pytest.raises(ModelFileError, match=r"vision_model\.onnx cannot be loaded by onnxruntime"):
        load_encoder(folder)


def test_nan_in_the_weights_is_an_error_and_no_vector(folder: Path) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        for weight in model.graph.initializer:
            if weight.name == "projection":
                values = numpy_helper.to_array(weight).copy()
                values[0, 0] = np.nan
                weight.CopyFrom(numpy_helper.from_array(values, "projection"))

    for kind in ("vision", "text"):
        change(folder / "onnx" / f"{kind}_model.onnx", spoil)
    encoder = load_encoder(folder)
    with pytest.raises(EncoderError, match=r"\(pictures\) gave NaN.* for 3 of 3"):
        encoder.embed_images(encoder.prepare(PICTURES))
    with pytest.raises(EncoderError, match=r"\(sentences\) gave NaN.* for 1 of 1"):
        encoder.encode_texts(["a cat"])


def test_ids_outside_the_vocabulary_are_the_model_s_failure(folder: Path) -> None:
    def shrink(model: onnx.ModelProto) -> None:
        for weight in model.graph.initializer:
            if weight.name == "table":
                weight.CopyFrom(
                    numpy_helper.from_array(numpy_helper.to_array(weight)[:10], "table")
                )

    change(folder / "onnx" / "text_model.onnx", shrink)
    with pytest.raises(EncoderError, match=r"the model failed on input_ids \(1, "):
        load_encoder(folder).encode_texts(["a cat"])


def test_the_cpu_is_always_there() -> None:
    assert "cpu" in available_devices()


def test_a_device_that_is_not_here_is_an_error_that_says_what_to_install(folder: Path) -> None:
    absent = set(PROVIDERS) - set(available_devices())
    assert absent
    for device in absent:
        with pytest.raises(MissingDependency, match="install it with: pip install onnxruntime"):
            load_encoder(folder, device=device)


def test_an_unknown_device_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(ValueError, match="device is 'tpu', it must be one of cpu, cuda"):
        load_encoder(folder, device="tpu")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"precision": "int4"}, "one of auto, float32"), ({"backend": "jax"}, "one of auto, onnx")],
)
def test_unknown_choices_list_the_known_ones(folder: Path, wrong: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load_encoder(folder, **wrong)


def test_a_precision_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFileError, match="holds no ONNX graphs of precision float16"):
        load_encoder(folder, precision="float16")


def test_a_catalogue_model_is_never_passed_off_as_another_precision() -> None:
    with pytest.raises(ModelFileError, match="mini is stored as int8, float32 was asked for"):
        load_encoder("mini", precision="float32")
    assert load_encoder("mini", precision="int8").dim == 384


def test_a_backend_without_its_files_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFileError, match=r"holds no model\.safetensors"):
        load_encoder(folder, backend="torch")


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is no directory"):
        load_encoder(str(tmp_path / "nowhere"))


def test_the_catalogue_says_of_mini_what_its_own_config_says() -> None:
    encoder = load_encoder()
    spec = CATALOG["mini"]
    folder = Path(load_encoder.__code__.co_filename).parent / "mini"
    told = json.loads((folder / "config.json").read_text())
    ours = spec.preprocessing
    assert (told["dim"], told["context_length"]) == (spec.dim, spec.text.context)
    assert (told["image_size"], told["resize"]) == (ours.image_size, ours.resize)
    assert (told["interpolation"], told["pad_id"]) == (ours.interpolation, spec.text.pad_id)
    assert tuple(told["mean"] + told["std"]) == ours.mean + ours.std
    assert encoder.picture_size == (224, 224)
    assert encoder.notice


def test_every_catalogue_entry_can_be_told_apart_and_checked() -> None:
    for spec in CATALOG.values():
        assert spec.licence
        assert all(len(file.sha256) == 64 for file in spec.files if file.sha256)
        if spec.repo:
            assert spec.files
            assert spec.evidence
            assert spec.dim
    assert "research use only" in CATALOG["mobileclip2-s0"].licence


def give(graph: Path, inner: str, name: str, shape: list[str | int]) -> None:
    """Makes an inner tensor of a graph an output of that name."""

    def edit(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node("Identity", [inner], [name]))
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    change(graph, edit)


def test_features_and_maps_beside_the_vectors_are_found_by_name(folder: Path) -> None:
    plain = load_encoder(folder)
    assert (plain.feature_dim, plain.map_shape) == (None, None)
    prepared = plain.prepare(PICTURES)
    before = plain.see(prepared, maps=True)
    assert (before.features, before.maps) == (None, None)
    graph = folder / "onnx" / "vision_model.onnx"
    give(graph, "flat", "features", ["batch", 24])
    give(graph, "bent", "feature_map", ["batch", 24, 4, 4])
    encoder = load_encoder(folder)
    assert (encoder.feature_dim, encoder.map_shape) == (24, (24, 4, 4))
    seen = encoder.see(prepared, maps=True)
    np.testing.assert_array_equal(seen.vectors, before.vectors)
    assert seen.features is not None
    assert seen.maps is not None
    pooled = seen.maps.mean(axis=(2, 3))
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    np.testing.assert_allclose(seen.features, pooled, atol=1e-6)


def test_outputs_of_those_names_but_of_another_shape_are_not_taken_for_them(folder: Path) -> None:
    graph = folder / "onnx" / "vision_model.onnx"
    give(graph, "bent", "features", ["batch", 24, 4, 4])
    give(graph, "flat", "feature_map", ["batch", "width"])
    encoder = load_encoder(folder)
    assert (encoder.feature_dim, encoder.map_shape) == (None, None)


def test_maps_of_nan_are_refused(folder: Path) -> None:
    graph = folder / "onnx" / "vision_model.onnx"

    def edit(model: onnx.ModelProto) -> None:
        lost = numpy_helper.from_array(np.full(1, np.nan, np.float32), "lost")
        model.graph.initializer.append(lost)
        model.graph.node.append(helper.make_node("Add", ["bent", "lost"], ["spoiled"]))

    change(graph, edit)
    give(graph, "spoiled", "feature_map", ["batch", 24, 4, 4])
    encoder = load_encoder(folder)
    prepared = encoder.prepare(PICTURES)
    assert np.isfinite(encoder.see(prepared).vectors).all()
    with pytest.raises(EncoderError, match=r"maps gave NaN"):
        encoder.see(prepared, maps=True)
