"""What the pictures look like: upright, in true colours, cut to the region, scaled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthetic import make_folder, make_video, turn
from video.reading import EVERY, Read
from watchword.errors import VideoError
from watchword.video.reader import ReadOptions
from watchword.video.sampling import Sampling

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(index: int, at_s: float) -> NDArray[np.uint8]:
    """Red, green / blue, white: every turn and mirroring looks different."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:32, :48], picture[:32, 48:] = RED, GREEN
    picture[32:, :48], picture[32:, 48:] = BLUE, WHITE
    return picture


def names(picture: NDArray[np.uint8]) -> str:
    """The colours of the four corners, row by row, as letters."""
    height, width = picture.shape[:2]
    letters = {RED: "r", GREEN: "g", BLUE: "b", WHITE: "w"}
    spots = [(h, w) for h in (height // 4, height * 3 // 4) for w in (width // 4, width * 3 // 4)]
    return "".join(
        letters[tuple(255 if channel > 127 else 0 for channel in picture[spot])] for spot in spots
    )


@pytest.mark.parametrize(
    ("way", "corner_colours", "degrees", "size"),
    [
        ("0", "rgbw", 0, (96, 64)),
        ("90", "gwrb", 90, (64, 96)),
        ("180", "wbgr", 180, (96, 64)),
        ("270", "brwg", 270, (64, 96)),
        ("mirrored", "grwb", 0, (96, 64)),
        ("flipped", "bwrg", 180, (96, 64)),
        ("transposed", "rbgw", 270, (64, 96)),
    ],
)
@pytest.mark.parametrize("scaled", [None, (40, 80)])
def test_pictures_stand_upright_whatever_turn_the_file_asks_for(
    tmp_path: Path,
    way: str,
    corner_colours: str,
    degrees: int,
    size: tuple[int, int],
    scaled: tuple[int, int] | None,
) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, seconds=0.2, size=(96, 64), painter=corners)
    turn(path, way)
    got = Read(path, options=ReadOptions(size=scaled))
    assert {names(picture) for picture in got.pictures} == {corner_colours}
    assert (got.info.width, got.info.height) == size
    assert got.info.rotation == degrees
    assert got.pictures[0].shape == (*(scaled or size)[::-1], 3)


def test_the_region_is_cut_from_the_upright_picture_before_scaling(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, seconds=0.2, size=(96, 64), painter=corners)
    turn(path, "90")
    # Upright: 64 wide, 96 high, white at the top right.
    sampling = Sampling(rate=None, region=(32, 0, 32, 48))
    plain = Read(path, sampling).pictures[0]
    assert plain.shape == (48, 32, 3)
    assert plain[4:-4, 4:-4].min() > 230
    assert Read(path, sampling, ReadOptions(size=(20, 10))).pictures[0].shape == (10, 20, 3)


def test_a_region_of_one_pixel_more_than_the_picture_is_refused_with_its_size(
    tmp_path: Path,
) -> None:
    make_video(tmp_path / "a.mp4", seconds=0.2)
    assert Read(tmp_path / "a.mp4", Sampling(region=(0, 0, 160, 120))).pictures
    with pytest.raises(VideoError, match="outside the picture, which is 160 x 120"):
        Read(tmp_path / "a.mp4", Sampling(region=(1, 0, 160, 120)))
    folder = make_folder(tmp_path / "frames", pictures=1)
    with pytest.raises(VideoError, match="outside the picture, which is 160 x 120"):
        Read(folder, Sampling(region=(0, 60, 160, 61)))


@pytest.mark.parametrize(
    ("name", "settings", "tolerance"),
    [
        ("a.mp4", {}, 6),
        ("a.mp4", {"pix_fmt": "yuv420p10le"}, 6),
        (
            "a.avi",
            {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {"qmin": "1", "qmax": "1"}},
            6,
        ),
        ("a.mkv", {"codec": "ffv1", "pix_fmt": "gray"}, 2),
        ("a.mov", {"codec": "qtrle", "pix_fmt": "argb"}, 0),
    ],
)
def test_grey_levels_survive_limited_and_full_range(
    tmp_path: Path, name: str, settings: dict, tolerance: int
) -> None:
    levels = [0, 16, 64, 128, 200, 235, 255]

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        return np.full((32, 32, 3), levels[index], np.uint8)

    times = [k / 25 for k in range(len(levels))]
    make_video(tmp_path / name, times_s=times, size=(32, 32), painter=paint, **settings)
    got = [int(picture.mean()) for picture in Read(tmp_path / name).pictures]
    np.testing.assert_allclose(got, levels, atol=tolerance)


def test_scaling_averages_every_pixel_like_an_area_mean(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.fromarray(picture).save(folder / "0.png")
    (made,) = Read(folder, options=ReadOptions(size=(32, 24))).pictures
    exact = picture.reshape(24, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(made - exact).max() <= 3


def test_a_folder_honours_exif_grey_palette_and_sixteen_bit_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    upright = Image.fromarray(corners(0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(folder / "0.jpg", exif=exif, quality=95)
    upright.convert("P").save(folder / "1.png")
    upright.convert("RGBA").save(folder / "2.png")
    Image.fromarray(np.full((64, 96), 200 << 8, np.uint16)).save(folder / "3.png")
    upright.convert("L").save(folder / "4.png")
    got = Read(folder)
    assert (got.info.width, got.info.height) == (64, 96)
    assert names(got.pictures[0]) == "brwg"
    assert names(got.pictures[1]) == names(got.pictures[2]) == "rgbw"
    assert np.unique(got.pictures[3]).tolist() == [200]
    assert got.pictures[4].shape == (64, 96, 3)


def test_a_change_of_picture_size_starts_another_batch(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=3)
    for number, picture in enumerate(sorted(folder.glob("*.jpg")), start=3):
        with Image.open(picture) as image:
            image.resize((80, 60)).save(folder / f"{number}.jpg")
    got = Read(folder)
    assert [batch.pixels.shape for batch in got.batches] == [(3, 120, 160, 3), (3, 60, 80, 3)]
    assert [b.pixels.shape for b in Read(folder, EVERY, ReadOptions(size=(8, 8))).batches] == [
        (6, 8, 8, 3)
    ]
