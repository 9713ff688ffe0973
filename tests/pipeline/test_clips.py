"""Clips slid over a video: which pictures, when, and how few are held."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.pipeline.clips import SlideOptions, Slider, Window
from watchword.types import Frames, VideoInfo

INFO = VideoInfo("made", 4, 3)


def frames(pts: list[float], duration_s: float = 0.1) -> Frames:
    """Pictures that hold their own number."""
    count = len(pts)
    pixels = np.broadcast_to(
        (np.arange(count) % 256).astype(np.uint8)[:, None, None, None], (count, 3, 4, 3)
    )
    return Frames(pixels.copy(), np.array(pts), np.full(count, duration_s), INFO)


def slid(all_frames: Frames, options: SlideOptions, cuts: list[int]) -> list[Window]:
    slider, windows = Slider(options), []
    borders = [0, *sorted(cuts), len(all_frames)]
    for first, last in itertools.pairwise(borders):
        if last > first:
            windows += slider.extend(all_frames[first:last])
    return [*windows, *slider.finish()]


def slowly(all_frames: Frames, options: SlideOptions) -> list[tuple[float, float, list[int]]]:
    """Every window by looking at all pictures: start, end, and numbers of its pictures."""
    starts = all_frames.pts_s
    last = float(starts[-1] + all_frames.duration_s[-1])
    found, number = [], 0
    while True:
        start = float(starts[0]) + number * options.stride_s
        end = min(float(starts[0]) + (number + 1) * options.stride_s, last)
        before = [
            i for i, at in enumerate(starts) if end - options.clip_s - 1e-6 <= at < end - 1e-6
        ]
        shown = before and starts[before[-1]] + all_frames.duration_s[before[-1]] > start + 1e-6
        if not shown or end - starts[0] < options.least_s - 1e-6:
            before = []
        keep = min(options.pictures, len(before))
        if keep < len(before):
            spread = np.linspace(len(before) - 1, 0, keep).round().astype(int)[::-1]
            before = [before[i] for i in spread]
        found.append((start, end, before))
        number += 1
        if end >= last - 1e-6:
            return found


@given(
    steps=st.lists(st.sampled_from([0.1, 0.1, 0.1, 0.3, 1.7]), min_size=3, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    stride=st.sampled_from([0.25, 0.5, 0.7]),
    clip=st.sampled_from([0.5, 1.0, 2.0]),
    least=st.sampled_from([0.0, 0.5]),
)
def test_windows_are_those_of_looking_at_everything(steps, cuts, stride, clip, least):
    made = frames([0.4 + float(at) for at in np.cumsum(steps)])
    options = SlideOptions(clip_s=clip, stride_s=stride, pictures=5, least_s=least)
    windows = slid(made, options, [min(cut, len(made)) for cut in cuts])
    expected = slowly(made, options)
    assert [w.number for w in windows] == list(range(len(expected)))
    for window, (start, end, numbers) in zip(windows, expected, strict=True):
        assert (window.start_s, window.end_s) == pytest.approx((start, end))
        got = [] if window.clip is None else window.clip.pictures[:, 0, 0, 0].tolist()
        assert got == numbers
        if window.clip is not None:
            assert window.clip.at_s.max() < end


def test_a_long_drive_is_held_no_longer_than_a_clip_and_a_stride():
    slider = Slider(SlideOptions(clip_s=2.0, stride_s=0.5, pictures=4))
    most = 0
    for minute in range(30):
        made = frames([minute * 60 + i * 0.1 for i in range(600)])
        for _ in slider.extend(made):
            most = max(most, slider.held)
    assert most <= 26


def test_a_window_is_told_by_the_first_picture_after_it():
    slider = Slider(SlideOptions(clip_s=1.0, stride_s=0.5, least_s=0.0))
    assert list(slider.extend(frames([0.0, 0.1, 0.2, 0.3, 0.4]))) == []
    told = list(slider.extend(frames([0.5])))
    assert [(w.start_s, w.end_s) for w in told] == [(0.0, 0.5)]


def test_what_is_not_on_screen_is_not_measured():
    made = frames([0.0, 0.1, 0.2, 5.0, 5.1])
    windows = slid(made, SlideOptions(clip_s=4.0, stride_s=1.0, least_s=0.0), [])
    assert [w.clip is None for w in windows] == [False, True, True, True, True, False]


def test_a_picture_that_stays_on_screen_is_measured():
    made = replace(frames([0.0, 3.0]), duration_s=np.array([3.0, 1.0]))
    windows = slid(made, SlideOptions(clip_s=4.0, stride_s=1.0, least_s=0.0), [])
    assert [len(w.clip) for w in windows if w.clip is not None] == [1, 1, 1, 2]


def test_pictures_of_another_size_are_not_mixed():
    slider = Slider(SlideOptions(clip_s=2.0, stride_s=1.0, least_s=0.0))
    windows = list(slider.extend(frames([0.0, 0.1, 0.2])))
    large = Frames(
        np.zeros((3, 6, 8, 3), np.uint8), np.array([0.5, 0.6, 0.7]), np.full(3, 0.3), INFO
    )
    windows += [*slider.extend(large), *slider.finish()]
    assert [w.clip.pictures.shape for w in windows if w.clip is not None] == [(3, 6, 8, 3)]


def test_only_wanted_clips_are_made():
    slider = Slider(SlideOptions(stride_s=0.5, least_s=0.0), wanted=frozenset({2}))
    windows = [*slider.extend(frames([i * 0.1 for i in range(30)])), *slider.finish()]
    assert [w.number for w in windows if w.clip is not None] == [2]


@pytest.mark.parametrize(
    "wrong",
    [{"clip_s": 0}, {"stride_s": -1}, {"pictures": 0}, {"least_s": 5.0}, {"clip_s": np.nan}],
)
def test_lengths_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SlideOptions(**wrong)
