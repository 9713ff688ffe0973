"""Windows to learn from: every picture is in one, holes and ends are masked, order is seeded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.train.adapter.drawing import draw_videos, draw_windows, drawn_pictures
from watchword.train.adapter.windows import TrainingVideo, Windows

WIDTH = 3


def video(count, name="a", *, abnormal=None, label=None, holes=(), seed=0):
    """A video whose first number tells the picture's own number."""
    rows = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    rows[:, 0] = np.arange(count) + 1
    rows[list(holes)] = np.nan
    labels = None
    if abnormal is not None:
        labels = np.zeros(count, bool)
        labels[abnormal] = True
    return TrainingVideo(name, name, rows, np.arange(count + 1.0), labels, label)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(1, 12), st.data())
def test_every_picture_is_in_a_window_and_no_window_crosses_videos(counts, length, data):
    stride = data.draw(st.integers(1, length))
    videos = [video(count, str(at), seed=at) for at, count in enumerate(counts)]
    windows = Windows(videos, length, stride)
    batch = windows.batch(np.arange(len(windows)))
    for at, one in enumerate(videos):
        mine = batch.videos == at
        seen = batch.seen[mine]
        assert set(batch.pictures[mine][seen]) == set(range(len(one.rows)))
        np.testing.assert_array_equal(batch.x[mine][seen], one.rows[batch.pictures[mine][seen]])
        assert batch.pictures[mine][seen].max() == len(one.rows) - 1
    assert (batch.x[~batch.seen] == 0).all()


def test_the_last_window_is_flush_with_the_end_and_a_short_video_is_filled():
    windows = Windows([video(21), video(5, "b")], 16, 8)
    assert windows.starts.tolist() == [0, 5, 0]
    batch = windows.batch(np.array([2, 1]))
    assert batch.pictures[1].tolist() == list(range(5, 21))
    assert batch.seen.sum(axis=1).tolist() == [5, 16]
    assert batch.x[0, 5:].tolist() == [[0] * WIDTH] * 11


def test_holes_are_neither_seen_nor_known_and_blank_windows_are_counted():
    windows = Windows([video(12, abnormal=slice(2, 6), holes=[3, *range(8, 12)])], 4, 4)
    assert (windows.blank, len(windows)) == (1, 2)
    batch = windows.batch(np.arange(2))
    assert batch.seen[0].tolist() == [True, True, True, False]
    assert batch.known[0].tolist() == [True, True, True, False]
    assert batch.truth[0].tolist() == [False, False, True, False]
    assert np.isfinite(batch.x).all()
    assert windows.abnormal.tolist() == [1, 2]
    assert windows.normal.tolist() == [2, 2]


def test_what_nobody_labelled_is_not_known():
    told = [
        video(4, "frames", abnormal=[1]),
        video(4, "normal", label=False),
        video(4, "abnormal", label=True),
        video(4, "unsaid"),
    ]
    windows = Windows(told, 4, 4)
    batch = windows.batch(np.arange(4))
    assert batch.known.all(axis=1).tolist() == [True, True, False, False]
    assert batch.truth.any(axis=1).tolist() == [True, False, False, False]
    assert windows.labels == (True, False, True, None)


def test_labels_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="video_label is False, but 1 of 4 pictures"):
        video(4, abnormal=[1], label=False)
    with pytest.raises(ValueError, match="frame_labels has shape"):
        TrainingVideo("a", "a", np.ones((3, 2)), np.arange(4.0), np.ones(2, bool))


def test_the_video_s_own_rows_stay_as_they_are():
    one = video(6, holes=[2])
    batch = Windows([one], 4, 2).batch(np.arange(2))
    batch.x[:] = 5
    assert np.isnan(one.rows[2]).all()
    assert one.rows[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        one.rows[0] = 1


@pytest.mark.parametrize(
    ("videos", "length", "stride", "told"),
    [
        ([], 4, 2, "videos are none"),
        ([video(4)], 4, 5, "between 1 and 4"),
        ([video(4)], 4, 0, "between 1 and 4"),
        ([video(4, holes=range(4))], 4, 4, "no picture of the videos was decoded"),
    ],
)
def test_what_gives_no_windows_is_refused(videos, length, stride, told):
    with pytest.raises(ValueError, match=told):
        Windows(videos, length, stride)


def test_videos_of_different_widths_are_refused():
    other = TrainingVideo("b", "b", np.ones((4, 5)), np.arange(5.0))
    with pytest.raises(ValueError, match="widths 3, 5"):
        Windows([video(4), other], 4, 4)


# --- Drawing -------------------------------------------------------------------------------------


def uneven():
    """Windows of which 2 of 30 hold something abnormal."""
    return Windows([video(120, abnormal=slice(9, 12)), video(4, "b", abnormal=[0, 1])], 4, 4)


def drawn(windows, **more):
    return list(draw_windows(windows, **{"batch": 8, "seed": 1, "epoch": 0, **more}))


def test_unbalanced_each_window_comes_once():
    order = np.concatenate(drawn(uneven(), balanced=False))
    assert sorted(order) == list(range(31))
    assert order.tolist() != sorted(order)


def test_balanced_batches_hold_as_much_of_both_and_leave_nothing_out():
    windows = uneven()
    batches = drawn(windows)
    positive = windows.abnormal > 0
    assert all(positive[batch].mean() == 0.5 for batch in batches)
    assert set(np.concatenate(batches)) == set(range(31))
    counts = np.bincount(np.concatenate(batches))[positive]
    assert counts.max() - counts.min() <= 1


def test_the_order_rests_on_seed_and_epoch_alone():
    windows = uneven()
    first = np.concatenate(drawn(windows))
    np.random.default_rng(0).random(5)
    assert np.array_equal(first, np.concatenate(drawn(windows)))
    for other in ({"epoch": 1}, {"seed": 2}):
        assert not np.array_equal(first, np.concatenate(drawn(windows, **other)))


def test_pictures_drawn_are_those_that_batches_show():
    windows = uneven()
    for balanced in (True, False):
        batches = [windows.batch(one) for one in drawn(windows, balanced=balanced)]
        abnormal = sum(int(one.truth.sum()) for one in batches)
        known = sum(int(one.known.sum()) for one in batches)
        normal, found = drawn_pictures(windows, balanced=balanced)
        # Of the rarer kind, one window may come once more than another.
        assert found == pytest.approx(abnormal, abs=3)
        assert normal == pytest.approx(known - abnormal, abs=3)


def test_balancing_one_kind_is_refused():
    with pytest.raises(ValueError, match="0 of 2 hold something abnormal"):
        drawn(Windows([video(8, label=False)], 4, 4))


def test_videos_come_in_turn_with_windows_spread_over_them():
    videos = [video(400, str(at), label=at == 0, seed=at) for at in range(5)] + [video(8, "x")]
    windows = Windows(videos, 4, 4)
    batches = list(draw_videos(windows, videos=4, each=5, seed=0, epoch=0))
    assert len(batches) == 2
    shown = set()
    for one in batches:
        assert one.truth.tolist() == [True, False] * 2
        assert np.bincount(one.bags).tolist() == [5] * 4
        for bag, abnormal in enumerate(one.truth):
            mine = windows.videos[one.windows[one.bags == bag]]
            assert len(set(mine)) == 1
            assert windows.labels[mine[0]] is bool(abnormal)
            starts = windows.starts[one.windows[one.bags == bag]]
            assert len(set(starts)) == 5
            assert (np.diff(starts) >= 76).all()
        shown |= set(windows.videos[one.windows])
    assert shown == {0, 1, 2, 3, 4}


def test_a_short_video_gives_all_its_windows():
    windows = Windows([video(8, "a", label=True), video(12, "b", label=False)], 4, 4)
    (one,) = draw_videos(windows, videos=2, each=9, seed=0, epoch=0)
    assert one.windows.tolist() == [0, 1, 2, 3, 4]
    assert one.bags.tolist() == [0, 0, 1, 1, 1]


def test_videos_of_one_class_are_refused():
    with pytest.raises(ValueError, match="2 of 2 hold something abnormal"):
        list(
            draw_videos(
                Windows([video(4, label=True), video(4, "b", label=True)], 4, 4),
                videos=2,
                each=1,
                seed=0,
                epoch=0,
            )
        )


# --- Defects of the seed's own code (issue E) -----------------------------------------------------


def test_defect_5_a_window_is_a_run_of_pictures_in_their_order():
    batch = Windows([video(10), video(10, "b")], 4, 3).batch(np.arange(6))
    first = np.tile([0, 3, 6], 2)
    np.testing.assert_array_equal(batch.x[..., 0], first[:, None] + np.arange(1, 5))


def test_defect_7_truth_is_of_pictures_not_of_windows():
    batch = Windows([video(8, abnormal=[2, 5])], 8, 8).batch(np.array([0]))
    assert np.flatnonzero(batch.truth[0]).tolist() == [2, 5]


def test_defect_8_a_video_of_which_nothing_was_decoded_teaches_nothing():
    broken = video(8, "broken", label=True, holes=range(8))
    windows = Windows([broken, video(8, "whole", label=False)], 4, 4)
    assert windows.blank == 2
    assert set(windows.videos) == {1}
    with pytest.raises(ValueError, match="0 of 1"):
        list(draw_videos(windows, videos=2, each=2, seed=0, epoch=0))


def test_defect_9_windows_are_cut_from_rows_read_once(monkeypatch):
    windows = Windows([video(40)], 4, 2)
    monkeypatch.setattr(TrainingVideo, "rows", property(lambda self: pytest.fail("read again")))
    for numbers in draw_windows(windows, batch=4, seed=0, epoch=0, balanced=False):
        assert windows.batch(numbers).seen.all()
