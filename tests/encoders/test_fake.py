from __future__ import annotations

import numpy as np
import pytest

from watchword.encoders.fake import COLOURS, FakeEncoder


@pytest.mark.parametrize("colour", sorted(set(COLOURS) - {"gray"}))
def test_a_picture_is_nearest_to_the_sentence_with_its_colour(colour: str) -> None:
    encoder = FakeEncoder()
    picture = np.full((1, 30, 40, 3), COLOURS[colour], np.uint8)
    names = sorted(set(COLOURS) - {"gray"})
    texts = encoder.encode_texts([f"a {name} picture" for name in names])
    cosines = (encoder.embed_images(encoder.prepare(picture)) @ texts.T)[0]
    assert names[int(cosines.argmax())] == colour
    assert cosines.max() > np.sort(cosines)[-2] + 0.2


def test_sentences_without_a_colour_are_told_apart() -> None:
    one, same, other = FakeEncoder().encode_texts(["a deer", "A deer!", "people fighting"])
    np.testing.assert_array_equal(one, same)
    assert one @ other < 0.9
