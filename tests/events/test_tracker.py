"""Events are the same however the windows arrive, and the same as the obvious way finds."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.tracker import reference_events
from watchword.errors import KindMismatch
from watchword.events.tracker import EventRule, EventTracker, LabelRule, detect_events
from watchword.types import Event, Scores

NAN = float("nan")


def scores_of(*series, step=1.0, kind="cosine", labels=None, start=0.0):
    values = np.array(series, np.float32).T
    labels = labels or tuple("abcdefgh"[: len(series)])
    return Scores(values, start + np.arange(len(values) + 1) * step, labels, kind)


def spans(events):
    return [(round(e.start_s, 6), round(e.end_s, 6)) for e in events]


@st.composite
def cases(draw, labels=2):
    windows = draw(st.integers(1, 40))
    levels = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, NAN])
    values = draw(
        st.lists(
            st.lists(levels, min_size=labels, max_size=labels), min_size=windows, max_size=windows
        )
    )
    steps = draw(
        st.one_of(
            st.sampled_from([0.1, 0.04, 1.0]).map(lambda step: [step] * windows),
            st.lists(st.sampled_from([0.1, 0.25, 0.5, 1.0]), min_size=windows, max_size=windows),
        )
    )
    edges = draw(st.sampled_from([0.0, 3.7])) + np.concatenate([[0], np.cumsum(steps)])
    seconds = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0])
    enter = draw(st.sampled_from([0.2, 0.4, 0.6, 0.7]))
    exit_ = draw(st.sampled_from([None, 0.1, 0.2]))
    rule = EventRule(
        enter=enter,
        exit=exit_,
        min_s=draw(seconds),
        merge_gap_s=draw(seconds),
        pad_s=draw(seconds),
    )
    return np.array(values, np.float32), edges, rule


def expected(values, edges, rule, names="ab"):
    found = []
    for column, label in zip(values.T, names, strict=True):
        limits = rule.limits(label)
        found += reference_events(
            edges,
            column,
            label=label,
            enter=limits.enter,
            exit_=limits.exit,
            min_s=limits.min_s,
            merge_gap_s=limits.merge_gap_s,
            pad_s=limits.pad_s,
        )
    return sorted(found, key=lambda event: (event.start_s, event.label))


@settings(max_examples=1200)
@given(cases())
def test_events_are_those_of_the_obvious_way(case):
    values, edges, rule = case
    found = detect_events(Scores(values, edges, ("a", "b"), "cosine"), rule)
    assert list(found) == expected(values, edges, rule)


@settings(max_examples=1000)
@given(cases(), st.lists(st.integers(1, 6), min_size=40, max_size=40))
def test_windows_in_chunks_of_any_size_give_the_same_events_each_once(case, sizes):
    values, edges, rule = case
    tracker = EventTracker(("a", "b"), rule, kind="cosine")
    told = []
    at = 0
    for size in sizes:
        if at >= len(values):
            break
        if size == 1:
            told += tracker.update(edges[at], edges[at + 1], values[at])
        else:
            told += tracker.extend(edges[at : at + size + 1], values[at : at + size])
        at += size
    told += tracker.close()
    assert sorted(told, key=lambda e: (e.start_s, e.label)) == expected(values, edges, rule)


@settings(max_examples=500)
@given(cases(labels=1))
def test_an_event_is_told_within_merge_gap_and_padding_and_one_window_of_its_end(case):
    values, edges, rule = case
    tracker = EventTracker(("a",), rule, kind="cosine")
    longest = np.diff(edges).max()
    # A run too short to count may yet grow and join a padded event, so it is waited for.
    allowed = rule.merge_gap_s + rule.pad_s + longest + (rule.min_s if rule.pad_s else 0)
    for start, end, row in zip(edges[:-1], edges[1:], values, strict=True):
        for event in tracker.update(start, end, row):
            assert end - event.end_s <= allowed + 1e-5


@settings(max_examples=300)
@given(cases(labels=3))
def test_union_is_the_tracker_of_the_highest_value(case):
    values, edges, rule = case
    union = dataclasses.replace(rule, union=True)
    found = detect_events(Scores(values, edges, ("a", "b", "c"), "cosine"), union)
    highest = np.fmax.reduce(values, axis=1)[:, None]
    assert [dataclasses.replace(e, label="x") for e in found] == expected(
        highest, edges, rule, names="x"
    )


def test_a_score_equal_to_the_threshold_is_a_hit():
    found = detect_events(scores_of([0.1, 0.7, 0.1]), EventRule(enter=0.7))
    assert found == (Event("a", 1.0, 2.0, float(np.float32(0.7)), 1.0),)


def test_an_event_lasts_until_the_first_value_below_exit():
    series = [0.5, 0.6, 0.9, 0.4, 0.4, 0.3, 0.4]
    assert spans(detect_events(scores_of(series), EventRule(enter=0.6, exit=0.4))) == [(1, 5)]


def test_a_window_that_was_not_measured_ends_an_event_and_begins_none():
    series = [NAN, 0.9, NAN, 0.9, NAN]
    assert spans(detect_events(scores_of(series), EventRule(enter=0.5))) == [(1, 2), (3, 4)]
    with_exit = detect_events(scores_of([0.9, NAN, 0.5]), EventRule(enter=0.8, exit=0.1))
    assert spans(with_exit) == [(0, 1)]


def test_a_minimum_length_is_met_by_times_that_are_not_exact_in_binary():
    edges = np.array([0.0, 0.1, 0.3, 0.4])  # 0.3 - 0.1 is a little less than 0.2
    found = detect_events(
        Scores([[0.0], [1.0], [0.0]], edges, ("a",), "cosine"), EventRule(enter=0.5, min_s=0.2)
    )
    assert len(found) == 1


def test_short_runs_merge_before_they_are_judged_by_length():
    series = [0, 1, 0, 1, 0, 0, 0, 0, 1, 0]
    rule = EventRule(enter=0.5, min_s=3, merge_gap_s=1)
    assert spans(detect_events(scores_of(series), rule)) == [(1, 4)]


def test_padding_stays_within_the_timeline_and_joins_events_that_touch():
    rule = EventRule(enter=0.5, pad_s=1)
    assert spans(detect_events(scores_of([1, 0, 0, 1, 0, 0, 0, 1], start=5.0), rule)) == [
        (5, 10),
        (11, 13),
    ]


def test_a_label_can_have_limits_of_its_own():
    scores = scores_of([0.4, 0.4, 0.1], [0.4, 0.4, 0.1])
    rule = EventRule(enter=0.6, exit=0.5, per_label={"b": LabelRule(enter=0.3, pad_s=1)})
    assert detect_events(scores, rule) == (Event("b", 0.0, 3.0, float(np.float32(0.4)), 0.0),)


def test_a_union_event_bears_the_label_that_is_strongest_at_its_peak():
    scores = scores_of([0.6, 0.1, 0.2], [0.1, 0.9, 0.2])
    found = detect_events(scores, EventRule(enter=0.5, union=True))
    assert [(e.label, e.start_s, e.end_s, e.peak_s) for e in found] == [("b", 0.0, 2.0, 1.0)]


def test_time_without_windows_ends_an_event():
    tracker = EventTracker(("a",), EventRule(enter=0.5))
    tracker.update(0, 1, [0.9])
    assert spans(tracker.update(4, 5, [0.9])) == [(0, 1)]
    assert spans(tracker.close()) == [(4, 5)]


def test_a_closed_tracker_begins_another_timeline():
    tracker = EventTracker(("a",), EventRule(enter=0.5, pad_s=9))
    tracker.update(10, 11, [0.9])
    assert spans(tracker.close()) == [(10, 11)]
    tracker.update(2, 3, [0.9])
    assert spans(tracker.close()) == [(2, 3)]


def test_no_windows_give_no_events():
    empty = Scores(np.zeros((0, 1)), [0.0], ("a",), "cosine")
    assert detect_events(empty, EventRule(enter=0.5)) == ()


def test_a_rule_made_for_another_kind_is_refused():
    with pytest.raises(KindMismatch, match="made for cosine scores and these are contrast"):
        detect_events(scores_of([0.5], kind="contrast"), EventRule(kind="cosine"))


def test_windows_must_follow_each_other():
    tracker = EventTracker(("a",), EventRule(enter=0.5))
    tracker.update(0, 2, [0.0])
    with pytest.raises(ValueError, match="before the end of the last one"):
        tracker.update(1, 3, [0.0])
    with pytest.raises(ValueError, match="rise strictly"):
        tracker.update(3, 3, [0.0])
    with pytest.raises(ValueError, match=r"it must be \(1,\)"):
        tracker.update(3, 4, [0.0, 1.0])
    with pytest.raises(ValueError, match="it must be T x 1"):
        tracker.extend([3, 4], [[0.0, 1.0]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"enter": 0.2, "exit": 0.3}, "exit is 0.3, it must be at most enter"),
        ({"enter": NAN}, "enter is nan"),
        ({"min_s": -1}, "min_s is -1"),
        ({"pad_s": float("inf")}, "pad_s is inf"),
        ({"kind": "logit"}, "kind is 'logit'"),
        ({"union": True, "per_label": {"a": LabelRule()}}, "cannot go with per_label"),
        ({"per_label": {"a": LabelRule(enter=0.1, exit=0.2)}}, "exit must be at most enter"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        EventRule(**fields)


def test_a_rule_for_a_label_that_is_not_there_is_refused():
    rule = EventRule(enter=0.5, per_label={"deer": LabelRule(enter=0.1)})
    with pytest.raises(ValueError, match="per_label names deer; labels are a"):
        detect_events(scores_of([0.5]), rule)


@pytest.mark.shared
@pytest.mark.parametrize("threshold", [0.2, 0.24, 0.28, 0.3])
def test_union_at_one_threshold_is_the_mask_of_clip_signals(shared, threshold):
    folder = shared / "data" / "clip_hazard_signals" / "clip_scores"
    files = sorted(folder.glob("scene_*.npy"))
    assert len(files) == 14
    for file in files:
        matrix = np.load(file)
        texts = json.loads(file.with_name(f"{file.stem}_prompts.json").read_text())["prompts"]
        edges = np.arange(matrix.shape[1] + 1) / 30
        rows = tuple(f"{row}: {text}" for row, text in enumerate(texts))  # some stand twice
        scores = Scores(matrix.T, edges, rows, "cosine")
        events = detect_events(scores, EventRule(enter=threshold, union=True, kind="cosine"))
        mask = np.zeros(matrix.shape[1], bool)
        middles = (edges[:-1] + edges[1:]) / 2
        for event in events:
            mask |= (middles >= event.start_s) & (middles < event.end_s)
        np.testing.assert_array_equal(mask, (matrix >= threshold).any(axis=0))


@pytest.mark.parametrize(
    ("kind", "balance"), [("contrast", 0.5), ("probability", 0.5), ("margin", 0)]
)
def test_without_a_threshold_the_balance_of_the_kind_is_taken(kind, balance):
    values = [[balance - 0.01], [balance], [balance + 0.01]]
    (event,) = detect_events(Scores(values, range(4), ("a",), kind), EventRule())
    assert (event.start_s, event.end_s) == (1, 3)


def test_a_kind_without_a_balance_needs_a_threshold():
    with pytest.raises(KindMismatch, match=r"cosine scores have no threshold.*events\.enter"):
        detect_events(Scores([[0.3]], [0, 1], ("a",), "cosine"), EventRule(min_s=0.5))
