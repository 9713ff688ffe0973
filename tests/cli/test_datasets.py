"""``watchword datasets``: the summary, every problem on its line, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from synthetic import make_video
from watchword.cli.datasets import app
from watchword.errors import DatasetError

TABLE = """\
video,label,start_s,end_s,split
a.mp4,deer,0.5,1.5,test
a.mp4,fog,0,2,test
b.mp4,,,,test
c.mp4,,,,train
"""


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(map(str, words)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        make_video(tmp_path / "videos" / name, seconds=2, rate=10, size=(32, 32))
    path = tmp_path / "truth.csv"
    path.write_text(TABLE)
    return path


def test_a_data_set_that_adds_up_is_summed_up(truth: Path) -> None:
    out = run("check", truth, "--videos", truth.parent / "videos", "--split", "test")
    assert out.splitlines() == [
        f"{truth} (own-table)",
        "videos: 2 (1 with events, 1 normal)",
        "found: 2 of 2 videos",
        "splits: test 2",
        "label deer: 1 event in 1 video, 1.0 s",
        "label fog: 1 event in 1 video, 2.0 s",
        f"note: no annotation names 1 video: c.mp4 ({truth.parent / 'videos'})",
    ]
    assert "everything adds up" in run("check", truth, "--split", "test")


def test_what_does_not_add_up_stands_on_its_line_and_in_the_status(truth: Path) -> None:
    truth.write_text(TABLE.replace("0.5,1.5", "0.5,3.5").replace("c.mp4", "lost.mp4"))
    out = run("check", truth, "--videos", truth.parent / "videos", code=1)
    errors = [line for line in out.splitlines() if line.startswith("error: ")]
    assert errors == [
        f"error: a.mp4: 'deer' at [0.5, 3.5) s ends after the video of 2.00 s ({truth}, row 2)",
        f"error: lost.mp4: there is no such video in {truth.parent / 'videos'} ({truth}, row 5)",
    ]
    assert "note: split 'train' holds normal videos only" in out


def test_a_video_that_stands_twice_is_a_problem_and_not_the_end(tmp_path: Path) -> None:
    line = "Abuse028_x264  Abuse  165  240  -1  -1  \n"
    path = tmp_path / "truth.txt"
    path.write_text(line * 2)
    out = run("check", path, code=1)
    assert "label Abuse: 2 events in 2 videos, 5.0 s" in out
    assert f"error: Abuse028_x264: stands 2 times, first in {path}, row 1 ({path}, row 2)" in out


def test_json_holds_the_same(truth: Path) -> None:
    truth.write_text(TABLE.replace("0.5,1.5", "0.5,3.5"))
    words = ("check", truth, "--videos", truth.parent / "videos", "--json")
    found = json.loads(run(*words, code=1))
    assert (found["format"], found["videos"], found["found"]) == ("own-table", 3, 3)
    assert found["splits"] == [{"split": "test", "videos": 2}, {"split": "train", "videos": 1}]
    assert found["labels"][0] == {"label": "deer", "events": 1, "videos": 1, "seconds": 3.0}
    assert [p["video"] for p in found["problems"] if p["serious"]] == ["a.mp4"]


def test_wrong_use_is_an_error_that_helps(truth: Path) -> None:
    for words, message in {
        ("--split", "val"): "has no split 'val'; it has test, train",
        ("--format", "coco"): "no format is called 'coco'",
        ("--format", "cvat"): "is not XML",
        ("--videos", truth.parent / "absent"): "is no folder",
    }.items():
        with pytest.raises(DatasetError, match=message):
            run("check", truth, *words)
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        run("check", truth.parent / "absent.csv")


def test_a_rate_turns_frames_into_seconds(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("video,label,start_frame,end_frame\na.mp4,deer,0,50\n")
    assert "length not known" in run("check", path)
    assert "label deer: 1 event in 1 video, 2.0 s" in run("check", path, "--rate", "25")


def test_formats_names_every_format_and_how_it_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from watchword.evaluation.datasets.formats import FORMATS

    monkeypatch.setenv("COLUMNS", "200")
    out = run("formats")
    for known in FORMATS.values():
        assert known.name in out
        assert known.title in out
        assert known.convention in out


@pytest.mark.shared
def test_real_data_is_checked_with_its_videos(shared: Path) -> None:
    folder = shared / "data" / "ucf_crime"
    out = run("check", folder / "labels.json", "--videos", folder, code=1)
    assert "found: 14 of 14 videos" in out
    assert "label RoadAccidents: 8 events in 7 videos" in out
    assert out.count("error: ") == 1
    assert "'Arson' at frames [1000, 1796) ends after the video of 1795 frames" in out
