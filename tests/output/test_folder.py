"""A run folder holds everything about one detection, for people and for programs."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from watchword.errors import OutputError
from watchword.output.folder import (
    OutputOptions,
    check_run_folder,
    read_run,
    run_exists,
    write_run,
)
from watchword.output.tables import SegmentRow, VideoRow, write_segment_csv, write_video_csv
from watchword.places import Heat
from watchword.types import Detection, Scores


@pytest.fixture
def cosines(detection: Detection) -> Scores:
    random = np.random.default_rng(1).uniform(0.1, 0.3, (len(detection.scores), 4))
    random[30:32] = np.nan
    return Scores(random, detection.scores.edges_s, detection.bank.texts, "cosine")


def test_a_run_holds_seed_1s_matrix_of_prompts_by_frames(
    detection: Detection, cosines: Scores, tmp_path: Path
) -> None:
    folder = write_run(detection, tmp_path / "run", prompt_scores=cosines)
    matrix = np.load(folder / "scores.npy", allow_pickle=False)
    assert matrix.shape == (4, 60)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, cosines.values.T)
    rows = json.loads((folder / "prompts.json").read_text())
    assert rows == {"prompts": list(detection.bank.texts)}


def test_the_parquet_table_has_times_scores_and_cosines_with_null_where_not_measured(
    detection: Detection, cosines: Scores, tmp_path: Path
) -> None:
    folder = write_run(detection, tmp_path / "run", prompt_scores=cosines)
    table = pq.read_table(folder / "scores.parquet")
    assert table.column_names[:4] == ["start_s", "end_s", "score: deer", "score: debris"]
    assert table.column_names[4:] == [f"cosine: {text}" for text in detection.bank.texts]
    assert [column.null_count for column in table.columns] == [0, 0, 2, 2, 2, 2, 2, 2]


def test_a_run_comes_back_as_it_was(detection: Detection, tmp_path: Path) -> None:
    back = read_run(write_run(detection, tmp_path / "run"))
    np.testing.assert_array_equal(back.scores.values, detection.scores.values)
    np.testing.assert_array_equal(back.scores.edges_s, detection.scores.edges_s)
    assert (back.scores.kind, back.scores.labels) == ("contrast", ("deer", "debris"))
    for part in ("info", "bank", "events", "decision", "coverage", "provenance", "notice"):
        assert getattr(back, part) == getattr(detection, part)


def test_the_table_of_events_holds_a_row_each(detection: Detection, tmp_path: Path) -> None:
    folder = write_run(detection, tmp_path / "run")
    with (folder / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["deer", "debris"]
    assert {key: rows[1][key] for key in ("start_s", "end_s", "duration_s", "score", "peak_s")} == {
        "start_s": "4.0", "end_s": "4.4", "duration_s": "0.4", "score": "0.75", "peak_s": "4.1",
    }  # fmt: skip


def test_a_second_run_needs_overwrite_and_then_leaves_no_file_of_the_first(
    detection: Detection, cosines: Scores, tmp_path: Path
) -> None:
    folder = write_run(detection, tmp_path / "run", prompt_scores=cosines)
    (folder / "notes.txt").write_text("mine")
    assert run_exists(folder)
    with pytest.raises(OutputError, match="is there already"):
        write_run(detection, folder)
    check_run_folder(folder, overwrite=True)
    write_run(detection, folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "detection.json", "events.csv", "notes.txt", "report.html", "scores.parquet",
    ]  # fmt: skip


def test_a_run_whose_video_is_gone_is_written_and_says_that_pictures_are_missing(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    folder = write_run(make_detection(tmp_path / "gone.mp4"), tmp_path / "run")
    assert "Pictures could not be taken: " in (folder / "report.html").read_text()


def test_a_plot_and_no_report_are_written_when_asked(
    detection: Detection, cosines: Scores, tmp_path: Path
) -> None:
    options = OutputOptions(report=False, plot=True)
    folder = write_run(detection, tmp_path / "run", prompt_scores=cosines, options=options)
    with Image.open(folder / "plot.png") as plot:
        assert plot.size == (900, 300)
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("spoil", ["detection.json", "scores.parquet"])
def test_a_damaged_run_is_an_output_error(detection: Detection, tmp_path: Path, spoil: str) -> None:
    folder = write_run(detection, tmp_path / "run")
    (folder / spoil).write_text("{")
    with pytest.raises(OutputError, match="is no run that can be read"):
        read_run(folder)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="picture_width is 1, it must be 16 to 1920"):
        OutputOptions(picture_width=1)
    with pytest.raises(ValueError, match="strips is -1"):
        OutputOptions(strips=-1)


def test_seed_2s_tables_have_its_exact_columns_and_values(tmp_path: Path) -> None:
    uid = "train_Abuse_Abuse001_x264"
    segment = SegmentRow(
        f"{uid}_seg_0000", uid, "train", "Abuse", "a person fighting", 0.242919921875, True
    )
    unmeasured = SegmentRow(f"{uid}_seg_0001", uid, "train", "Abuse", "", float("nan"), False)
    write_segment_csv([segment, unmeasured], tmp_path / "segments.csv")
    assert (tmp_path / "segments.csv").read_text().splitlines() == [
        "segment_uid,video_id,split,true_class,pred_class,score,is_anomaly",
        f"{uid}_seg_0000,{uid},train,Abuse,a person fighting,0.242919921875,True",
        f"{uid}_seg_0001,{uid},train,Abuse,,,False",
    ]
    write_video_csv(
        [VideoRow("test_Abuse_Abuse028_x264", "test", "Abuse", 8, 8, 1.0, True)],
        tmp_path / "videos.csv",
    )
    assert (tmp_path / "videos.csv").read_text().splitlines() == [
        "video_id,split,true_class,total_segments,anomaly_segments,anomaly_ratio,video_is_anomaly",
        "test_Abuse_Abuse028_x264,test,Abuse,8,8,1.0,True",
    ]
    with pytest.raises(OutputError, match="is there already"):
        write_video_csv([], tmp_path / "videos.csv")


def test_a_run_keeps_parts_maps_and_cuts(unusual: Detection, tmp_path: Path) -> None:
    folder = write_run(unusual, tmp_path / "run")
    maps = np.load(folder / "maps.npy")
    assert (maps.dtype, maps.shape) == (np.float16, (60, 6, 8))
    table = pq.read_table(folder / "scores.parquet")
    assert table.column_names == [
        "start_s", "end_s", "score: unusual", "part: motion", "part: change",
    ]  # fmt: skip
    np.testing.assert_array_equal(np.load(folder / "maps_edges.npy")[:-1], table["start_s"])
    back = read_run(folder)
    np.testing.assert_array_equal(back.parts.values, unusual.parts.values)
    np.testing.assert_array_equal(back.heat.values, unusual.heat.values)
    assert (back.parts.kind, back.parts.made_by) == ("surprise", "normal memory")
    assert (back.heat.unit, back.heat.made_by) == ("surprise (1 in 10^x)", "motion")
    for part in ("bank", "events", "decision", "cuts_s"):
        assert getattr(back, part) == getattr(unusual, part)


def test_maps_of_their_own_windows_keep_their_times(unusual: Detection, tmp_path: Path) -> None:
    heat = replace(unusual.heat, values=unusual.heat.values[:3], edges_s=np.array([0, 2, 3.5, 6]))
    back = read_run(write_run(replace(unusual, heat=heat), tmp_path / "run"))
    np.testing.assert_array_equal(back.heat.edges_s, [0, 2, 3.5, 6])


def test_without_heat_nothing_of_it_is_written(unusual: Detection, tmp_path: Path) -> None:
    write_run(unusual, tmp_path / "run")
    folder = write_run(unusual, tmp_path / "run", options=OutputOptions(heat=False), overwrite=True)
    assert not [path.name for path in folder.iterdir() if path.suffix == ".npy"]
    assert "show where" not in (folder / "report.html").read_text()
    back = read_run(folder)
    assert back.heat is None
    assert back.events == unusual.events


@pytest.mark.parametrize("spoil", ["maps.npy", "maps_edges.npy"])
@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_damaged_maps_are_an_output_error(
    unusual: Detection, tmp_path: Path, spoil: str, content: bytes | None
) -> None:
    folder = write_run(unusual, tmp_path / "run", options=OutputOptions(report=False))
    if content is None:
        (folder / spoil).unlink()
    else:
        (folder / spoil).write_bytes(content)
    with pytest.raises(OutputError, match="is no run that can be read"):
        read_run(folder)
    np.save(folder / "maps.npy", np.zeros((60, 6, 8)))
    with pytest.raises(OutputError, match="is no run that can be read"):
        read_run(folder)


def test_parts_of_other_windows_than_the_scores_are_refused(
    unusual: Detection, tmp_path: Path
) -> None:
    parts = Scores(unusual.parts.values, unusual.parts.edges_s + 1, ("a", "b"), "surprise")
    with pytest.raises(ValueError, match="the parts must have the windows of the scores"):
        write_run(replace(unusual, parts=parts), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_events_says_which_evidence_raised_them(
    unusual: Detection, tmp_path: Path
) -> None:
    folder = write_run(unusual, tmp_path / "run")
    with (folder / "events.csv").open(newline="") as file:
        assert [row["raised_by"] for row in csv.DictReader(file)] == ["motion=3.6;change=1.3"]


def test_an_hour_of_maps_is_written_and_read_within_a_few_times_its_size(
    unusual: Detection, tmp_path: Path
) -> None:
    windows = 36_000
    edges_s = np.arange(windows + 1) / 10
    heat = Heat(np.full((windows, 16, 16), 0.5, np.float16), edges_s, "surprise")
    scores = Scores(np.full((windows, 1), 0.5), edges_s, ("unusual",), "surprise")
    long = replace(unusual, scores=scores, parts=None, heat=heat)
    options = OutputOptions(pictures=False)
    tracemalloc.start()
    read_run(write_run(long, tmp_path / "run", options=options))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * heat.values.nbytes
