"""Real clips: each is read whole, every sampling agrees with reading everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video.reading import EVERY, Read
from watchword.video.reader import ReadOptions
from watchword.video.sampling import Sampling

pytestmark = pytest.mark.shared

CLIPS = (
    "misc/vtest.mp4",
    "misc/Bfyp0C02sko_000248_000258.mp4",
    "misc/car-detection.mp4",
    "dada/1_008.mp4",
    "cctv_accident/test1.mp4",
    "ucsd_ped2/test/Test001.mp4",
    "ucf_crime/bku/RoadAccidents336_x264.mp4",
)
SMALL = ReadOptions(size=(64, 48))


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_gives_every_frame_its_header_counts(shared: Path, name: str) -> None:
    got = Read(shared / "data" / name, EVERY, SMALL)
    assert len(got.pictures) == got.info.frame_count
    assert got.coverage.failed == 0
    assert got.coverage.notes == ()
    assert got.coverage.share == pytest.approx(1, abs=0.01)
    assert got.info.duration_s == pytest.approx(got.pts_s[-1] + got.duration_s[-1], abs=1e-3)


@pytest.mark.parametrize("name", CLIPS)
def test_a_range_in_the_middle_equals_that_part_of_the_whole(shared: Path, name: str) -> None:
    path = shared / "data" / name
    whole = Read(path, EVERY, SMALL)
    start_s, end_s = whole.pts_s[len(whole.pts_s) // 2], whole.pts_s[len(whole.pts_s) * 3 // 4]
    part = Read(path, Sampling(rate=None, start_s=start_s, end_s=end_s), SMALL)
    inside = (whole.pts_s >= start_s) & (whole.pts_s < end_s)
    np.testing.assert_array_equal(part.pts_s, whole.pts_s[inside])
    wanted = np.array(whole.pictures)[inside]
    np.testing.assert_array_equal(np.array(part.pictures), wanted)


@pytest.mark.parametrize("name", CLIPS)
def test_ten_a_second_are_pictures_of_the_whole_and_cover_all_of_it(
    shared: Path, name: str
) -> None:
    path = shared / "data" / name
    whole, sampled = Read(path, EVERY, SMALL), Read(path, Sampling(), SMALL)
    at = np.searchsorted(whole.pts_s, sampled.pts_s)
    np.testing.assert_array_equal(np.array(sampled.pictures), np.array(whole.pictures)[at])
    assert sampled.coverage.covered_s == pytest.approx(whole.coverage.covered_s)


def test_real_folders_of_pictures_are_read(shared: Path) -> None:
    folders = sorted((shared / "data" / "dada_sparse").iterdir())
    folders = [folder for folder in folders if folder.is_dir()]
    assert len(folders) >= 10
    for folder in folders[:10]:
        got = Read(folder, EVERY, SMALL)
        assert len(got.pictures) == len(list(folder.glob("*.jpg")))
        assert got.coverage.failed == 0


@pytest.mark.parametrize("name", CLIPS[:4])
def test_pictures_made_small_by_the_decoder_look_like_those_made_small_from_rgb(
    shared: Path, name: str
) -> None:
    path = shared / "data" / name
    sampling = Sampling(rate=2, end_s=4)
    full = Read(path, sampling).pictures
    small = Read(path, sampling, ReadOptions(size=(224, 224))).pictures
    height, width = full[0].shape[:2]
    whole_picture = Sampling(rate=2, end_s=4, region=(0, 0, width, height))
    by_rgb = Read(path, whole_picture, ReadOptions(size=(224, 224))).pictures
    assert np.abs(np.array(small, int) - np.array(by_rgb, int)).mean() < 2.5
