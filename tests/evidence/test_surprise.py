"""Surprise counts what was seen exactly, never saturates beyond, and is honest about few values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.surprise import reference_surprise
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.tail import tail_p_values
from watchword.evidence.surprise import KNOTS, Tail

NORMAL = st.lists(st.integers(-20, 20).map(lambda n: n / 4), min_size=20, max_size=120).filter(
    lambda values: len(set(values)) > 1
)


def exponential(count, seed=0):
    return np.random.default_rng(seed).exponential(size=count)


@settings(max_examples=200)
@given(NORMAL)
def test_at_every_value_seen_the_chance_is_that_of_the_calibration(normal):
    tail = Tail.fit(normal)
    at = np.unique(normal)
    chances = 10.0 ** -tail.surprise(at).astype(np.float64)
    np.testing.assert_allclose(chances, tail_p_values(normal, at), rtol=1e-5)
    counted = [reference_surprise(normal, value) for value in at]
    np.testing.assert_allclose(tail.surprise(at), counted, atol=1e-6)


@settings(max_examples=200)
@given(NORMAL, st.lists(st.floats(-6, 6), min_size=1))
def test_between_the_values_seen_it_is_never_more_than_counting_says(normal, asked):
    asked = np.minimum(asked, max(normal))
    counted = [reference_surprise(normal, value) for value in asked]
    assert (Tail.fit(normal).surprise(asked) <= np.array(counted) + 1e-6).all()


@settings(max_examples=200)
@given(NORMAL)
def test_a_higher_value_is_always_more_surprising(normal):
    tail = Tail.fit(normal)
    asked = np.linspace(min(normal), max(normal) + 50, 3000)
    said = tail.surprise(asked).astype(np.float64)
    assert (np.diff(said) > 0).all()
    assert said[0] == 0
    assert (tail.surprise(min(normal) - np.arange(3)) == 0).all()


def test_beyond_what_was_seen_there_is_no_jump():
    normal = exponential(500)
    tail, top = Tail.fit(normal), normal.max()
    assert tail.surprise(top + 1e-6) - tail.surprise(top) < 1e-4


def test_the_tail_of_a_known_distribution_is_continued():
    said = Tail.fit(exponential(20_000)).surprise([7.0, 14.0])
    np.testing.assert_allclose(said, np.array([7.0, 14.0]) / np.log(10), rtol=0.15)


def test_few_values_make_a_flatter_tail():
    steps = [10, 20, 40]
    few, some, many = (
        np.mean([Tail.fit(exponential(n, seed)).surprise(steps) for seed in range(40)], axis=0)
        for n in (20, 200, 20_000)
    )
    assert (few < some).all()
    assert (some < many).all()


def test_a_heavy_tail_is_seen_as_one():
    heavy = np.random.default_rng(0).standard_t(3, 5000)
    assert Tail.fit(heavy).surprise(100.0) < 6 < Tail.fit(exponential(5000)).surprise(100.0)


def test_a_long_series_is_kept_in_bounded_size_and_hardly_less_exactly():
    normal = exponential(50_000)
    tail = Tail.fit(normal)
    assert len(tail.values) <= KNOTS
    at = np.sort(normal)[::97]
    wanted = -np.log10(tail_p_values(normal, at))
    np.testing.assert_allclose(tail.surprise(at), wanted, atol=0.02)
    # The most surprising are kept one by one.
    top = np.sort(normal)[-10:]
    np.testing.assert_allclose(tail.surprise(top), -np.log10(tail_p_values(normal, top)), rtol=1e-5)


def test_what_was_not_measured_stays_so_and_shapes_are_kept():
    tail = Tail.fit([*exponential(50), np.nan])
    assert tail.count == 50
    said = tail.surprise([[np.nan, 1.0], [2.0, np.nan]])
    np.testing.assert_array_equal(np.isnan(said), [[True, False], [False, True]])
    assert said.dtype == np.float32


def test_values_in_blocks_count_once_by_their_highest():
    series = exponential(103)
    series[20:40] = np.nan
    highest = [np.nanmax(series[a : a + 5]) for a in range(0, 103, 5) if not 20 <= a < 40]
    assert len(highest) < 20
    with pytest.raises(CalibrationError, match=f"from {len(highest)} values"):
        Tail.fit(series, block=5)
    long = np.tile(series, 3)
    assert Tail.fit(long, block=4).count < Tail.fit(long).count


def test_a_tail_written_down_and_read_says_the_same():
    tail = Tail.fit(exponential(700))
    read = Tail.from_dict(json.loads(json.dumps(tail.to_dict())))
    asked = np.linspace(-1, 30, 500)
    assert read.surprise(asked).tobytes() == tail.surprise(asked).tobytes()


def test_footage_that_tells_nothing_is_refused():
    with pytest.raises(CalibrationError, match="give more footage"):
        Tail.fit(np.arange(19))
    with pytest.raises(CalibrationError, match="something moves"):
        Tail.fit(np.zeros(100))


def test_nearly_all_values_the_same_still_rank_what_lies_beyond():
    tail = Tail.fit([0.0] * 99 + [1.0])
    said = tail.surprise([0.0, 1.0, 2.0, 3.0])
    assert np.isfinite(said).all()
    assert (np.diff(said) > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tail.fit([[1.0]]), "one finite series"),
        (lambda: Tail.fit([np.inf] * 30), "one finite series"),
        (lambda: Tail.fit(np.arange(30), block=0), "block is 0"),
        (lambda: Tail.from_dict({"values": [1.0]}), "no saved tail"),
        (lambda: Tail([1.0, 1.0], [2, 1], 2, 0.0, 1.0, 0.1), "rise"),
        (lambda: Tail([1.0, 2.0], [1, 2], 2, 0.0, 1.0, 0.1), "must fall"),
        (lambda: Tail([1.0, 2.0], [2, 1], 2, 0.0, 0.0, 0.1), "positive"),
    ],
)
def test_what_makes_no_tail_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
