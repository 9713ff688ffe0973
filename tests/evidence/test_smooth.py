"""Smoothing is that of the obvious way, on regular and irregular times, with and without holes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.smoothing import reference_smooth
from watchword.evidence.smooth import Smoothing, smooth
from watchword.types import Scores

NAN = float("nan")
METHODS = st.sampled_from(["mean", "gaussian", "median"])


def scores_of(*values, step=1.0, kind="cosine"):
    column = np.array(values, np.float32)[:, None]
    return Scores(column, np.arange(len(values) + 1) * step, ("a",), kind)


@st.composite
def series(draw):
    windows = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = rng.random((windows, 2)).astype(np.float32)
    values[rng.random((windows, 2)) < draw(st.sampled_from([0, 0.3, 0.9]))] = np.nan
    steps = draw(
        st.one_of(
            st.sampled_from([0.1, 1 / 30]).map(lambda step: np.full(windows, step)),
            st.lists(
                st.sampled_from([0.1, 0.133, 0.5, 3.0]), min_size=windows, max_size=windows
            ).map(np.array),
        )
    )
    return values, 2.5 + np.concatenate([[0], np.cumsum(steps)])


@settings(max_examples=400)
@given(series(), METHODS, st.sampled_from([0.05, 0.2, 0.3, 1.0, 100.0]), st.booleans())
def test_smoothing_is_that_of_the_obvious_way(case, method, width_s, causal):
    values, edges = case
    found = smooth(Scores(values, edges, ("a", "b"), "margin"), Smoothing(method, width_s, causal))
    expected = reference_smooth(edges, values.astype(np.float64), method, width_s, causal)
    np.testing.assert_allclose(found.values, expected, atol=1e-6)


@settings(max_examples=100)
@given(series(), METHODS, st.sampled_from([0.2, 1.0]), st.integers(0, 25))
def test_causal_smoothing_does_not_know_the_future(case, method, width_s, cut):
    values, edges = case
    cut = min(cut, len(values))
    smoothing = Smoothing(method, width_s, causal=True)
    whole = smooth(Scores(values, edges, ("a", "b"), "margin"), smoothing)
    past = smooth(Scores(values[:cut], edges[: cut + 1], ("a", "b"), "margin"), smoothing)
    np.testing.assert_allclose(past.values, whole.values[:cut], atol=1e-6)


def test_no_smoothing_changes_nothing():
    scores = scores_of(1, 0, 1)
    assert smooth(scores, Smoothing()) is scores


def test_a_mean_over_three_windows_worked_by_hand():
    found = smooth(scores_of(0, 3, 0, 0, NAN, 6), Smoothing("mean", 3))
    np.testing.assert_allclose(found["a"], [1.5, 1, 1, 0, NAN, 6])


def test_a_causal_mean_takes_as_many_windows_as_fill_the_width():
    found = smooth(scores_of(5, 0, 0, 0, 0, 0, step=0.1), Smoothing("mean", 0.5, causal=True))
    np.testing.assert_allclose(found["a"], [5, 2.5, 5 / 3, 1.25, 1, 0], atol=1e-6)


def test_a_median_removes_a_single_spike():
    found = smooth(scores_of(0, 0, 9, 0, 0), Smoothing("median", 3))
    np.testing.assert_array_equal(found["a"], np.zeros(5))


def test_a_window_counts_by_its_length():
    scores = Scores([[0.0], [1.0]], [0.0, 3.0, 4.0], ("a",), "cosine")
    np.testing.assert_allclose(smooth(scores, Smoothing("mean", 10))["a"], [0.25, 0.25])


@pytest.mark.parametrize("method", ["mean", "gaussian", "median"])
def test_smoothed_probabilities_stay_probabilities(method):
    scores = scores_of(*[1.0] * 50, step=0.1, kind="probability")
    np.testing.assert_array_equal(smooth(scores, Smoothing(method, 0.7))["a"], np.ones(50))


@pytest.mark.parametrize("method", ["mean", "gaussian", "median"])
def test_nothing_measured_stays_so(method):
    assert np.isnan(smooth(scores_of(NAN, NAN), Smoothing(method))["a"]).all()
    empty = Scores(np.zeros((0, 1)), [0.0], ("a",), "cosine")
    assert len(smooth(empty, Smoothing(method))) == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"method": "kalman"}, "method is 'kalman'"), ({"width_s": 0}, "width_s is 0")],
)
def test_options_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Smoothing(**fields)
