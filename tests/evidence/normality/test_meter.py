import numpy as np
import pytest

from normal_footage import GRID, SEEN, SETTING, learned, street, with_event
from reference import normality as slow
from watchword.evidence.normality.learn import MemoryBuilder
from watchword.evidence.normality.memory import PartOptions
from watchword.evidence.normality.meter import CausalMean, NormalMeter, blurred, regrid, top_mean


@pytest.fixture(scope="module")
def memory():
    return learned([street(30, seed=seed) for seed in range(8)])


def measured(memory, cells, pts_s, duration_s):
    return NormalMeter(memory).update({"seen": cells}, pts_s, duration_s)


def test_what_stands_where_others_walk_is_a_surprise_where_it_stands(memory):
    cells, pts_s, duration_s = street(20, seed=9)
    part = measured(memory, with_event(cells, 100, 140), pts_s, duration_s)
    calm = np.r_[part.surprise[5:100, 0], part.surprise[150:, 0]]
    assert part.surprise[105:140, 0].min() > 3
    assert (calm > 2).mean() < 0.05
    assert part.heat.shape == (200, *GRID)
    hottest = np.unravel_index(part.heat[120].argmax(), GRID)
    assert hottest[0] in (2, 3)
    assert hottest[1] in (3, 4)


def test_surprise_of_new_normal_footage_is_as_rare_as_it_says(memory):
    surprise = np.concatenate(
        [measured(memory, *street(60, seed=seed)).surprise[1:, 0] for seed in range(20, 26)]
    )
    assert 0.03 < (surprise >= 1).mean() < 0.3
    assert (surprise >= 2).mean() < 0.05


@pytest.mark.parametrize("step", [1, 3, 64])
def test_cut_up_in_any_way_a_video_has_the_same_values(memory, step):
    cells, pts_s, duration_s = street(10, seed=5)
    whole = measured(memory, cells, pts_s, duration_s)
    meter = NormalMeter(memory)
    parts = [
        meter.update(
            {"seen": cells[at : at + step]}, pts_s[at : at + step], duration_s[at : at + step]
        )
        for at in range(0, len(cells), step)
    ]
    for name in ("values", "surprise", "heat"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(joined, getattr(whole, name), rtol=1e-3, atol=1e-3)


def test_a_value_knows_no_future(memory):
    cells, pts_s, duration_s = street(10, seed=5)
    calm = measured(memory, cells, pts_s, duration_s)
    stirred = measured(memory, with_event(cells, 50, 100), pts_s, duration_s)
    np.testing.assert_array_equal(calm.values[:50], stirred.values[:50])


def test_pictures_that_were_not_measured_stay_so_and_end_the_past(memory):
    cells, pts_s, duration_s = street(10, seed=5)
    event = with_event(cells, 40, 50)
    event[50] = np.nan
    part = measured(memory, event, pts_s, duration_s)
    for array in (part.values[50], part.surprise[50], part.heat[50], part.values[0]):
        assert np.isnan(array).all()
    alone = measured(memory, event[51:], pts_s[51:], duration_s[51:])
    np.testing.assert_allclose(part.values[51:], alone.values, rtol=1e-4)


def test_no_pictures_give_no_values(memory):
    part = measured(memory, np.zeros((0, *GRID, 3), np.float32), np.zeros(0), np.zeros(0))
    assert part.values.shape == (0, 1)
    assert part.heat.shape == (0, *GRID)


def test_other_parts_are_refused(memory):
    with pytest.raises(ValueError, match="cells are given of heard; the memory has seen"):
        NormalMeter(memory).update({"heard": np.zeros((0, 1, 1, 1))}, np.zeros(0), np.zeros(0))


def test_compared_with_rest_a_cell_counts_by_how_large_it_is():
    rest = {"seen": PartOptions(keep=0, stirred=0.5, blur=False, top=4)}
    memory = learned([street(30, seed=seed) for seed in range(3)], rest)
    cells, pts_s, duration_s = street(20, seed=9)
    fast = cells.copy()
    fast[100:140, 2:4] *= 3
    part = measured(memory, fast, pts_s, duration_s)
    assert part.surprise[104:130, 0].max() > 3
    calm = measured(memory, cells, pts_s, duration_s)
    assert part.values[104:130, 0].max() == pytest.approx(
        3 * calm.values[104:130, 0].max(), rel=0.2
    )


def test_the_mean_over_time_is_that_of_the_slow_way():
    rng = np.random.default_rng(1)
    pts_s = np.cumsum(rng.uniform(0.05, 0.3, 60))
    duration_s = np.diff(pts_s, append=pts_s[-1] + 0.1)
    series = rng.random(60).astype(np.float32)
    series[[7, 30]] = np.nan
    found = CausalMean(0.4).update(series[:, None, None], pts_s, duration_s)[:, 0, 0]
    np.testing.assert_allclose(found, slow.causal_mean(series, pts_s, duration_s, 0.4), rtol=1e-5)


def test_blur_takes_the_mean_of_the_neighbours_that_were_measured():
    maps = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    maps[0, 0, 0] = np.nan
    found = blurred(maps)[0]
    assert np.isnan(found[0, 0])
    assert found[1, 1] == pytest.approx(np.mean(range(1, 9)))
    assert found[2, 2] == pytest.approx(np.mean([4, 5, 7, 8]))


def test_the_score_is_the_mean_of_the_highest_cells():
    maps = np.array([[[1, 2], [3, np.nan]], [[np.nan] * 2] * 2, [[0, 0], [0, 7]]], np.float32)
    np.testing.assert_allclose(top_mean(maps, 2), [2.5, np.nan, 3.5])


def test_maps_are_brought_to_another_grid_over_the_same_picture():
    ramp = np.linspace(0.5, 3.5, 4, dtype=np.float32)[None, None].repeat(2, axis=1)
    finer = regrid(ramp, (4, 8))
    assert finer.shape == (1, 4, 8)
    np.testing.assert_allclose(finer[0, 0, 1:-1], np.arange(0.75, 3.5, 0.5))
    np.testing.assert_array_equal(regrid(ramp, (2, 4)), ramp)


def test_heat_of_parts_on_unlike_grids_lies_on_the_finest():
    options = {"seen": SEEN["seen"], "fine": SEEN["seen"]}

    cells, pts_s, duration_s = street(20)
    both = {"seen": cells, "fine": cells.repeat(2, axis=1)}
    builder = MemoryBuilder(SETTING, options)
    builder.begin("a.mp4")
    builder.update(both, pts_s, duration_s)
    part = NormalMeter(builder.finish()).update(both, pts_s, duration_s)
    assert part.values.shape == (200, 2)
    assert part.heat.shape == (200, 12, 8)
