"""CLIP scores agree with hand values, with the obvious program, and with true CLIP vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.clipscore import definitions as reference_definitions
from watchword.evaluation.metrics.clipscore import (
    DEFINITIONS,
    aggregate,
    all_definitions,
    cosines,
    hessel,
    hundred_cosine,
    logit_scaled,
    raw_cosine,
    ref_clipscore,
    torchmetrics_score,
)
from watchword.evaluation.metrics.consistency import consistency

NAN = math.nan


def every_definition(images, text, *, prefixed, references, prefixed_references, logit_scale, k):
    """Ours, from vectors, as a command would call it."""
    return all_definitions(
        cosines(images, text[None])[:, 0],
        prefixed=cosines(images, prefixed[None])[:, 0],
        references=cosines(text[None], references)[0],
        prefixed_references=cosines(prefixed[None], prefixed_references)[0],
        consistency=consistency(images),
        logit_scale=logit_scale,
        top_k=k,
    )


# Each definition of the cosines 0.25, -0.1 and 0.3, by hand.
HAND = {
    "raw_cosine": 0.15,
    "median": 0.25,
    "min": -0.1,
    "max": 0.3,
    "std": math.sqrt((0.1**2 + 0.25**2 + 0.15**2) / 3),
    "top_k": 0.275,
    "hundred_cosine": 15.0,
    "hessel": (0.625 + 0 + 0.75) / 3,
    "logit_scaled": 7.5,
    "torchmetrics": 15.0,
}


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_definitions_have_their_values_by_hand(order):
    cos = np.array([0.25, NAN, -0.1, 0.3])[order]
    found = all_definitions(cos, logit_scale=50, top_k=2)
    assert {name: found[name] for name in HAND} == pytest.approx(HAND)
    assert all(found[name] is None for name in set(DEFINITIONS) - set(HAND))
    assert list(found) == list(DEFINITIONS)


def test_one_by_one_nothing_is_averaged_and_nan_stays():
    cos = np.array([[0.25, -0.1], [NAN, 1.0]])
    np.testing.assert_array_equal(raw_cosine(cos), cos)
    np.testing.assert_allclose(hundred_cosine(cos), [[25, -10], [NAN, 100]])
    np.testing.assert_allclose(hessel(cos), [[0.625, 0], [NAN, 2.5]])
    np.testing.assert_allclose(logit_scaled(cos, 10), [[2.5, -1], [NAN, 10]])


def test_torchmetrics_clamps_after_the_mean_and_hessel_before():
    cos = [0.3, -0.5]
    assert torchmetrics_score(cos) == 0.0
    assert aggregate(hessel(cos)) == pytest.approx(0.375)
    assert torchmetrics_score([0.3, -0.1]) == pytest.approx(10.0)
    assert torchmetrics_score([NAN]) is None


def test_ref_clipscore_by_hand():
    # S = 0.5 and R = 0.5; S = 0; both 0; a reference that points away; one reference of two.
    cos = [0.2, -0.3, -0.3, 0.2, 0.4]
    references = [[0.1, 0.5], [0.5, 0.5], [-1, 0], [-0.2, -0.1], [0.5, NAN]]
    expected = [0.5, 0.0, 0.0, 0.0, 2 * 1.0 * 0.5 / 1.5]
    np.testing.assert_allclose(ref_clipscore(cos, references), expected)


def test_ref_clipscore_leaves_out_what_was_not_measured():
    np.testing.assert_allclose(ref_clipscore([NAN, 0.2], [[0.5], [NAN]]), [NAN, NAN])
    found = all_definitions([NAN, 0.2], references=[0.5])
    assert found["ref_clipscore"] == pytest.approx(0.5)


def test_every_definition_names_itself_and_stands_in_one_line():
    for name, definition in DEFINITIONS.items():
        assert definition.name == name
        assert definition.title
        assert definition.source
        assert len(definition.formula) <= 72
        assert "\n" not in definition.formula


def test_what_is_not_given_says_what_it_needs():
    found = all_definitions([0.1, 0.2])
    assert {name for name, value in found.items() if value is None} == {
        name for name, definition in DEFINITIONS.items() if definition.needs
    }


@pytest.mark.parametrize("empty", [[], [NAN, NAN]])
def test_nothing_measured_is_none_not_zero(empty):
    found = all_definitions(
        empty, prefixed=empty, references=[0.5], prefixed_references=[0.5], logit_scale=100
    )
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("how", "expected"),
    [("mean", 4), ("median", 3.5), ("min", 1), ("max", 8), ("std", math.sqrt(6.5)), ("top_k", 6)],
)
def test_aggregates_leave_out_missing_frames(how, expected):
    assert aggregate([4, NAN, 8, 1, 3], how, k=2) == pytest.approx(expected)


def test_top_k_of_fewer_frames_is_their_mean():
    assert aggregate([1, 2, NAN], "top_k", k=5) == 1.5


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 4), st.integers(1, 8))
def test_definitions_agree_with_the_obvious_program(seed, frames, references, k):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(frames, 5))
    images[rng.random(frames) < 0.3] = NAN
    images[rng.integers(frames)] = rng.normal(size=5)
    given_ = {
        "prefixed": rng.normal(size=5),
        "references": rng.normal(size=(references, 5)),
        "prefixed_references": rng.normal(size=(references, 5)),
        "logit_scale": 100.0,
        "k": k,
    }
    text = rng.normal(size=5)
    found = every_definition(images, text, **given_)
    expected = reference_definitions(images, text, **given_)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        if expected[name] is None:
            assert value is None, name
        else:
            assert value == pytest.approx(expected[name], abs=1e-12), name


def test_cosines_do_not_depend_on_lengths():
    rng = np.random.default_rng(0)
    images, texts = rng.normal(size=(3, 8)), rng.normal(size=(4, 8))
    expected = cosines(images, texts)
    for size in (1e-200, 1e200, 7.0):
        np.testing.assert_allclose(cosines(images * size, texts / size), expected, atol=1e-12)
    assert cosines(images, images).max() <= 1.0
    np.testing.assert_allclose(np.diag(cosines(images, images)), 1.0)


def test_a_frame_without_vector_has_no_cosine():
    images = np.array([[1.0, 0.0], [NAN, 1.0], [0.0, 2.0]])
    np.testing.assert_allclose(cosines(images, [[3.0, 0.0]]), [[1.0], [NAN], [0.0]])


@pytest.mark.parametrize(
    ("images", "texts", "message"),
    [
        ([1.0, 2.0], [[1.0, 2.0]], r"image vectors have shape \(2,\), they must be \(N, D\)"),
        ([[1.0, 2.0]], [[1.0]], "2 wide and text vectors 1; both must come from one model"),
        ([[1.0], [0.0]], [[1.0]], "image vectors: row 1 is infinite or all 0"),
        ([[1.0]], [[np.inf]], "text vectors: row 0 is infinite or all 0"),
    ],
)
def test_vectors_that_give_no_cosine_are_refused(images, texts, message):
    with pytest.raises(ValueError, match=message):
        cosines(images, texts)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aggregate([0.1], "modus"), "how is 'modus', it must be one of mean, median, min"),
        (lambda: aggregate([[0.1]]), r"values have shape \(1, 1\), they must be \(T,\)"),
        (lambda: aggregate([0.1], "top_k", k=0), "k is 0, it must be 1 or more"),
        (lambda: logit_scaled([0.1], 0), "logit_scale is 0, it must be a number above 0"),
        (lambda: logit_scaled([0.1], NAN), "logit_scale is nan"),
        (lambda: ref_clipscore([0.1], [0.1]), r"\(N,\) and \(N, R\) with R of 1 or more"),
        (lambda: ref_clipscore([0.1, 0.2], [[0.1]]), "R of 1 or more"),
        (lambda: ref_clipscore([0.1], np.empty((1, 0))), "R of 1 or more"),
        (lambda: all_definitions([0.1], prefixed=[0.1, 0.2]), "must be of the same frames"),
        (lambda: all_definitions([0.1], prefixed=[NAN]), "measured at the same places"),
        (lambda: all_definitions([0.1], prefixed_references=[0.1]), "need prefixed"),
        (lambda: all_definitions([0.1], references=[NAN]), "1 of 1 items have no reference"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture(scope="module")
def vectors(shared):
    with np.load(shared / "fixtures" / "clip_vit_b32_vectors.npz") as found:
        return {name: found[name] for name in found.files}


TEXTS = ("lvis_text", "coco_text", "o365_text", "oid_text")


@pytest.mark.shared
@pytest.mark.parametrize("kind", TEXTS)
def test_cosines_of_true_clip_vectors_are_exact(vectors, kind):
    images, texts = vectors["image"], vectors[kind]
    # The text vectors are stored as the model gives them, longer than 1.
    lengths = np.linalg.norm(texts.astype(np.float64), axis=1)
    assert lengths.min() > 3
    # In extended precision, so that the last digit of ours is checked.
    wide = [rows.astype(np.longdouble) for rows in (images, texts)]
    wide = [rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True)) for rows in wide]
    expected = (wide[0][:, None] * wide[1][None]).sum(axis=2)
    found = cosines(images, texts)
    assert found.shape == (7, len(texts))
    assert float(np.abs(found - expected).max()) < 1e-15
    # What a tool gets that forgets to normalise is far away.
    assert np.abs(images.astype(float) @ texts.astype(float).T - found).max() > 0.3


@pytest.mark.shared
@pytest.mark.parametrize(("name", "cosine"), [("kitten", 0.265), ("street_sign", 0.256)])
def test_photos_are_nearest_to_their_names(vectors, name, cosine):
    names = [str(name) for name in vectors["lvis_names"]]
    table = cosines(vectors["image"], vectors["lvis_text"])
    # Two photos show a kitten; the nearer one has the published value.
    photo = table[table[:, names.index(name)].argmax()]
    assert names[int(photo.argmax())] == name
    assert round(float(photo.max()), 3) == cosine


@pytest.mark.shared
def test_one_cosine_is_printed_as_each_tool_prints_it(vectors):
    kitten = float(cosines(vectors["image"], vectors["lvis_text"]).max())
    found = all_definitions([kitten], logit_scale=100)
    printed = {name: round(found[name], 2) for name in ("raw_cosine", "hessel", "torchmetrics")}
    assert printed == {"raw_cosine": 0.27, "hessel": 0.66, "torchmetrics": 26.51}


@pytest.mark.shared
@pytest.mark.parametrize("kind", TEXTS)
def test_definitions_of_true_clip_vectors_are_those_of_the_obvious_program(vectors, kind):
    images, texts = vectors["image"], vectors[kind]
    for at in range(0, len(texts) - 6, max(1, len(texts) // 10)):
        given_ = {
            "prefixed": texts[at + 1],
            "references": texts[at + 2 : at + 4],
            "prefixed_references": texts[at + 4 : at + 6],
            "logit_scale": 100.0,
            "k": 3,
        }
        found = every_definition(images, texts[at], **given_)
        expected = reference_definitions(images, texts[at], **given_)
        assert found == pytest.approx(expected, rel=1e-12)
