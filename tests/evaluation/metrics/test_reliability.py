"""Reliability, Brier score and calibration error against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from watchword.evaluation.metrics.reliability import brier, calibration_error, reliability

PAIRS = st.lists(st.tuples(st.booleans(), st.floats(0, 1, width=32)), min_size=1, max_size=80)


@given(pairs=PAIRS)
def test_the_brier_score_is_that_of_scikit_learn(pairs):
    truth, said = (np.array(part) for part in zip(*pairs, strict=True))
    theirs = brier_score_loss(truth.astype(int), said, pos_label=1)
    assert brier(truth, said) == pytest.approx(theirs)


def test_bins_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    said = draw.random(500)
    truth = draw.random(500) < said
    true, mean = calibration_curve(truth, said, n_bins=10)
    ours = reliability(truth, said)
    assert [one.true for one in ours] == pytest.approx(true)
    assert [one.said for one in ours] == pytest.approx(mean)
    assert sum(one.count for one in ours) == 500


@given(pairs=PAIRS)
def test_the_error_is_the_mean_distance_of_the_bins(pairs):
    truth, said = (np.array(part) for part in zip(*pairs, strict=True))
    bins = [one for one in reliability(truth, said) if one.count]
    by_hand = sum(one.count * abs(one.said - one.true) for one in bins) / len(pairs)
    assert calibration_error(truth, said) == pytest.approx(by_hand, abs=1e-12)


def test_weights_count_as_repeats():
    truth, said, often = [1, 0, 1], [0.9, 0.4, 0.2], [1, 3, 2]
    again = np.repeat(truth, often), np.repeat(said, often)
    assert brier(truth, said, weights=often) == pytest.approx(brier(*again))
    assert calibration_error(truth, said, weights=often) == pytest.approx(calibration_error(*again))


def test_empty_bins_say_nothing_and_one_is_in_the_last():
    bins = reliability([1, 0], [1.0, 0.0], bins=4)
    assert [(one.count, one.said, one.true) for one in bins] == [
        (1, 0.0, 0.0),
        (0, None, None),
        (0, None, None),
        (1, 1.0, 1.0),
    ]


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        brier([1, 0], [1.2, 0.0])
    with pytest.raises(ValueError, match="bins is 0"):
        reliability([1, 0], [0.2, 0.0], bins=0)
