from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.calibrate.calibrate_cases import case, random_cases
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.objectives import (
    Objective,
    check_classes,
    found_at,
    localised,
)
from watchword.evaluation.calibrate.thresholds import best_of, threshold_range, usual_thresholds
from watchword.evaluation.metrics.confusion import Confusion, confusion
from watchword.evaluation.metrics.event import best_interval_iou, match_events
from watchword.events.tracker import EventRule

THRESHOLDS = threshold_range(-1.0, 2.0, 0.25)


def nan(value):
    return np.nan if value is None else value


OF_CONFUSION = {
    "f1": lambda c: nan(c.f1),
    "f_beta": lambda c: nan(c.f_beta(2.0)),
    "youden": lambda c: nan(c.youden),
    "iou": lambda c: nan(c.iou),
    "recall_at_precision": lambda c: nan(c.recall),
    "cost": lambda c: (2 * c.fp + 5 * c.fn) / (c.tn + c.fp + c.fn + c.tp),
}


def objective(name, **more) -> Objective:
    extra = {"f_beta": {"beta": 2.0}, "cost": {"false_alarm": 2 / 5, "miss": 1.0}}
    if name == "cost":
        extra = {"cost": {"false_alarm": 2.0, "miss": 5.0}}
    elif name == "recall_at_precision":
        extra = {name: {"precision": 0.5}}
    return Objective(name, **extra.get(name, {}), **more)


@pytest.mark.parametrize("name", OF_CONFUSION)
@pytest.mark.parametrize("seed", range(3))
def test_window_objectives_agree_with_the_metrics(name, seed) -> None:
    cases = random_cases(np.random.default_rng(seed), decimals=1)
    one = objective(name)
    got = one.value(one.sums(cases, THRESHOLDS).sum(axis=0))
    for number, threshold in enumerate(THRESHOLDS):
        total = Confusion(0, 0, 0, 0)
        for each in cases:
            total = total + confusion(each.truth, each.series >= np.float32(threshold))
        assert got[number] == pytest.approx(OF_CONFUSION[name](total), nan_ok=True)


@pytest.mark.parametrize("undefined", ["skip", "zero"])
@pytest.mark.parametrize("name", ["f1", "iou"])
def test_a_mean_over_videos_is_one(name, undefined) -> None:
    cases = random_cases(np.random.default_rng(4))
    one = Objective(name, pooling="videos", undefined=undefined)
    got = one.value(one.sums(cases, THRESHOLDS).sum(axis=0))
    for number, threshold in enumerate(THRESHOLDS):
        own = [
            OF_CONFUSION[name](confusion(c.truth, c.series >= np.float32(threshold))) for c in cases
        ]
        slow = np.nan_to_num(own).mean() if undefined == "zero" else np.nanmean(own)
        assert got[number] == pytest.approx(slow)


def test_event_objectives_agree_with_the_metrics() -> None:
    cases = random_cases(np.random.default_rng(5))
    rule = EventRule(min_s=2.0, merge_gap_s=3.0, union=True)
    intervals = Objective("best_interval_iou")
    events = Objective("event_f1", tiou=0.3)
    got = intervals.value(intervals.sums(cases, THRESHOLDS, rule).sum(axis=0))
    f1 = events.value(events.sums(cases, THRESHOLDS, rule).sum(axis=0))
    for number, threshold in enumerate(THRESHOLDS):
        own, tp, all_counts = [], 0, 0
        for each in cases:
            found = found_at(each.scores, threshold, rule)
            own.append(nan(best_interval_iou(each.annotation.spans, found)))
            counts = match_events(each.annotation.spans, found, 0.3)
            tp, all_counts = tp + counts.tp, all_counts + counts.fp + counts.fn
        assert got[number] == pytest.approx(np.nanmean(own))
        assert f1[number] == pytest.approx(2 * tp / (2 * tp + all_counts))


def test_a_rule_counts_the_windows_of_its_events() -> None:
    # One window of silence inside is bridged, a single window is too short.
    one = case("v", [0, 1, 1, 0, 1, 0, 0, 0, 1, 0], [(1, 5)])
    rule = EventRule(min_s=2.0, merge_gap_s=1.0)
    sums = Objective("f1").sums([one], np.array([0.5]), rule)
    assert sums[0, 0].tolist() == [6, 0, 0, 4]
    assert Objective("f1").sums([one], np.array([0.5]))[0, 0].tolist() == [5, 1, 1, 3]


def test_windows_that_were_not_measured_count_nowhere() -> None:
    one = case("v", [np.nan, 1, np.nan, 0], [(0, 2)])
    for rule in (None, EventRule()):
        assert Objective("f1").sums([one], np.array([0.5]), rule)[0, 0].tolist() == [1, 0, 0, 1]


def test_a_threshold_is_a_hit_at_equality_as_in_detection() -> None:
    one = case("v", [0.3, 0.1], [(0, 1)])
    for rule in (None, EventRule()):
        sums = Objective("f1").sums([one], np.array([0.3]), rule)
        assert sums[0, 0].tolist() == [1, 0, 0, 1]


def test_precision_is_asked_for_inclusively() -> None:
    one = Objective("recall_at_precision", precision=0.9)
    sums = np.array([[5.0, 1.0, 0.0, 9.0], [5.0, 2.0, 0.0, 9.0], [5.0, 0.0, 9.0, 0.0]])
    assert one.allowed(sums).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "f2"},
        {"name": "f_beta", "beta": 0.0},
        {"name": "event_f1", "tiou": 1.5},
        {"name": "cost", "miss": -1.0},
        {"name": "best_interval_iou", "pooling": "pooled"},
        {"name": "recall_at_precision", "pooling": "videos"},
    ],
)
def test_objectives_that_make_no_sense_are_refused(fields) -> None:
    with pytest.raises(ValueError, match=r"must be|mean over videos|pool them"):
        Objective(**fields)


def test_one_class_is_refused_and_named() -> None:
    with pytest.raises(CalibrationError, match="none of the 3 windows holds an event"):
        check_classes([case("v", [1, 2, 3])])
    with pytest.raises(CalibrationError, match="all 3 windows hold an event"):
        check_classes([case("v", [1, 2, 3], [(0, 3)])])
    with pytest.raises(CalibrationError, match="no measured window"):
        check_classes([case("v", [np.nan], [(0, 1)])])


def test_videos_without_a_time_are_left_out_and_counted() -> None:
    good, vague = case("a", [1, 2], [(0, 1)]), case("b", [1, 2], anomalous=True)
    kept, notes = localised([good, vague, replace(good, name="c", scores=None)])
    assert [one.name for one in kept] == ["a"]
    assert "2 of 3 videos are left out" in notes[0]
    with pytest.raises(CalibrationError, match="needs both"):
        localised([vague])
    with pytest.raises(CalibrationError, match="cosine, margin"):
        localised([good, case("d", [1, 2], kind="margin")])


def test_thresholds_are_the_decimals_they_look_like() -> None:
    found = threshold_range(0.1, 0.4, 0.01)
    assert found.tolist() == [float(f"0.{n:02d}") for n in range(10, 41)]
    assert threshold_range(0.5, 0.5, 1).tolist() == [0.5]
    for bad in ((0, 1, 0), (1, 0, 0.1), (0, float("nan"), 0.1), (0, 1e9, 1e-3)):
        with pytest.raises(ValueError, match=r"range|too many"):
            threshold_range(*bad)


@given(
    st.floats(-100, 100, width=32),
    st.floats(1e-4, 1e3),
    st.integers(0, 2**31),
)
def test_usual_thresholds_span_the_scores_in_round_steps(low, width, seed) -> None:
    values = np.float32(low + width * np.random.default_rng(seed).random(30))
    if values.min() == values.max():
        return
    found = usual_thresholds([case("v", values)])
    assert 20 <= len(found) <= 600
    assert found[0] <= values.min()
    assert found[-1] >= values.max()


def test_scores_that_never_differ_have_no_threshold() -> None:
    with pytest.raises(CalibrationError, match="every score is 1"):
        usual_thresholds([case("v", [1, 1, 1])])
    with pytest.raises(CalibrationError, match="no window was measured"):
        usual_thresholds([case("v", [np.nan])])


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([1, 3, 3, 3, 2], 2),
        ([3, 1, 3, 3, 3, 3, 1, 3], 3),
        ([3, 3, 1, 3, 3], 0),
        ([np.nan, 1, np.nan], 1),
        ([np.nan], None),
    ],
)
def test_the_best_is_the_middle_of_the_longest_row(values, place) -> None:
    assert best_of(np.array(values, float)) == place


def test_what_may_not_be_chosen_is_not() -> None:
    assert best_of(np.array([5.0, 1.0, 2.0]), np.array([False, True, True])) == 2
    assert best_of(np.array([5.0]), np.array([False])) is None
