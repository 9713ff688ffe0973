"""Files: JSON that reads back, CSV that is safe to open, a folder that is whole or not there."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from watchword.errors import DatasetError, OutputError
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import CaseOptions, load_cases
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.report import folder as folder_module
from watchword.evaluation.report.cells import columns_wide
from watchword.evaluation.report.csv_files import file_names, write_tables
from watchword.evaluation.report.document import from_json, to_json
from watchword.evaluation.report.folder import read_evaluation, write_evaluation
from watchword.evaluation.report.thinning import thin_curve, thin_lane
from watchword.evaluation.result import Curve, Evaluation, Figure, Lane, Table


def test_an_evaluation_reads_back_as_it_was_written(
    dashcam: Evaluation, hostile: Evaluation, undefined: Evaluation, videos_only: Evaluation
) -> None:
    for evaluation in (dashcam, hostile, undefined, videos_only):
        text = json.dumps(to_json(evaluation), allow_nan=False)
        read = from_json(json.loads(text))
        for name in ("figures", "protocol", "tables", "confusions", "findings", "notes", "made"):
            assert getattr(read, name) == getattr(evaluation, name)
        assert read.threshold == evaluation.threshold
        for ours, theirs in zip(read.curves, evaluation.curves, strict=True):
            assert (ours.marks, ours.chance) == (theirs.marks, theirs.chance)
            np.testing.assert_array_equal(ours.y, theirs.y)
        for lane, same in zip(read.lanes, evaluation.lanes, strict=True):
            assert (lane.truth_s, lane.found_s) == (same.truth_s, same.found_s)
            np.testing.assert_array_equal(lane.edges_s, same.edges_s)
            np.testing.assert_array_equal(lane.values, same.values)
        assert json.dumps(to_json(read)) == text


def test_numpys_numbers_and_what_is_not_finite_become_jsons() -> None:
    figure = Figure("a", "frame", "A", np.float64(0.5), high=float("nan"))  # type: ignore[arg-type]
    made = {"path": Path("x"), "count": np.int64(3), "set": {1}, "inf": float("inf")}
    document = to_json(Evaluation((figure,), {}, made=made))
    json.dumps(document, allow_nan=False)
    assert document["figures"][0]["high"] is None
    assert document["made"] == {"path": "x", "count": 3, "set": [1], "inf": None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"watchword_evaluation": "2"}, "no evaluation of version 1"),
        ({"figures": [{"nam": "x"}]}, "is damaged"),
        ({"figures": 3}, "is damaged"),
        ({"tables": [{"name": "t", "title": "", "columns": ["a"], "rows": [[1, 2]],
                      "note": "", "best": None}]}, "a row of t has 2 cells"),
        ({"curves": [{}]}, "lacks 'chance'"),
        ({"protocol": None, "confusions": {"frame": {"tn": 1}}}, "lacks 'fp'"),
    ],
)  # fmt: skip
def test_a_document_that_is_no_evaluation_is_refused(
    dashcam: Evaluation, change: dict[str, object], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        from_json({**to_json(dashcam), **change}, file="x.json")


def test_each_part_is_needed(dashcam: Evaluation) -> None:
    document = to_json(dashcam)
    for name in document:
        if name != "headline":
            with pytest.raises(DatasetError, match=r"x\.json"):
                from_json({k: v for k, v in document.items() if k != name}, file="x.json")


def test_thin_curves_keep_both_ends_and_steep_pieces() -> None:
    x = np.concatenate([np.zeros(50_000), np.linspace(0, 1, 50_000)])
    y = np.concatenate([np.linspace(0, 1, 50_000), np.ones(50_000)])
    thin = thin_curve(Curve("roc", "", "", "", x, y))
    assert len(thin.x) <= 1000
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(thin.y, thin.x) == pytest.approx(1.0)
    assert (thin.x == 0).sum() > 400
    few = Curve("roc", "", "", "", np.array([0.0, np.nan, 1.0]), np.array([0.0, 0.5, 1.0]))
    assert thin_curve(few).x.tolist() == [0, 1]


def test_thin_lanes_keep_the_highest_score_and_what_was_not_measured() -> None:
    values = np.zeros(100_000, np.float32)
    values[51_234] = 7
    values[:40_000] = np.nan
    lane = Lane("v", np.arange(100_001) / 30, values, (), ())
    thin = thin_lane(lane)
    assert (len(thin.values), np.nanmax(thin.values)) == (1000, 7)
    assert np.isnan(thin.values[:399]).all()
    assert not np.isnan(thin.values[401:]).any()
    assert thin.edges_s[-1] == lane.edges_s[-1]


def test_a_csv_holds_numbers_in_full_and_no_formula(tmp_path: Path) -> None:
    texts = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "")
    table = Table(
        "per_video",
        "",
        ("=video", "score", "n", "ok", "none"),
        tuple((text, -1 / 3, k, True, None) for k, text in enumerate(texts)),
    )
    write_tables(Evaluation((), {}, tables=(table,)), tmp_path)
    with (tmp_path / "per_video.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[0] == "'=video"
    assert [row[0] for row in rows] == [*("'" + text for text in texts[:6]), "a=1", ""]
    assert all(float(row[1]) == -1 / 3 for row in rows)
    assert rows[1][1:] == ["-0.3333333333333333", "1", "yes", ""]


def test_all_figures_and_matrices_are_in_csv_files(dashcam: Evaluation, tmp_path: Path) -> None:
    write_tables(dashcam, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "figures.csv", "confusion_frame.csv", "per_video.csv", "per_type.csv", "sweep.csv",
    }  # fmt: skip
    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    micro = rows["auc_micro"]
    assert (micro["value"], micro["centre"], micro["compared"]) == ("0.465", "0.646", "no better")
    assert rows["video_auc"]["value"] == ""
    assert rows["video_auc"]["why undefined"].startswith("one class only")


def test_file_names_stay_in_their_folder_and_differ() -> None:
    names = ["../../etc/passwd", "a b", "a/b", "A_B", "", "鹿", "x" * 300]
    made = file_names(names)
    assert len(set(made)) == len(names)
    assert all("/" not in name and 0 < len(name) <= 64 for name in made)


def test_a_folder_holds_everything_a_reader_needs(dashcam: Evaluation, tmp_path: Path) -> None:
    folder = write_evaluation(dashcam, tmp_path / "out")
    assert {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} == {
        "evaluation.json", "card.txt", "card.md", "report.html",
        "tables/figures.csv", "tables/confusion_frame.csv", "tables/per_video.csv",
        "tables/per_type.csv", "tables/sweep.csv",
        "plots/figures.png", "plots/roc.png", "plots/pr.png", "plots/sweep.png",
        "plots/confusion_frame.png", "plots/per_type.png", "plots/timelines.png",
    }  # fmt: skip
    assert read_evaluation(folder).figures == dashcam.figures
    assert read_evaluation(folder / "evaluation.json").tables == dashcam.tables


def test_odd_evaluations_are_written_too(
    hostile: Evaluation, undefined: Evaluation, videos_only: Evaluation, tmp_path: Path
) -> None:
    for number, evaluation in enumerate((hostile, undefined, videos_only)):
        folder = write_evaluation(evaluation, tmp_path / str(number))
        assert read_evaluation(folder).figures == evaluation.figures
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1", "2"]
    assert not (tmp_path / "1" / "plots").exists()


def test_what_is_there_is_replaced_only_when_told_and_a_users_files_stay(
    dashcam: Evaluation, undefined: Evaluation, tmp_path: Path
) -> None:
    folder = write_evaluation(dashcam, tmp_path / "out")
    (folder / "tables" / "mine.xlsx").write_text("mine")
    (folder / "plots" / "mine").mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        write_evaluation(undefined, folder)
    assert read_evaluation(folder).figures == dashcam.figures
    write_evaluation(undefined, folder, overwrite=True)
    assert read_evaluation(folder).figures == undefined.figures
    assert sorted(file.name for file in folder.iterdir()) == [
        "card.md", "card.txt", "evaluation.json", "notes.txt", "plots", "report.html", "tables",
    ]  # fmt: skip
    assert {file.name for file in (folder / "tables").iterdir()} == {"figures.csv", "mine.xlsx"}
    assert [file.name for file in (folder / "plots").iterdir()] == ["mine"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_not_touched(dashcam: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(OutputError, match="not made by Watchword"):
        write_evaluation(dashcam, tmp_path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_failure_leaves_the_earlier_evaluation_whole(
    dashcam: Evaluation, undefined: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_evaluation(dashcam, tmp_path / "out", plots=False)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "write_tables", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_evaluation(undefined, folder, overwrite=True)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"figures": []}', "\udcff"])
def test_a_file_that_is_no_evaluation_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "evaluation.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError, match=r"evaluation\.json"):
        read_evaluation(tmp_path)


def test_a_name_that_utf8_cannot_hold_is_written_all_the_same(
    dashcam: Evaluation, tmp_path: Path
) -> None:
    odd = replace(dashcam, notes=("a \udcff b",), tables=())
    folder = write_evaluation(odd, tmp_path / "out", plots=False)
    assert r"a \udcff b" in (folder / "card.txt").read_text()


@pytest.mark.shared
def test_an_evaluation_of_seed_ones_matrices_is_written_and_read(
    shared: Path, tmp_path: Path
) -> None:
    data = shared / "data/clip_hazard_signals"
    cases = load_cases(
        read_predictions(data / "clip_scores", rate=30),
        read_records(data / "annotations"),
        options=CaseOptions(rate=30),
    )
    evaluation = evaluate(cases, EvaluationOptions(threshold=0.28, samples=50))
    folder = write_evaluation(evaluation, tmp_path / "out")
    assert read_evaluation(folder).figures == evaluation.figures
    text = (folder / "card.txt").read_text()
    assert text.startswith("No better than a ruler: AUC (micro) 0.53")
    assert max(map(columns_wide, text.splitlines())) <= 80
    assert len(list((folder / "plots").iterdir())) >= 6
