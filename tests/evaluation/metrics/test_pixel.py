"""Pixel measures against slow references, in bounded memory, and on the masks of UCSD Ped2."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from reference.pixels import reference_aupro, reference_regions
from watchword.evaluation.metrics import pixel
from watchword.evaluation.metrics.pixel import aupro, pixel_areas, pixel_auc, region_weights
from watchword.evaluation.metrics.pixel_tally import PixelTally, ordered_keys


@st.composite
def videos(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    steps = draw(st.sampled_from([2, 5, 1000]))
    masks, maps = [], []
    for _ in range(draw(st.integers(1, 3))):
        shape = (int(rng.integers(1, 4)), int(rng.integers(2, 6)), int(rng.integers(2, 6)))
        masks.append(rng.random(shape) < rng.choice([0.2, 0.5]))
        maps.append(((rng.integers(0, steps, shape) - 1) / 8).astype(np.float32))
    masks[0].flat[:2] = True, False
    maps[0].flat[:2] = 0.25, 0.0
    return masks, maps


def flat(arrays):
    return np.concatenate([array.ravel() for array in arrays])


@settings(max_examples=200)
@given(videos(), st.sampled_from([0.05, 0.3, 1.0]))
def test_agree_with_the_slow_way(given_videos, limit):
    masks, maps = given_videos
    assert pixel_auc(masks, maps) == pytest.approx(roc_auc_score(flat(masks), flat(maps)))
    assert aupro(masks, maps, limit=limit) == pytest.approx(
        reference_aupro(masks, maps, limit), abs=1e-12
    )


def test_iterables_and_small_chunks_give_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    masks = [rng.random((7, 5, 6)) < 0.3 for _ in range(3)]
    maps = [rng.normal(size=(7, 5, 6)) + mask for mask in masks]
    whole = pixel_auc(masks, maps), aupro(masks, maps)
    monkeypatch.setattr(pixel, "_CHUNK_PIXELS", 40)
    assert (pixel_auc(iter(masks), iter(maps)), aupro(iter(masks), iter(maps))) == pytest.approx(
        whole
    )
    assert whole[0] == pytest.approx(roc_auc_score(flat(masks), flat(maps)))


def test_perfect_maps_and_maps_that_know_nothing():
    rng = np.random.default_rng(1)
    masks = [rng.random((4, 20, 20)) < 0.1]
    assert pixel_auc(masks, [masks[0].astype(float)]) == 1.0
    assert aupro(masks, [masks[0].astype(float)]) == 1.0
    noise = [rng.random((4, 20, 20))]
    assert pixel_auc(masks, noise) == pytest.approx(0.5, abs=0.06)
    assert aupro(masks, noise) == pytest.approx(0.15, abs=0.04)


def test_each_region_counts_the_same_whatever_its_size():
    mask = np.zeros((1, 10, 10), bool)
    mask[0, :5, :5] = mask[0, 9, 9] = True
    only_large, only_small = mask.copy(), mask.copy()
    only_large[0, 9, 9] = False
    only_small[0, :5, :5] = False
    # Half of the regions at once; the other half is reached along with all normal pixels.
    expected = 0.5 + 0.5 * 0.3 / 2
    for found in (only_large, only_small):
        assert aupro([mask], [found.astype(float)]) == pytest.approx(expected)


def test_diagonal_neighbours_are_one_region_and_frames_are_not_joined():
    mask = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 0], [0, 0, 1]]], bool)
    everywhere = np.ones_like(mask)
    assert region_weights(mask, everywhere).tolist() == [0.5, 0.5, 1.0, 1.0]
    everywhere[0, 0, 0] = False
    assert region_weights(mask, everywhere).tolist() == [1.0, 1.0, 1.0]
    assert len(reference_regions([mask])) == 3


@settings(max_examples=100)
@given(videos(), st.floats(0, 0.6), st.integers(0, 1000))
def test_pixels_that_were_not_measured_are_left_out(given_videos, share, seed):
    masks, maps = given_videos
    rng = np.random.default_rng(seed)
    holed = [np.where(rng.random(m.shape) < share, np.nan, m).astype(np.float32) for m in maps]
    holed[0].flat[:2] = maps[0].flat[:2]
    seen = ~np.isnan(flat(holed))
    auc, overlap = pixel_areas(zip(masks, holed, strict=True))
    assert auc == pytest.approx(roc_auc_score(flat(masks)[seen], flat(holed)[seen]))
    assert overlap == pytest.approx(reference_aupro(masks, holed, 0.3), abs=1e-12)
    assert (pixel_auc(masks, holed), aupro(masks, holed)) == (auc, overlap)


def test_one_class_has_no_area():
    rng = np.random.default_rng(2)
    scores = [rng.random((2, 3, 3))]
    for full in (np.zeros((2, 3, 3), bool), np.ones((2, 3, 3), bool)):
        assert pixel_auc([full], scores) is None
        assert aupro([full], scores) is None


SHAPE = (2, 3, 3)
MASK = np.arange(18).reshape(SHAPE) % 2
MAP = np.arange(18.0).reshape(SHAPE)


@pytest.mark.parametrize("measure", [pixel_auc, aupro])
@pytest.mark.parametrize(
    ("masks", "maps", "words"),
    [
        ([], [], "no videos"),
        ([MASK, MASK], [MAP], "differ in number: one of them ends at 1"),
        ([MASK], [MAP, MAP], "differ in number: one of them ends at 1"),
        ([MASK], [MAP[:1]], r"video 0: mask \(2, 3, 3\) and map \(1, 3, 3\)"),
        ([MASK[0]], [MAP[0]], "the same \\(T,H,W\\)"),
        ([MASK, 2 * MASK], [MAP, MAP], "video 1: the mask must hold only 0 and 1"),
        ([MASK], [np.where(MAP >= 0, math.nan, MAP)], "no pixel that was measured"),
        # The frame's score painted over the frame, as seed 3 does.
        ([MASK], [np.arange(2.0)[:, None, None] * np.ones(SHAPE)], "when, not where"),
    ],
)
def test_faults_are_refused(measure, masks, maps, words):
    with pytest.raises(ValueError, match=words):
        measure(masks, maps)


@pytest.mark.parametrize("limit", [0, -1, 30, math.nan])
def test_another_limit_is_refused(limit):
    with pytest.raises(ValueError, match="limit"):
        aupro([MASK], [MAP], limit=limit)


class TestTally:
    def test_keys_are_in_the_order_of_the_scores(self):
        values = np.array([-math.inf, -3e38, -1.5, -1e-40, -0.0, 0.0, 1e-40, 0.1, 2, math.inf])
        keys = ordered_keys(values).astype(np.int64)
        assert (np.diff(keys)[np.arange(9) != 4] > 0).all()
        assert keys[4] == keys[5]

    def test_drops_bits_only_when_it_must_and_stays_close(self):
        rng = np.random.default_rng(3)
        truth = rng.random(20_000) < 0.3
        scores = (rng.normal(size=20_000) + truth).astype(np.float32)
        exact, small = PixelTally(), PixelTally(most=2000)
        for tally in (exact, small):
            for part in np.array_split(np.arange(20_000), 7):
                event = scores[part][truth[part]]
                tally.add(scores[part][~truth[part]], event, np.ones(len(event)))
        assert exact.dropped_bits == 0
        assert small.dropped_bits > 0
        assert len(small.falling()[0]) <= 2000
        areas = []
        for tally in (exact, small):
            normal, event, weights = tally.falling()
            assert (weights == event).all()
            assert (normal.sum(), event.sum()) == ((~truth).sum(), truth.sum())
            below = np.cumsum(event) - event / 2
            areas.append(np.dot(normal, below) / normal.sum() / event.sum())
        assert areas[0] == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
        assert areas[1] == pytest.approx(areas[0], abs=1e-4)


@pytest.mark.shared
def test_masks_of_ped2(shared):
    masks = []
    for path in sorted((shared / "data/ucsd_ped2/test").glob("*_mask.npz")):
        with np.load(path) as stored:
            time, height, width = stored["shape"]
            bits = np.unpackbits(stored["mask"], axis=-1)[:30, :, :width]
        masks.append(bits[:, ::4, ::4].astype(bool))
        assert masks[-1].shape[1:] == (-(-height // 4), -(-width // 4))
        assert len(masks[-1]) == min(30, time)
    rng = np.random.default_rng(4)
    # A made map that knows something, in few steps so that the slow way is quick.
    maps = [np.round(rng.normal(size=mask.shape) + 1.5 * mask).astype(np.float32) for mask in masks]
    assert sum(mask.any() for mask in masks) >= 3
    assert pixel_auc(masks, maps) == pytest.approx(roc_auc_score(flat(masks), flat(maps)))
    assert aupro(masks, maps) == pytest.approx(reference_aupro(masks, maps, 0.3), abs=1e-9)
