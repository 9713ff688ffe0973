"""Exact times of real files in many containers, and which picture is shown when."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from synthetic import cut, make_folder, make_video
from video.reading import EVERY, Read
from watchword.errors import VideoError
from watchword.video.reader import ReadOptions
from watchword.video.sampling import Sampling

FORMATS = {
    "mp4": ("a.mp4", {}),
    "mov": ("a.mov", {}),
    "mkv": ("a.mkv", {}),
    "webm vp8": ("a.webm", {}),
    "webm vp9": ("a.webm", {"codec": "libvpx-vp9"}),
    "ts": ("a.ts", {}),
    "flv": ("a.flv", {}),
    "avi": ("a.avi", {}),
    "gif": ("a.gif", {"pix_fmt": "rgb8"}),
    "raw h264, which stores no times": ("a.h264", {}),
    "B-frames in mp4": ("a.mp4", {"options": {"bf": "3"}}),
    "B-frames in ts": ("a.ts", {"options": {"bf": "3"}}),
    "10 bit": ("a.mp4", {"pix_fmt": "yuv420p10le"}),
    "odd size": ("a.mkv", {"pix_fmt": "yuv444p", "size": (161, 121)}),
    "grey": ("a.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
    "alpha": ("a.mov", {"codec": "qtrle", "pix_fmt": "argb"}),
    "full range": ("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
}


@pytest.mark.parametrize(("name", "settings"), FORMATS.values(), ids=FORMATS.keys())
def test_every_format_gives_every_picture_at_its_time(
    tmp_path: Path, name: str, settings: dict
) -> None:
    times = make_video(tmp_path / name, **settings)
    got = Read(tmp_path / name)
    np.testing.assert_allclose(got.pts_s, times, atol=1e-9)
    np.testing.assert_allclose(got.duration_s, 1 / 25, atol=1e-9)
    assert got.numbers == list(range(50))
    assert (got.info.width, got.info.height) == settings.get("size", (160, 120))
    assert got.coverage.failed == 0
    assert got.coverage.covered_s == pytest.approx(2.0)


def test_variable_rate_keeps_the_stored_times_and_shows_each_until_the_next(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 0.5, 0.51, 1.7]
    make_video(tmp_path / "a.mp4", times_s=times)
    got = Read(tmp_path / "a.mp4")
    np.testing.assert_allclose(got.pts_s, times, atol=1e-9)
    np.testing.assert_allclose(got.pts_s[1:], (got.pts_s + got.duration_s)[:-1], atol=1e-12)
    assert got.coverage.share == pytest.approx(1)


def test_a_jump_of_hours_is_a_gap_and_not_a_picture_shown_for_hours(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mkv", times_s=[0, 0.04, 0.08, 7200, 7200.04])
    got = Read(tmp_path / "a.mkv")
    np.testing.assert_allclose(got.duration_s, 0.04, atol=1e-3)
    assert got.coverage.covered_s == pytest.approx(0.2, abs=0.01)
    assert got.coverage.share < 0.001


def test_a_rate_of_ntsc_gives_exact_fractions(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    make_video(tmp_path / "a.mp4", seconds=3, rate=rate)
    assert Read(tmp_path / "a.mp4").pts_s.tolist() == [float(k / rate) for k in range(90)]


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.mp4"])
def test_time_zero_is_where_a_player_starts(tmp_path: Path, name: str) -> None:
    make_video(tmp_path / name, times_s=[3 + k / 10 for k in range(10)], rate=10)
    got = Read(tmp_path / name)
    np.testing.assert_allclose(got.pts_s, np.arange(10) / 10, atol=1e-9)
    assert got.info.duration_s == pytest.approx(1.0, abs=0.07)


def test_sound_that_starts_first_delays_the_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("ffv1", rate=10)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), layout="mono")
        silence.sample_rate, silence.pts, silence.time_base = 8000, 0, Fraction(1, 8000)
        container.mux(sound.encode(silence))
        for k in range(5):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts, frame.time_base = 7 + k, Fraction(1, 10)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
    np.testing.assert_allclose(Read(path).pts_s, 0.7 + np.arange(5) / 10, atol=1e-9)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.h264"])
@pytest.mark.parametrize(
    ("sampling", "numbers"),
    [
        (EVERY, range(50)),
        (Sampling(rate=None, every=7), range(0, 50, 7)),
        (Sampling(rate=5), range(0, 50, 5)),
        (Sampling(rate=1000), range(50)),
        (Sampling(rate=5, start_s=1.2, end_s=1.8), (30, 35, 40)),
        (Sampling(rate=None, start_s=1.9), (48, 49)),
        (Sampling(rate=None, end_s=0.1), (0, 1, 2)),
    ],
)
def test_sampling_gives_the_pictures_of_its_times(
    tmp_path: Path, name: str, sampling: Sampling, numbers: range
) -> None:
    make_video(tmp_path / name)
    got = Read(tmp_path / name, sampling)
    assert got.numbers == list(numbers)
    np.testing.assert_allclose(got.pts_s, np.array(numbers) / 25, atol=1e-9)


def test_a_picked_picture_lasts_until_the_next_one_picked_and_ends_with_the_range(
    tmp_path: Path,
) -> None:
    make_video(tmp_path / "a.mp4")
    got = Read(tmp_path / "a.mp4", Sampling(rate=5, end_s=0.5))
    np.testing.assert_allclose(got.duration_s, [0.2, 0.2, 0.1], atol=1e-12)
    assert got.coverage.expected_s == 0.5
    assert got.coverage.share == pytest.approx(1)


def test_a_range_behind_the_end_is_an_error_that_tells_the_length(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match=r"no picture between 5 s and the end.*2.00 s long"):
        Read(tmp_path / "a.mp4", Sampling(start_s=5))


def test_batches_are_as_large_as_asked_and_lose_nothing(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    got = Read(tmp_path / "a.mp4", options=ReadOptions(batch=16))
    assert [len(batch) for batch in got.batches] == [16, 16, 16, 2]


def test_a_cut_out_stretch_leaves_a_gap_between_times(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    make_video(path, seconds=8)
    data = path.read_bytes()
    packet = 188
    middle = len(data) // 2 // packet * packet
    path.write_bytes(
        data[:middle]
        + bytes(len(data) // 4 // packet * packet)
        + data[middle + len(data) // 4 // packet * packet :]
    )
    got = Read(path)
    holes = got.pts_s[1:] - (got.pts_s + got.duration_s)[:-1]
    assert holes.max() > 1.0
    assert got.coverage.covered_s == pytest.approx(8 - holes[holes > 1e-6].sum(), abs=0.1)
    assert got.coverage.share < 0.9
    assert [round(pts * 25) for pts in got.pts_s] == got.numbers


def test_pictures_before_the_first_keyframe_are_counted_and_not_shown(tmp_path: Path) -> None:
    make_video(tmp_path / "a.ts", seconds=4)
    cut(tmp_path / "a.ts", start=0.2)
    got = Read(tmp_path / "a.ts")
    assert got.numbers == list(range(got.numbers[0], 100))
    assert got.numbers[0] % 25 == 0
    assert got.coverage.failed > 0
    assert "before the first keyframe" in got.coverage.notes[0]


def test_a_folder_counts_pictures_at_its_nominal_rate(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=12)
    got = Read(folder, options=ReadOptions(frame_rate=4))
    assert got.numbers == list(range(12))
    assert got.pts_s.tolist() == [k / 4 for k in range(12)]
    assert got.info.duration_s == 3.0
    assert got.coverage.share == 1


def test_segment_folders_are_one_video_whose_pictures_follow_each_other(tmp_path: Path) -> None:
    for segment in range(11):
        make_folder(tmp_path / "v" / f"seg_{segment}", pictures=3)
    got = Read(tmp_path / "v")
    assert got.numbers == [0, 1, 2] * 11
    np.testing.assert_allclose(got.pts_s, np.arange(33) / 10)


def test_an_unreadable_picture_of_a_folder_is_a_counted_gap(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=6)
    cut(folder / "2.jpg", end=0.3)
    (folder / "4.jpg").write_bytes(b"")
    got = Read(folder)
    assert got.numbers == [0, 1, 3, 5]
    np.testing.assert_allclose(got.duration_s, 0.1)
    np.testing.assert_allclose(got.pts_s, [0, 0.1, 0.3, 0.5])
    assert got.coverage.failed == 2
    assert got.coverage.share == pytest.approx(4 / 6)
