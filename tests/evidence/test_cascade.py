"""Which windows are asked about, and how answers and cheap scores become one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.evidence.cascade import Bought, CascadeOptions, choose_windows, merge
from watchword.evidence.platt import Platt, expit, logit

NAN = np.nan


@given(
    cheap=st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), min_size=1, max_size=30),
    budget=st.one_of(st.integers(0, 40), st.floats(0, 1)),
    threshold=st.floats(0.1, 0.9),
)
def test_the_nearest_to_the_threshold_are_asked_first(cheap, budget, threshold):
    options = CascadeOptions(budget=budget, margin=None)
    chosen, unsure = choose_windows(np.array(cheap), threshold, options)
    assert unsure == len(cheap)
    assert chosen.sum() == options.calls(len(cheap)) <= len(cheap)
    away = np.nan_to_num(np.abs(logit(cheap) - logit(threshold)), nan=np.inf)
    if chosen.any() and not chosen.all():
        assert away[chosen].max() <= away[~chosen].min()


def test_sure_windows_are_never_asked_about():
    cheap = np.array([0.01, 0.45, 0.6, 0.99, NAN])
    chosen, unsure = choose_windows(cheap, 0.5, CascadeOptions(budget=1.0, margin=1.0))
    assert chosen.tolist() == [False, True, True, False, True]
    assert unsure == 3


def test_both_count_in_log_odds():
    options = CascadeOptions(weight=0.25)
    merged = merge(np.array([0.2, 0.7, NAN, NAN]), np.array([0.9, NAN, 0.4, NAN]), options)
    both = expit(0.75 * logit(0.2) + 0.25 * logit(0.9))
    np.testing.assert_allclose(merged, [both, 0.7, 0.4, NAN])


def test_answers_are_put_right_before_they_count():
    options = CascadeOptions(weight=1.0, answers=Platt(2.0, -1.0))
    merged = merge(np.array([0.5]), np.array([0.8]), options)
    np.testing.assert_allclose(merged, expit(2 * logit(0.8) - 1))


def test_certain_scores_stay_numbers():
    merged = merge(np.array([0.0, 1.0]), np.array([1.0, 0.0]), CascadeOptions())
    np.testing.assert_allclose(merged, [0.5, 0.5], atol=1e-9)


@pytest.mark.parametrize(
    "wrong", [{"budget": -1}, {"budget": 1.5}, {"budget": True}, {"margin": 0}, {"weight": 1.2}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CascadeOptions(**wrong)


def test_what_was_bought_is_a_sentence():
    said = Bought(120, 40, 24, 24, 5, (3, 2), turned=True).sentence
    assert "24 of 120 windows" in said
    assert "from 3 to 2, the verdict is another" in said
