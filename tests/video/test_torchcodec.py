"""The optional backend gives what PyAV gives; runs where torchcodec and its libraries are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthetic import make_video, turn
from video.reading import EVERY, Read
from watchword.errors import VideoError
from watchword.video.reader import ReadOptions
from watchword.video.sampling import Sampling

# Its wheels match one build of torch each, so these run where somebody installed a pair that fits.
pytestmark = pytest.mark.torchcodec

TORCHCODEC = ReadOptions(backend="torchcodec")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
@pytest.mark.parametrize("sampling", [EVERY, Sampling(rate=5, start_s=0.5, end_s=1.5)])
def test_it_gives_the_times_and_pictures_of_pyav(
    tmp_path: Path, name: str, sampling: Sampling
) -> None:
    make_video(tmp_path / name, options={} if name == "a.webm" else {"bf": "2"})
    ours, other = Read(tmp_path / name, sampling), Read(tmp_path / name, sampling, TORCHCODEC)
    np.testing.assert_allclose(other.pts_s, ours.pts_s, atol=1e-6)
    # It rounds the end of the last picture to milliseconds.
    np.testing.assert_allclose(other.duration_s, ours.duration_s, atol=1e-3)
    assert other.numbers == ours.numbers
    assert (other.info.width, other.info.height) == (160, 120)


def test_it_stands_pictures_upright(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", seconds=0.4, size=(96, 64))
    turn(tmp_path / "a.mp4", "90")
    ours, other = Read(tmp_path / "a.mp4"), Read(tmp_path / "a.mp4", EVERY, TORCHCODEC)
    assert (other.info.width, other.info.height) == (64, 96)
    for a, b in zip(ours.pictures, other.pictures, strict=True):
        assert np.abs(a.astype(int) - b.astype(int)).mean() < 3


def test_a_file_that_it_would_number_wrongly_is_refused(tmp_path: Path) -> None:
    make_video(tmp_path / "a.ts", options={"bf": "2"})
    with pytest.raises(VideoError, match="use the pyav backend"):
        Read(tmp_path / "a.ts", EVERY, TORCHCODEC)


def test_what_it_cannot_open_is_a_video_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video" * 100)
    with pytest.raises(VideoError, match="torchcodec cannot open it"):
        Read(tmp_path / "a.mp4", EVERY, TORCHCODEC)
    with pytest.raises(VideoError, match="there is no such file"):
        Read(tmp_path / "absent.mp4", EVERY, TORCHCODEC)
