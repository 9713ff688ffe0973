from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchword.errors import PromptError
from watchword.evidence.dense import score_places, words_heat
from watchword.evidence.words import PromptVectors, ScoreOptions, score_words
from watchword.types import Coverage, Embeddings, Prompt, PromptBank

BANK = PromptBank(
    (
        Prompt("a fire", "fire"),
        Prompt("tall flames", "fire"),
        Prompt("a deer", "animal"),
        Prompt("a house", "", "normal"),
        Prompt("a wood", "animal", "normal"),
    )
)
SQUARE = (0.0, 0.0, 1.0, 1.0)


def unit(*shape: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def prompts() -> PromptVectors:
    return PromptVectors(BANK, unit(len(BANK.texts), 8, seed=1))


@pytest.mark.parametrize("kind", ["contrast", "margin", "cosine", "probability"])
def test_a_place_scores_as_a_picture_of_the_same_vector(prompts: PromptVectors, kind: str) -> None:
    places = unit(2, 3, 4, 8)
    options = ScoreOptions(kind=kind)
    scores = score_places(places, prompts, options=options, alpha=0.9, tau=0.1, temperature=0.05)
    assert scores.shape == (2, 3, 4, 2)
    one = Embeddings(places[1, 2, 3][None], np.array([0.0, 1.0]), "e", None, Coverage(1))
    told = score_words(one, prompts, options=options, alpha=0.9, tau=0.1, temperature=0.05)
    np.testing.assert_allclose(scores[1, 2, 3], told.values[0], atol=1e-6)


def test_heat_is_the_pooled_cosine_of_the_label_alone(prompts: PromptVectors) -> None:
    places = unit(2, 3, 4, 8)
    heat = words_heat(places, np.arange(3.0), prompts, label="fire")
    for place in np.ndindex(2, 3, 4):
        best = max(float(places[place] @ prompts.vectors[at]) for at in (0, 1))
        assert heat.values[place] == pytest.approx(best, abs=1e-3)
    assert heat.unit == "cosine"
    np.testing.assert_array_equal(heat.edges_s, [0, 1, 2])


def test_heat_needs_no_normal_sentences() -> None:
    bank = PromptBank((Prompt("a fire", "fire"),))
    prompts = PromptVectors(bank, unit(1, 8))
    places = unit(1, 2, 2, 8, seed=2)
    assert words_heat(places, np.arange(2.0), prompts, label="fire").values.shape == (1, 2, 2)
    with pytest.raises(PromptError, match="has none"):
        score_places(places, prompts)


def test_places_that_were_not_measured_stay_so(prompts: PromptVectors) -> None:
    places = unit(2, 3, 4, 8)
    places[1] = np.nan
    heat = words_heat(places, np.arange(3.0), prompts, label="animal")
    assert np.isfinite(heat.values[0]).all()
    assert np.isnan(heat.values[1]).all()


def test_what_the_encoder_did_not_look_at_is_not_measured(prompts: PromptVectors) -> None:
    """The middle square of 16:9, 7 places wide, lies on 12 cells of a 7 x 12 grid."""
    places = unit(1, 7, 7, 8)
    heat = words_heat(
        places, np.arange(2.0), prompts, label="fire", seen=(0.21875, 0.0, 0.78125, 1.0)
    )
    assert heat.values.shape == (1, 7, 12)
    seen = np.isfinite(heat.values[0])
    assert seen.all(axis=0).tolist() == [3 <= at < 9 for at in range(12)]
    plain = words_heat(places, np.arange(2.0), prompts, label="fire", seen=SQUARE)
    for cell in range(3, 9):
        place = int(((cell + 0.5) / 12 - 0.21875) / 0.5625 * 7)
        np.testing.assert_array_equal(heat.values[0, :, cell], plain.values[0, :, place])


def test_a_part_outside_the_picture_is_refused(prompts: PromptVectors) -> None:
    with pytest.raises(ValueError, match="left, top, right, bottom in"):
        words_heat(
            unit(1, 2, 2, 8), np.arange(2.0), prompts, label="fire", seen=(0.5, 0.0, 1.5, 1.0)
        )


def test_wrong_arguments_are_refused(prompts: PromptVectors) -> None:
    with pytest.raises(ValueError, match=r"\(n,h,w,D\) is needed"):
        score_places(unit(4, 8), prompts)
    with pytest.raises(ValueError, match="both must come from the same encoder"):
        score_places(unit(1, 2, 2, 9), prompts)
    with pytest.raises(ValueError, match="unit length"):
        score_places(unit(1, 2, 2, 8) * 2, prompts)
    with pytest.raises(KeyError, match="known are fire, animal"):
        words_heat(unit(1, 2, 2, 8), np.arange(2.0), prompts, label="flood")


def test_no_picture_gives_no_scores(prompts: PromptVectors) -> None:
    assert score_places(np.zeros((0, 3, 4, 8), np.float32), prompts).shape == (0, 3, 4, 2)


@pytest.mark.shared
def test_true_clip_vectors_are_hottest_where_their_name_says(shared: Path) -> None:
    """Seven photographs side by side as seven places, and the published vectors of two names."""
    told = np.load(shared / "fixtures" / "clip_vit_b32_vectors.npz")
    names = told["lvis_names"].tolist()
    chosen = [names.index(name) for name in ("kitten", "street_sign")]
    rows = told["lvis_text"][chosen].astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    bank = PromptBank((Prompt("a kitten", "kitten"), Prompt("a street sign", "sign")))
    pictures = told["image"].astype(np.float32)
    places = (pictures / np.linalg.norm(pictures, axis=1, keepdims=True))[None, None]
    prompts, edges = PromptVectors(bank, rows), np.arange(2.0)
    cats = words_heat(places, edges, prompts, label="kitten").values.ravel()
    signs = words_heat(places, edges, prompts, label="sign").values.ravel()
    assert set(told["image_names"][np.argsort(cats)[-2:]]) == {"123_456", "456_123"}
    assert cats.max() == pytest.approx(0.265, abs=2e-3)
    assert told["image_names"][signs.argmax()] == "389_535"
    assert signs.max() == pytest.approx(0.256, abs=2e-3)
