"""Correlations agree with scipy and with looking at every pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reference.areas import reference_tau
from watchword.evaluation.metrics.correlation import kendall_tau, mean_ranks, pearson, spearman

LISTS = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        *[
            st.one_of(
                st.lists(st.integers(0, 3), min_size=n, max_size=n),
                st.lists(st.floats(-5, 5, width=32), min_size=n, max_size=n),
            )
        ]
        * 2
    )
)


def constant(values):
    return len(set(values)) == 1


@settings(max_examples=300)
@given(LISTS)
def test_tau_agrees_with_scipy(pair):
    x, y = (np.array(values, float) for values in pair)
    for variant in "bc":
        tau = kendall_tau(x, y, variant)
        if constant(x) or constant(y):
            assert tau is None
        else:
            assert tau == pytest.approx(
                stats.kendalltau(x, y, variant=variant).statistic, abs=1e-12
            )
            assert tau == pytest.approx(reference_tau(x, y, variant), abs=1e-12)


@settings(max_examples=300)
@given(LISTS)
def test_spearman_and_ranks_agree_with_scipy(pair):
    x, y = (np.array(values, float) for values in pair)
    np.testing.assert_array_equal(mean_ranks(x), stats.rankdata(x))
    if constant(x) or constant(y):
        assert spearman(x, y) is None
    else:
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("seed", range(5))
def test_pearson_agrees_with_scipy_at_any_scale(seed, scale):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=50)
    y = x + rng.normal(size=50)
    expected = stats.pearsonr(x, y).statistic
    assert pearson(x * scale, y / scale) == pytest.approx(expected, abs=1e-12)


def test_long_lists_agree_with_scipy():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 500, 20_000)
    y = x + rng.normal(0, 300, 20_000).round()
    assert kendall_tau(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_known_answers():
    assert kendall_tau([1, 2, 3], [1, 2, 3]) == 1.0
    assert kendall_tau([1, 2, 3], [3, 2, 1], "c") == -1.0
    assert spearman([1, 2, 3], [1, 8, 27]) == 1.0
    assert pearson([1, 2, 3], [-2, -4, -6]) == -1.0


def test_a_constant_list_has_no_correlation():
    for measure in (kendall_tau, spearman, pearson):
        assert measure([1, 2, 3], [2, 2, 2]) is None
        assert measure([0.1] * 3, [1, 2, 3]) is None
        assert measure([1], [2]) is None


def test_faults_are_refused():
    for measure in (kendall_tau, spearman, pearson):
        with pytest.raises(ValueError, match="N of 1 or more"):
            measure([], [])
        with pytest.raises(ValueError, match="shape"):
            measure([1, 2], [1])
        with pytest.raises(ValueError, match="1 of 2 pairs hold a NaN"):
            measure([1, 2], [1, math.nan])
    with pytest.raises(ValueError, match="finite"):
        pearson([1, math.inf], [1, 2])
    with pytest.raises(ValueError, match="b or c"):
        kendall_tau([1, 2], [1, 2], "a")
