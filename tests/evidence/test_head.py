"""A head: what it sees of a stretch, its scores, what it refuses, and its file."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from watchword.errors import CalibrationError
from watchword.evidence import pooled
from watchword.evidence.head import FitFacts, Head, check_head, score_head
from watchword.evidence.head_file import head_bytes, read_head
from watchword.evidence.pooled import PoolOptions, pool_clip, pool_windows
from watchword.types import Coverage, Embeddings

DIM = 6


def embeddings(windows: int, seed: int = 0, *, step_s: float = 0.1, lost=()) -> Embeddings:
    rows = np.random.default_rng(seed).standard_normal((windows, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[list(lost)] = np.nan
    return Embeddings(rows, np.arange(windows + 1) * step_s, "enc-1", "v", Coverage(windows))


def head(pooling="mean+std+change", *, window_s=0.5, labels=("fight", "fall")) -> Head:
    width = PoolOptions(pooling).width(DIM)
    draw = np.random.default_rng(1)
    return Head(
        weights=draw.standard_normal((len(labels), width)),
        bias=draw.standard_normal(len(labels)),
        mean=draw.standard_normal(width),
        scale=draw.uniform(0.5, 2, width),
        labels=labels,
        encoder="enc-1",
        encoder_name="mini",
        pool=PoolOptions(pooling, window_s),
        steps_s=(0.1, 0.1),
        facts=FitFacts(
            "window",
            ("a", "b"),
            ("f1", ""),
            2,
            9,
            dict.fromkeys(labels, 4),
            dict.fromkeys(labels, 0.01),
            {"fight": {"auc": [0.8, None, None]}},
            "Head fitted on 9 windows.",
        ),
    )


def seen_slowly(rows: np.ndarray, pooling: str) -> np.ndarray:
    """What is seen of some pictures, by the words of the definition."""
    there = rows[~np.isnan(rows[:, 0])].astype(float)
    width = PoolOptions(pooling).width(rows.shape[1])
    if not len(there):
        return np.full(width, np.nan)
    if pooling == "mean":
        return there.mean(axis=0)
    steps = [abs(b.astype(float) - a) for a, b in pairwise(rows)]
    steps = [step for step in steps if not np.isnan(step).any()]
    if not steps:
        return np.full(width, np.nan)
    return np.concatenate([there.mean(axis=0), there.std(axis=0), np.mean(steps, axis=0)])


@pytest.mark.parametrize("pooling", ["mean", "mean+std+change"])
@pytest.mark.parametrize("block", [3, 2048])
def test_windows_see_their_last_seconds(pooling, block, monkeypatch):
    monkeypatch.setattr(pooled, "BLOCK", block)
    made = embeddings(40, lost=(0, 7, 8, 20, 22))
    got = np.concatenate([rows for _, rows in pool_windows(made, PoolOptions(pooling, 0.5))])
    assert len(got) == 40
    for i in range(40):
        want = seen_slowly(made.vectors[max(0, i - 4) : i + 1], pooling)
        if np.isnan(made.vectors[i, 0]):
            want = np.full_like(want, np.nan)
        np.testing.assert_allclose(got[i], want, atol=1e-9)
    # 21 stands alone between two that were not measured: no change can be told there.
    assert np.isnan(got[7]).all()
    assert np.isnan(got[1]).all() == (pooling == "mean+std+change")


@pytest.mark.parametrize("pooling", ["mean", "mean+std+change"])
def test_a_clip_is_seen_as_a_whole(pooling):
    made = embeddings(12, lost=(5,))
    np.testing.assert_allclose(
        pool_clip(made, pooling), seen_slowly(made.vectors, pooling), atol=1e-9
    )
    assert np.isnan(pool_clip(embeddings(3, lost=(0, 1, 2)), pooling)).all()
    assert np.isnan(pool_clip(embeddings(0), pooling)).all()


def test_the_last_window_of_a_clip_sees_all_of_it():
    made = embeddings(20)
    (_, rows), *_ = pool_windows(made, PoolOptions(window_s=2.0))
    np.testing.assert_allclose(rows[-1], pool_clip(made, "mean+std+change"), atol=1e-12)


@pytest.mark.parametrize("pooling", ["mean", "mean+std+change"])
def test_scores_are_the_formula(pooling):
    made, model = embeddings(30, lost=(4,)), head(pooling)
    scores = score_head(made, model)
    assert (scores.kind, scores.labels, scores.video) == ("probability", ("fight", "fall"), "v")
    for i in (1, 2, 9, 29):
        x = seen_slowly(made.vectors[max(0, i - 4) : i + 1], pooling)
        logits = model.weights @ ((x - model.mean) / model.scale) + model.bias
        np.testing.assert_allclose(scores.values[i], 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert np.isnan(scores.values[4]).all()
    assert not np.isnan(scores.values[6:]).any()


def test_scores_do_not_know_what_comes():
    made, model = embeddings(30), head()
    early = Embeddings(made.vectors[:12], made.edges_s[:13], "enc-1", "v", Coverage(12))
    np.testing.assert_allclose(
        score_head(made, model).values[:12], score_head(early, model).values, atol=1e-6
    )


def test_a_video_without_windows_has_no_scores():
    assert score_head(embeddings(0), head()).values.shape == (0, 2)


def test_extreme_logits_stay_probabilities():
    model = replace(head("mean"), weights=np.full((2, DIM), 1e6))
    values = score_head(embeddings(50), model).values
    assert ((values >= 0) & (values <= 1)).all()


def test_another_encoder_is_refused():
    made = replace(embeddings(10), encoder="enc-2")
    with pytest.raises(CalibrationError, match=r"mini \(enc-1\).*enc-2"):
        score_head(made, head())
    with pytest.raises(CalibrationError, match=r"mini \(enc-1\), not on other \(enc-2\)"):
        check_head(head(), encoder="enc-2", encoder_name="other")
    check_head(head(), encoder="enc-1", encoder_name="mini")


def test_vectors_of_another_width_are_refused():
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(CalibrationError, match=r"weighs 18 numbers.*3 wide"):
        score_head(Embeddings(rows, np.arange(4) * 0.1, "enc-1", None, Coverage(3)), head())


def test_pictures_farther_apart_are_refused_where_change_is_looked_at():
    with pytest.raises(CalibrationError, match=r"0.1 to 0.1 s apart, these are 0.2 s"):
        score_head(embeddings(10, step_s=0.2), head())
    score_head(embeddings(10, step_s=0.12), head())
    score_head(embeddings(10, step_s=0.2), head("mean"))
    score_head(embeddings(1, step_s=0.2), head())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": ()}, "labels"),
        ({"labels": ("a", "a")}, "labels"),
        ({"weights": np.zeros((1, 18))}, "weights has shape"),
        ({"bias": np.array([0.0, np.nan])}, "bias must be finite"),
        ({"scale": np.zeros(18)}, "scale must be positive"),
        ({"steps_s": (0.2, 0.1)}, "steps_s"),
    ],
)
def test_a_head_checks_itself(changed, said):
    with pytest.raises(ValueError, match=said):
        replace(head(), **changed)


@pytest.mark.parametrize("values", [{"pooling": "max"}, {"window_s": 0.0}, {"window_s": np.nan}])
def test_pool_options_are_checked(values):
    with pytest.raises(ValueError, match="must be"):
        PoolOptions(**values)


def test_arrays_are_read_only_and_names_stay():
    model = head()
    with pytest.raises(ValueError, match="read-only"):
        model.weights[0, 0] = 1
    told = model.as_fitted()
    assert told["fingerprint"] == model.fingerprint
    assert (told["videos"], told["sentence"]) == (["a", "b"], "Head fitted on 9 windows.")
    assert told["fingerprints"] == ["f1"]
    json.dumps(told)
    assert replace(model, bias=model.bias + 1e-9).fingerprint != model.fingerprint


# --- The file ------------------------------------------------------------------------------------


def test_a_file_gives_the_same_head_back(tmp_path: Path):
    model, path = head(), tmp_path / "x.head.safetensors"
    path.write_bytes(head_bytes(model))
    back = read_head(path)
    assert back.fingerprint == model.fingerprint
    assert (back.facts, back.pool, back.encoder_name) == (model.facts, model.pool, "mini")
    made = embeddings(20)
    np.testing.assert_array_equal(score_head(made, back).values, score_head(made, model).values)
    assert head_bytes(back) == path.read_bytes()


def written(path: Path, arrays=None, **changes) -> Path:
    """A head's file with parts exchanged, checksum and all other checks left as they are."""
    content = head_bytes(head())
    length = int.from_bytes(content[:8], "little")
    own = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["head"])
    path.write_bytes(
        save({**load(content), **(arrays or {})}, {"head": json.dumps({**own, **changes})})
    )
    return path


@pytest.mark.parametrize(
    ("arrays", "changes", "said"),
    [
        ({}, {"format": "watchword head 2"}, "no file of the format"),
        ({}, {"checksum": "0"}, "checksum"),
        ({}, {"encoder": "enc-2"}, "checksum"),
        ({"bias": np.zeros(2)}, {}, "checksum"),
        ({"more": np.zeros(2)}, {}, "it must hold"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, arrays, changes, said):
    path = written(tmp_path / "x", arrays, **changes)
    with pytest.raises(CalibrationError, match=said):
        read_head(path)


def test_the_untouched_parts_would_be_read(tmp_path):
    assert read_head(written(tmp_path / "x")).fingerprint == head().fingerprint


@pytest.mark.parametrize("content", [b"", b"no head", b"\x80\x04K\x01.", save({"a": np.ones(1)})])
def test_what_is_no_head_is_refused(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match=r"x cannot be used as a head.*watchword fit"):
        read_head(path)


def test_a_head_that_is_not_there(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be used as a head"):
        read_head(tmp_path / "absent.head.safetensors")


@pytest.mark.parametrize("cut", [10, 200, -1])
def test_a_damaged_file_is_refused(tmp_path, cut):
    path = tmp_path / "x"
    path.write_bytes(head_bytes(head())[:cut])
    with pytest.raises(CalibrationError, match="cannot be used as a head"):
        read_head(path)
