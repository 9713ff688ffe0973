"""One verdict a video, each rule by its own formula, and never a score out of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.errors import KindMismatch
from watchword.events.decide import DecisionRule, decide
from watchword.types import Event, Scores

NAN = float("nan")


def scores_of(*series, kind="contrast", edges=None):
    values = np.array(series, np.float32).T
    edges = np.arange(len(values) + 1.0) if edges is None else edges
    return Scores(values, edges, tuple("abc"[: len(series)]), kind)


QUIET = scores_of([0.1, 0.2, 0.3], [0.2, 0.2, 0.2])
EVENTS = (Event("a", 0, 1, 0.6, 0.0), Event("b", 0.5, 2, 0.75, 1.0))


def test_any_event_counts_events_and_names_the_strongest():
    verdict = decide(QUIET, EVENTS, DecisionRule(), video="v.mp4")
    assert (verdict.positive, verdict.score, verdict.threshold) == (True, 2.0, 1.0)
    assert (verdict.label, verdict.video, verdict.evidence) == ("b", "v.mp4", EVENTS)
    assert not decide(QUIET, EVENTS, DecisionRule(min_events=3), video="v").positive
    assert decide(QUIET, (), DecisionRule(), video="v").label is None


def test_top_mean_is_the_highest_over_labels_of_the_mean_of_its_highest_windows():
    scores = scores_of([0.9, 0.1, NAN, 0.1], [0.6, 0.5, 0.7, NAN])
    verdict = decide(scores, (), DecisionRule("top_mean", top_k=2, threshold=0.6), video="v")
    assert verdict.score == pytest.approx(0.65)
    assert (verdict.label, verdict.positive) == ("b", True)
    alone = decide(scores, (), DecisionRule("top_mean", top_k=1), video="v")
    assert (alone.label, alone.score) == ("a", pytest.approx(0.9))


def test_share_is_measured_time_inside_events_however_they_overlap():
    scores = scores_of([0.5, NAN, 0.5], edges=[0.0, 1.0, 2.0, 5.0])
    # Events cover 0 to 2; of the 4 measured seconds, 1 lies in there.
    verdict = decide(scores, EVENTS, DecisionRule("share", share_threshold=0.25), video="v")
    assert (verdict.score, verdict.positive, verdict.label) == (0.25, True, "b")


def test_balanced_is_the_share_of_segments_that_reach_the_segment_threshold():
    scores = scores_of([0.5, 0.7, 0.1, NAN, 0.1], [0.5, 0.1, 0.1, NAN, 0.1])
    rule = DecisionRule("balanced", segment_threshold=0.5, share_threshold=0.5)
    verdict = decide(scores, (), rule, video="v")
    assert (verdict.score, verdict.threshold, verdict.positive) == (0.5, 0.5, True)
    assert verdict.label == "a"
    strict = DecisionRule("balanced", segment_threshold=0.6, share_threshold=0.5)
    refused = decide(scores, (), strict, video="v")
    assert (refused.score, refused.positive, refused.label) == (0.25, False, None)


def test_noisy_or_joins_the_scores_of_events():
    verdict = decide(QUIET, EVENTS, DecisionRule("noisy_or", threshold=0.9), video="v")
    assert verdict.score == pytest.approx(1 - 0.4 * 0.25)
    assert decide(QUIET, (), DecisionRule("noisy_or"), video="v").score == 0


def test_noisy_or_refuses_scores_that_are_no_probabilities():
    with pytest.raises(KindMismatch, match="these scores are cosine"):
        decide(scores_of([0.5], kind="cosine"), (), DecisionRule("noisy_or"), video="v")


@pytest.mark.parametrize("rule", ["any_event", "top_mean", "share", "balanced", "noisy_or"])
def test_nothing_measured_is_no_score_and_not_positive(rule):
    verdict = decide(scores_of([NAN, NAN]), (), DecisionRule(rule), video="v")
    assert (verdict.score, verdict.label, verdict.positive) == (None, None, False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rule": "vote"}, "rule is 'vote', it must be one of any_event"),
        ({"share_threshold": 0}, "share_threshold is 0"),
        ({"top_k": 0}, "both start at 1"),
        ({"threshold": NAN}, "must be finite"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        DecisionRule(**fields)
