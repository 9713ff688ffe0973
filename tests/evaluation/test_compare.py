"""Two runs are compared on the same draws of the same videos, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.making import A, B, cases, noisy, prediction, record, tiny
from watchword.errors import DatasetError
from watchword.evaluation.bootstrap import bootstrap_weights
from watchword.evaluation.compare import compare
from watchword.evaluation.evaluate import EvaluationOptions, measure
from watchword.evaluation.matching import Cases

QUICK = EvaluationOptions(samples=100)


def shuffled(made: Cases) -> Cases:
    return replace(made, cases=made.cases[::-1])


def test_a_run_does_not_differ_from_itself_whatever_the_order():
    made = noisy()
    found = compare(made, shuffled(made), QUICK)
    for one in found.differences:
        if one.first is not None:
            assert one.difference == 0.0
        if one.low is not None:
            assert (one.low, one.high, one.p) == (0.0, 0.0, 1.0)
    assert found["auc_micro"].p == 1.0


def test_a_clear_gain_on_every_video_is_told_from_luck():
    better, worse = noisy(videos=12, lift=3.0), noisy(videos=12, lift=0.0)
    found = compare(worse, better, QUICK, names=("old", "new"))
    one = found["auc_micro"]
    assert one.difference == pytest.approx(one.second - one.first)
    assert 0 < one.low < one.difference < one.high
    assert one.p == pytest.approx(2 / 101)
    assert "auc old" in found.per_video.columns
    assert "auc difference" in found.per_video.columns
    row = dict(zip(found.per_video.columns, found.per_video.rows[0], strict=True))
    assert row["auc difference"] == pytest.approx(row["auc new"] - row["auc old"])
    back = compare(better, worse, QUICK)["auc_micro"]
    assert (back.low, back.high) == pytest.approx((-one.high, -one.low))


def test_the_pairing_is_by_draw():
    one, other = noisy(seed=1), noisy(seed=2)
    found = compare(one, other, QUICK)["f1"]
    a, b = measure(one, QUICK).replicates["f1"], measure(other, QUICK).replicates["f1"]
    low, high = np.nanquantile(b - a, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high))
    assert len(a) == len(bootstrap_weights(6, 100, 0))


def test_other_videos_or_another_truth_are_refused():
    with pytest.raises(DatasetError, match=r"only in the first: 'a'.*\(8 in all\)"):
        compare(tiny(), noisy())
    moved = cases(
        [prediction("a", A), prediction("b", B)],
        [record("a", (2, 6), duration_s=10.0), record("b", duration_s=10.0)],
    )
    with pytest.raises(DatasetError, match="the truth of 'a' differs"):
        compare(tiny(), moved)


def test_resamples_must_be_the_same():
    with pytest.raises(ValueError, match="seed must be the same"):
        compare(tiny(), tiny(), QUICK, second_options=replace(QUICK, seed=5))


def test_thresholds_may_differ():
    found = compare(tiny(), tiny(), QUICK, second_options=replace(QUICK, threshold=0.8))
    assert found["f1"].first == pytest.approx(0.5)
    assert found["f1"].second == pytest.approx(0.8)
    assert found["auc_micro"].difference == 0.0


def test_a_figure_that_one_run_lacks_has_no_difference():
    nothing = Cases(tuple(replace(case, scores=None) for case in tiny().cases), tiny().options)
    found = compare(tiny(), nothing, QUICK)
    assert found["auc_micro"].difference is None
    assert "not defined in one of the runs" in found["auc_micro"].note
    assert "scores over time in one run only" in found.notes[0]
    with pytest.raises(KeyError, match="known are precision"):
        found["nonsense"]
