from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.calibrate.calibrate_cases import case, random_cases
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.labels import common_labels, of_label
from watchword.evaluation.calibrate.objectives import Objective
from watchword.evaluation.calibrate.sweep import (
    best_table,
    sweep,
    sweep_by_label,
    sweep_by_type,
    widened,
)
from watchword.evaluation.calibrate.thresholds import threshold_range
from watchword.evaluation.metrics.confusion import confusion

SEED_1 = Objective("best_interval_iou", undefined="zero")


@pytest.fixture(scope="module")
def scenes(shared: Path):
    """Seed 1's scenes as cases, a window a frame of one second: only frame numbers matter."""
    folder = shared / "data" / "clip_hazard_signals"
    cases = []
    for path in sorted((folder / "clip_scores").glob("scene_*.npy")):
        truth = json.loads((folder / "annotations" / f"{path.stem}.mp4.json").read_text())
        values = np.load(path)
        labels = tuple(f"row {n}" for n in range(len(values)))
        kind = truth["type"]
        spans = [(kind, e["start"], e["end"]) for e in truth["events"]]
        found = case(path.stem, values.T, labels=labels)
        annotated = case(path.stem, [0.0], spans, labels=(kind,)).annotation
        cases.append(type(found)(found.name, found.prediction, annotated, found.scores))
    return cases


def published(shared: Path, name: str, key: str, value: str) -> dict[float, float]:
    path = shared / "data" / "clip_hazard_signals" / "published_results" / name
    with path.open() as file:
        return {float(row[key]): float(row[value]) for row in csv.DictReader(file)}


@pytest.mark.shared
def test_the_published_sweep_of_seed_1_is_reproduced(scenes, shared: Path) -> None:
    known = published(shared, "threshold_sweep.csv", "threshold", "mean_IoU")
    thresholds = threshold_range(0.1, 0.4, 0.01)
    assert thresholds.tolist() == sorted(known)
    found = sweep(scenes, thresholds, SEED_1, smooth=lambda scores: widened(scores, 5))
    assert found.videos == 14
    assert np.abs(found.values - [known[t] for t in thresholds]).max() < 1e-12
    assert found.best_threshold == 0.28
    table = found.table()
    assert table.columns[5] == "best-interval IoU"
    assert table.rows[table.best][5] == pytest.approx(known[0.28], abs=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("measure", "column"), [("precision", "mean_P"), ("recall", "mean_R"), ("f1", "mean_F1")]
)
def test_the_published_shares_of_seed_1_are_reproduced(
    scenes, shared: Path, measure: str, column: str
) -> None:
    known = published(shared, "threshold_sweep_metrics.csv", "thresh", column)
    thresholds = np.array(sorted(known))
    found = sweep(scenes, thresholds, SEED_1, smooth=lambda scores: widened(scores, 5))
    assert np.abs(found.measures[measure] - [known[t] for t in thresholds]).max() < 1e-12


@pytest.mark.shared
def test_types_of_seed_1_have_a_threshold_each(scenes) -> None:
    found = sweep_by_type(scenes, threshold_range(0.15, 0.35, 0.01), SEED_1)
    assert {name: one.videos for name, one in found.items()} == {
        "accident": 1,
        "animal": 4,
        "construction": 4,
        "debris": 4,
        "normal": 1,
    }
    table = best_table(found)
    assert [row[0] for row in table.rows] == sorted(found)


def test_pooled_shares_are_those_of_all_windows() -> None:
    cases = random_cases(np.random.default_rng(0))
    found = sweep(cases, threshold_range(-1, 1, 0.5))
    truth = np.concatenate([c.truth for c in cases])
    series = np.concatenate([c.series for c in cases])
    for number, threshold in enumerate(found.thresholds):
        whole = confusion(truth, series >= threshold)
        assert found.measures["precision"][number] == pytest.approx(whole.precision)
        assert found.measures["recall"][number] == pytest.approx(whole.recall)
        assert found.measures["iou"][number] == pytest.approx(whole.iou)
    assert found.best == int(np.argmax(found.values))


def test_a_sweep_of_cost_marks_the_lowest() -> None:
    cases = [case("v", [0, 0, 1, 1], [(2, 4)])]
    found = sweep(cases, np.array([-1.0, 0.5, 2.0]), Objective("cost"))
    assert found.values.tolist() == [0.5, 0.0, 0.5]
    assert found.best_threshold == 0.5
    assert found.table().columns[-1] == "cost"
    marked = [curve for curve in found.curves() if curve.marks]
    assert [curve.name for curve in marked] == ["sweep_cost"]


def test_undefined_cells_are_empty() -> None:
    table = sweep([case("v", [0, 1], [(1, 2)])], np.array([0.5, 5.0])).table()
    assert table.rows[0][1:] == (1.0, 1.0, 1.0, 1.0, 1.0)
    assert table.rows[1][1] is None
    assert table.rows[1][2] == 0.0


def test_labels_are_swept_by_themselves() -> None:
    values = np.array([[0.9, 0.1], [0.1, 0.8], [0.1, 0.1]])
    one = case("v", values, [("a", 0, 1), ("b", 1, 2)], labels=("a", "b"))
    found = sweep_by_label([one], threshold_range(0.1, 0.9, 0.1))
    assert {name: s.values.max() for name, s in found.items()} == {"a": 1.0, "b": 1.0}
    assert of_label(one, "b").truth.tolist() == [False, True, False]
    assert of_label(one, "b").series.tolist() == pytest.approx([0.1, 0.8, 0.1])
    with pytest.raises(CalibrationError, match="same labels"):
        common_labels([one, case("w", [1.0])])


def test_widened_is_a_running_maximum() -> None:
    rng = np.random.default_rng(1)
    scores = case("v", rng.random(50)).scores
    series = scores.values[:, 0]
    slow = [series[max(0, i - 2) : i + 3].max() for i in range(50)]
    assert widened(scores, 5).values[:, 0].tolist() == slow
    holes = case("v", [1.0, np.nan, 0.0]).scores
    assert np.array_equal(widened(holes, 3).values[:, 0], [1.0, np.nan, 0.0], equal_nan=True)
    with pytest.raises(ValueError, match="odd"):
        widened(scores, 4)
