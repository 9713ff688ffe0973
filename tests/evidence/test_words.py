"""Scores from sentences are those of the formulas, and never something else in their stead."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.words import reference_scores
from watchword.errors import KindMismatch, PromptError
from watchword.evidence.words import (
    PromptVectors,
    ScoreOptions,
    prompt_cosines,
    score_cosines,
    score_words,
    text_bank,
)
from watchword.types import Coverage, Embeddings, Prompt, PromptBank

WIDTH = 8


def unit(rows):
    rows = np.asarray(rows, np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def embeddings_of(rows):
    return Embeddings(rows, np.arange(len(rows) + 1.0), "enc", "vid", Coverage(len(rows)))


def encode(texts):
    """A vector a sentence, from its letters alone."""
    return unit([np.random.default_rng(list(text.encode())).normal(size=WIDTH) for text in texts])


BANK = PromptBank(
    (
        Prompt("deer", "animal"),
        Prompt("moose", "animal", weight=3),
        Prompt("dog", "animal"),
        Prompt("leash", "animal", "normal", weight=2),
        Prompt("smoke", "fire"),
        Prompt("deer", "fire"),
        Prompt("road", "", "normal"),
        Prompt("sky", "", "normal", weight=0.5),
        Prompt("tree", "", "normal"),
    )
)
ALONE = PromptBank((Prompt("deer", "deer"),))


@settings(max_examples=150)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["contrast", "margin", "cosine", "probability"]),
    st.sampled_from(["max", "top_share"]),
    st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]),
)
def test_scores_are_those_of_the_obvious_way(seed, kind, pool, top_share):
    rng = np.random.default_rng(seed)
    rows = unit(rng.normal(size=(7, WIDTH)))
    rows[3] = np.nan
    options = ScoreOptions(kind, pool, top_share)
    scale = {"alpha": 0.9, "tau": 0.1, "temperature": 0.2}
    prompts = text_bank(BANK, encode)
    scores = score_words(embeddings_of(rows), prompts, options=options, **scale)
    sentence_vectors = dict(zip(BANK.texts, prompts.vectors, strict=True))
    expected = reference_scores(rows, BANK, sentence_vectors, options=options, **scale)
    np.testing.assert_allclose(scores.values, expected, atol=2e-5)
    assert scores.kind == kind
    assert (scores.labels, scores.video) == (("animal", "fire"), "vid")
    assert np.isnan(scores.values[3]).all()


def test_contrast_is_novas_formula_worked_by_hand():
    bank = PromptBank((*(Prompt(t, "x") for t in "abcd"), Prompt("n", "", "normal")))
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1], [0.8, 0.6]], np.float32)
    scores = score_words(
        embeddings_of(np.array([[1, 0]], np.float32)),
        PromptVectors(bank, vectors),
        alpha=0.9,
        tau=0.03,
    )
    # The better half of four sentences: u+ = (1 + .6) / 2; u- = .8.
    expected = 1 / (1 + np.exp((0.8 - 0.9 * 0.8) / 0.03))
    assert scores.values[0, 0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("sentences", "taken"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)])
def test_the_better_half_is_rounded_half_down_and_is_at_least_one(sentences, taken):
    bank = PromptBank(tuple(Prompt(str(n), "x") for n in range(sentences)))
    cosines = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4][:sentences], np.float32)
    vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    row = embeddings_of(np.array([[1, 0]], np.float32))
    scores = score_words(row, PromptVectors(bank, vectors), options=ScoreOptions("cosine"))
    assert scores.values[0, 0] == pytest.approx(cosines[:taken].mean(), rel=1e-5)


def test_the_options_scale_wins_over_the_encoders():
    rows = embeddings_of(unit(np.eye(WIDTH)))
    prompts = text_bank(BANK, encode)
    chosen = ScoreOptions(alpha=0.8, tau=0.2)
    same = score_words(rows, prompts, options=chosen, alpha=5, tau=5)
    own = score_words(rows, prompts, alpha=0.8, tau=0.2)
    np.testing.assert_array_equal(same.values, own.values)


def test_scores_far_from_the_scale_stay_in_range():
    rows = embeddings_of(unit(np.eye(WIDTH)))
    prompts = text_bank(BANK, encode)
    for kind in ("contrast", "probability"):
        options = ScoreOptions(kind, tau=1e-4, temperature=1e-4)
        values = score_words(rows, prompts, options=options).values
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1


@pytest.mark.parametrize("kind", ["contrast", "margin", "probability"])
def test_a_kind_that_compares_is_refused_without_a_normal_sentence(kind):
    rows = embeddings_of(unit(np.eye(WIDTH)))
    with pytest.raises(PromptError, match=f"{kind} compares with normal sentences and 'deer'"):
        score_words(rows, text_bank(ALONE, encode), options=ScoreOptions(kind))


def test_cosine_needs_no_normal_sentence():
    rows = unit(np.eye(WIDTH))
    prompts = text_bank(ALONE, encode)
    scores = score_words(embeddings_of(rows), prompts, options=ScoreOptions("cosine"))
    np.testing.assert_allclose(scores.values, rows @ prompts.vectors.T, atol=1e-6)


def test_probabilities_without_a_normal_side_sum_to_one_over_the_labels():
    bank = PromptBank((Prompt("deer", "deer"), Prompt("smoke", "smoke")))
    rows = embeddings_of(unit(np.eye(WIDTH)))
    scores = score_words(rows, text_bank(bank, encode), options=ScoreOptions("probability"))
    np.testing.assert_allclose(scores.values.sum(axis=1), 1, atol=1e-6)


def test_templates_are_averaged_and_brought_to_unit_length():
    bank = PromptBank((Prompt("deer {x}", "deer"),), ("{}", "a photo of {}"))
    asked = []

    def listen(texts):
        asked.extend(texts)
        return encode(texts)

    prompts = text_bank(bank, listen)
    assert asked == ["deer {x}", "a photo of deer {x}"]
    mean = encode(asked).mean(axis=0)
    np.testing.assert_allclose(prompts.vectors[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_prompt_cosines_have_a_column_for_each_distinct_sentence():
    rows = unit(np.eye(WIDTH))
    rows[0] = np.nan
    prompts = text_bank(BANK, encode)
    scores = prompt_cosines(embeddings_of(rows), prompts)
    assert (scores.labels, scores.kind) == (BANK.texts, "cosine")
    np.testing.assert_allclose(scores["smoke"][1:], rows[1:] @ encode(["smoke"])[0], atol=1e-6)
    assert np.isnan(scores.values[0]).all()


@settings(max_examples=50)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["contrast", "margin", "cosine", "probability"]),
    st.sampled_from(["max", "top_share"]),
)
def test_saved_cosines_give_exactly_what_the_embeddings_give(seed, kind, pool):
    rng = np.random.default_rng(seed)
    rows = unit(rng.normal(size=(9, WIDTH)))
    rows[4] = np.nan
    prompts = text_bank(BANK, encode)
    options = ScoreOptions(kind, pool)
    scale = {"alpha": 0.9, "tau": 0.1, "temperature": 0.2}
    straight = score_words(embeddings_of(rows), prompts, options=options, **scale)
    saved = prompt_cosines(embeddings_of(rows), prompts)
    order = rng.permutation(len(saved.labels) + 1)
    labels = np.array([*saved.labels, "a sentence of no bank"])[order]
    values = np.column_stack([saved.values, np.ones(len(rows))])[:, order]
    shuffled = dataclasses.replace(saved, values=values, labels=tuple(map(str, labels)))
    again = score_cosines(shuffled, BANK, options=options, **scale)
    np.testing.assert_array_equal(again.values, straight.values)
    assert (again.labels, again.kind) == (straight.labels, straight.kind)
    assert (again.video, again.made_by) == ("vid", straight.made_by)


def test_cosines_that_lack_a_sentence_are_refused_by_name():
    saved = prompt_cosines(embeddings_of(unit(np.eye(WIDTH))), text_bank(ALONE, encode))
    with pytest.raises(PromptError, match=r"nothing of .moose., .dog., .leash.+ saved for .deer."):
        score_cosines(saved, BANK)
    with pytest.raises(PromptError, match="contrast compares with normal sentences"):
        score_cosines(saved, ALONE)


def test_only_cosines_can_be_scored_again():
    prompts = text_bank(BANK, encode)
    contrast = score_words(embeddings_of(unit(np.eye(WIDTH))), prompts)
    with pytest.raises(KindMismatch, match="of kind contrast"):
        score_cosines(contrast, BANK)


def test_vectors_of_another_encoder_are_refused():
    with pytest.raises(ValueError, match="embeddings are 3 wide, prompts 8"):
        score_words(embeddings_of(unit(np.eye(3))), text_bank(BANK, encode))
    with pytest.raises(ValueError, match="the bank has 1 sentences"):
        PromptVectors(ALONE, encode(["a", "b"]))
    with pytest.raises(ValueError, match="unit length"):
        PromptVectors(ALONE, 2 * encode(["a"]))
    with pytest.raises(ValueError, match="encode gave shape"):
        text_bank(ALONE, lambda texts: np.ones(3))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "distance"}, "kind is 'distance'"),
        ({"pool": "mean"}, "pool is 'mean'"),
        ({"top_share": 0}, "top_share is 0"),
        ({"tau": 0}, "tau is 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ScoreOptions(**fields)


@pytest.mark.shared
def test_photos_find_their_names_in_vectors_of_a_real_clip(shared):
    with np.load(shared / "fixtures" / "clip_vit_b32_vectors.npz") as file:
        photos = unit(file["image"])
        names = [str(name) for name in file["lvis_names"]]
        texts = dict(zip(names, unit(file["lvis_text"]), strict=True))
        order = [str(name) for name in file["image_names"]]
    bank = PromptBank(tuple(Prompt(name, name) for name in names))
    prompts = text_bank(bank, lambda asked: np.array([texts[text] for text in asked]))
    options = ScoreOptions("cosine")
    scores = score_words(embeddings_of(photos), prompts, options=options)
    best = {photo: names[row.argmax()] for photo, row in zip(order, scores.values, strict=True)}
    assert (best["456_123"], best["389_535"]) == ("kitten", "street_sign")
    assert scores["kitten"][order.index("456_123")] == pytest.approx(0.265, abs=1e-3)
    assert scores["street_sign"][order.index("389_535")] == pytest.approx(0.256, abs=1e-3)
    softmax = dataclasses.replace(options, kind="probability")
    shares = score_words(embeddings_of(photos), prompts, options=softmax).values
    np.testing.assert_array_equal(shares.argmax(axis=1), scores.values.argmax(axis=1))
