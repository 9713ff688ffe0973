"""Heat maps are found by the names of their videos, and never taken for scores."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.making import record
from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameClock
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import load_cases
from watchword.evaluation.predictions.read import read_predictions

SCORES = np.linspace(0, 1, 6).astype(np.float32)
MAPS = np.random.default_rng(0).random((6, 8, 9)).astype(np.float32)


def saved(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return str(path)


@pytest.mark.parametrize("name", ["maps/a.npy", "a_map.npy"])
def test_maps_are_found_beside_a_file_and_in_a_folder(tmp_path, name):
    scores = tmp_path / "a.npy"
    saved(scores, SCORES)
    maps = saved(tmp_path / name, MAPS)
    for path in (tmp_path, scores):
        (found,) = read_predictions(path, rate=1)
        assert (found.video, found.maps) == ("a", maps)


def test_maps_beside_a_table_are_found_by_folder_and_name(tmp_path):
    (tmp_path / "s.csv").write_text("video,frame,score\ntest/a.mp4,0,0.5\ntrain/a.mp4,0,0.5\n")
    maps = saved(tmp_path / "maps" / "test" / "a.npy", MAPS)
    first, second = read_predictions(tmp_path / "s.csv", rate=1)
    assert (first.maps, second.maps) == (maps, None)
    saved(tmp_path / "maps" / "a.npy", MAPS)
    with pytest.raises(DatasetError, match="could be of several videos named 'a'"):
        read_predictions(tmp_path / "s.csv", rate=1)


def test_a_series_that_is_only_called_a_map_stays_a_series(tmp_path):
    saved(tmp_path / "heat_map.npy", SCORES)
    (found,) = read_predictions(tmp_path, rate=1)
    assert (found.video, found.maps) == ("heat_map", None)


def test_maps_of_other_videos_are_an_error_that_tells_the_name(tmp_path):
    saved(tmp_path / "a.npy", SCORES)
    saved(tmp_path / "maps" / "b.npy", MAPS)
    with pytest.raises(DatasetError, match=r"'b\.npy' stands there, 'a\.npy' would be found"):
        read_predictions(tmp_path, rate=1)


def test_the_pixel_level_uses_them(tmp_path):
    masks = np.zeros(MAPS.shape, bool)
    masks[2:4, :3, :3] = True
    saved(tmp_path / "p" / "a.npy", SCORES)
    saved(tmp_path / "p" / "maps" / "a.npy", MAPS * 0.5 + masks)
    mask_file = tmp_path / "masks.npy"
    saved(mask_file, masks)
    made = load_cases(
        read_predictions(tmp_path / "p", rate=1),
        [record("a", (2, 4), masks=mask_file)],
        clock=lambda *_: FrameClock(rate=1.0),
    )
    found = evaluate(made, EvaluationOptions(samples=10))
    assert found["pixel_auc"].value == 1.0
    assert found["aupro"].value == pytest.approx(1.0)
