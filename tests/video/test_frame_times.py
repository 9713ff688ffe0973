"""Times of frames from packets alone equal those of a reader that decodes every frame."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from synthetic import cut, make_folder, make_sound, make_video
from video.reading import EVERY, Read
from video.test_real_clips import CLIPS, SMALL
from video.test_times import FORMATS
from watchword.errors import VideoError
from watchword.video.frame_times import counted_times, frame_times
from watchword.video.reader import ReadOptions


@pytest.mark.parametrize(("name", "settings"), FORMATS.values(), ids=FORMATS.keys())
def test_every_format_has_the_times_of_its_pictures(
    tmp_path: Path, name: str, settings: dict
) -> None:
    make_video(tmp_path / name, **settings)
    np.testing.assert_array_equal(frame_times(tmp_path / name), Read(tmp_path / name).pts_s)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_uneven_times_that_begin_late_are_counted_from_where_a_player_starts(
    tmp_path: Path, name: str
) -> None:
    make_video(tmp_path / name, times_s=[3, 3.04, 3.08, 3.5, 3.52, 4.7], options={"bf": "2"})
    times = frame_times(tmp_path / name)
    np.testing.assert_allclose(times, [0, 0.04, 0.08, 0.5, 0.52, 1.7], atol=1e-9)
    np.testing.assert_array_equal(times, Read(tmp_path / name).pts_s)


def test_pictures_before_the_first_keyframe_are_not_counted(tmp_path: Path) -> None:
    make_video(tmp_path / "a.ts", seconds=4)
    cut(tmp_path / "a.ts", start=0.2)
    np.testing.assert_array_equal(frame_times(tmp_path / "a.ts"), Read(tmp_path / "a.ts").pts_s)


def test_a_folder_counts_pictures_at_its_nominal_rate(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=12)
    assert frame_times(folder).tolist() == Read(folder).pts_s.tolist()
    options = ReadOptions(frame_rate=4)
    assert frame_times(folder, options=options).tolist() == [k / 4 for k in range(12)]


def with_equal_times(path: Path, ticks: list[int]) -> Path:
    """A video of tenths of a second whose frames have the given ticks, which may be equal."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        packets = []
        for k in range(len(ticks)):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = k
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, tick in zip(packets, ticks, strict=True):
            packet.pts = packet.dts = tick * packet.time_base.denominator // 10
            container.mux(packet)
    return path


def test_frames_with_equal_times_are_all_counted_but_shown_once(tmp_path: Path) -> None:
    path = with_equal_times(tmp_path / "a.mkv", [0, 1, 1, 1, 4, 5, 5])
    np.testing.assert_allclose(frame_times(path), [0, 0.1, 0.4, 0.5], atol=1e-9)
    np.testing.assert_array_equal(frame_times(path), Read(path).pts_s)
    np.testing.assert_allclose(counted_times(path), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55], atol=1e-9)


def test_without_equal_times_both_ways_to_count_agree(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", times_s=[0, 0.04, 0.5, 0.6])
    np.testing.assert_array_equal(
        counted_times(tmp_path / "a.mp4"), frame_times(tmp_path / "a.mp4")
    )


def test_what_is_no_video_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        frame_times(tmp_path / "absent.mp4")
    with pytest.raises(VideoError, match="no video track"):
        frame_times(make_sound(tmp_path / "a.wav"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="holds no pictures"):
        frame_times(tmp_path / "empty")


@pytest.mark.shared
@pytest.mark.parametrize("name", [*CLIPS, "gmdcsa24/S1_ADL_10.mp4", "gmdcsa24/S2_Fall_14.mp4"])
def test_real_clips_have_the_times_that_reading_them_gives(shared: Path, name: str) -> None:
    path = shared / "data" / name
    np.testing.assert_array_equal(frame_times(path), Read(path, EVERY, SMALL).pts_s)


@pytest.mark.shared
def test_a_phone_recording_with_equal_times_has_all_the_frames_of_its_labels(shared: Path) -> None:
    path = shared / "data" / "gmdcsa24" / "S1_ADL_10.mp4"
    assert (len(frame_times(path)), len(counted_times(path))) == (108, 115)
    assert (np.diff(counted_times(path)) > 0).all()
