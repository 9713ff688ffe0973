"""Evaluations of what is soon to be, and whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.making import cases, prediction, record
from watchword.errors import DatasetError
from watchword.evaluation.anticipation_bootstrap import resampled_ap
from watchword.evaluation.bootstrap import bootstrap_weights
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.foreseen import LeadOptions, foreseen, windows_before
from watchword.evaluation.levels.reliability import reliability_level
from watchword.evaluation.levels.windows import windows_of
from watchword.evaluation.metrics.anticipation import AnticipationCase, horizon_curve
from watchword.evaluation.metrics.reliability import brier, calibration_error
from watchword.evaluation.settling import settle
from watchword.types import Annotation, Span

QUICK = EvaluationOptions(samples=50)
CRASH = Annotation("a", (Span("crash", 6.0, 8.0),), ("crash",), 10.0, accident_s=7.0)


def two(kind="probability"):
    ahead = [0.1, 0.2, 0.1, 0.3, 0.6, 0.9, 0.9, 0.2, 0.1, 0.1]
    truth = [record("a", (6, 8), duration_s=10.0, accident=6.0), record("b", duration_s=10.0)]
    made = [prediction("a", ahead, kind=kind), prediction("b", [0.3] * 10, kind=kind)]
    return cases(made, truth)


def test_the_seconds_before_an_accident_are_what_is_foreseen():
    truth = foreseen(CRASH, LeadOptions(2.0))
    assert truth.spans == (Span("collision", 5.0, 7.0),)
    assert truth.accident_s == 7.0
    early = replace(CRASH, accident_s=0.5)
    assert foreseen(early, LeadOptions(2.0)).spans == (Span("collision", 0.0, 0.5),)


def test_an_event_without_an_accident_says_nothing_unless_its_start_is_taken():
    unknown = replace(CRASH, accident_s=None)
    assert foreseen(unknown, LeadOptions()) is None
    assert foreseen(unknown, LeadOptions(1.0, events=True)).spans[0].end_s == 6.0
    calm = Annotation("b", (), ("crash",), 10.0, anomalous=False)
    assert foreseen(calm, LeadOptions()).spans == ()


def test_windows_that_reach_into_the_accident_do_not_count():
    edges = np.arange(11.0)
    assert windows_before(edges, 7.0) == 7
    assert windows_before(edges, 7.5) == 7
    assert windows_before(edges, None) == 10


def test_a_card_judges_what_is_foreseen():
    card = evaluate(two(), replace(QUICK, threshold=0.5, lead=LeadOptions(2.0)))
    # Six windows of the crash, of which two are positive, and ten calm ones.
    assert card.confusions["frame"] == (14, 0, 0, 2)
    assert card["auc_micro"].value == 1.0
    assert any("within 2 s before the accident" in note for note in card.notes)
    said = np.array([0.1, 0.2, 0.1, 0.3, 0.6, 0.9] + [0.3] * 10, np.float32)
    truth = np.array([0, 0, 0, 0, 1, 1] + [0] * 10)
    assert card["brier"].value == pytest.approx(brier(truth, said))
    assert card["calibration_error"].value == pytest.approx(calibration_error(truth, said))
    assert card["brier"].baselines["random"] == pytest.approx(0.125 * 0.875)
    assert card.table("reliability").rows[3][2] == 11
    assert "reliability" in [curve.name for curve in card.curves]


def test_nothing_left_to_foresee_is_said():
    truth = [record("a", (6, 8), duration_s=10.0)]
    with pytest.raises(DatasetError, match="annotate accidents"):
        evaluate(cases([prediction("a", [0.1] * 10)], truth), replace(QUICK, lead=LeadOptions()))


def test_what_is_no_probability_has_no_brier_score():
    card = evaluate(two("contrast"), QUICK)
    assert card["brier"].value is None
    assert "contrast" in card["brier"].why


def test_resamples_are_those_of_repeating_videos():
    judged = two()
    windows = windows_of(
        judged.cases, settle(judged, threshold=None, origin="", rule=None), unit="window"
    )
    weights = bootstrap_weights(2, 20, 0)
    again = reliability_level(windows, weights).replicates
    for row, drawn in enumerate(weights):
        truth = np.concatenate([np.tile(w.truth, n) for w, n in zip(windows, drawn, strict=True)])
        said = np.concatenate([np.tile(w.values, n) for w, n in zip(windows, drawn, strict=True)])
        assert again["brier"][row] == pytest.approx(brier(truth, said))
        assert again["calibration_error"][row] == pytest.approx(calibration_error(truth, said))


def test_average_precision_ahead_in_resamples_is_that_of_the_videos_drawn():
    draw = np.random.default_rng(1)
    videos = [
        AnticipationCase(draw.random(8), np.arange(9.0) / 2, at_s)
        for at_s in (0.3, 3.0, 2.2, None, None, 1.1)
    ]
    weights = bootstrap_weights(len(videos), 30, 0)
    for horizon_s in (0.0, 0.5, 1.5):
        found = resampled_ap(videos, weights, horizon_s)
        for row, drawn in enumerate(weights):
            chosen = [v for v, n in zip(videos, drawn, strict=True) for _ in range(n)]
            expected = horizon_curve(chosen, [horizon_s])[0].ap
            assert (
                np.isnan(found[row]) if expected is None else found[row] == pytest.approx(expected)
            )
