"""Memories learned from videos, each read once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthetic import make_video
from watchword.encoders.fake import FakeEncoder
from watchword.errors import NormalityError, VideoError
from watchword.evidence.change import change
from watchword.evidence.normality.memory import NormalMemory
from watchword.evidence.surprise import Tail
from watchword.pipeline import learning
from watchword.pipeline.embed import Progress
from watchword.pipeline.learning import NormalLearner
from yard_clips import encoding, learned, yard, yard_clip

CACHED = {"cache": {"enabled": True}}


def test_a_memory_says_what_it_was_learned_from(yards: Path, memory: NormalMemory) -> None:
    (footage,) = memory.footage
    assert footage.video == str(yards / "calm.mp4")
    # Each picture of the video could be looked at, the first by appearance alone.
    assert footage.pictures == 80
    assert memory.seconds == pytest.approx(16.0)
    assert memory.rate == pytest.approx(5.0)
    assert memory.names == ("motion", "appearance")
    assert (memory.setting.width, memory.setting.height) == (160, 120)
    assert memory.setting.encoder_name == "fake"
    assert not memory.scene.moving


def test_the_same_footage_makes_the_same_memory(yards: Path, memory: NormalMemory) -> None:
    again = learned(yards / "calm.mp4")
    assert again.fingerprint == memory.fingerprint
    encoder = FakeEncoder()
    encoder.batch_size = 5
    learner = NormalLearner(encoding(encoder))
    learner.learn(yards / "calm.mp4")
    np.testing.assert_allclose(
        learner.finish().parts["motion"].tail.values,
        memory.parts["motion"].tail.values,
        rtol=1e-4,
    )


def test_other_footage_makes_another_memory(memory: NormalMemory, yards: Path) -> None:
    assert learned(yards / "day.mp4").fingerprint != memory.fingerprint


def test_change_of_the_footage_is_known_of_as_it_is_measured_in_a_video(
    yards: Path, memory: NormalMemory
) -> None:
    values = change(encoding().embed(yards / "calm.mp4").features).values[:, 0]
    assert memory.change is not None
    expected = Tail.fit(values)
    np.testing.assert_allclose(memory.change.values, expected.values)
    assert memory.change.count == expected.count == 80


def test_vectors_of_the_footage_are_kept_for_any_sentence(
    yards: Path, memory: NormalMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = encoding().embed(yards / "calm.mp4").embeddings.vectors
    np.testing.assert_array_equal(memory.vectors, whole)
    monkeypatch.setattr(learning, "MOST_VECTORS", 30)
    np.testing.assert_array_equal(learned(yards / "calm.mp4").vectors, whole[::4])


def test_a_memory_that_is_extended_knows_both(yards: Path, memory: NormalMemory) -> None:
    both = learned(yards / "day.mp4", extend=memory)
    assert [Path(one.video).name for one in both.footage] == ["calm.mp4", "day.mp4"]
    assert both.seconds == pytest.approx(32.0)
    assert both.change is not None
    assert both.change.count == 160
    assert both.vectors is not None
    assert len(both.vectors) == 160
    assert both.fingerprint != memory.fingerprint
    # What extends does not change.
    assert memory.seconds == pytest.approx(16.0)


def test_other_cameras_are_refused(tmp_path: Path, yards: Path, memory: NormalMemory) -> None:
    first, other = yards / "calm.mp4", yards / "other.mp4"
    big = yard_clip(tmp_path / "big.mp4", size=(320, 240))
    with pytest.raises(NormalityError, match=r"shows another scene than .*learn one of each"):
        learned(first, other)
    with pytest.raises(NormalityError, match="knows another scene"):
        learned(other, extend=memory)
    with pytest.raises(NormalityError, match=r"320x240, .*160x120.* learn one of each"):
        learned(first, big)
    with pytest.raises(NormalityError, match="160x120, these have 320x240"):
        learned(big, extend=memory)


def test_several_scenes_are_learned_where_that_is_asked_for(yards: Path) -> None:
    anyway = {"normality": {"motion": {"cells": 8}, "any_scene": True}}
    assert len(learned(yards / "calm.mp4", yards / "other.mp4", **anyway).footage) == 2


def test_a_memory_is_not_extended_at_another_rate(yards: Path, memory: NormalMemory) -> None:
    with pytest.raises(NormalityError, match="these come at 2"):
        learned(yards / "day.mp4", extend=memory, sampling={"rate": 2.0})


def test_a_video_is_not_its_own_witness(tmp_path: Path, yards: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((yards / "calm.mp4").read_bytes())
    with pytest.raises(NormalityError, match=r"copy\.mp4 was learned from already, as .*calm\.mp4"):
        learned(yards / "calm.mp4", copy, **CACHED)
    with pytest.raises(NormalityError, match="leave it out"):
        learned(copy, extend=learned(yards / "calm.mp4", **CACHED), **CACHED)


def test_too_little_is_no_memory(tmp_path: Path) -> None:
    with pytest.raises(NormalityError, match="no footage was given"):
        learned()
    for name, seconds in (("one", 0.2), ("short", 3.0)):
        clip = yard_clip(tmp_path / f"{name}.mp4", seconds=seconds)
        with pytest.raises(NormalityError, match="at least 50 over 10 s"):
            learned(clip)


def test_several_short_videos_are_footage_together(tmp_path: Path) -> None:
    clips = [yard_clip(tmp_path / f"{i}.mp4", seconds=4, seed=i) for i in range(4)]
    assert learned(*clips).seconds == pytest.approx(16.0)


def test_footage_that_shows_nothing_is_no_memory(tmp_path: Path) -> None:
    for name, picture in (("black", np.zeros((120, 160, 3), np.uint8)), ("still", yard()(0, 0.0))):
        clip = tmp_path / f"{name}.mp4"
        make_video(clip, seconds=16, rate=5, painter=lambda i, at_s, own=picture: own,
                   options={"crf": "0"})  # fmt: skip
        with pytest.raises(NormalityError, match="frozen"):
            learned(clip)
    small = yard_clip(tmp_path / "small.mp4", size=(40, 30))
    with pytest.raises(NormalityError, match="40x30 are too small"):
        learned(small)


def test_footage_that_cannot_be_read_ends_it(tmp_path: Path, yards: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    with pytest.raises(VideoError):
        learned(yards / "calm.mp4", bad)


def test_listeners_hear_of_each_video(yards: Path) -> None:
    heard: list[Progress] = []
    learner = NormalLearner(encoding())
    learner.learn(yards / "calm.mp4", listener=heard.append)
    assert heard[-1].pictures == 80
