"""Resampled figures are those of videos really repeated; the same for any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from watchword.evaluation.bootstrap import (
    FrameBootstrap,
    Interval,
    bootstrap_weights,
    interval,
    other_sign_p,
    paired_difference,
    resampled,
    resampled_mean,
    resampled_ratio,
)

NAN = float("nan")


@st.composite
def videos(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    steps = draw(st.sampled_from([1, 3, 1000]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    lengths = rng.integers(1, 9, draw(st.integers(1, 7)))
    truths = [rng.random(length) < rng.choice([0.0, 0.5, 1.0]) for length in lengths]
    scores = [(rng.integers(-steps, steps, length) / 3).astype(dtype) for length in lengths]
    return truths, scores


@settings(max_examples=200)
@given(videos())
def test_areas_are_those_of_videos_repeated(given_videos):
    truths, scores = given_videos
    weights = bootstrap_weights(len(truths), 12, seed=1)
    auc, ap = FrameBootstrap(truths, scores).areas(weights)
    for row, mine_auc, mine_ap in zip(weights, auc, ap, strict=True):
        truth = np.concatenate([t for t, w in zip(truths, row, strict=True) for _ in range(w)])
        score = np.concatenate([s for s, w in zip(scores, row, strict=True) for _ in range(w)])
        if truth.all() or not truth.any():
            assert np.isnan([mine_auc, mine_ap]).all()
        else:
            assert mine_auc == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
            assert mine_ap == pytest.approx(average_precision_score(truth, score), abs=1e-12)


def test_areas_are_exact_on_many_windows_and_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    lengths = rng.integers(50, 3000, 40)
    truths = [rng.random(length) < 0.2 for length in lengths]
    scores = [np.round(rng.normal(size=len(t)) + t, 2).astype(np.float32) for t in truths]
    weights = bootstrap_weights(40, 21, seed=2)
    one = FrameBootstrap(truths, scores, threads=1).areas(weights)
    three = FrameBootstrap(truths, scores, threads=3).areas(weights)
    np.testing.assert_array_equal(one, three)
    truth, score = np.concatenate(truths), np.concatenate(scores)
    for row in range(3):
        repeated = np.repeat(weights[row], lengths)
        expected = roc_auc_score(truth, score, sample_weight=repeated)
        assert one[0][row] == pytest.approx(expected, abs=1e-12)
        expected = average_precision_score(truth, score, sample_weight=repeated)
        assert one[1][row] == pytest.approx(expected, abs=1e-12)


def test_counts_beyond_32_bits_do_not_overflow():
    truths, scores = [[1, 0, 0]], [[0.5, 0.9, 0.1]]
    (auc,), (ap,) = FrameBootstrap(truths, scores).areas([[2**31]])
    assert (auc, ap) == (0.5, 0.5)


def test_single_areas():
    bootstrap = FrameBootstrap([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.1]])
    weights = np.array([[1, 1], [2, 0], [0, 2]])
    np.testing.assert_allclose(bootstrap.auc(weights), [0.625, 1.0, 0.0])
    np.testing.assert_allclose(bootstrap.average_precision(weights), [0.75, 1.0, 0.5])


class TestWeights:
    def test_draw_as_many_videos_as_there_are(self):
        weights = bootstrap_weights(20, 5000, seed=3)
        assert weights.shape == (5000, 20)
        assert (weights.sum(axis=1) == 20).all()
        # Each video is missed by a resample with probability (1 - 1/20)^20.
        assert (weights == 0).mean() == pytest.approx(0.95**20, abs=0.01)
        assert weights.var() == pytest.approx(0.95, abs=0.02)

    def test_depend_on_the_seed_alone(self):
        np.testing.assert_array_equal(bootstrap_weights(9, 50, 4), bootstrap_weights(9, 50, 4))
        assert (bootstrap_weights(9, 50, 4) != bootstrap_weights(9, 50, 5)).any()

    @pytest.mark.parametrize(("count", "samples"), [(0, 10), (10, 0)])
    def test_faults_are_refused(self, count, samples):
        with pytest.raises(ValueError, match="1 or more"):
            bootstrap_weights(count, samples, 0)


class TestInterval:
    def test_is_the_middle_part_of_the_resamples(self):
        result = interval(np.arange(101.0), 0.9)
        assert (result.low, result.high) == pytest.approx((5, 95))
        assert (result.undefined, result.samples) == (0, 101)

    def test_leaves_out_and_counts_undefined_resamples(self):
        assert interval([1.0, NAN, 1.0]) == Interval(1.0, 1.0, 1, 3)
        assert interval([1.0, NAN]) == Interval(1.0, 1.0, 1, 2)
        assert interval([1.0, NAN, NAN]) == Interval(None, None, 2, 3)

    def test_covers_a_mean_about_as_often_as_it_says(self):
        rng = np.random.default_rng(5)
        inside = 0
        for seed in range(200):
            values = rng.normal(size=40)
            ends = interval(resampled_mean(values.tolist(), bootstrap_weights(40, 400, seed)))
            inside += ends.low <= 0 <= ends.high
        assert 0.88 <= inside / 200 <= 0.98

    def test_faults_are_refused(self):
        with pytest.raises(ValueError, match="samples"):
            interval([])
        with pytest.raises(ValueError, match="level"):
            interval([1.0], 95)


class TestPairs:
    def test_a_difference_is_taken_draw_by_draw(self):
        a = np.arange(100.0)
        assert paired_difference(a + 1, a) == Interval(1.0, 1.0, 0, 100)
        assert interval(a + 1).low < interval(a).high

    def test_other_draws_are_refused(self):
        with pytest.raises(ValueError, match="same weights"):
            paired_difference([1.0, 2.0], [1.0])

    def test_p_is_twice_the_share_beyond_zero(self):
        assert other_sign_p(np.append(np.ones(999), -1)) == pytest.approx(2 * 2 / 1001)
        assert other_sign_p(np.ones(999)) == pytest.approx(2 / 1000)
        assert other_sign_p(-np.ones(999)) == pytest.approx(2 / 1000)
        assert other_sign_p([0.0] * 9) == 1.0
        assert other_sign_p([1.0, NAN, NAN]) is None
        assert other_sign_p([NAN]) is None


class TestOthers:
    def test_a_ratio_is_that_of_videos_repeated(self):
        rng = np.random.default_rng(6)
        videos = [(rng.random(20) < 0.4, rng.random(20) < 0.5) for _ in range(8)]
        twice_tp = [2 * (truth & hits).sum() for truth, hits in videos]
        whole = [truth.sum() + hits.sum() for truth, hits in videos]
        weights = bootstrap_weights(8, 10, seed=7)
        for row, value in zip(weights, resampled_ratio(twice_tp, whole, weights), strict=True):
            drawn = [pair for pair, w in zip(videos, row, strict=True) for _ in range(w)]
            truth, hits = map(np.concatenate, zip(*drawn, strict=True))
            assert value == pytest.approx(f1_score(truth, hits))

    def test_no_denominator_is_undefined(self):
        assert np.isnan(resampled_ratio([0, 1], [0, 1], np.array([[2, 0]]))).all()

    def test_a_mean_is_over_the_videos_that_have_the_number(self):
        weights = np.array([[1, 1, 1], [0, 3, 0], [2, 1, 0]])
        np.testing.assert_allclose(resampled_mean([1.0, None, 3.0], weights), [2.0, NAN, 1.0])

    def test_any_statistic_row_by_row(self):
        weights = bootstrap_weights(4, 30, seed=8)

        def first_drawn(row):
            return float(row[0]) if row[0] else None

        expected = np.where(weights[:, 0] > 0, weights[:, 0], np.nan)
        for threads in (1, 4, None):
            values = resampled(first_drawn, weights, threads=threads)
            np.testing.assert_array_equal(values, expected)

    def test_an_error_in_a_thread_is_not_lost(self):
        def broken(row):
            raise RuntimeError("here")

        with pytest.raises(RuntimeError, match="here"):
            resampled(broken, np.ones((3, 2), np.int64))


class TestFaults:
    @pytest.mark.parametrize(
        ("truths", "scores", "words"),
        [
            ([], [], "0 truths"),
            ([[1, 0]], [[0.1, 0.2], [0.3]], "1 truths and 2 scores"),
            ([[1, 0]], [[0.1]], "shape"),
            ([[1, 0], []], [[0.1, 0.2], []], "N of 1 or more"),
            ([[1, 0]], [[0.1, NAN]], "NaN"),
            ([[1, 3]], [[0.1, 0.2]], "truth holds"),
        ],
    )
    def test_of_data_are_refused(self, truths, scores, words):
        with pytest.raises(ValueError, match=words):
            FrameBootstrap(truths, scores)

    @pytest.mark.parametrize("weights", [[1, 1], [[1, 1, 0]], [[1.0, 1.0]], [[3, -1]]])
    def test_of_weights_are_refused(self, weights):
        with pytest.raises(ValueError, match="weights"):
            FrameBootstrap([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.1]]).areas(weights)
