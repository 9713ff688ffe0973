"""Features at eight bits a number: what is kept of them, and that any part is the whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchword.features import Features, from_codes, to_codes


def unit(rows: int, width: int = 1280) -> np.ndarray:
    """Rows like those of a picture network: most numbers small, a third of them zero."""
    made = np.random.default_rng(rows).standard_normal((rows, width)).astype(np.float32) ** 3
    made[:, ::3] = 0
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_rows_have_unit_length_and_lie_close_to_what_was_kept() -> None:
    rows = unit(50)
    back = from_codes(to_codes(rows))
    assert back.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(back - rows, axis=1).max() < 0.02


def test_small_numbers_keep_more_than_even_steps_would() -> None:
    rows = unit(50)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    even = np.rint(rows / largest * 127) / 127 * largest
    small = (np.abs(rows) < 0.1 * largest) & (rows != 0)
    kept = from_codes(to_codes(rows))
    assert np.abs(kept - rows)[small].mean() < 0.6 * np.abs(even - rows)[small].mean()


@given(arrays(np.float32, (3, 5), elements=st.floats(-1, 1, width=32)))
def test_rounding_is_the_same_on_both_sides_of_zero(rows: np.ndarray) -> None:
    rows[:, 0] = 1
    np.testing.assert_array_equal(to_codes(-rows), -to_codes(rows))


@given(st.lists(st.integers(0, 40), max_size=6))
def test_any_part_is_the_same_to_the_bit(cuts: list[int]) -> None:
    features = Features(to_codes(unit(40)), np.arange(41.0), "e", "v")
    edges = [0, *sorted(cuts), 40]
    parts = [features.rows(slice(a, b)) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), features.rows(slice(None)))


def test_a_row_that_was_not_measured_stays_so() -> None:
    rows = unit(3)
    rows[1] = np.nan
    back = from_codes(to_codes(rows))
    assert np.isnan(back[1]).all()
    assert np.isfinite(back[[0, 2]]).all()


def test_features_of_an_encoder_without_any_are_its_vectors_themselves() -> None:
    vectors = unit(4, 8)
    features = Features(vectors, np.arange(5.0), "e")
    assert features.codes is None
    assert (len(features), features.width) == (4, 8)
    assert np.shares_memory(features.rows(slice(1, 3)), vectors)


def test_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="edges_s has shape"):
        Features(to_codes(unit(4)), np.arange(4.0), "e")
