"""The command as people and scripts use it, in processes and terminals of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline_clips import coloured

COMMAND = str(Path(sys.executable).parent / "watchword")


def run(*words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    result = subprocess.run(
        [COMMAND, *map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert result.returncode == code, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return coloured(tmp_path / "clip.mp4")


RED = ("-p", "red", "-n", "blue", "--model", "fake")


def test_detect_prints_a_table_and_says_where_the_report_is(clip: Path, tmp_path: Path) -> None:
    result = run("detect", clip, *RED, "-o", "out", cwd=tmp_path)
    assert "red" in result.stdout
    assert "0:00:02.0" in result.stdout
    assert "Model: fake" in result.stdout
    assert "Report: out/clip/report.html" in result.stdout
    assert (tmp_path / "out/clip/report.html").is_file()
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_is_one_document_equal_to_the_file(clip: Path, tmp_path: Path) -> None:
    result = run("detect", clip, *RED, "-o", "out", "--json", cwd=tmp_path)
    (printed,) = json.loads(result.stdout)["results"]
    assert printed.pop("folder") == "out/clip"
    assert printed == json.loads((tmp_path / "out/clip/detection.json").read_text())


def test_python_and_command_give_the_same_events(clip: Path, tmp_path: Path) -> None:
    from watchword import Detector, load_encoder
    from watchword.output.document import to_document

    result = run("detect", clip, *RED, "-o", "out", "--json", cwd=tmp_path)
    (printed,) = json.loads(result.stdout)["results"]
    detection = Detector(["red"], normal=["blue"], encoder=load_encoder("fake")).detect(clip)
    assert printed["events"] == to_document(detection)["events"]
    assert printed["decision"] == to_document(detection)["decision"]


def test_the_default_folder_is_new_each_time(clip: Path, tmp_path: Path) -> None:
    run("detect", clip, *RED, cwd=tmp_path)
    (folder,) = (tmp_path / "watchword-runs").iterdir()
    assert (folder / "clip" / "detection.json").is_file()


def test_exit_status_says_whether_anything_was_found(clip: Path, tmp_path: Path) -> None:
    run("detect", clip, *RED, "-o", "a", "--fail-on-event", cwd=tmp_path, code=3)
    run("detect", clip, "-p", "green", "-n", "blue", "-n", "red", "--model", "fake", "-o", "b",
        "--fail-on-event", cwd=tmp_path)  # fmt: skip


def test_one_bad_video_is_a_row_and_all_bad_is_status_1(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    both = run("detect", clip, "bad.mp4", *RED, "-o", "out", cwd=tmp_path)
    assert "bad" in both.stdout
    assert "1 of 2 videos could not be read" in both.stdout
    run("detect", "bad.mp4", *RED, "-o", "out2", cwd=tmp_path, code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("detect", "clip.mp4", "-n", "blue"), "a sentence for --normal goes with --prompt"),
        (("detect", "-p", "red"), "give videos"),
        (("detect", "clip.mp4", "-p", "red", "--bank", "driving"), "not both"),
        (("detect", "clip.mp4", "-p", "red", "--model", "clip-vit-b3"), "no encoder is called"),
        (("detect", "clip.mp4", "-p", "red", "--set", "events.min=1"), "did you mean 'min_s'"),
        (("detect", "clip.mp4", "-p", "red", "--rate", "5", "--every-frame"), "give one of"),
        (("detect", "clip.mp4", "-p", " "), "empty"),
        (("detect", "clip.mp4", "--bank", "nobank"), "nobank"),
        (("detect", "clip.mp4", "-p", "red", "--region", "1,2"), "region"),
        (("detect", "clip.mp4", "-p", "red", "--device", "tpu"), "tpu"),
        (("detect", "clip.mp4", "--nonsense"), "nonsense"),
    ],
)
def test_wrong_use_is_status_2_with_what_to_do(
    clip: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    result = run(*words, cwd=tmp_path, code=2)
    said = " ".join(result.stderr.replace("│", " ").split())
    assert message in said


@pytest.mark.parametrize("name", ["none.mp4", "nofolder/", "none*.mp4"])
def test_a_video_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    result = run("detect", name, *RED, cwd=tmp_path, code=1)
    assert name.rstrip("/") in result.stdout + result.stderr


def test_results_are_not_replaced_unasked(clip: Path, tmp_path: Path) -> None:
    run("detect", clip, *RED, "-o", "out", cwd=tmp_path)
    again = run("detect", clip, *RED, "-o", "out", cwd=tmp_path, code=1)
    assert "--overwrite" in again.stderr
    run("detect", clip, *RED, "-o", "out", "--overwrite", cwd=tmp_path)


def test_exports_are_chosen_by_file_ending(clip: Path, tmp_path: Path) -> None:
    run("detect", clip, *RED, "-o", "out", "-x", "e.srt", "-x", "e.vtt", cwd=tmp_path)
    assert "00:00:02,000 --> " in (tmp_path / "e.srt").read_text()
    assert (tmp_path / "e.vtt").read_text().startswith("WEBVTT")


def test_a_bad_export_is_refused_before_the_video_is_read(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.srt").write_text("mine")
    taken = run("detect", clip, *RED, "-o", "out", "-x", "mine.srt", cwd=tmp_path, code=1)
    assert "mine.srt is there already" in taken.stderr
    unknown = run("detect", clip, *RED, "-o", "out", "-x", "events.doc", cwd=tmp_path, code=1)
    assert ".srt" in unknown.stderr
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "mine.srt").read_text() == "mine"


def test_a_finished_run_is_exported_without_reading_the_video_again(
    clip: Path, tmp_path: Path
) -> None:
    run("detect", clip, *RED, "-o", "out", cwd=tmp_path)
    clip.unlink()
    run("export", "out/clip", "later.vtt", cwd=tmp_path)
    assert "00:00:02.000 --> 00:00:04" in (tmp_path / "later.vtt").read_text()


def test_a_truth_that_counts_frames_is_drawn_at_the_frames_of_the_video(
    clip: Path, tmp_path: Path
) -> None:
    scene = {"video": "clip.mp4", "type": "red", "description": "red", "total_frames": 150,
             "target_hazard": "red", "events": [{"start": 50, "end": 100}]}  # fmt: skip
    (tmp_path / "scene.json").write_text(json.dumps(scene))
    run("detect", clip, *RED, "-o", "out", "--annotation", "scene.json", cwd=tmp_path)
    assert "truth" in (tmp_path / "out/clip/report.html").read_text()


def test_a_manifest_writes_the_tables_of_segments_and_videos(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("video,class,split\nclip.mp4,Fire,test\n")
    run("detect", "--manifest", "m.csv", *RED, "-o", "out", "--kind", "margin", "-t", "0",
        cwd=tmp_path)  # fmt: skip
    segments = (tmp_path / "out/segments.csv").read_text().splitlines()
    videos = (tmp_path / "out/videos.csv").read_text().splitlines()
    assert segments[0] == "segment_uid,video_id,split,true_class,pred_class,score,is_anomaly"
    assert segments[1].startswith("test_Fire_clip_seg_0000,test_Fire_clip,test,Fire,red,")
    assert videos[0].startswith("video_id,split,true_class,total_segments,anomaly_segments")
    assert videos[1].startswith("test_Fire_clip,test,Fire,")


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    coloured(tmp_path / "a.mp4", seconds=1)
    coloured(tmp_path / "b.mp4", seconds=240)
    process = subprocess.Popen(
        [COMMAND, "detect", "a.mp4", "b.mp4", *RED, "-o", "out", "--every-frame"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell that runs the tests in the background has switched the signal off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    for _ in range(600):
        if (tmp_path / "out/a/detection.json").is_file():
            break
        time.sleep(0.05)
    # Its files are there a moment before it counts as finished; the second video takes far longer.
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 of 2 videos are finished and kept" in errors
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a"]


def test_score_embed_and_plot_do_a_stage_each(clip: Path, tmp_path: Path) -> None:
    run("score", clip, *RED, "-o", "s", cwd=tmp_path)
    assert json.loads((tmp_path / "s/clip_prompts.json").read_text()) == {
        "prompts": ["red", "blue"]
    }
    run("embed", clip, "--model", "fake", "-o", "e", cwd=tmp_path)
    run("plot", "s/clip.npy", "-o", "p.png", cwd=tmp_path)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    again = run("plot", "s/clip.npy", "-o", "p.png", cwd=tmp_path, code=1)
    assert "is there already" in again.stderr


def test_prompts_commands(tmp_path: Path) -> None:
    assert "driving" in run("prompts", "list", cwd=tmp_path).stdout
    assert "normal, for every label" in run("prompts", "show", "driving", cwd=tmp_path).stdout
    run("prompts", "new", "mine.yaml", cwd=tmp_path)
    run("prompts", "lint", "mine.yaml", cwd=tmp_path)
    again = run("prompts", "new", "mine.yaml", cwd=tmp_path, code=1)
    assert "left as it is" in again.stderr
    (tmp_path / "bad.yaml").write_text('labels: {deer: ["not a deer"]}\n')
    found = run("prompts", "lint", "bad.yaml", cwd=tmp_path, code=1)
    assert "normal" in found.stdout


def test_models_cache_and_doctor(clip: Path, tmp_path: Path) -> None:
    listed = run("models", "list", cwd=tmp_path).stdout
    assert "clip-vit-b32" in listed
    assert "mini" in listed
    run("models", "use", "fake", cwd=tmp_path)
    run("detect", clip, "-p", "red", "-n", "blue", "-o", "out", cwd=tmp_path)
    assert "1 videos" in run("cache", "info", cwd=tmp_path).stdout
    run("cache", "clear", "--yes", cwd=tmp_path)
    assert "0 videos" in run("cache", "info", cwd=tmp_path).stdout
    run("models", "use", "mini", cwd=tmp_path)
    doctor = run("doctor", cwd=tmp_path).stdout
    assert "decoder: ok" in doctor
    assert "model: ok" in doctor


def test_demo_finds_the_events_of_its_clip(tmp_path: Path) -> None:
    result = run("demo", "-o", "out", cwd=tmp_path)
    assert "Found against the truth" in result.stdout
    assert "missed" not in result.stdout
    assert "false alarm" not in result.stdout
    assert (tmp_path / "out/demo/report.html").is_file()
