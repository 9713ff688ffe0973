"""Heat maps on a grid are judged frame by frame at full size, by the times of their windows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from evaluation.making import prediction, record
from reference.pixels import reference_aupro
from watchword.errors import DatasetError
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.datasets.record import FrameClock
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.levels import pixel
from watchword.evaluation.levels.pixel import pixel_level
from watchword.evaluation.matching import load_cases

QUICK = EvaluationOptions(samples=10)
RATE = 4.0


def made(folder, masks, maps, edges_s, *, rate=RATE, name="a"):
    """A case of a video with masks, and maps with the times of their rows."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "masks.npy", masks)
    np.save(folder / "maps.npy", maps)
    np.save(folder / "maps_edges.npy", edges_s)
    given = replace(prediction(name, np.zeros(len(masks))), maps=str(folder / "maps.npy"))
    truth = record(name, (0, 1), masks=folder / "masks.npy", rate=rate)
    (case,) = load_cases([given], [truth], clock=lambda *_: None).cases
    return case


def slow(masks, maps, edges_s, rate=RATE):
    """(T,H,W) the map of each frame, made by Pillow; NaN where there is none."""
    found = np.full(masks.shape, np.nan, np.float32)
    for frame in range(len(masks)):
        middle = (frame + 0.5) / rate
        for row in range(len(maps)):
            if edges_s[row] <= middle < edges_s[row + 1]:
                grid = Image.fromarray(maps[row].astype(np.float32))
                found[frame] = grid.resize(masks.shape[:0:-1], Image.Resampling.BILINEAR)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_slow_way_on_random_grids(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(pixel, "_CHUNK_PIXELS", 700)
    rng = np.random.default_rng(seed)
    cases, masks, maps = [], [], []
    for number in range(3):
        frames, windows = int(rng.integers(5, 12)), int(rng.integers(2, 9))
        height, width = int(rng.integers(8, 14)), int(rng.integers(8, 14))
        mask = rng.random((frames, height, width)) < 0.15
        grid = (rng.random((windows, *rng.integers(1, 5, 2))) * 3).astype(np.float16)
        grid[rng.random(windows) < 0.2] = np.nan
        edges = np.concatenate([[rng.random() * 0.5], rng.random(windows) + 0.05]).cumsum()
        cases.append(made(tmp_path / str(number), mask, grid, edges, name=f"v{number}"))
        masks.append(mask)
        maps.append(slow(mask, grid, edges))
    flat = np.concatenate([m.ravel() for m in maps])
    truth = np.concatenate([m.ravel() for m in masks])
    part = pixel_level(cases)
    auc, overlap = (figure.value for figure in part.figures)
    seen = ~np.isnan(flat)
    assert auc == pytest.approx(roc_auc_score(truth[seen], flat[seen]), abs=1e-4)
    assert overlap == pytest.approx(reference_aupro(masks, maps, 0.3), abs=2e-3)
    lost = [np.isnan(m).all(axis=(1, 2)) for m in maps]
    events = sum(int(m[gone].any(axis=(1, 2)).sum()) for m, gone in zip(masks, lost, strict=True))
    told = (
        f"{sum(map(sum, lost))} of {sum(map(len, masks))} frames with pixel truth have no map that "
        f"was measured and are left out of the pixel level, {events} of them with an event."
    )
    assert part.notes == (told,)


MASKS = np.zeros((4, 8, 12), bool)
MASKS[2, :4, :4] = True
GRID = np.zeros((2, 2, 3), np.float16)
GRID[1, 0, 0] = 1


def test_a_frame_takes_the_map_of_the_window_that_holds_its_middle(tmp_path):
    # Frames of .25 s: the middle of the third, .625 s, is where the second window begins.
    card = pixel_level([made(tmp_path, MASKS, GRID, [0, 0.625, 0.875])])
    assert card.figures[0].value == pytest.approx(1, abs=0.03)
    assert "maps of 2x3 cells, read between their middles for 8x12 pixels" in card.figures[0].note
    assert card.notes[0].startswith("1 of 4 frames")
    late = pixel_level([made(tmp_path, MASKS, GRID, [0, 0.6251, 0.876])])
    assert late.figures[0].value == pytest.approx(0.5, abs=0.1)
    assert late.notes == ()


def test_cells_that_were_not_measured_are_told(tmp_path):
    holed = GRID.copy()
    holed[0, 1, 2] = np.nan
    part = pixel_level([made(tmp_path, MASKS, holed, [0, 0.5, 1])])
    assert part.notes == ("2 of 4 frames have maps measured in part only.",)


def test_maps_without_any_measured_cell_give_no_figure(tmp_path):
    part = pixel_level([made(tmp_path, MASKS, np.full_like(GRID, np.nan), [0, 0.5, 1])])
    assert {figure.value for figure in part.figures} == {None}
    assert part.figures[0].why == "there is no pixel that was measured"


@pytest.mark.parametrize(
    ("maps", "edges", "words"),
    [
        (GRID, [0, 0.5], "no times of 2 heat maps"),
        (GRID, [0, 1, 0.5], "no times of 2 heat maps: edges_s must be finite and strictly rising"),
        (GRID[0], [0, 1], r"must be numbers \(T,H,W\)"),
        (np.full((1, 2, 2), np.inf, np.float16), [0, 1], "finite"),
    ],
)
def test_maps_that_make_no_sense_are_refused(tmp_path, maps, edges, words):
    with pytest.raises(DatasetError, match=words):
        pixel_level([made(tmp_path, MASKS, maps, edges)])


def test_masks_of_another_number_of_frames_and_unknown_times_are_refused(tmp_path):
    case = made(tmp_path, MASKS, GRID, [0, 0.5, 1])
    with pytest.raises(DatasetError, match="holds 4 masks, a has 9 frames"):
        pixel_level([replace(case, clock=FrameClock(np.arange(10.0)))])
    # One mask too many, as published ones have, is a frame that was not measured.
    short = pixel_level([replace(case, clock=FrameClock(np.arange(4) / RATE))])
    assert short.notes[0].startswith("1 of 4 frames")
    with pytest.raises(DatasetError, match="--rate"):
        pixel_level([replace(case, clock=None)])


def test_maps_of_another_size_without_times_are_refused(tmp_path):
    case = made(tmp_path, MASKS, GRID, [0, 0.5, 1])
    (tmp_path / "maps_edges.npy").unlink()
    with pytest.raises(DatasetError, match=r"need the times of their rows.*NAME_edges\.npy"):
        pixel_level([case])


@pytest.mark.shared
def test_masks_of_ped2_at_full_size_in_little_memory(shared, tmp_path):
    truth = [r for r in read_records(shared / "data/ucsd_ped2/labels.json") if r.masks]
    given, masks, maps = [], [], []
    rng = np.random.default_rng(0)
    for number, one in enumerate(truth[:2]):
        with np.load(one.masks) as stored:
            mask = np.unpackbits(stored["mask"], axis=-1, count=stored["shape"][2]).astype(bool)
        cells = mask.reshape(len(mask), 12, 20, 18, 20).mean(axis=(2, 4))
        heat = ((cells + 0.3 * rng.random(cells.shape)) / 1.3).astype(np.float16)
        folder = tmp_path / str(number)
        folder.mkdir()
        np.save(folder / "maps.npy", heat)
        np.save(folder / "maps_edges.npy", np.arange(len(heat) + 1) / 10)
        scores = prediction(one.video, heat.max(axis=(1, 2)), step_s=0.1)
        given.append(replace(scores, maps=str(folder / "maps.npy")))
        masks.append(mask)
        maps.append(slow(mask, heat, np.arange(len(heat) + 1) / 10, rate=10))
    card = evaluate(load_cases(given, truth[:2]), QUICK)
    flat = np.concatenate([m.ravel() for m in maps])
    expected = roc_auc_score(np.concatenate([m.ravel() for m in masks]), flat)
    assert card["pixel_auc"].value == pytest.approx(expected, abs=1e-5)
    assert card["aupro"].value > 0.5
    assert (
        json.dumps(card["aupro"].note)
        == '"2 videos; maps of 12x18 cells, read between their middles for 240x360 pixels"'
    )
