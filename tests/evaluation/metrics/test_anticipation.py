"""Anticipation against a slow reference, the known scaling error, and alarms that are always on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from reference.anticipation import (
    common_grid,
    reference_alarms,
    reference_levels,
    relative_lead,
    right_lead,
)
from watchword.evaluation.metrics.anticipation import (
    AnticipationCase,
    always_on,
    anticipation_ap,
    horizon_curve,
    mean_time_to_accident,
    mean_time_to_accident_common,
    time_to_accident_at_false_alarms,
    tta_at_recall,
)

DAD_EDGES = np.arange(101) / 20


def dad_like(make, accidents=165, calm=301):
    """As many clips as DAD's test set: 5 s at 20 frames a second, accidents at frame 90."""
    return [
        AnticipationCase(make(), DAD_EDGES, 4.5 if number < accidents else None)
        for number in range(accidents + calm)
    ]


@st.composite
def cases(draw, most=6):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    steps = draw(st.sampled_from([2, 8, 1000]))

    def one(crash):
        windows = int(rng.integers(2, 12))
        edges = rng.integers(0, 3) + np.concatenate(
            [[0], np.cumsum(rng.choice([0.1, 0.5, 2.0], windows))]
        )
        scores = rng.integers(0, steps, windows) / steps
        accident = float(edges[rng.integers(1, windows + 1)]) if crash else None
        return AnticipationCase(scores, edges, accident)

    crashes = [one(True) for _ in range(rng.integers(1, most))]
    return crashes + [one(False) for _ in range(rng.integers(1, most))]


def plain(given_cases):
    return [
        (case.scores.tolist(), case.edges_s[:-1].tolist(), case.accident_s) for case in given_cases
    ]


class TestMeanTimeToAccident:
    @settings(max_examples=200)
    @given(cases())
    def test_agrees_with_every_threshold_in_turn(self, given_cases):
        videos = plain(given_cases)
        thresholds = sorted({score for scores, _, _ in videos for score in scores})
        levels = reference_levels(videos, thresholds, right_lead)
        assert mean_time_to_accident(given_cases) == pytest.approx(np.mean(list(levels.values())))
        nearest = min(sorted(levels), key=lambda recall: abs(recall - 0.8))
        assert tta_at_recall(given_cases) == pytest.approx(levels[nearest])

    @settings(max_examples=30)
    @given(cases())
    def test_agrees_on_the_grid_of_papers(self, given_cases):
        videos = plain(given_cases)
        grid = common_grid(videos, 0.01)
        right = list(reference_levels(videos, grid, right_lead).values())
        wrong = list(reference_levels(videos, grid, relative_lead).values())
        longest = max(case.edges_s[-1] - case.edges_s[0] for case in given_cases)
        mean = mean_time_to_accident(given_cases, step=0.01)
        common = mean_time_to_accident_common(given_cases, step=0.01)
        if right:
            assert mean == pytest.approx(np.mean(right))
            assert common == pytest.approx(np.mean(wrong) * longest)
        else:
            assert mean is common is None

    def test_an_alarm_that_is_always_on_gets_the_most_there_is(self):
        clips = dad_like(lambda: np.full(100, 0.99))
        assert mean_time_to_accident(clips) == pytest.approx(4.5)
        assert mean_time_to_accident(clips, step=0.001) == pytest.approx(4.5)
        assert tta_at_recall(clips) == pytest.approx(4.5)
        assert always_on(clips) == pytest.approx(4.5)
        # The scale of much published code promises half a second that no clip holds.
        assert mean_time_to_accident_common(clips) == pytest.approx(5.0)
        assert anticipation_ap(clips) == pytest.approx(165 / 466)

    def test_chance_seems_to_see_accidents_three_seconds_ahead(self):
        rng = np.random.default_rng(0)
        clips = dad_like(lambda: rng.random(100))
        common = mean_time_to_accident_common(clips)
        assert 3.2 < common < 3.6
        assert mean_time_to_accident(clips, step=0.001) == pytest.approx(common * 0.9)
        assert anticipation_ap(clips) == pytest.approx(165 / 466, abs=0.06)

    def test_any_scale_of_scores_gives_the_same(self):
        rng = np.random.default_rng(1)
        scores = [rng.random(100) for _ in range(40)]
        one = dad_like(iter(scores).__next__, 20, 20)
        other = dad_like(iter([7 * each**3 - 4 for each in scores]).__next__, 20, 20)
        assert mean_time_to_accident(one) == mean_time_to_accident(other)
        assert tta_at_recall(one) == tta_at_recall(other)

    def test_by_hand(self):
        edges = np.arange(5.0)
        clips = [
            AnticipationCase([0.1, 0.9, 0.2, 0.3], edges, 4.0),
            AnticipationCase([0.1, 0.2, 0.5, 0.3], edges, 4.0),
        ]
        # Recall 1/2 from 0.9 down to above 0.5, alarm at 1 s; recall 1 at 0.1, alarm at once.
        assert mean_time_to_accident(clips) == pytest.approx((3 + 4) / 2)
        assert tta_at_recall(clips, 0.5) == 3.0

    def test_scores_from_the_accident_on_do_not_count(self):
        late = AnticipationCase([0, 0, 0, 1], np.arange(5.0), 3.0)
        early = AnticipationCase([0, 0, 1, 0], np.arange(5.0), 3.0)
        calm = AnticipationCase([0.5, 0.5], np.arange(3.0), None)
        assert anticipation_ap([late, calm]) == 0.5
        assert anticipation_ap([early, calm]) == 1.0

    def test_without_accidents_there_is_none(self):
        calm = [AnticipationCase([0.5], [0, 1], None)]
        assert mean_time_to_accident(calm) is None
        assert mean_time_to_accident_common(calm) is None
        assert tta_at_recall(calm) is None
        assert always_on(calm) is None
        assert anticipation_ap(calm) is None


class TestHorizons:
    @settings(max_examples=100)
    @given(cases(), st.sampled_from([0.0, 0.3, 1.0]))
    def test_agree_with_scikit_learn(self, given_cases, horizon):
        tops, truth, left_out = [], [], 0
        for scores, starts, accident in plain(given_cases):
            end = math.inf if accident is None else accident - horizon - 1e-6
            seen = [s for s, start in zip(scores, starts, strict=True) if start < end]
            left_out += not seen
            if seen:
                tops.append(max(seen))
                truth.append(accident is not None)
        (point,) = horizon_curve(given_cases, [horizon])
        assert (point.horizon_s, point.accidents, point.left_out) == (
            horizon, sum(truth), left_out,
        )  # fmt: skip
        if any(truth):
            assert point.ap == pytest.approx(average_precision_score(truth, tops))
        else:
            assert point.ap is None

    def test_no_horizon_is_the_plain_average_precision(self):
        rng = np.random.default_rng(2)
        clips = dad_like(lambda: rng.random(100), 20, 20)
        assert horizon_curve(clips, [0])[0].ap == anticipation_ap(clips)
        assert [point.horizon_s for point in horizon_curve(clips)] == [0.5, 1.0, 1.5]


class TestAtFalseAlarms:
    @settings(max_examples=200)
    @given(cases(), st.sampled_from([0.0, 200.0, 1500.0, 1e6]), st.sampled_from([0.6, 3.0]))
    def test_agrees_with_every_threshold_in_turn(self, given_cases, rate, cooldown):
        videos = plain(given_cases)
        calm = [(starts, scores) for scores, starts, accident in videos if accident is None]
        hours = sum(
            case.edges_s[-1] - case.edges_s[0]
            for case in given_cases
            if case.accident_s is None
        ) / 3600  # fmt: skip
        scores = set()
        for case in given_cases:
            scores |= set(case.before().tolist())
        kept = [
            threshold
            for threshold in sorted(scores)
            if sum(reference_alarms(*each, threshold, cooldown) for each in calm) <= rate * hours
        ]
        (answer,) = time_to_accident_at_false_alarms(given_cases, [rate], cooldown_s=cooldown)
        assert answer.hours == pytest.approx(hours)
        if not kept:
            assert answer.threshold is None
            assert (answer.recall, answer.lead_s, answer.lead_all_s) == (0.0, None, 0.0)
            return
        assert answer.threshold == min(kept)
        levels = reference_levels(videos, [min(kept)], right_lead)
        ((recall, lead),) = levels.items() if levels else [(0.0, None)]
        assert answer.recall == pytest.approx(recall)
        assert answer.lead_s == (None if lead is None else pytest.approx(lead))
        assert answer.per_hour <= rate
        assert answer.lead_all_s == pytest.approx(recall * (lead or 0))

    def test_an_alarm_that_stays_on_is_many_alarms(self):
        edges = np.arange(3601.0)
        calm = AnticipationCase(np.full(3600, 0.5), edges, None)
        crash = AnticipationCase(np.full(3600, 0.5), edges, 1800.0)
        few, many = time_to_accident_at_false_alarms([calm, crash], [1, 360])
        assert few.threshold is None
        assert (many.false_alarms, many.per_hour, many.lead_s) == (360, 360.0, 1800.0)

    def test_one_class_has_no_answer(self):
        assert time_to_accident_at_false_alarms(dad_like(lambda: np.ones(100), 2, 0), [1]) is None
        assert time_to_accident_at_false_alarms(dad_like(lambda: np.ones(100), 0, 2), [1]) is None


class TestFaults:
    @pytest.mark.parametrize(
        ("scores", "edges", "accident", "words"),
        [
            ([], [0], None, "T of 1 or more"),
            ([[0.1]], [0, 1], None, "T of 1 or more"),
            ([0.1, 0.2], [0, 1], None, "T of 1 or more"),
            ([0.1, 0.2], [0, 1, 1], None, "strictly rising"),
            ([0.1, 0.2], [0, 1, math.inf], None, "finite"),
            ([0.1, math.nan], [0, 1, 2], None, "1 of 2 scores are NaN"),
            ([0.1, math.inf], [0, 1, 2], None, "infinite"),
            ([0.1, 0.2], [0, 1, 2], 0.0, "nothing to announce"),
            ([0.1, 0.2], [0, 1, 2], math.nan, "nothing to announce"),
        ],
    )
    def test_of_a_case_are_refused(self, scores, edges, accident, words):
        with pytest.raises(ValueError, match=words):
            AnticipationCase(scores, edges, accident)

    def test_of_arguments_are_refused(self):
        clips = dad_like(lambda: np.ones(100), 1, 1)
        for measure in (anticipation_ap, mean_time_to_accident, mean_time_to_accident_common,
                        tta_at_recall, horizon_curve, always_on):  # fmt: skip
            with pytest.raises(ValueError, match="no cases"):
                measure([])
        with pytest.raises(ValueError, match="no cases"):
            time_to_accident_at_false_alarms([], [1])
        with pytest.raises(ValueError, match="step"):
            mean_time_to_accident(clips, step=0)
        with pytest.raises(ValueError, match="recall is 80"):
            tta_at_recall(clips, 80)
        with pytest.raises(ValueError, match="horizons_s"):
            horizon_curve(clips, [-1])
        with pytest.raises(ValueError, match="allowed_per_hour"):
            time_to_accident_at_false_alarms(clips, [-1])
        with pytest.raises(ValueError, match="cooldown_s"):
            time_to_accident_at_false_alarms(clips, [1], cooldown_s=0)
