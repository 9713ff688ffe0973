"""Bad input ends in a VideoError that says why, or in a result that says what is missing."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from synthetic import cut, damaged, make_folder, make_sound, make_video
from video.reading import EVERY, Read
from watchword.errors import MissingDependency, VideoError
from watchword.video.reader import ReadOptions, open_video


def refused(source: Path | str, message: str, **options: int) -> None:
    with pytest.raises(VideoError, match=message) as caught:
        Read(source, options=ReadOptions(**options))
    assert caught.value.source == str(source)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "absent.mp4", "absent.mp4: there is no such file or folder")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    refused(tmp_path / "a.mp4", r"is empty \(0 bytes\)")


@pytest.mark.parametrize("name", ["a.txt", "a.mp4", "a"])
def test_text_is_not_taken_for_a_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("This is no video.\n" * 200)
    refused(tmp_path / name, "is text, not a video|is not a video that FFmpeg can read")


def test_sound_alone_is_called_that(tmp_path: Path) -> None:
    refused(make_sound(tmp_path / "a.wav"), r"has no video track \(it holds audio only\)")


def test_an_mp4_without_its_index_is_called_cut_off(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    refused(cut(tmp_path / "a.mp4", end=0.5), "cut off or was not finished")


def test_a_device_is_refused_rather_than_read_for_ever() -> None:
    refused("/dev/zero", "is neither a file nor a folder")


def test_a_playlist_may_not_reach_into_the_network(tmp_path: Path) -> None:
    (tmp_path / "a.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    refused(tmp_path / "a.m3u8", "a.m3u8: ")


def test_a_name_that_looks_like_a_protocol_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "plain.mp4", seconds=0.2)
    (tmp_path / "plain.mp4").rename(tmp_path / "http:a %d [1].mp4")
    monkeypatch.chdir(tmp_path)
    assert len(Read("http:a %d [1].mp4").numbers) == 5


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, seconds=0.2)
    path.chmod(0)
    if os.geteuid() == 0:
        # Root may read everything, so another user asks, in a process of its own.
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(0o755)
        code = (
            "import os, sys\n"
            "from watchword.errors import VideoError\n"
            "from watchword.video.reader import open_video\n"
            "os.setuid(65534)\n"
            "try:\n    open_video(sys.argv[1])\n"
            "except VideoError as exc:\n    sys.exit(0 if 'no permission' in str(exc) else 3)\n"
            "sys.exit(4)\n"
        )
        done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
        assert done.returncode == 0
    else:
        refused(path, "no permission to read it")


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data does not have."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 100)),
        (b"IEND", b""),
    ]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_absurd_dimensions_of_a_folder_are_refused_on_the_header_alone(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "0.png").write_bytes(png_of(60_000, 60_000))
    refused(folder, r"0.png is refused: Image size \(3600000000 pixels\)")
    (folder / "0.png").write_bytes(png_of(9000, 9000))
    refused(folder, "9000 x 9000, more than the 67108864 pixels allowed")


def test_absurd_dimensions_of_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_of(60_000, 60_000))
    refused(tmp_path / "a.png", "60000 x 60000|no picture of its png video could be decoded|cannot")
    make_video(tmp_path / "a.mp4", seconds=0.2)
    refused(tmp_path / "a.mp4", "160 x 120, more than the 19199 pixels allowed", max_pixels=19_199)
    assert Read(tmp_path / "a.mp4", options=ReadOptions(max_pixels=19_200)).pictures


def test_one_too_large_picture_in_a_folder_is_counted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=3)
    (folder / "1.jpg").unlink()
    (folder / "1.png").write_bytes(png_of(9000, 9000))
    got = Read(folder)
    assert got.numbers == [0, 2]
    assert got.coverage.failed == 1
    assert got.coverage.notes == ("1 picture lost: larger than max_pixels allows",)


def test_a_folder_of_damaged_pictures_only_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(b"no picture")
    refused(folder, "none of its 1 pictures can be read")


def test_a_folder_without_video_says_what_it_holds(tmp_path: Path) -> None:
    refused(tmp_path, "the folder is no video: it is empty")
    (tmp_path / "notes.txt").touch()
    refused(tmp_path, "it holds 1 entries such as 'notes.txt'")


def test_a_file_cut_off_in_the_middle_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mkv", seconds=4)
    got = Read(cut(tmp_path / "a.mkv", end=0.5))
    assert got.numbers == list(range(len(got.numbers)))
    assert got.coverage.share is not None
    assert 0.2 < got.coverage.share < 0.8
    assert "although 4.00 s were expected" in got.coverage.notes[-1]


def test_an_absent_backend_is_an_error_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "a.mp4", seconds=0.2)
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(MissingDependency, match=r"pip install 'watchword\[gpu-decode\]'"):
        open_video(tmp_path / "a.mp4", options=ReadOptions(backend="torchcodec"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"backend": "opencv"}, "must be pyav or torchcodec"),
        ({"device": "cuda"}, "pyav decodes on cpu only"),
        ({"threads": 0}, "threads is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"max_pixels": 0}, "max_pixels is 0"),
        ({"frame_rate": 0.0}, "frame_rate is 0"),
        ({"timeout_s": float("inf")}, "timeout_s is inf"),
        ({"size": (0, 5)}, "size is"),
    ],
)
def test_options_that_make_no_sense_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReadOptions(**fields)


CONTAINERS = {
    "a.mp4": {},
    "b.mkv": {"options": {"bf": "2"}},
    "c.webm": {},
    "d.ts": {},
    "e.avi": {},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_two_hundred_damaged_files_end_in_an_error_or_an_honest_result(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make_video(tmp_path / name, **CONTAINERS[name])
    whole = (tmp_path / name).read_bytes()
    readable = 0
    for seed in range(40):
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(damaged(whole, seed))
        try:
            got = Read(path, EVERY, ReadOptions(size=(48, 16)))
        except VideoError:
            continue
        readable += 1
        assert got.coverage.frames == len(got.pictures) > 0
        assert (got.pts_s[1:] - (got.pts_s + got.duration_s)[:-1]).min(initial=0) > -1e-9
        assert got.coverage.covered_s == pytest.approx(got.duration_s.sum())
    assert readable >= 10
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_damaged_pictures_in_a_folder_never_crash_the_reader(tmp_path: Path, seed: int) -> None:
    folder = make_folder(tmp_path / "frames", pictures=4)
    for offset, path in enumerate(sorted(folder.iterdir())[1:]):
        path.write_bytes(damaged(path.read_bytes(), seed + offset))
    got = Read(folder)
    assert got.coverage.frames + got.coverage.failed == 4
