"""Vectors of places: of the built-in model, and of graphs that hold or lack them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from sklearn.metrics import roc_auc_score

from models import make_clip_directory
from watchword.encoders.base import Encoder
from watchword.encoders.catalog import load_encoder, locate
from watchword.encoders.dense import place_encoder, seen_part, unit_places
from watchword.encoders.dense_onnx import PlaceGraph
from watchword.encoders.images import Preprocessing
from watchword.errors import EncoderError, ModelFileError
from watchword.evidence.dense import words_heat
from watchword.evidence.words import text_bank
from watchword.types import Prompt, PromptBank

HEAD = "/network/Clip_1_output_0_DequantizeLinear_Output"


@pytest.fixture(scope="module")
def mini() -> Encoder:
    return load_encoder("mini")


@pytest.fixture(scope="module")
def vision() -> Path:
    return locate("mini")[0] / "vision.onnx"


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(graph, options)


def _tapped(vision: Path, names: tuple[str, ...]) -> ort.InferenceSession:
    """The graph with its added nodes, and inner tensors as outputs."""
    graph = onnx.load_from_string(
        vision.read_bytes() + vision.with_name("places.onnx").read_bytes()
    )
    for name in names:
        graph.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return session(graph.SerializeToString())


def places_of(vision: Path, *, name: str = "mini", dim: int = 384) -> PlaceGraph:
    return PlaceGraph(vision, session(vision.read_bytes()), load=session, name=name, dim=dim)


def pictures(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 90, 160, 3), dtype=np.uint8)


def test_mini_gives_unit_vectors_of_14_by_14_places(
    mini: Encoder, vision: Path, pool: Executor
) -> None:
    places = places_of(vision)
    assert places.shape == (14, 14)
    prepared = mini.prepare(pictures())
    vectors = places.embed(prepared, step=2, pool=pool)
    assert vectors.shape == (3, 14, 14, mini.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[1:2], places.embed(prepared[1:2], step=1, pool=pool))
    assert places.embed(prepared[:0], step=2, pool=pool).shape == (0, 14, 14, mini.dim)


def test_the_added_nodes_leave_every_other_output_as_it_is(mini: Encoder, vision: Path) -> None:
    plain = session(vision.read_bytes())
    added = session(vision.read_bytes() + vision.with_name("places.onnx").read_bytes())
    names = [one.name for one in plain.get_outputs()]
    feeds = {"pixel_values": mini.prepare(pictures())}
    for before, after in zip(plain.run(names, feeds), added.run(names, feeds), strict=True):
        np.testing.assert_array_equal(before, after)


def test_every_other_place_of_the_last_map_is_the_map_that_the_picture_is_judged_by(
    mini: Encoder, vision: Path
) -> None:
    """Filters spread by two instead of a stride of two: the same sums, and some between them."""
    names = (HEAD, f"places/{HEAD}")
    run = _tapped(vision, names)
    coarse, fine = run.run(names, {"pixel_values": mini.prepare(pictures())})
    assert coarse.shape[2:] == (7, 7)
    assert coarse.any()
    np.testing.assert_array_equal(fine[:, :, 1::2, 1::2], coarse)


def test_class_scores_of_the_places_average_to_those_of_the_picture(
    mini: Encoder, vision: Path
) -> None:
    names = ("/network/_fc/Gemm_output_0", "places//network/_fc/Gemm_output_0")
    run = _tapped(vision, names)
    whole, places = run.run(names, {"pixel_values": mini.prepare(pictures())})
    mean = places.reshape(3, 14, 14, -1)[:, 1::2, 1::2].mean(axis=(1, 2))
    # The picture's own are made of features rounded to 8 bits.
    assert np.abs(mean - whole).max() < 0.1 * whole.std()


def test_a_graph_without_places_says_how_to_make_one(tmp_path: Path, pool: Executor) -> None:
    folder = make_clip_directory(tmp_path / "model")
    places = places_of(folder / "onnx" / "vision_model.onnx", name="model", dim=16)
    assert places.shape is None
    with pytest.raises(EncoderError, match="models export MODEL FOLDER --places"):
        places.embed(np.zeros((1, 3, 32, 32), np.float32), step=1, pool=pool)


def test_mini_is_an_encoder_of_places(mini: Encoder, vision: Path, pool: Executor) -> None:
    encoder = place_encoder(mini)
    prepared = mini.prepare(pictures())
    assert encoder.place_shape == (14, 14)
    assert encoder.seen_part(640, 360) == (0, 0, 1, 1)
    np.testing.assert_array_equal(
        encoder.embed_places(prepared), places_of(vision).embed(prepared, step=3, pool=pool)
    )


def test_an_encoder_of_whole_pictures_is_refused_where_places_are_needed() -> None:
    with pytest.raises(EncoderError, match="fake gives vectors of whole pictures and none of"):
        place_encoder(load_encoder("fake"))


def test_a_graph_of_its_own_may_hold_the_output(tmp_path: Path, pool: Executor) -> None:
    file = _with_places(tmp_path, "bent", "Transpose", perm=[0, 2, 3, 1])
    places = places_of(file, name="model", dim=24)
    assert places.shape == (4, 4)
    prepared = np.random.default_rng(0).standard_normal((5, 3, 32, 32)).astype(np.float32)
    vectors = places.embed(prepared, step=2, pool=pool)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
    with pytest.raises(EncoderError, match=r"model failed on \(1, 3, 16, 16\)"):
        places.embed(prepared[:1, :, :16, :16], step=1, pool=pool)


def test_an_output_that_is_no_grid_is_refused(tmp_path: Path) -> None:
    file = _with_places(tmp_path, "pooled", "Flatten")
    with pytest.raises(ModelFileError, match=r"\(batch, h, w, 24\) is needed"):
        _ = places_of(file, name="model", dim=24).shape


def test_added_nodes_that_give_no_places_are_refused(vision: Path, tmp_path: Path) -> None:
    (tmp_path / "vision.onnx").write_bytes(vision.read_bytes())
    (tmp_path / "places.onnx").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"places\.onnx adds no place_embeds"):
        _ = places_of(tmp_path / "vision.onnx").shape


def _with_places(folder: Path, source: str, kind: str, **told: list[int]) -> Path:
    """A random picture graph with one more output, made of one of its inner tensors."""
    file = make_clip_directory(folder / "model") / "onnx" / "vision_model.onnx"
    model = onnx.load(file)
    model.graph.node.append(helper.make_node(kind, [source], ["place_embeds"], **told))
    model.graph.output.append(
        helper.make_tensor_value_info("place_embeds", TensorProto.FLOAT, None)
    )
    onnx.save(model, file)
    return file


@pytest.mark.parametrize(
    ("resize", "size", "part"),
    [
        ("squash", (640, 360), (0, 0, 1, 1)),
        ("shortest_crop", (400, 400), (0, 0, 1, 1)),
        ("shortest_crop", (400, 200), (0.25, 0, 0.75, 1)),
        ("shortest_crop", (200, 400), (0, 0.25, 1, 0.75)),
    ],
)
def test_the_part_seen_is_the_middle_square_unless_pictures_are_squashed(
    resize: str, size: tuple[int, int], part: tuple[float, ...]
) -> None:
    assert seen_part(Preprocessing(resize=resize), *size) == part


def test_the_part_seen_is_where_preparing_cuts() -> None:
    from watchword.encoders.images import square

    picture = np.zeros((1, 100, 300, 3), np.uint8)
    picture[:, :, 110:] = 255
    how = Preprocessing(image_size=100)
    cut = square(picture, how)[0, 50, :, 0]
    left, _, right, _ = seen_part(how, 300, 100)
    assert abs(np.argmax(cut > 127) / 100 - (110 / 300 - left) / (right - left)) < 0.02


def test_nothing_is_seen_of_an_empty_picture() -> None:
    with pytest.raises(ValueError, match="0x5 pixels is empty"):
        seen_part(Preprocessing(), 0, 5)


def test_vectors_of_places_must_be_numbers_on_a_grid() -> None:
    with pytest.raises(EncoderError, match=r"\(batch, h, w, width\) is needed"):
        unit_places(np.ones((2, 3, 4), np.float32), "model")
    with pytest.raises(EncoderError, match="gave NaN"):
        unit_places(np.full((1, 2, 2, 3), np.nan, np.float32), "model")


@pytest.mark.shared
def test_fire_is_hotter_where_people_marked_it(
    mini: Encoder, vision: Path, pool: Executor, shared: Path
) -> None:
    """Words that do not fit are the check that it is not merely the busiest part of the picture."""
    folder = shared / "data" / "misc"
    with av.open(str(folder / "furg_house6.mp4")) as film:
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)][::60]
    boxes = json.loads((folder / "furg_house6_boxes.json").read_text())
    prepared = mini.prepare(np.stack(shown))
    vectors = places_of(vision).embed(prepared, step=4, pool=pool)
    edges = np.arange(len(vectors) + 1.0)
    found = {}
    for text in ("a fire with flames", "a dog"):
        prompts = text_bank(PromptBank((Prompt(text, "seen"),)), mini.encode_texts)
        heat = words_heat(vectors, edges, prompts, label="seen").values
        found[text] = np.mean(
            [
                _pixel_auc(values, boxes[str(at * 60)], picture.shape[:2])
                for at, (values, picture) in enumerate(zip(heat, shown, strict=True))
                if boxes.get(str(at * 60))
            ]
        )
    assert found["a fire with flames"] > 0.8
    assert found["a dog"] < 0.5


def _pixel_auc(heat: np.ndarray, boxes: list[list[int]], size: tuple[int, int]) -> float:
    truth = np.zeros(size, bool)
    for left, top, width, height in boxes:
        truth[top : top + height, left : left + width] = True
    rows, columns = (np.arange(side) * 14 // side for side in size)
    return float(roc_auc_score(truth.ravel(), heat[rows][:, columns].ravel()))
