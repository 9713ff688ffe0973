"""When a picture counts as unchanged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from watchword.video.stillness import Stillness, StillTest, block_means


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers()
)
def test_block_means_are_those_of_a_loop_over_blocks(
    height: int, width: int, columns: int, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(abs(seed))
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    means = block_means(picture, columns=columns, rows=rows)
    rows, columns = min(rows, height), min(columns, width)
    assert means.shape == (rows, columns, 3)
    for row in range(rows):
        for column in range(columns):
            top, bottom = row * height // rows, (row + 1) * height // rows
            left, right = column * width // columns, (column + 1) * width // columns
            block = picture[top:bottom, left:right].astype(float).mean(axis=(0, 1))
            np.testing.assert_allclose(means[row, column], block, rtol=1e-5)


@pytest.fixture
def scene() -> NDArray[np.uint8]:
    rng = np.random.default_rng(1)
    return rng.integers(40, 200, (240, 320, 3), dtype=np.uint8)


def test_the_first_picture_is_new_and_the_same_again_is_still(scene: NDArray[np.uint8]) -> None:
    test = StillTest()
    assert [test.is_still(scene) for _ in range(3)] == [False, True, True]


def test_noise_of_the_sensor_is_still(scene: NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(2)
    test = StillTest()
    test.is_still(scene)
    for _ in range(10):
        noisy = np.clip(scene + rng.normal(0, 6, scene.shape), 0, 255).astype(np.uint8)
        assert test.is_still(noisy)


def test_something_small_that_appears_is_new(scene: NDArray[np.uint8]) -> None:
    test = StillTest()
    test.is_still(scene)
    person = scene.copy()
    person[100:120, 200:208] = 255
    # 0.2 % of the picture: its mean over the whole moves by far less than noise does.
    assert abs(person.mean() - scene.mean()) < 0.3
    assert not test.is_still(person)


def test_another_colour_of_the_same_brightness_is_new() -> None:
    red = np.zeros((90, 160, 3), np.uint8)
    green = red.copy()
    red[20:40, 20:40, 0] = 100
    green[20:40, 20:40, 1] = 100
    test = StillTest()
    test.is_still(red)
    assert not test.is_still(green)


def test_slow_change_adds_up_because_the_last_new_picture_is_compared() -> None:
    test = StillTest(Stillness(threshold=8))
    levels = [np.full((36, 64, 3), level, np.uint8) for level in range(100, 125)]
    new = [k for k, picture in enumerate(levels) if not test.is_still(picture)]
    assert new == [0, 8, 16, 24]


def test_a_change_equal_to_the_threshold_is_new() -> None:
    test = StillTest(Stillness(threshold=8))
    assert not test.is_still(np.full((36, 64, 3), 100, np.uint8))
    assert not test.is_still(np.full((36, 64, 3), 108, np.uint8))


def test_another_picture_size_is_new() -> None:
    test = StillTest()
    assert not test.is_still(np.zeros((5, 40, 3), np.uint8))
    assert not test.is_still(np.zeros((6, 40, 3), np.uint8))


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"threshold": 0.0}, "threshold is 0"), ({"columns": 0}, "columns"), ({"rows": 0}, "rows")],
)
def test_options_that_make_no_sense_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Stillness(**fields)
