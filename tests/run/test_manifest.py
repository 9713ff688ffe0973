"""Lists of videos: what is read, and what is refused with its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.errors import DatasetError
from watchword.run.manifest import Job, read_manifest


def test_csv_and_jsonl_give_the_same_jobs(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("video,class,split,note\na/b.mp4,Abuse,test,x\nc.mp4,,,\n")
    (tmp_path / "m.jsonl").write_text(
        '{"video": "a/b.mp4", "class": "Abuse", "split": "test"}\n\n{"video": "c.mp4"}\n'
    )
    jobs = read_manifest(tmp_path / "m.csv")
    assert jobs == read_manifest(tmp_path / "m.jsonl")
    assert jobs[0] == Job(str(tmp_path / "a/b.mp4"), "Abuse", "test")
    assert jobs[0].video_id == "test_Abuse_b"
    assert jobs[1].video_id == "c"


def test_urls_and_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("video\nhttps://host/x/clip.mp4?token=1\n/data/other.mp4\n")
    first, second = read_manifest(path)
    assert first.source == "https://host/x/clip.mp4?token=1"
    assert (first.name, second.source) == ("clip", "/data/other.mp4")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "path,class\na.mp4,x\n", "needs video"),
        ("m.csv", "video,class\n,x\n", "row 1: names no video"),
        ("m.csv", "video\n", "holds no video"),
        ("m.jsonl", '{"video": "a"}\n{"video": }\n', "row 2: is not JSON"),
        ("m.jsonl", "[1]\n", "row 1: holds"),
        ("m.txt", "a.mp4\n", r"a manifest is \.csv or \.jsonl"),
    ],
)
def test_a_bad_manifest_says_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_manifest(tmp_path / name)


def test_an_absent_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")
