from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.calibrate.calibrate_cases import case
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.grid import best_cell, grid
from watchword.evaluation.calibrate.objectives import Objective
from watchword.evaluation.calibrate.thresholds import threshold_range
from watchword.events.decide import DecisionRule, decide
from watchword.evidence.segments import SegmentOptions, segment_scores

SEGMENTS = threshold_range(0.1, 0.9, 0.1)
SHARES = threshold_range(0.1, 1.0, 0.1)


def videos(rng, count=10, *, gain=0.4):
    cases = []
    for number in range(count):
        anomalous = number % 2 == 0
        values = np.clip(rng.random((int(rng.integers(5, 25)), 2)) * 0.6 + gain * anomalous, 0, 1)
        values[0] = np.nan
        cases.append(case(f"v{number}", values, labels=("a", "b"), anomalous=anomalous))
    return cases


def test_each_cell_is_what_the_decision_rule_gives() -> None:
    cases = videos(np.random.default_rng(0), gain=0.2)
    options = SegmentOptions(frames=2)
    found = grid(cases, SEGMENTS, SHARES, segments=options)
    truth = np.array([c.annotation.positive for c in cases])
    for row, segment in enumerate(SEGMENTS):
        for column, share in enumerate(SHARES):
            rule = DecisionRule("balanced", segment_threshold=segment, share_threshold=share)
            called = np.array(
                [
                    decide(segment_scores(c.scores, options), (), rule, video=c.name).positive
                    for c in cases
                ]
            )
            tp, fp, fn = (truth & called).sum(), (~truth & called).sum(), (truth & ~called).sum()
            assert found.values[row, column] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert found.apparent == np.nanmax(found.values)
    tn, fp, fn, tp = found.confusion
    assert tn + fp + fn + tp == len(cases)
    assert 2 * tp / (2 * tp + fp + fn) == pytest.approx(found.apparent)


def test_leave_one_out_is_what_a_slow_loop_gives() -> None:
    cases = videos(np.random.default_rng(1), gain=0.15)
    found = grid(cases, SEGMENTS, SHARES)
    hits = []
    for number, one in enumerate(cases):
        others = cases[:number] + cases[number + 1 :]
        inner = grid(others, SEGMENTS, SHARES)
        assert found.fold_thresholds[number] == (inner.segment_threshold, inner.share_threshold)
        rule = DecisionRule(**inner.decision())
        segments = segment_scores(one.scores)
        hits.append(decide(segments, (), rule, video=one.name).positive)
    truth = np.array([c.annotation.positive for c in cases])
    called = np.array(hits)
    tp, wrong = (truth & called).sum(), (truth != called).sum()
    assert found.value == pytest.approx(2 * tp / (2 * tp + wrong))
    assert found.always == pytest.approx(2 * truth.sum() / (truth.sum() + len(truth)))
    assert found.value <= found.apparent


def test_saved_segments_are_used_as_they_are() -> None:
    cases = videos(np.random.default_rng(2))
    saved = [
        replace(c, scores=None, prediction=replace(c.prediction, segments=segment_scores(c.scores)))
        for c in cases
    ]
    cut, read = grid(cases, SEGMENTS, SHARES), grid(saved, SEGMENTS, SHARES)
    assert np.array_equal(cut.values, read.values)
    assert cut.table() == read.table()
    with pytest.raises(CalibrationError, match="v0 has neither"):
        grid([replace(c, scores=None) for c in cases], SEGMENTS)


def test_the_best_cell_lies_in_the_middle_of_its_plateau() -> None:
    values = np.zeros((6, 7))
    values[1:4, 2:5] = 1
    values[5, 6] = 1
    fine = np.ones_like(values, bool)
    assert best_cell(values, fine) == (2, 3)
    # What lies far away does not draw it out of the middle.
    apart = np.zeros((6, 7))
    apart[1:4, 0:3] = apart[:, 6] = 1
    assert best_cell(apart, fine) == (2, 1)
    assert best_cell(np.ones((3, 5)), np.ones((3, 5), bool)) == (1, 2)
    assert best_cell(np.full((2, 2), np.nan), np.ones((2, 2), bool)) is None
    fine[2, 3] = False
    row, column = best_cell(values, fine)
    assert values[row, column] == 1
    assert (row, column) != (2, 3)


def test_videos_that_cannot_be_judged_are_refused() -> None:
    good = videos(np.random.default_rng(3))
    with pytest.raises(CalibrationError, match="holds no event"):
        grid(good[1::2], SEGMENTS)
    with pytest.raises(CalibrationError, match="2 videos are too few"):
        grid(good[:2], SEGMENTS)
    with pytest.raises(CalibrationError, match="only video v0 holds something with an event"):
        grid([good[0], *good[1::2]], SEGMENTS)
    silent = case("silent", [np.nan] * 20, anomalous=True)
    with pytest.raises(CalibrationError, match="no segment of silent was measured"):
        grid([*good, silent], SEGMENTS)
    with pytest.raises(ValueError, match="counts videos"):
        grid(good, SEGMENTS, objective=Objective("event_f1"))
    with pytest.raises(ValueError, match="share_thresholds"):
        grid(good, SEGMENTS, np.array([0.0, 0.5]))
