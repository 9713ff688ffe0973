"""``watchword detect`` without words, with a memory, and with thresholds chosen for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_judging import Asking
from watchword.config import apply
from watchword.encoders.fake import FakeEncoder
from watchword.evidence.normality.memory_file import read_memory
from watchword.output.document import to_document
from watchword.pipeline.detector import Detector
from yard_clips import quick, yard_clip

QUICK = ("--samples", "50")
HOW = ("--model", "fake", "--rate", "5", "--config", "quick.yaml", "-q")
# A coarse grid: fewer places to learn and to measure.
COARSE = "normality:\n  motion:\n    cells: 8\n"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of one camera in ``clips``, two of them with an event; memories of two cameras."""
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "clips").mkdir()
    rows = ["video,label,start_s,end_s"]
    for number, event in enumerate([None, (8.0, 9.0), None, (4.0, 6.0)]):
        yard_clip(folder / f"clips/v{number}.mp4", seed=number, event=event)
        rows.append(
            f"v{number}.mp4,unusual,{event[0]},{event[1]}" if event else f"v{number}.mp4,,,"
        )
    (folder / "truth.csv").write_text("\n".join(rows) + "\n")
    (folder / "quick.yaml").write_text(COARSE)
    yard_clip(folder / "calm.mp4", seed=10)
    yard_clip(folder / "other.mp4", scene=5)
    yard_clip(folder / "short.mp4", seconds=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCHWORD_HOME", str(folder / "home"))
        patch.chdir(folder)
        for name in ("calm", "other"):
            Asking(patch, None)("normal", "learn", f"{name}.mp4", "-o", f"{name}.normal", *HOW)
    return folder


@pytest.fixture
def ask(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asking:
    for path in clips.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.setenv("WATCHWORD_HOME", str(clips / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return Asking(monkeypatch, capsys)


def results(text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(text)["results"]
    return found


def test_the_command_without_words_says_what_python_says(ask: Asking) -> None:
    (told,) = results(ask("detect", "clips/v1.mp4", *HOW, "-o", "out", "--json"))
    config = apply(quick(), {"cache": {"enabled": True}})
    document = to_document(Detector(config=config, encoder=FakeEncoder()).detect("clips/v1.mp4"))
    for name in ("events", "decision", "notice"):
        assert told[name] == document[name]
    assert [event["label"] for event in told["events"]] == ["unusual"]  # type: ignore[attr-defined]
    kept = json.loads(Path("out/v1/detection.json").read_text())
    assert kept["events"] == document["events"]


def test_a_memory_finds_events_and_words_name_them(ask: Asking) -> None:
    memory = ("--normal", "calm.normal")
    found = results(ask("detect", "clips", *memory, *HOW, "-o", "a", "--json"))
    assert [len(one["events"]) for one in found] == [0, 1, 0, 1]  # type: ignore[arg-type]
    document = to_document(
        Detector(config=quick(), encoder=FakeEncoder(), memory=read_memory("calm.normal")).detect(
            "clips/v1.mp4"
        )
    )
    assert found[1]["events"] == document["events"]
    words = ("-p", "red", "-n", "blue", *memory)
    named = results(ask("detect", "clips/v1.mp4", *words, *HOW, "-o", "b", "--json"))
    assert [event["label"] for event in named[0]["events"]] == ["red"]  # type: ignore[attr-defined]


def test_the_memory_of_the_right_camera_is_taken_from_several(ask: Asking) -> None:
    both = ("--normal", "other.normal", "--normal", "calm.normal")
    found = results(ask("detect", "clips/v0.mp4", "other.mp4", *both, *HOW, "-o", "a", "--json"))
    prints = [one["provenance"]["fitted"]["normal"]["fingerprint"] for one in found]  # type: ignore[index]
    assert prints == [read_memory(f"{name}.normal").fingerprint for name in ("calm", "other")]


def test_one_video_of_another_camera_is_a_row_and_the_others_finish(ask: Asking) -> None:
    told = ask("detect", "clips/v0.mp4", "other.mp4", "--normal", "calm.normal", *HOW, "-o", "a")
    assert "1 of 2 videos could not be read" in told
    assert Path("a/v0/detection.json").is_file()
    assert not Path("a/other").exists()
    alone = ("detect", "other.mp4", "--normal", "calm.normal", *HOW)
    assert ask(*alone, "-o", "b", code=1) is not None
    assert results(ask(*alone, "-o", "c", "--any-scene", "--json"))[0]["events"]


def test_a_short_video_is_told_by_change_unless_itself_was_asked_for(ask: Asking) -> None:
    (found,) = results(ask("detect", "short.mp4", *HOW, "-o", "a", "--json"))
    (note,) = found["coverage"]["notes"]  # type: ignore[index]
    assert "Told by change alone" in note
    ask("detect", "short.mp4", "--normal", "self", *HOW, "-o", "b", code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-n", "blue"), "goes with --prompt"),
        (("--normal", "self", "--normal", "calm.normal"), "exclude each other"),
        (("--any-scene",), "goes with --normal FILE.normal"),
        (("--normal", "none.normal"), "none.normal cannot be used"),
        (("-p", "red", "--evidence", "change"), "add words"),
        (("--evidence", "words"), "say what to watch for"),
        (("--evidence", "sound"), "sound"),
        (("--normal", "self", "--set", "windows.length=16"), "windows.length is 16"),
    ],
)
def test_wrong_use_is_said_with_what_to_do(
    ask: Asking, words: tuple[str, ...], message: str
) -> None:
    told = ask("detect", "clips/v0.mp4", *words, *HOW, "-o", "a", code=2).replace("│ ", "")
    assert message in " ".join(told.split())
    assert not Path("a").exists()


def test_a_threshold_for_this_evidence_is_chosen_used_and_refused_for_other(ask: Asking) -> None:
    memory = ("--normal", "calm.normal")
    ask("detect", "clips", *memory, *HOW, "-o", "runs")
    ask("calibrate", "runs", "truth.csv", "-o", "chosen.yaml", *QUICK)
    calibrated = ("--calibration", "chosen.yaml", "--model", "fake", "--config", "quick.yaml", "-q")
    found = results(ask("detect", "clips", *memory, *calibrated, "-o", "a", "--json"))
    assert [len(one["events"]) for one in found] == [0, 1, 0, 1]  # type: ignore[arg-type]
    for other in (("--normal", "other.normal"), ("--normal", "self"), ("-p", "red", *memory)):
        told = ask("detect", "clips", *other, *calibrated, "-o", "b", code=2)
        assert "calibration's" in told
        assert not Path("b").exists()
