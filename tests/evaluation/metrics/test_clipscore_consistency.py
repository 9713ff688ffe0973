"""A video's consistency: hand values, holes, and batches of any size."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.evaluation.metrics.consistency import (
    Consistency,
    ConsistencyMeter,
    consecutive_consistency,
    consistency,
    evalcrafter_clip_temp,
    first_frame_consistency,
    vbench_background_consistency,
)

NAN = math.nan


def at(*degrees):
    """Frames as vectors of a plane, by their angle; None is a frame that was not decoded."""
    return np.array(
        [
            (NAN, NAN)
            if angle is None
            else (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
            for angle in degrees
        ]
    )


def cos(degrees):
    return math.cos(math.radians(degrees))


def test_values_by_hand():
    # Steps of 60, 60 and 30 degrees; from the first frame 60, 120 and 150.
    video = at(0, 60, 120, 150)
    assert consecutive_consistency(video) == pytest.approx((0.5 + 0.5 + cos(30)) / 3)
    assert evalcrafter_clip_temp(video) == consecutive_consistency(video)
    assert first_frame_consistency(video) == pytest.approx((0.5 - 0.5 + cos(150)) / 3)
    # Opposite directions count as 0 for VBench, one by one.
    expected = ((0.5 + 0.5) / 2 + (0.5 + 0) / 2 + (cos(30) + 0) / 2) / 3
    assert vbench_background_consistency(video) == pytest.approx(expected)


def test_lengths_of_vectors_do_not_matter():
    video = at(0, 20, 50)
    scaled = consistency(video * [[3.0], [0.1], [1e200]])
    for name in ("consecutive", "first_frame", "vbench"):
        assert getattr(scaled, name) == pytest.approx(getattr(consistency(video), name))


def test_a_hole_joins_no_neighbours():
    found = consistency(at(None, 0, 10, None, 30, 50))
    assert (found.frames, found.left_out, found.pairs) == (4, 2, 2)
    assert found.consecutive == pytest.approx((cos(10) + cos(20)) / 2)
    assert found.first_frame == pytest.approx((cos(10) + cos(30) + cos(50)) / 3)
    assert found.vbench == pytest.approx((cos(10) + cos(10) + cos(20) + cos(50)) / 4)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (np.empty((0, 2)), Consistency(0, 0, 0, None, None, None)),
        (at(5), Consistency(1, 0, 0, None, None, None)),
        (at(None, None), Consistency(0, 2, 0, None, None, None)),
    ],
)
def test_too_few_frames_have_no_consistency(frames, expected):
    assert consistency(frames) == expected


def test_frames_that_never_meet_a_neighbour_have_only_the_first_frame():
    found = consistency(at(0, None, 60))
    assert (found.consecutive, found.vbench) == (None, None)
    assert found.first_frame == pytest.approx(0.5)


def test_a_still_video_is_exactly_consistent():
    found = consistency(np.tile(np.random.default_rng(0).normal(size=512), (50, 1)))
    assert found.consecutive == pytest.approx(1.0, abs=1e-12)
    assert found.vbench <= 1.0


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 4), max_size=12))
def test_batches_change_nothing(seed, sizes):
    rng = np.random.default_rng(seed)
    video = rng.normal(size=(sum(sizes), 3))
    video[rng.random(len(video)) < 0.3] = NAN
    meter = ConsistencyMeter()
    ends = np.cumsum([0, *sizes])
    for start, end in pairwise(ends):
        meter.update(video[start:end])
    found, whole = meter.compute(), consistency(video)
    assert (found.frames, found.left_out, found.pairs) == (
        whole.frames,
        whole.left_out,
        whole.pairs,
    )
    for name in ("consecutive", "first_frame", "vbench"):
        one, other = getattr(found, name), getattr(whole, name)
        assert one == (other if other is None else pytest.approx(other, abs=1e-12))


def test_memory_does_not_grow_with_the_video():
    rng = np.random.default_rng(0)
    batch = rng.normal(size=(64, 512)).astype(np.float32)
    meter = ConsistencyMeter()
    meter.update(batch)
    tracemalloc.start()
    meter.update(batch)
    held, _ = tracemalloc.get_traced_memory()
    for _ in range(200):
        meter.update(batch)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 200 batches of vectors would be 26 MB.
    assert after - held < 20_000


def test_the_meter_keeps_no_hold_of_the_batch():
    frames = at(0, 60)
    meter = ConsistencyMeter()
    meter.update(frames)
    frames[:] = 1.0
    meter.update(at(120))
    assert meter.compute().consecutive == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([[1.0, 0.0, 0.0]], "frame vectors are 3 wide, those before were 2"),
        ([[1.0, 0.0], [0.0, 0.0]], "row 1 is infinite or all 0"),
        ([1.0, 0.0], r"frame vectors have shape \(2,\)"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(batch, message):
    meter = ConsistencyMeter()
    meter.update(at(0))
    with pytest.raises(ValueError, match=message):
        meter.update(batch)
