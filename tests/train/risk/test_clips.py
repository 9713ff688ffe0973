"""The pictures of an example, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthetic import frame_number, make_video
from watchword.errors import VideoError
from watchword.train.risk.clips import Shelf, read_clip
from watchword.train.risk.examples import RiskExample


def example(video: Path, start_s: float | None = None, end_s: float | None = None) -> RiskExample:
    return RiskExample(video, start_s, end_s, "Crash?", 0, "group")


def test_pictures_are_spread_over_the_stretch_and_end_before_its_end(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", seconds=6, rate=10)
    clip = read_clip(example(tmp_path / "a.mp4", 1.0, 5.0), pictures=4, rate=10.0)
    assert [frame_number(one) for one in clip.pictures] == [10, 23, 36, 49]
    np.testing.assert_allclose(clip.at_s, [1.0, 2.3, 3.6, 4.9], atol=1e-6)
    assert (clip.start_s, clip.end_s) == (1.0, 5.0)


def test_without_times_the_stretch_is_the_whole_video(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", seconds=2, rate=10)
    clip = read_clip(example(tmp_path / "a.mp4"), pictures=3, rate=10.0)
    assert [frame_number(one) for one in clip.pictures] == [0, 10, 19]
    assert (clip.start_s, clip.end_s) == (0.0, pytest.approx(2.0))


def test_of_a_long_stretch_fewer_pictures_are_held(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", seconds=40, rate=10, size=(48, 32))
    clip = read_clip(example(tmp_path / "a.mp4"), pictures=2, rate=10.0)
    # 32 pictures over 40 s: the last of them is at 31 * 1.25 s.
    assert [frame_number(one) for one in clip.pictures] == [0, 388]


def test_a_stretch_behind_the_end_is_refused(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", seconds=2, rate=10)
    with pytest.raises(VideoError, match="no picture between 5 s and 6 s"):
        read_clip(example(tmp_path / "a.mp4", 5.0, 6.0), pictures=3, rate=10.0)


def test_a_shelf_makes_nothing_twice_while_there_is_room() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    shelf = Shelf(make, lambda one: 10, room=20)
    assert [shelf[one] for one in (0, 1, 2, 0, 1, 2)] == [0, 1, 2, 0, 1, 2]
    assert made == [0, 1, 2, 2]


@pytest.mark.parametrize("wrong", [{"label": 2}, {"start_s": 2.0, "end_s": 1.0}])
def test_examples_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    told = {"video": Path("a"), "start_s": None, "end_s": None, "text": "?", "label": 0}
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        RiskExample(**{**told, "group": "g", **wrong})  # type: ignore[arg-type]
