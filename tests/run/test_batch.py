"""Many videos: each its folder, one bad one a row, nothing overwritten unasked."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline_clips import BLUE, RED, coloured, detector
from watchword.errors import OutputError
from watchword.run.arrays import read_prompt_scores, write_embeddings, write_prompt_scores
from watchword.run.batch import BatchOptions, run_batch
from watchword.run.manifest import Job

RUN_FILES = {
    "detection.json", "events.csv", "scores.npy", "prompts.json", "scores.parquet", "report.html",
}  # fmt: skip


def test_each_video_gets_a_folder_and_a_bad_one_is_a_row(tmp_path: Path) -> None:
    coloured(tmp_path / "a.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"not a video at all")
    coloured(tmp_path / "c.mp4", red=(1, 2))
    jobs = [Job(str(tmp_path / name)) for name in ("a.mp4", "broken.mp4", "c.mp4")]
    rows = list(run_batch(detector(), jobs, options=BatchOptions(tmp_path / "out")))
    assert [row.error is None for row in rows] == [True, False, True]
    assert "broken.mp4" in str(rows[1].error)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a", "c"]
    assert {p.name for p in (tmp_path / "out" / "a").iterdir()} >= RUN_FILES
    written = json.loads((tmp_path / "out" / "a" / "detection.json").read_text())
    assert written["events"][0]["label"] == "red"


def test_videos_of_one_name_get_folders_of_their_own(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        coloured(tmp_path / folder / "clip.mp4", seconds=1)
    jobs = [Job(str(tmp_path / folder / "clip.mp4")) for folder in ("x", "y")]
    rows = list(run_batch(detector(), jobs, options=BatchOptions(tmp_path / "out")))
    assert [row.folder.name for row in rows if row.folder] == ["clip", "clip-2"]


def test_a_taken_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    jobs = [Job(str(coloured(tmp_path / "a.mp4", seconds=1)))]
    options = BatchOptions(tmp_path / "out")
    list(run_batch(detector(), jobs, options=options))
    with pytest.raises(OutputError, match=r"is there already.*--overwrite"):
        list(run_batch(detector(), jobs, options=options))
    (row,) = run_batch(detector(), jobs, options=BatchOptions(tmp_path / "out", overwrite=True))
    assert row.error is None


def test_what_is_finished_stays_when_a_later_video_is_interrupted(tmp_path: Path) -> None:
    jobs = [Job(str(coloured(tmp_path / f"{n}.mp4", seconds=1))) for n in "ab"]
    rows = run_batch(detector(), jobs, options=BatchOptions(tmp_path / "out"))
    next(rows)
    with pytest.raises(KeyboardInterrupt):
        rows.throw(KeyboardInterrupt)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a"]


def test_segment_and_video_rows_judge_as_seed_2_does(tmp_path: Path) -> None:
    job = Job(str(coloured(tmp_path / "a.mp4")), true_class="Fire", split="test")
    asked = detector(
        score={"kind": "margin"},
        sampling={"rate": None},
        segments={"frames": 25},
        decision={"segment_threshold": 0.0, "share_threshold": 0.3},
    )
    (row,) = run_batch(asked, [job], options=BatchOptions(tables=True))
    assert [segment.is_anomaly for segment in row.segments] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert row.segments[2].segment_uid == "test_Fire_a_seg_0002"
    assert row.segments[2].pred_class == "red"
    assert row.video is not None
    assert (row.video.total_segments, row.video.anomaly_segments) == (6, 2)
    assert row.video.anomaly_ratio == pytest.approx(1 / 3)
    assert row.video.video_is_anomaly


def test_a_segment_that_could_not_be_seen_is_neither_normal_nor_anomalous(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(30):
        colour = RED if number >= 20 else BLUE
        Image.new("RGB", (64, 48), colour).save(folder / f"{number}.png")
    for number in range(10, 20):
        (folder / f"{number}.png").write_bytes(b"damaged")
    asked = detector(segments={"seconds": 1.0}, decision={"share_threshold": 0.5})
    (row,) = run_batch(asked, [Job(str(folder))], options=BatchOptions(tables=True))
    assert [segment.is_anomaly for segment in row.segments] == [False, False, True]
    assert math.isnan(row.segments[1].score)
    assert row.segments[1].pred_class == ""
    assert row.video is not None
    # One anomalous of the two that were seen.
    assert row.video.anomaly_ratio == 0.5
    assert row.video.video_is_anomaly


def test_the_score_matrix_of_a_run_and_of_score_are_the_same(tmp_path: Path) -> None:
    job = Job(str(coloured(tmp_path / "a.mp4")))
    list(run_batch(detector(), [job], options=BatchOptions(tmp_path / "out")))
    write_prompt_scores(detector(), job, tmp_path / "arrays")
    run = read_prompt_scores(tmp_path / "out" / "a")
    arrays = read_prompt_scores(tmp_path / "arrays" / "a.npy")
    np.testing.assert_array_equal(run.values, arrays.values)
    np.testing.assert_array_equal(run.edges_s, arrays.edges_s)
    assert run.labels == arrays.labels == ("red", "blue")
    matrix = np.load(tmp_path / "out" / "a" / "scores.npy")
    assert (matrix.dtype, matrix.shape[0]) == (np.float32, 2)


def test_embeddings_as_arrays_are_not_replaced_unasked(tmp_path: Path) -> None:
    job = Job(str(coloured(tmp_path / "a.mp4", seconds=1)))
    videos = detector().videos
    vectors, edges = write_embeddings(videos, job, tmp_path / "e")
    assert np.load(vectors).shape == (len(np.load(edges)) - 1, 64)
    with pytest.raises(OutputError, match="is there already"):
        write_embeddings(videos, job, tmp_path / "e")
    write_embeddings(videos, job, tmp_path / "e", overwrite=True)


def test_events_csv_reads_as_a_table(tmp_path: Path) -> None:
    job = Job(str(coloured(tmp_path / "a.mp4")))
    list(run_batch(detector(), [job], options=BatchOptions(tmp_path / "out")))
    with (tmp_path / "out" / "a" / "events.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["label"] == "red"
    assert float(row["start_s"]) == pytest.approx(2.0, abs=0.101)
