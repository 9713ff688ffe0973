import numpy as np
import pytest

from reference import normality as slow
from watchword.evidence.normality import distance
from watchword.evidence.normality.distance import Neighbours, spread


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.mark.parametrize("reach", [0, 1, 2, 9, None])
def test_the_distance_is_that_to_the_nearest_entry_around_the_place(rng, reach):
    entries = rng.normal(size=(4, 5, 3, 6)).astype(np.float32)
    entries[rng.random((4, 5, 3)) < 0.5] = np.nan
    cells = rng.normal(size=(7, 4, 5, 6)).astype(np.float32)
    cells[2, 1, 1] = np.nan
    found = Neighbours(entries, reach).nearest(cells)
    np.testing.assert_allclose(found, slow.nearest(cells, entries, reach), rtol=1e-4, atol=1e-4)


def test_blocks_change_nothing(rng, monkeypatch):
    entries = rng.normal(size=(3, 3, 4, 5)).astype(np.float32)
    cells = rng.normal(size=(11, 3, 3, 5)).astype(np.float32)
    whole = Neighbours(entries, 1).nearest(cells)
    monkeypatch.setattr(distance, "BLOCK", 1)
    np.testing.assert_allclose(Neighbours(entries, 1).nearest(cells), whole, atol=1e-5)


def test_a_place_without_an_entry_near_it_is_not_measured():
    entries = np.full((1, 4, 1, 2), np.nan, np.float32)
    entries[0, 0] = 1
    found = Neighbours(entries, 1).nearest(np.ones((1, 1, 4, 2), np.float32))
    np.testing.assert_array_equal(np.isnan(found[0, 0]), [False, False, True, True])


def test_an_entry_itself_is_no_distance_away(rng):
    entries = rng.normal(size=(2, 2, 3, 8)).astype(np.float32)
    found = Neighbours(entries, 0).nearest(entries[:, :, 1][None])
    assert found.max() < 2e-3


def test_another_grid_is_refused():
    near = Neighbours(np.ones((2, 2, 1, 3), np.float32), 0)
    with pytest.raises(ValueError, match="2x2 places of 3 numbers"):
        near.nearest(np.ones((1, 2, 3, 3), np.float32))


@pytest.mark.parametrize("entries", [np.full((2, 2, 1, 3), np.nan), np.ones((2, 2))])
def test_a_memory_of_nothing_is_refused(entries):
    with pytest.raises(ValueError, match="nothing to compare with"):
        Neighbours(entries.astype(np.float32), 0)


def test_a_negative_reach_is_refused():
    with pytest.raises(ValueError, match="reach is -1"):
        Neighbours(np.ones((1, 1, 1, 1), np.float32), -1)


@pytest.mark.parametrize("keep", [1, 4, 30])
def test_rows_are_spread_as_the_slow_way_does(rng, keep):
    rows = rng.normal(size=(6, 20, 3)).astype(np.float32)
    rows[rng.random((6, 20)) < 0.3] = np.nan
    rows[5] = np.nan
    kept = spread(rows, keep)
    assert kept.shape == (6, keep, 3)
    for own, place in zip(kept, rows, strict=True):
        wanted = slow.spread(place, keep)
        np.testing.assert_allclose(own[: len(wanted)], np.reshape(wanted, (-1, 3)), atol=1e-6)
        assert np.isnan(own[len(wanted) :]).all()


def test_equal_rows_are_kept_once():
    kept = spread(np.full((1, 50, 3), 0.1, np.float32), 8)
    assert (~np.isnan(kept[0, :, 0])).sum() == 1


def test_what_covers_the_parts_covers_the_whole(rng):
    rows = rng.random((1, 400, 2)).astype(np.float32)
    parts = np.concatenate([spread(rows[:, :200], 16), spread(rows[:, 200:], 16)], axis=1)
    for kept, bound in ((spread(rows, 16), 0.3), (spread(parts, 16), 0.45)):
        away = np.linalg.norm(rows[0, :, None] - kept[0][None], axis=-1).min(axis=1)
        assert away.max() < bound
