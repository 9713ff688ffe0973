"""Which videos are held out, and how well those are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapter_videos import flicker_video, flicker_videos
from watchword.evaluation.metrics.frame import roc_auc
from watchword.train.adapter.metrics import divide, judge, top_mean


def test_no_group_is_on_both_sides_and_every_video_on_one() -> None:
    videos = flicker_videos(20)
    for seed in range(5):
        found = divide(videos, share=0.2, seed=seed, frames=True)
        assert sorted(found.train + found.validation) == list(range(20))
        sides = [{videos[n].group for n in side} for side in (found.train, found.validation)]
        assert not sides[0] & sides[1]
        assert len(found.validation) == 4
        assert any(videos[n].video_label for n in found.validation)
        assert found.note == ""
    assert divide(videos, share=0.2, seed=0, frames=True) == divide(
        videos, share=0.2, seed=0, frames=True
    )


def test_one_group_is_split_by_video_and_says_so() -> None:
    videos = [replace(video, group="one camera") for video in flicker_videos(10)]
    found = divide(videos, share=0.2, seed=0, frames=True)
    assert found.validation
    assert "same camera" in found.note


def test_what_cannot_be_split_is_not_and_says_so() -> None:
    one = flicker_videos(1)
    assert divide(one, share=0.2, seed=0, frames=True).validation == ()
    assert "one video only" in divide(one, share=0.2, seed=0, frames=True).note
    assert divide(flicker_videos(4), share=0.0, seed=0, frames=True).validation == ()
    lone = [flicker_video(0, abnormal=True), flicker_video(3, abnormal=False)]
    found = divide(lone, share=0.5, seed=0, frames=False)
    assert "both classes" in found.note


def test_pictures_of_all_videos_are_judged_together_where_labels_allow() -> None:
    videos = flicker_videos(4)
    scores = [np.random.default_rng(n).random(60).astype(np.float32) for n in range(4)]
    scores[0][:20] = np.nan
    truth = np.concatenate([video.frame_labels for video in videos])
    flat = np.concatenate(scores)
    kept = ~np.isnan(flat)
    found = judge(videos, scores, frames=True)
    assert (found.auc, found.level) == (roc_auc(truth[kept], flat[kept]), "frame")


def test_videos_are_judged_where_pictures_may_not_be() -> None:
    videos = flicker_videos(4)
    scores = [np.full(60, value, np.float32) for value in (0.9, 0.2, 0.1, 0.3)]
    found = judge(videos, scores, frames=False)
    assert (found.auc, found.level) == (0.5, "video")
    assert judge(videos[:1], scores[:1], frames=False).auc is None


def test_the_highest_sixteenth_speaks_for_a_video() -> None:
    scores = np.arange(32, dtype=np.float32)
    assert top_mean(scores) == pytest.approx(30.0)
    scores[31] = np.nan
    assert top_mean(scores) == pytest.approx(29.5)
    assert np.isnan(top_mean(np.full(3, np.nan, np.float32)))
