"""Event measures by hand, and against slow references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reference.detections import overlap, reference_map
from watchword.evaluation.metrics.event import (
    EventCounts,
    best_interval_iou,
    detection_delays,
    false_alarms,
    mask_iou,
    match_events,
    mean_average_precision,
    poisson_interval,
)
from watchword.evaluation.metrics.overlap import tiou_matrix
from watchword.evaluation.metrics.ranked import ranked_hits
from watchword.types import Event, Span


def spans(*bounds, label="a"):
    return [Span(label, start, end) for start, end in bounds]


def event(start, end, score, label="a"):
    return Event(label, start, end, score, start)


@st.composite
def intervals(draw, most=6):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    count = draw(st.integers(0, most))
    starts = rng.integers(0, 30, count) / 2
    return spans(*zip(starts, starts + rng.integers(1, 12, count) / 2, strict=True))


@settings(max_examples=100)
@given(intervals(), intervals())
def test_overlap_is_that_of_spans(truth, found):
    matrix = tiou_matrix(truth, found)
    assert matrix.shape == (len(truth), len(found))
    for row, span in zip(matrix, truth, strict=True):
        assert row.tolist() == pytest.approx([span.iou(other) for other in found])


class TestBestIntervalIou:
    def test_takes_the_best_of_each_and_minds_no_other_alarm(self):
        truth = spans((0, 10), (20, 30))
        found = spans((0, 5), (2, 12), (50, 90))
        assert best_interval_iou(truth, found) == pytest.approx((8 / 12 + 0) / 2)

    def test_ends(self):
        assert best_interval_iou([], spans((0, 1))) is None
        assert best_interval_iou(spans((0, 1)), []) == 0.0


class TestMaskIou:
    def test_weighs_windows_by_their_seconds(self):
        assert mask_iou([1, 1, 0, 0], [0, 1, 1, 0], [1, 2, 5, 9]) == pytest.approx(2 / 8)

    def test_is_none_if_there_is_nothing_at_all(self):
        assert mask_iou([0, 0], [0, 0], [1, 1]) is None
        assert mask_iou([0, 0], [0, 1], [1, 1]) == 0.0

    def test_faults_are_refused(self):
        with pytest.raises(ValueError, match="hits have shape"):
            mask_iou([1, 0], [1], [1, 1])
        with pytest.raises(ValueError, match="weights"):
            mask_iou([1, 0], [1, 0], [1, -1])


class TestMatchEvents:
    def test_each_event_is_used_once(self):
        truth, found = spans((0, 10)), spans((0, 9), (1, 10))
        assert match_events(truth, found, 0.5) == EventCounts(1, 1, 0)

    def test_an_overlap_of_exactly_the_tiou_is_a_match(self):
        assert match_events(spans((0, 10)), spans((0, 5)), 0.5) == EventCounts(1, 0, 0)
        assert match_events(spans((0, 10)), spans((0, 5)), 0.51) == EventCounts(0, 1, 1)

    def test_the_better_pair_goes_first(self):
        truth, found = spans((0, 4), (3, 10)), spans((3, 9))
        counts = match_events(truth, found, 0.1)
        assert counts == EventCounts(1, 0, 1)
        assert counts.precision == 1.0
        assert counts.recall == 0.5
        assert counts.f1 == pytest.approx(2 / 3)

    @settings(max_examples=100)
    @given(intervals(), intervals(), st.sampled_from([0.1, 0.3, 0.5, 1.0]))
    def test_pairs_from_the_best_down_whatever_the_order(self, truth, found, tiou):
        counts = match_events(truth, found, tiou)
        assert counts == match_events(truth[::-1], found[::-1], tiou)
        assert counts.tp + counts.fp == len(found)
        assert counts.tp + counts.fn == len(truth)
        ranked = sorted(
            ((overlap(a, b), -a.start_s, -a.end_s, -b.start_s, -b.end_s), i, j)
            for i, a in enumerate(truth)
            for j, b in enumerate(found)
        )
        used_true, used_found = set(), set()
        for (value, *_), i, j in reversed(ranked):
            if value >= tiou and i not in used_true and j not in used_found:
                used_true.add(i)
                used_found.add(j)
        assert counts.tp == len(used_true)

    def test_nothing_at_all(self):
        empty = match_events([], [], 0.5)
        assert empty == EventCounts(0, 0, 0)
        assert empty.precision is empty.recall is empty.f1 is None
        assert empty + EventCounts(1, 2, 3) == EventCounts(1, 2, 3)

    @pytest.mark.parametrize("tiou", [0, -0.5, 1.5, math.nan])
    def test_another_tiou_is_refused(self, tiou):
        with pytest.raises(ValueError, match="tiou"):
            match_events([], [], tiou)


@st.composite
def detections(draw):
    """Truth and scored events of up to four videos and two labels; no two scores equal."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    names = [f"v{number}" for number in range(draw(st.integers(1, 4)))]

    def some(most):
        for _ in range(rng.integers(0, most)):
            start = rng.integers(0, 20)
            yield str(rng.choice(["a", "b"])), float(start), float(start + rng.integers(1, 9))

    scores = iter(rng.permutation(200) / 200)
    truth = {name: [Span(*each) for each in some(4)] for name in names}
    truth[names[0]].append(Span("a", 0, 5))
    found = {name: [Event(*each, next(scores), each[1]) for each in some(7)] for name in names}
    return truth, found


class TestMeanAveragePrecision:
    @settings(max_examples=300)
    @given(detections())
    def test_agrees_with_the_recipe(self, given_data):
        truth, found = given_data
        tious = (0.1, 0.3, 0.5, 0.7)
        result = mean_average_precision(truth, found, tious)
        assert list(result) == list(tious)
        for tiou in tious:
            assert result[tiou] == pytest.approx(reference_map(truth, found, tiou), abs=1e-12)

    def test_by_hand(self):
        truth = {"x": spans((0, 10), (20, 30)), "y": []}
        found = {"x": [event(0, 10, 0.9), event(40, 50, 0.8)], "y": [event(0, 1, 0.95)]}
        # Ranked: wrong (y), right, wrong: precision 1/2 at recall 1/2, and never recall 1.
        assert mean_average_precision(truth, found, [0.5]) == {0.5: 0.25}

    def test_an_event_that_is_taken_leaves_the_next_best(self):
        truth = {"x": spans((0, 10), (8, 18))}
        found = {"x": [event(4, 14, 0.9), event(4, 14, 0.8)]}
        assert mean_average_precision(truth, found, [0.4]) == {0.4: 1.0}
        assert mean_average_precision(truth, found, [0.45]) == {0.45: 0.0}

    def test_the_order_of_equal_scores_does_not_matter(self):
        truth = {"x": spans((0, 10)), "y": []}
        one = {"x": [event(0, 10, 0.5)], "y": [event(0, 1, 0.5)]}
        other = {"y": one["y"], "x": one["x"]}
        turned = {"y": [], "x": truth["x"]}
        assert (
            mean_average_precision(truth, one, [0.5])
            == mean_average_precision(truth, other, [0.5])
            == mean_average_precision(turned, other, [0.5])
            == {0.5: 0.5}
        )

    def test_no_event_has_no_precision_and_none_found_is_zero(self):
        assert mean_average_precision({"x": []}, {"x": [event(0, 1, 0.5)]}, [0.5]) == {0.5: None}
        assert mean_average_precision({"x": spans((0, 1))}, {}, [0.5]) == {0.5: 0.0}

    def test_whole_weights_are_videos_repeated(self):
        rng = np.random.default_rng(3)
        truth, found = {}, {}
        for number in range(6):
            starts = rng.integers(0, 40, 3).astype(float)
            truth[f"v{number}"] = spans(*zip(starts, starts + 4, strict=True))
            found[f"v{number}"] = [event(s + rng.normal(), s + 5, rng.random()) for s in starts]
        weights = np.array([0, 2, 1, 3, 0, 1])
        copies = [(name, copy) for name, w in zip(truth, weights, strict=True) for copy in range(w)]
        again = mean_average_precision(
            {f"{name} {copy}": truth[name] for name, copy in copies},
            {f"{name} {copy}": found[name] for name, copy in copies},
            [0.5],
        )
        hits = ranked_hits(truth, found, 0.5, label="a")
        assert hits.average_precision(weights) == pytest.approx(again[0.5])
        assert hits.average_precision(np.zeros(6, np.int64)) is None

    def test_faults_are_refused(self):
        with pytest.raises(ValueError, match="'y', whose truth is not given"):
            mean_average_precision({"x": spans((0, 1))}, {"y": []}, [0.5])
        with pytest.raises(ValueError, match="no score"):
            mean_average_precision({"x": spans((0, 1))}, {"x": [event(0, 1, math.nan)]}, [0.5])
        with pytest.raises(ValueError, match="tiou"):
            mean_average_precision({"x": spans((0, 1))}, {}, [50])


class TestFalseAlarms:
    def test_counts_what_touches_no_event(self):
        truth = spans((10, 20))
        found = spans((0, 5), (5, 10), (12, 13), (20, 21), (25, 30))
        assert false_alarms(truth, found, tolerance_s=0) == 4
        assert false_alarms(truth, found, tolerance_s=1) == 2
        assert false_alarms(truth, found, tolerance_s=5.5) == 0
        assert false_alarms([], found, tolerance_s=9) == 5
        assert false_alarms(truth, [], tolerance_s=9) == 0

    @pytest.mark.parametrize("tolerance", [-1, math.nan, math.inf])
    def test_an_odd_tolerance_is_refused(self, tolerance):
        with pytest.raises(ValueError, match="tolerance_s"):
            false_alarms([], [], tolerance_s=tolerance)


def test_delays_are_from_the_start_to_the_first_overlap():
    truth = spans((10, 20), (30, 40), (50, 60))
    found = spans((35, 36), (12, 13), (5, 11), (33, 34), (20, 30))
    assert detection_delays(truth, found) == [0.0, 3.0, None]
    assert detection_delays(truth[:1], spans((12, 13), (11, 12))) == [1.0]
    assert detection_delays([], found) == []


class TestPoissonInterval:
    @pytest.mark.parametrize("count", [1, 5, 100])
    def test_is_exact(self, count):
        low, high = poisson_interval(count, 2.0)
        # As unlikely as 2.5 % that a rate at either end gives so many, or so few.
        assert stats.poisson.sf(count - 1, low * 2) == pytest.approx(0.025)
        assert stats.poisson.cdf(count, high * 2) == pytest.approx(0.025)

    def test_no_alarm(self):
        assert poisson_interval(0, 1.0) == (0.0, pytest.approx(3.688879))
        assert poisson_interval(0, 1.0, one_sided=True) == (0.0, pytest.approx(2.995732))
        assert poisson_interval(0, 10.0, one_sided=True)[1] == pytest.approx(0.2995732)

    def test_covers_the_true_rate(self):
        for rate in (0.3, 2.0, 9.0):
            counts = np.arange(60)
            ends = [poisson_interval(int(count), 1.0) for count in counts]
            inside = [low <= rate <= high for low, high in ends]
            assert stats.poisson.pmf(counts, rate)[inside].sum() >= 0.95

    @pytest.mark.parametrize(
        ("count", "exposure", "confidence", "word"),
        [(-1, 1, 0.95, "count"), (1.5, 1, 0.95, "count"), (1, 0, 0.95, "exposure"),
         (1, math.inf, 0.95, "exposure"), (1, 1, 95, "confidence")],
    )  # fmt: skip
    def test_faults_are_refused(self, count, exposure, confidence, word):
        with pytest.raises(ValueError, match=word):
            poisson_interval(count, exposure, confidence=confidence)
