"""``watchword normal``: memories learned, extended and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_judging import Asking
from watchword.evidence.normality.memory_file import read_memory
from yard_clips import yard_clip

HOW = ("--model", "fake", "--rate", "5", "--config", "quick.yaml", "-q")
# A coarse grid: fewer places to learn and to measure.
COARSE = "normality:\n  motion:\n    cells: 8\n"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two days of eight seconds, and another yard beside it."""
    folder = tmp_path_factory.mktemp("normal")
    (folder / "days").mkdir()
    for day in range(2):
        yard_clip(folder / f"days/{day}.mp4", seconds=8, seed=day)
    yard_clip(folder / "more.mp4", seed=5)
    yard_clip(folder / "other.mp4", scene=5)
    (folder / "bad.mp4").write_bytes(b"no video")
    (folder / "quick.yaml").write_text(COARSE)
    return folder


@pytest.fixture
def ask(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asking:
    for path in clips.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return Asking(monkeypatch, capsys)


def test_a_folder_and_a_list_teach_the_same(ask: Asking) -> None:
    told = ask("normal", "learn", "days", "-o", "door.normal", *HOW)
    assert "in 16 s of 2 videos at 5 pictures a second" in told
    assert "For 160x120 and the model fake; the camera stands still." in told
    assert "days/0.mp4" in told
    Path("list.csv").write_text("video,class\ndays/0.mp4,normal\ndays/1.mp4,normal\n")
    ask("normal", "learn", "--manifest", "list.csv", "-o", "listed.normal", *HOW)
    one, other = read_memory("door.normal"), read_memory("listed.normal")
    assert one.fingerprint == other.fingerprint
    assert ask("normal", "show", "door.normal") == told


def test_json_says_what_was_learned(ask: Asking) -> None:
    learned = json.loads(ask("normal", "learn", "days", "-o", "door.normal", "--json", *HOW))
    assert learned == json.loads(ask("normal", "show", "door.normal", "--json"))
    assert learned["fingerprint"] == read_memory("door.normal").fingerprint
    assert (learned["width"], learned["height"], learned["moving"]) == (160, 120, False)
    assert list(learned["parts"]) == ["motion", "appearance"]
    # The first picture of a video has none before it to tell motion by.
    assert [one["pictures"] for one in learned["footage"]] == [40, 40]


def test_a_memory_is_extended_and_never_replaced_unasked(ask: Asking) -> None:
    ask("normal", "learn", "days", "-o", "door.normal", *HOW)
    more = ("normal", "learn", "more.mp4", "--extend", "door.normal", "-o", "door.normal", *HOW)
    assert "there already" in ask(*more, code=1)
    ask(*more, "--overwrite")
    assert len(read_memory("door.normal").footage) == 3
    again = ask(*more, "--overwrite", code=2)
    assert "learned from already" in again


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("days",), "say where the memory goes"),
        (("days", "-o", "door.memory"), "must end in .normal"),
        (("-o", "door.normal"), "give videos"),
        (("days", "-o", "x.normal", "--extend", "none.normal"), "none.normal cannot be used"),
        (("days", "-o", "x.normal", "--extend", "bad.mp4"), "bad.mp4 cannot be used"),
        (("days/0.mp4", "-o", "x.normal"), "at least 50 over 10 s"),
        (("more.mp4", "other.mp4", "-o", "x.normal"), "shows another scene"),
    ],
)
def test_what_teaches_nothing_is_refused_with_what_to_do(
    ask: Asking, words: tuple[str, ...], message: str
) -> None:
    told = ask("normal", "learn", *words, *HOW, code=2).replace("│ ", "")
    assert message in " ".join(told.split())
    assert not list(Path().glob("*.normal"))


def test_footage_that_cannot_be_read_makes_no_memory_of_the_rest(ask: Asking) -> None:
    told = ask("normal", "learn", "more.mp4", "bad.mp4", "-o", "x.normal", *HOW, code=1)
    assert "bad.mp4" in told
    assert not Path("x.normal").exists()


def test_a_file_that_is_no_memory_is_named(ask: Asking) -> None:
    for name in ("none.normal", "bad.mp4"):
        told = ask("normal", "show", name, code=2)
        assert f"{name} cannot be used as a memory of normal footage" in told
        assert "watchword normal learn" in told
