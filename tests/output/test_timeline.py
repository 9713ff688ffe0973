"""The timeline's geometry agrees with the scores it stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from watchword.output.timeline import columns, cut_marks, lanes, part_lanes, threshold_of, ticks
from watchword.types import Annotation, Detection, Event, Scores, Span

measured = st.floats(0, 1, width=32) | st.just(float("nan"))


@given(
    values=arrays.arrays(np.float32, st.integers(1001, 1400), elements=measured, fill=measured),
    seed=st.integers(0, 99),
)
def test_a_column_spans_the_lowest_and_highest_of_the_windows_it_touches(
    values: np.ndarray, seed: int
) -> None:
    steps = np.random.default_rng(seed).choice([0.05, 0.1, 30.0], len(values))
    edges_s = np.concatenate([[2.0], 2.0 + np.cumsum(steps)])
    made = columns(values, edges_s)
    for i in range(0, len(made.high), 97):
        left, right = made.edges_s[i : i + 2]
        touched = values[(edges_s[:-1] < right) & (edges_s[1:] > left)].astype(float)
        known = touched[~np.isnan(touched)]
        assert made.gap[i] == np.isnan(touched).any()
        if len(known):
            assert (made.low[i], made.high[i]) == (known.min(), known.max())
        else:
            assert np.isnan([made.low[i], made.high[i]]).all()


def test_lanes_come_strongest_first_and_then_labels_without_scores(detection: Detection) -> None:
    truth = Annotation("v", (Span("fire", 3.0, 6.0), Span("deer", 0.0, 3.0)), ("fire", "deer"))
    drawn = lanes(detection, truth)
    assert [lane.label for lane in drawn] == ["deer", "debris", "fire"]
    assert [lane.scored for lane in drawn] == [True, True, False]
    deer, _, fire = drawn
    assert [(band.left, band.width, band.number) for band in deer.events] == [
        (pytest.approx(100 / 6, abs=1e-3), 25.0, 1)
    ]
    assert [(band.left, band.width) for band in deer.truth] == [(0.0, 50.0)]
    assert [(band.left, band.width) for band in fire.truth] == [(50.0, 50.0)]
    assert [(band.left, band.width) for band in deer.gaps] == [
        (50.0, pytest.approx(10 / 3, abs=1e-3))
    ]


def test_a_curve_breaks_where_nothing_was_measured(detection: Detection) -> None:
    deer = lanes(detection, None)[0]
    assert deer.line.count("M") == 2
    assert deer.readout[30:32] == (None, None)
    assert deer.peak == pytest.approx(0.875)


def test_an_axis_without_bounds_holds_every_score_and_the_threshold(
    detection: Detection,
) -> None:
    cosines = Scores(np.array([[-0.2], [0.1]]), np.arange(3.0), ("deer",), "cosine")
    deer = lanes(replace(detection, scores=cosines, events=()), None)[0]
    assert deer.low < -0.2
    assert deer.high > 0.5
    assert deer.threshold_y is not None
    assert 0 < deer.threshold_y < 10


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"events": {"enter": 0.5, "per_label": {"deer": {"enter": 0.7}}}}, 0.7),
        ({"events": {"enter": 0.5, "per_label": {"deer": {"enter": None}}}}, 0.5),
        ({"events": {"enter": 0.5}}, 0.5),
        ({}, None),
    ],
)
def test_the_threshold_of_a_label_is_its_own_or_that_of_all(
    config: dict[str, object], expected: float | None
) -> None:
    assert threshold_of(config, "deer") == expected


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [
        (0.4, ["0:00:00.0", "0:00:00.1", "0:00:00.2", "0:00:00.3", "0:00:00.4"]),
        (6.5, ["0:00:00", "0:00:01", "0:00:02", "0:00:03", "0:00:04", "0:00:05", "0:00:06"]),
        (7000.0, [f"{m // 60}:{m % 60:02d}:00" for m in range(0, 106, 15)]),
    ],
)
def test_ticks_stand_at_round_times(length_s: float, expected: list[str]) -> None:
    scores = Scores(np.zeros((1, 1)), np.array([0.0, length_s]), ("deer",), "cosine")
    assert [name for name, _ in ticks(scores)] == expected


def test_scores_of_no_window_draw_nothing(detection: Detection) -> None:
    empty = Scores(np.zeros((0, 1)), np.array([0.0]), ("deer",), "cosine")
    drawn = lanes(replace(detection, scores=empty, events=(Event("deer", 0.0, 1.0),)), None)
    assert [(lane.label, lane.line) for lane in drawn] == [("deer", "")]
    assert ticks(empty) == ()


def test_parts_stand_in_their_order_on_one_axis_from_zero(unusual: Detection) -> None:
    motion, change = part_lanes(unusual)
    assert [lane.label for lane in (motion, change)] == ["motion", "change"]
    assert (motion.low, motion.high) == (change.low, change.high) == (0.0, 4.0)
    assert motion.peak == pytest.approx(3.6)
    assert [(band.left, band.width) for band in motion.gaps] == [
        (0.0, pytest.approx(100 / 60, abs=1e-3))
    ]
    assert part_lanes(replace(unusual, parts=None)) == ()


def test_a_calm_surprise_fills_only_the_foot_of_its_lane(unusual: Detection) -> None:
    calm = Scores(np.full((60, 1), 0.02), unusual.scores.edges_s, ("unusual",), "surprise")
    lane = lanes(replace(unusual, scores=calm, events=()), None)[0]
    assert (lane.low, lane.high) == (0.0, 3.0)


def test_cuts_stand_at_their_share_of_the_scored_time(unusual: Detection) -> None:
    assert cut_marks(replace(unusual, cuts_s=(0.0, 4.5, 6.0, 9.0))) == (
        (0.0, 0.0), (4.5, 75.0), (6.0, 100.0),
    )  # fmt: skip
    empty = Scores(np.zeros((0, 1)), np.array([0.0]), ("unusual",), "surprise")
    assert cut_marks(replace(unusual, scores=empty)) == ()
