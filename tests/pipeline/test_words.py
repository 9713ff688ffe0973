"""What sentences or a head say, beside the detector that asks them."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.encoders.fake import FakeEncoder
from watchword.evidence.prompts import bank_from_prompts, fingerprint
from watchword.evidence.words import ScoreOptions
from watchword.pipeline.words import Words, bank_of, settled_scale
from watchword.types import Coverage, Embeddings

BANK = bank_from_prompts(["red"], normal=["blue"])


def words() -> Words:
    encoder = FakeEncoder()
    return Words(BANK, None, encoder, settled_scale(ScoreOptions(), encoder.scale))


def test_a_red_picture_is_red() -> None:
    encoder = FakeEncoder()
    pixels = np.zeros((2, 32, 32, 3), np.uint8)
    pixels[0, ..., 0] = 255
    pixels[1, ..., 2] = 255
    vectors = encoder.embed_images(encoder.prepare(pixels))
    pictures = Embeddings(vectors, np.arange(3.0), encoder.fingerprint, None, Coverage(2))
    red, blue = words().scores(pictures)["red"]
    assert red > 0.5 > blue
    assert words().cosines(pictures).values.shape == (2, 2)


def test_sentences_are_encoded_once_and_beforehand() -> None:
    class Counting(FakeEncoder):
        calls = 0

        def encode_texts(self, texts: object, **options: object) -> np.ndarray:
            self.calls += 1
            return super().encode_texts(texts, **options)  # type: ignore[arg-type]

    encoder = Counting()
    asked = Words(BANK, None, encoder, settled_scale(ScoreOptions(), encoder.scale))
    assert encoder.calls == 0
    asked.prepare()
    before = encoder.calls
    assert before > 0
    asked.prepare()
    assert asked.vectors is asked.vectors
    assert encoder.calls == before


def test_labels_and_fingerprint_are_those_of_the_bank() -> None:
    assert words().labels == ("red",)
    assert words().fingerprint == fingerprint(BANK)
    assert words().as_fitted() == {}


def test_there_must_be_a_bank_or_a_head() -> None:
    with pytest.raises(ValueError, match="give one of"):
        Words(None, None, FakeEncoder(), ScoreOptions())


def test_what_prompts_amount_to() -> None:
    assert bank_of(None, ()) is None
    assert bank_of(BANK, ()) is BANK
    made = bank_of(["red"], ["blue"])
    assert made is not None
    assert fingerprint(made) == fingerprint(BANK)
    with pytest.raises(ValueError, match="a bank holds its own"):
        bank_of(BANK, ["blue"])
