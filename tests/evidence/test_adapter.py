"""Adapters as graphs: windows, streams, what they may be used on, and their scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from watchword.errors import CalibrationError
from watchword.evidence.adapter import (
    FILE,
    KEY,
    Adapter,
    AdapterSpec,
    adapted,
    check_adapter,
    load_adapter,
    score_adapter,
    spec_from_json,
)
from watchword.evidence.adapter_motion import motion_rows
from watchword.evidence.adapter_windows import AdapterStream, adapt_rows, window_starts
from watchword.features import Features
from watchword.types import Coverage, Embeddings

FACTS = {"videos": ["a.mp4", "b.mp4"], "fingerprints": ["f1", ""], "split": "train"}
SPEC = AdapterSpec(
    width=4,
    source="vectors",
    layers=1,
    heads=1,
    clip_length=4,
    stride=2,
    causal=False,
    rate=5.0,
    encoder="enc",
    encoder_name="fake",
    temperature=0.07,
    objective="frame",
    facts=FACTS,
)


def write_graph(path: Path, spec: AdapterSpec, *, told: str | None = None, width: int = 0) -> Path:
    """An adapter that gives back what it gets, and as probability the first number's sigmoid."""
    shape = ["n", spec.clip_length, width or spec.width]
    nodes = [
        helper.make_node("Identity", ["x"], ["adapted"]),
        helper.make_node("Gather", ["x", "first"], ["one"], axis=2),
        helper.make_node("Sigmoid", ["one"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "adapter",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("seen", TensorProto.BOOL, shape[:2]),
        ],
        [
            helper.make_tensor_value_info("adapted", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, shape[:2]),
        ],
        [helper.make_tensor("first", TensorProto.INT64, [], [0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {KEY: spec.to_json() if told is None else told})
    onnx.save(model, path)
    return path


def rows_of(count: int, *, width: int = 4, holes: tuple[int, ...] = ()) -> np.ndarray:
    rows = np.random.default_rng(count).standard_normal((count, width)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[list(holes)] = np.nan
    return rows


def embeddings_of(rows: np.ndarray, *, rate: float = 5.0, encoder: str = "enc") -> Embeddings:
    edges = np.arange(len(rows) + 1) / rate
    return Embeddings(rows, edges, encoder, "film", Coverage(frames=len(rows)))


def past_run(x: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A causal model: the mean of what was seen so far, and how many that were."""
    count = np.cumsum(seen, axis=1)
    mean = np.cumsum(x, axis=1) / np.maximum(1, count)[..., None]
    return mean.astype(np.float32), (count / x.shape[1]).astype(np.float32)


def test_windows_cover_every_picture_and_the_last_is_flush_with_the_end() -> None:
    for count in range(1, 40):
        starts = window_starts(count, 8, 3)
        covered = {i for start in starts for i in range(start, start + 8)}
        assert set(range(count)) <= covered
        assert starts[-1] == max(0, count - 8)
        assert len(set(starts.tolist())) == len(starts)
    assert len(window_starts(0, 8, 3)) == 0


def test_a_picture_gets_the_mean_over_the_windows_that_hold_it() -> None:
    def run(x: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.broadcast_to(np.arange(x.shape[1], dtype=np.float32), seen.shape)
        return x, place

    rows = rows_of(7)
    vectors, chance = adapt_rows(run, rows, length=4, stride=2, causal=False)
    starts = window_starts(7, 4, 2).tolist()
    assert starts == [0, 2, 3]
    for picture in range(7):
        places = [picture - start for start in starts if start <= picture < start + 4]
        assert chance[picture] == pytest.approx(np.mean(places))
    np.testing.assert_allclose(vectors, rows, atol=1e-6)


def test_holes_stay_holes_and_tell_the_model_nothing() -> None:
    given = []

    def run(x: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given.append((x, seen))
        return past_run(x, seen)

    rows = rows_of(9, holes=(0, 4, 5))
    for causal in (False, True):
        vectors, chance = adapt_rows(run, rows, length=4, stride=2, causal=causal)
        assert np.isnan(chance).nonzero()[0].tolist() == [0, 4, 5]
        assert np.isnan(vectors).any(axis=1).nonzero()[0].tolist() == [0, 4, 5]
    for x, seen in given:
        assert np.isfinite(x).all()
        assert not x[~seen].any()


def test_a_video_of_holes_gives_holes() -> None:
    rows = np.full((5, 4), np.nan, np.float32)
    for causal in (False, True):
        vectors, chance = adapt_rows(past_run, rows, length=4, stride=2, causal=causal)
        assert np.isnan(vectors).all()
        assert np.isnan(chance).all()


def test_no_picture_at_all_gives_nothing() -> None:
    for causal in (False, True):
        vectors, chance = adapt_rows(
            past_run, np.zeros((0, 4), np.float32), length=4, stride=2, causal=causal
        )
        assert vectors.shape == (0, 4)
        assert chance.shape == (0,)


def test_a_causal_picture_sees_as_many_before_it_as_a_window_holds() -> None:
    rows = rows_of(9)
    vectors, chance = adapt_rows(past_run, rows, length=4, stride=2, causal=True)
    for picture in range(9):
        mine = rows[max(0, picture - 3) : picture + 1]
        np.testing.assert_allclose(vectors[picture], mine.mean(axis=0), atol=1e-6)
        assert chance[picture] == len(mine) / 4


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 300])
def test_a_stream_cut_up_in_any_way_gives_the_same(cut: int) -> None:
    rows = rows_of(301, holes=(0, 7, 8, 9, 10, 11, 100))
    whole = adapt_rows(past_run, rows, length=4, stride=2, causal=True)
    stream = AdapterStream(past_run, 4)
    parts = [stream.push(rows[at : at + cut]) for at in range(0, len(rows), cut)]
    for number in (0, 1):
        np.testing.assert_array_equal(np.concatenate([p[number] for p in parts]), whole[number])


def test_what_comes_later_changes_nothing_before_it() -> None:
    rows = rows_of(20)
    other = rows.copy()
    other[11:] = rows_of(9)
    first = adapt_rows(past_run, rows, length=4, stride=2, causal=True)[0][:11]
    second = adapt_rows(past_run, other, length=4, stride=2, causal=True)[0][:11]
    np.testing.assert_array_equal(first, second)


def test_an_adapter_is_read_from_its_file_or_its_folder(tmp_path: Path) -> None:
    path = write_graph(tmp_path / FILE, SPEC)
    one, other = load_adapter(path), load_adapter(tmp_path)
    assert one.spec == other.spec == SPEC
    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 16


def test_scores_are_the_probability_of_the_abnormal(tmp_path: Path) -> None:
    adapter = load_adapter(write_graph(tmp_path / FILE, SPEC))
    rows = rows_of(9, holes=(3,))
    scores = score_adapter(embeddings_of(rows), None, adapter)
    assert scores.kind == "probability"
    assert scores.labels == ("abnormal",)
    np.testing.assert_allclose(scores["abnormal"], 1 / (1 + np.exp(-rows[:, 0])), atol=1e-6)
    assert adapter.fingerprint in scores.made_by


def test_adapted_embeddings_are_embeddings_of_the_same_encoder(tmp_path: Path) -> None:
    adapter = load_adapter(write_graph(tmp_path / FILE, SPEC))
    given = embeddings_of(rows_of(9, holes=(3,)))
    got = adapted(given, adapter)
    assert (got.encoder, got.video) == (given.encoder, given.video)
    np.testing.assert_allclose(got.vectors, given.vectors, atol=1e-6)


def test_an_adapter_of_features_reads_features_and_serves_no_sentences(tmp_path: Path) -> None:
    spec = replace(SPEC, source="features", width=6)
    adapter = load_adapter(write_graph(tmp_path / FILE, spec))
    embeddings, rows = embeddings_of(rows_of(9)), rows_of(9, width=6)
    features = Features(rows, embeddings.edges_s, "enc", "film")
    scores = score_adapter(embeddings, features, adapter)
    np.testing.assert_allclose(scores["abnormal"], 1 / (1 + np.exp(-rows[:, 0])), atol=1e-6)
    with pytest.raises(CalibrationError, match="no sentence speaks"):
        adapted(embeddings, adapter)
    with pytest.raises(CalibrationError, match="none were kept"):
        score_adapter(embeddings, None, adapter)
    longer = Features(rows_of(18, width=6), np.arange(19) / 10, "enc", "film")
    with pytest.raises(CalibrationError, match="a row a window"):
        score_adapter(embeddings, longer, adapter)


def test_an_adapter_of_motion_reads_how_features_differ(tmp_path: Path) -> None:
    adapter = load_adapter(write_graph(tmp_path / FILE, replace(SPEC, source="motion", width=14)))
    embeddings, rows = embeddings_of(rows_of(9)), rows_of(9, width=6, holes=(3,))
    scores = score_adapter(embeddings, Features(rows, embeddings.edges_s, "enc", "film"), adapter)
    first = motion_rows(rows, embeddings.edges_s)[:, 0]
    np.testing.assert_allclose(scores["abnormal"], 1 / (1 + np.exp(-first)), atol=1e-6)
    with pytest.raises(CalibrationError, match="reads motion, of which no sentence speaks"):
        adapted(embeddings, adapter)


def test_another_encoder_width_or_rate_is_refused_with_the_reason(tmp_path: Path) -> None:
    adapter = load_adapter(write_graph(tmp_path / FILE, SPEC))
    check_adapter(adapter, encoder="enc", encoder_name="fake", width=4, rate=5.5)
    with pytest.raises(CalibrationError, match=r"trained on the encoder fake \(enc\), not on big"):
        check_adapter(adapter, encoder="else", encoder_name="big")
    with pytest.raises(CalibrationError, match="4 wide, these are 8"):
        check_adapter(adapter, encoder="enc", encoder_name="fake", width=8)
    with pytest.raises(CalibrationError, match="trained at 5 pictures a second, these come at 10"):
        check_adapter(adapter, encoder="enc", encoder_name="fake", rate=10)
    with pytest.raises(CalibrationError, match="not on the one of these"):
        score_adapter(embeddings_of(rows_of(9), encoder="else"), None, adapter)
    with pytest.raises(CalibrationError, match="these come at 10"):
        score_adapter(embeddings_of(rows_of(9), rate=10), None, adapter)
    with pytest.raises(CalibrationError, match="4 wide, these are 8"):
        adapter.adapt(rows_of(9, width=8))


def test_an_adapter_that_looks_ahead_has_no_stream(tmp_path: Path) -> None:
    adapter = load_adapter(write_graph(tmp_path / FILE, SPEC))
    with pytest.raises(CalibrationError, match="causal"):
        adapter.stream()
    causal = load_adapter(write_graph(tmp_path / "causal.onnx", replace(SPEC, causal=True)))
    rows = rows_of(9)
    np.testing.assert_allclose(causal.stream().push(rows)[0], rows, atol=1e-6)


def test_a_file_that_is_no_adapter_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="No such file"):
        load_adapter(tmp_path)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no graph")
    with pytest.raises(CalibrationError, match="cannot be used as an adapter"):
        load_adapter(bad)
    cut = write_graph(tmp_path / "cut.onnx", SPEC)
    cut.write_bytes(cut.read_bytes()[:100])
    with pytest.raises(CalibrationError, match="cannot be used as an adapter"):
        load_adapter(cut)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("null", "no file of the format"),
        ("[", "cannot be used"),
        (json.dumps({"format": "other"}), "no file of the format"),
        (replace(SPEC, facts={}).to_json(), "which videos it was trained on"),
        (SPEC.to_json().replace('"stride": 2', '"stride": 9'), "stride is 9"),
        (SPEC.to_json().replace('"stride": 2', '"speed": 2'), "speed"),
        (SPEC.to_json().replace('"width": 4', '"width": 5'), "its graph has"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, told: str, problem: str
) -> None:
    path = write_graph(tmp_path / FILE, SPEC, told=told)
    with pytest.raises(CalibrationError, match=problem):
        load_adapter(path)


def test_a_spec_survives_its_text() -> None:
    assert spec_from_json(SPEC.to_json()) == SPEC


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 0),
        ("stride", 5),
        ("rate", 0.0),
        ("temperature", float("nan")),
        ("source", "pixels"),
        ("objective", "guess"),
        ("labels", ("a", "b")),
    ],
)
def test_a_spec_that_cannot_be_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(SPEC, **{field: value})


def test_provenance_tells_the_videos_and_the_fingerprints_that_are_known() -> None:
    fitted = Adapter(SPEC, None, "0123").as_fitted()
    assert fitted["fingerprint"] == "0123"
    assert fitted["videos"] == ["a.mp4", "b.mp4"]
    assert fitted["fingerprints"] == ["f1"]
    assert fitted["split"] == "train"
