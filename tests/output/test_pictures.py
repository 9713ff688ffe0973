"""Pictures of the report are the ones on screen at the moment they stand for."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from synthetic import cut, frame_number, make_folder, make_sound, make_video, numbered, turn
from watchword.output.pictures import pictures_at
from watchword.output.playback import open_player
from watchword.types import Detection, VideoInfo


def numbers_at(info: VideoInfo, moments_s: list[float], *, width: int = 160) -> list[int]:
    taken = pictures_at(info, moments_s, width=width)
    assert taken.problem == ""
    pictures = [Image.open(io.BytesIO(taken.jpegs[moment_s])) for moment_s in moments_s]
    return [frame_number(np.asarray(picture)) for picture in pictures]


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoInfo, list[float]]:
    """Forty seconds at uneven times with long gaps, keyframes and B-frames far apart."""
    path = tmp_path_factory.mktemp("uneven") / "uneven.mkv"
    rng = np.random.default_rng(3)
    times_s = np.cumsum(rng.choice([0.04, 0.1, 0.5, 2.0], 150, p=[0.5, 0.3, 0.15, 0.05]))
    kept = make_video(
        path,
        times_s=[round(float(t - times_s[0]), 3) for t in times_s],
        options={"g": "40", "bf": "3"},
    )
    return VideoInfo(str(path), 160, 120), kept


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments_s=st.lists(st.floats(0, 45), min_size=1, max_size=6, unique=True))
def test_the_picture_is_the_last_one_shown_by_then(
    uneven: tuple[VideoInfo, list[float]], moments_s: list[float]
) -> None:
    info, times_s = uneven
    expected = [int(np.searchsorted(times_s, m + 1e-6, "right")) - 1 for m in moments_s]
    assert numbers_at(info, moments_s) == expected


@pytest.mark.parametrize("way", [90, 180, 270])
def test_a_recording_on_its_side_gives_upright_pictures(tmp_path: Path, way: int) -> None:
    path = tmp_path / "phone.mp4"
    corner = np.zeros((120, 160, 3), np.uint8)
    corner[:60, :80] = 255
    make_video(path, seconds=1, painter=lambda index, at_s: corner)
    turn(path, str(way))
    taken = pictures_at(VideoInfo(str(path), 160, 120), [0.5], width=60)
    upright = np.asarray(Image.open(io.BytesIO(taken.jpegs[0.5])).convert("L"), float)
    expected = np.rot90(corner[..., 0], way // 90)
    assert upright.shape[1] == 60
    assert upright.shape[0] == round(60 * expected.shape[0] / expected.shape[1])
    brightest = Image.fromarray(upright).resize((2, 2), Image.Resampling.BOX)
    wanted = Image.fromarray(expected.astype(float)).resize((2, 2), Image.Resampling.BOX)
    assert np.argmax(np.asarray(brightest)) == np.argmax(np.asarray(wanted))


def test_a_folder_of_pictures_plays_in_natural_order_at_its_rate(tmp_path: Path) -> None:
    make_folder(tmp_path / "frames", pictures=12)
    info = VideoInfo(str(tmp_path / "frames"), 160, 120, rate=Fraction(10))
    assert numbers_at(info, [0.0, 0.25, 1.0, 1.1, 9.0]) == [0, 2, 10, 11, 11]


def test_segment_folders_play_one_after_the_other_and_damaged_pictures_are_passed_over(
    tmp_path: Path,
) -> None:
    for segment in range(11):
        make_folder(tmp_path / "v" / f"seg_{segment}", pictures=2)
    paint = numbered()
    Image.fromarray(paint(77, 0.0)).save(tmp_path / "v" / "seg_10" / "1.jpg", quality=95)
    (tmp_path / "v" / "seg_0" / "1.jpg").write_bytes(b"damaged")
    info = VideoInfo(str(tmp_path / "v"), 160, 120, rate=Fraction(10))
    assert numbers_at(info, [0.0, 0.1, 0.2, 0.3, 2.1]) == [0, 0, 0, 1, 77]


def test_pictures_are_no_wider_than_asked_and_never_enlarged(detection: Detection) -> None:
    for width, expected in ((80, (80, 60)), (500, (160, 120))):
        taken = pictures_at(detection.info, [1.0], width=width)
        assert Image.open(io.BytesIO(taken.jpegs[1.0])).size == expected


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "cannot be read again"),
        (lambda path: path.write_bytes(b"no video"), "cannot be read again"),
        (make_sound, "holds no video stream"),
        (lambda path: path.mkdir(), "is a folder of pictures without a rate"),
    ],
)
def test_a_source_without_pictures_is_said_and_not_raised(
    tmp_path: Path, make: Callable[[Path], object], problem: str
) -> None:
    path = tmp_path / "source"
    make(path)
    taken = pictures_at(VideoInfo(str(path), 160, 120), [0.0, 1.0])
    assert taken.jpegs == {}
    assert problem in taken.problem


@pytest.mark.parametrize("ending", ["ts", "mkv", "avi"])
def test_a_video_that_is_cut_off_shows_its_last_picture_from_there_on(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"cut.{ending}"
    make_video(path, seconds=4)
    cut(path, end=0.5)
    info = VideoInfo(str(path), 160, 120)
    with open_player(info) as player:
        shown = list(player.play())
    taken = pictures_at(info, [0.0, 3.9])
    assert 0 < len(shown) < 100
    last = np.asarray(Image.open(io.BytesIO(taken.jpegs[3.9])))
    assert frame_number(last) == frame_number(np.asarray(shown[-1].draw(160)))


def test_an_address_gives_pictures_and_one_without_a_video_says_so(video: Path) -> None:
    handler = partial(QuietHandler, directory=str(video.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert numbers_at(VideoInfo(f"{base}/drive.mp4", 160, 120), [0.0, 3.33]) == [0, 33]
        gone = pictures_at(VideoInfo(f"{base}/gone.mp4", 160, 120), [0.0])
        server.shutdown()
    assert gone.jpegs == {}
    assert "gone.mp4: cannot be read again" in gone.problem


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is its own."""


def test_time_starts_where_the_player_starts(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    make_video(path, seconds=2, rate=10)
    assert numbers_at(VideoInfo(str(path), 160, 120), [0.0, 1.05]) == [0, 10]


def test_pictures_behind_a_damaged_stretch_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "hole.ts"
    make_video(path, seconds=20)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.write_bytes(bytes(content))
    info = VideoInfo(str(path), 160, 120)
    taken = pictures_at(info, [1.0, 18.0])
    assert set(taken.jpegs) == {1.0, 18.0}
    assert taken.jpegs[1.0] != taken.jpegs[18.0]
