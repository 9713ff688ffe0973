"""Frame measures agree with scikit-learn and with looking at every pair; faults are refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from reference.areas import reference_auc, reference_average_precision, reference_counts
from watchword.evaluation.metrics.confusion import Confusion, confusion, threshold_counts
from watchword.evaluation.metrics.frame import (
    average_precision,
    best_f1,
    best_youden,
    macro_auc,
    pr_curve,
    roc_auc,
    roc_curve,
    trapezoid_pr_auc,
)

AREAS = [roc_auc, average_precision, trapezoid_pr_auc, roc_curve, pr_curve, best_f1, best_youden]


@st.composite
def data(draw, most=60):
    """A truth with both classes, scores of few to many steps, and weights with zeros."""
    count = draw(st.integers(2, most))
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    truth = rng.random(count) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    truth[:2] = True, False
    steps = draw(st.sampled_from([1, 2, 5, 1000]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    scores = (rng.integers(-steps, steps + 1, count) / 7).astype(dtype)
    weights = rng.integers(0, 4, count)
    weights[:2] += 1
    return truth, scores, weights


@settings(max_examples=300)
@given(data())
def test_areas_agree_with_scikit_learn(given_data):
    truth, scores, weights = given_data
    assert roc_auc(truth, scores) == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)
    assert average_precision(truth, scores) == pytest.approx(
        sk.average_precision_score(truth, scores), abs=1e-12
    )
    precision, recall, _ = sk.precision_recall_curve(truth, scores)
    assert trapezoid_pr_auc(truth, scores) == pytest.approx(sk.auc(recall, precision), abs=1e-12)
    assert roc_auc(truth, scores, weights=weights) == pytest.approx(
        sk.roc_auc_score(truth, scores, sample_weight=weights), abs=1e-12
    )
    assert average_precision(truth, scores, weights=weights) == pytest.approx(
        sk.average_precision_score(truth, scores, sample_weight=weights), abs=1e-12
    )


@settings(max_examples=50)
@given(data(most=25))
def test_areas_agree_with_every_pair_and_threshold(given_data):
    truth, scores, _ = given_data
    assert roc_auc(truth, scores) == pytest.approx(reference_auc(truth, scores), abs=1e-12)
    assert average_precision(truth, scores) == pytest.approx(
        reference_average_precision(truth, scores), abs=1e-12
    )


@settings(max_examples=100)
@given(data())
def test_whole_weights_are_windows_repeated(given_data):
    truth, scores, weights = given_data
    again, repeated = np.repeat(truth, weights), np.repeat(scores, weights)
    for measure in (roc_auc, average_precision, trapezoid_pr_auc, best_f1, best_youden):
        assert measure(truth, scores, weights=weights) == pytest.approx(
            measure(again, repeated), abs=1e-12
        ), measure


@settings(max_examples=100)
@given(data())
def test_curves_agree_with_scikit_learn(given_data):
    truth, scores, _ = given_data
    for mine, theirs in zip(
        roc_curve(truth, scores),
        sk.roc_curve(truth, scores, drop_intermediate=False),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs)
    precision, recall, thresholds = sk.precision_recall_curve(truth, scores)
    mine = pr_curve(truth, scores)
    np.testing.assert_allclose(mine[0], precision[::-1])
    np.testing.assert_allclose(mine[1], recall[::-1])
    np.testing.assert_allclose(mine[2][1:], thresholds[::-1])


@settings(max_examples=100)
@given(data(), st.sampled_from([0.5, 1.0, 2.0]))
def test_best_thresholds_are_the_best_and_the_highest_of_the_best(given_data, beta):
    truth, scores, _ = given_data
    threshold, value = best_f1(truth, scores, beta=beta)
    assert value == pytest.approx(sk.fbeta_score(truth, scores >= threshold, beta=beta))
    every = {t: confusion(truth, scores >= t) for t in scores}
    assert value == pytest.approx(max(each.f_beta(beta) for each in every.values()))
    assert all(each.f_beta(beta) < value - 1e-12 for t, each in every.items() if t > threshold)
    threshold, value = best_youden(truth, scores)
    assert value == pytest.approx(every[scores.dtype.type(threshold)].youden)
    assert value == pytest.approx(max(each.youden for each in every.values()))
    assert all(each.youden < value - 1e-12 for t, each in every.items() if t > threshold)


def test_known_answers():
    truth, scores = [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]
    assert roc_auc(truth, scores) == 0.75
    assert average_precision(truth, scores) == pytest.approx((1 + 2 / 3) / 2)
    assert trapezoid_pr_auc(truth, scores) == pytest.approx(0.5 + (0.5 + 2 / 3) / 4)
    assert best_f1(truth, scores) == (0.7, pytest.approx(0.8))


def test_scores_that_know_nothing_reach_chance():
    truth = np.arange(10) < 3
    same = np.full(10, 0.4)
    assert roc_auc(truth, same) == 0.5
    assert average_precision(truth, same) == pytest.approx(0.3)


def test_a_million_windows_are_exact():
    rng = np.random.default_rng(0)
    truth = rng.random(1_000_000) < 0.3
    scores = np.round(rng.random(1_000_000) + 0.2 * truth, 3)
    assert roc_auc(truth, scores) == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-14)


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0]])
def test_one_class_has_no_area(truth):
    for measure in (roc_auc, average_precision, trapezoid_pr_auc, roc_curve, pr_curve, best_youden):
        assert measure(truth, [0.1, 0.2, 0.3]) is None
    assert (best_f1(truth, [0.1, 0.2, 0.3]) is None) == (truth[0] == 0)


def test_a_class_without_weight_is_no_class():
    assert roc_auc([1, 0], [0.9, 0.1], weights=[1, 0]) is None
    assert average_precision([1, 0], [0.9, 0.1], weights=[0, 1]) is None


def test_windows_without_weight_are_not_there():
    curve = pr_curve([1, 0, 1], [0.9, 0.8, 0.95], weights=[1, 1, 0])
    assert curve[2].tolist() == [math.inf, 0.9, 0.8]
    assert best_f1([1, 0, 1], [0.9, 0.8, 0.95], weights=[1, 1, 0]) == (0.9, 1.0)


@pytest.mark.parametrize("measure", AREAS)
@pytest.mark.parametrize(
    ("truth", "scores", "words"),
    [
        ([], [], "N of 1 or more"),
        ([[1, 0]], [[0.1, 0.2]], "N of 1 or more"),
        ([1, 0], [0.5], r"shape \(1,\), the truth has shape \(2,\)"),
        ([1, 0], [0.5, math.nan], "1 of 2 scores are NaN"),
        ([1, 2], [0.5, 0.6], "truth holds .*2"),
        ([0.5, 1.0], [0.5, 0.6], "truth holds .*0.5"),
        ([math.nan, 1.0], [0.5, 0.6], "truth holds .*nan"),
    ],
)
def test_faults_are_refused(measure, truth, scores, words):
    with pytest.raises(ValueError, match=words):
        measure(truth, scores)


@pytest.mark.parametrize("weights", [[1], [1, -1], [1, math.nan], [math.inf, 1], [0, 0]])
def test_odd_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        roc_auc([1, 0], [0.5, 0.6], weights=weights)


class TestMacro:
    PAIRS = (([1, 0, 0], [0.9, 0.2, 0.1]), ([1, 0], [0.1, 0.9]), ([0, 0], [0.3, 0.4]))

    def test_skips_or_pads_videos_of_one_class(self):
        assert macro_auc(self.PAIRS, padding="skip") == 0.5
        # Padded: 5 of 6 windows pairs and ties by hand: 1, (1 of 4 lost) 0.75, 1.
        assert macro_auc(self.PAIRS, padding="pad") == pytest.approx((1 + 0.75 + 1) / 3)

    def test_pads_as_ones_own_two_windows_do(self):
        rng = np.random.default_rng(1)
        pairs = [(rng.random(9) < 0.3, np.round(rng.random(9), 1)) for _ in range(20)]
        areas = [
            sk.roc_auc_score(np.append(truth, [False, True]), np.append(scores, [0, 1]))
            for truth, scores in pairs
        ]
        assert macro_auc(pairs, padding="pad") == pytest.approx(np.mean(areas))

    def test_a_score_outside_the_bounds_is_refused(self):
        pairs = [([1, 0], [0.2, -0.3])]
        with pytest.raises(ValueError, match=r"reach from -0.3 to 0.2"):
            macro_auc(pairs, padding="pad")
        assert macro_auc(pairs, padding="pad", bounds=(-1, 1)) == 1.0
        assert macro_auc(pairs, padding="skip") == 1.0

    def test_without_a_video_of_both_classes_there_is_none(self):
        assert macro_auc([([0, 0], [0.1, 0.2])], padding="skip") is None
        assert macro_auc([], padding="pad") is None

    def test_another_padding_is_refused(self):
        with pytest.raises(ValueError, match="skip, pad"):
            macro_auc(self.PAIRS, padding="half")


class TestConfusion:
    def test_agrees_with_scikit_learn(self):
        rng = np.random.default_rng(2)
        truth, hits = rng.random(200) < 0.3, rng.random(200) < 0.4
        counts = confusion(truth, hits)
        assert [counts.tn, counts.fp, counts.fn, counts.tp] == sk.confusion_matrix(
            truth, hits
        ).ravel().tolist()
        assert counts.precision == pytest.approx(sk.precision_score(truth, hits))
        assert counts.recall == pytest.approx(sk.recall_score(truth, hits))
        assert counts.f1 == pytest.approx(sk.f1_score(truth, hits))
        assert counts.f_beta(2) == pytest.approx(sk.fbeta_score(truth, hits, beta=2))
        assert counts.accuracy == pytest.approx(sk.accuracy_score(truth, hits))
        assert counts.iou == pytest.approx(sk.jaccard_score(truth, hits))
        assert counts.specificity == pytest.approx(sk.recall_score(~truth, ~hits))

    def test_counts_are_whole_unless_weighed(self):
        assert isinstance(confusion([1, 0], [1, 1]).tp, int)
        assert confusion([1, 0, 1], [1, 1, 0], weights=[0.5, 2, 3]) == Confusion(0, 2, 3, 0.5)

    def test_what_is_not_defined_is_none(self):
        quiet = Confusion(5, 0, 0, 0)
        assert quiet.precision is quiet.recall is quiet.f1 is quiet.iou is quiet.youden is None
        assert (quiet.accuracy, quiet.specificity) == (1.0, 1.0)
        missed = Confusion(5, 0, 2, 0)
        assert missed.precision is None
        assert (missed.recall, missed.f1, missed.iou) == (0.0, 0.0, 0.0)
        assert Confusion(0, 1, 0, 1).specificity == 0.0
        assert Confusion(0, 0, 0, 0).accuracy is None

    def test_adds_up(self):
        assert Confusion(1, 2, 3, 4) + Confusion(5, 6, 7, 8) == Confusion(6, 8, 10, 12)

    def test_faults_are_refused(self):
        with pytest.raises(ValueError, match="negative"):
            Confusion(0, 0, -1, 0)
        with pytest.raises(ValueError, match="beta is 0"):
            Confusion(1, 1, 1, 1).f_beta(0)
        with pytest.raises(ValueError, match="hits have shape"):
            confusion([1, 0], [1])
        with pytest.raises(ValueError, match="truth holds"):
            confusion([1, 0], [0.4, 1])


class TestThresholdCounts:
    @settings(max_examples=100)
    @given(data(), st.lists(st.floats(-3, 3), max_size=6))
    def test_agree_with_counting(self, given_data, others):
        truth, scores, weights = given_data
        thresholds = [*others, *scores.astype(float), -math.inf, math.inf]
        rows = np.stack(threshold_counts(truth, scores, thresholds), axis=1)
        weighed = np.stack(threshold_counts(truth, scores, thresholds, weights=weights), axis=1)
        for threshold, row, heavy in zip(thresholds, rows, weighed, strict=True):
            assert tuple(row) == reference_counts(truth, scores, threshold)
            each = confusion(truth, scores >= threshold, weights=weights)
            assert tuple(heavy) == (each.tn, each.fp, each.fn, each.tp)

    def test_a_score_at_the_threshold_is_a_hit_in_its_own_precision(self):
        scores = np.array([0.7, 0.1], np.float32)
        # float32 0.7 is a little below 0.7, yet is meant by it.
        assert float(scores[0]) < 0.7
        assert [c[0] for c in threshold_counts([1, 0], scores, [0.7])] == [1, 0, 0, 1]

    def test_odd_thresholds_are_refused(self):
        for thresholds in ([[0.1]], [math.nan], 0.5):
            with pytest.raises(ValueError, match="thresholds"):
                threshold_counts([1, 0], [0.1, 0.2], thresholds)


@pytest.mark.shared
def test_figures_of_seed_1_on_its_own_matrices(shared):
    folder = shared / "data/clip_hazard_signals"
    truths, scores = [], []
    for path in sorted((folder / "clip_scores").glob("scene_*.npy")):
        # Rows 39 and 40 are the truth's own words.
        scores.append(np.load(path)[:38].max(axis=0))
        scene = json.loads((folder / "annotations" / f"{path.stem}.mp4.json").read_text())
        truths.append(np.zeros(len(scores[-1]), bool))
        for span in scene["events"]:
            truths[-1][span["start"] : span["end"]] = True
    truth, every = np.concatenate(truths), np.concatenate(scores)
    pairs = list(zip(truths, scores, strict=True))
    assert len(pairs) == 14
    assert roc_auc(truth, every) == pytest.approx(0.465, abs=5e-4)
    assert macro_auc(pairs, padding="skip") == pytest.approx(0.571, abs=5e-4)
    assert average_precision(truth, every) == pytest.approx(0.338, abs=5e-4)
    always = confusion(truth, np.ones(len(truth), bool))
    assert (always.f1, always.iou) == pytest.approx((0.472, 0.309), abs=5e-4)
