"""What paths, folders, globs and URLs on a command line stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthetic import make_folder
from watchword.errors import VideoError
from watchword.video.reader import find_videos


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Two levels of empty video files, a folder of pictures and one of segments."""
    for name in ("2.mp4", "10.MP4", "notes.txt", ".hidden.mp4", "inner/a.mkv", "inner/b.srt"):
        path = tmp_path / "all" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    make_folder(tmp_path / "all" / "frames", pictures=2)
    make_folder(tmp_path / "all" / "clip" / "seg_0000", pictures=1)
    return tmp_path / "all"


def test_a_folder_stands_for_every_video_below_it_in_natural_order(footage: Path) -> None:
    names = ["2.mp4", "10.MP4", "clip", "frames", "inner/a.mkv"]
    assert find_videos([str(footage)]) == [str(footage / name) for name in names]


def test_a_folder_of_pictures_or_segments_is_one_video(footage: Path) -> None:
    for name in ("frames", "clip"):
        assert find_videos([str(footage / name)]) == [str(footage / name)]


def test_a_glob_finds_videos_only_and_each_is_listed_once(footage: Path) -> None:
    assert find_videos([str(footage / "*.*"), str(footage / "2.mp4")]) == [
        str(footage / "2.mp4"),
        str(footage / "10.MP4"),
    ]
    assert find_videos([str(footage / "**" / "*.mkv")]) == [str(footage / "inner" / "a.mkv")]


def test_named_files_urls_and_missing_paths_are_kept_as_they_are(footage: Path) -> None:
    named = [str(footage / "notes.txt"), "https://example.org/*.mp4", "absent.mp4"]
    assert find_videos(named) == named


def test_a_file_whose_name_looks_like_a_glob_is_a_file(footage: Path) -> None:
    odd = footage / "a[1].mp4"
    odd.touch()
    assert find_videos([str(odd)]) == [str(odd)]


def test_a_folder_without_video_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(VideoError, match=r"it holds 1 entries such as 'notes.txt'"):
        find_videos([str(tmp_path)])


def test_a_glob_without_video_is_an_error(footage: Path) -> None:
    with pytest.raises(VideoError, match=r"no video matches \(1 other matches\)"):
        find_videos([str(footage / "*.txt")])
