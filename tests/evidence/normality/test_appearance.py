"""Appearance cells: few numbers of each place, averaged over the last second."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from watchword.evidence.normality.appearance import AppearanceCells, AppearanceOptions

STEP_S = 0.1
SINGLE = AppearanceOptions(mean_s=0.0)
Floats = NDArray[np.float32]
Times = NDArray[np.float64]


def maps(count: int, *, channels: int = 112, side: int = 4, seed: int = 0) -> Floats:
    shape = (count, channels, side, side)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def clock(count: int, step_s: float = STEP_S) -> Times:
    return np.arange(count, dtype=np.float64) * step_s


def cells(
    given: Floats, options: AppearanceOptions | None = None, step_s: float = STEP_S
) -> Floats:
    times = clock(len(given), step_s)
    return AppearanceCells(options).update(given, times, np.full(len(given), step_s))


def unit_places(given: Floats) -> Floats:
    return np.moveaxis(given / np.linalg.norm(given, axis=1, keepdims=True), 1, -1)


def test_distances_of_cells_are_about_those_of_maps() -> None:
    given = maps(40)
    own = cells(given, AppearanceOptions(numbers=64, mean_s=0.0)).reshape(-1, 64)
    full = unit_places(given).reshape(-1, 112)
    ratio = np.linalg.norm(own[:-1] - own[1:], axis=1) / np.linalg.norm(
        full[:-1] - full[1:], axis=1
    )
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    assert ratio.std() < 0.15


def test_brightness_of_a_map_does_not_count() -> None:
    given = maps(3)
    np.testing.assert_allclose(cells(given * 5, SINGLE), cells(given, SINGLE), rtol=1e-4, atol=1e-6)


def test_a_place_tells_of_itself_only() -> None:
    given = maps(1)
    other = given.copy()
    other[:, :, 2, 3] += 1
    changed = (cells(given, SINGLE) != cells(other, SINGLE)).any(axis=-1)[0]
    assert np.argwhere(changed).tolist() == [[2, 3]]


def test_the_mean_is_that_of_all_pictures_until_it_is_a_second_old_and_then_forgets() -> None:
    given = maps(40)
    single = cells(given, SINGLE)
    expected = single[0].astype(np.float64)
    for i, own in enumerate(single[1:], start=1):
        share = max(1 - np.exp(-STEP_S), 1 / (i + 1))
        expected = (1 - share) * expected + share * own
    np.testing.assert_allclose(cells(given)[-1], expected, atol=1e-6)


def test_a_still_scene_is_the_same_at_any_rate_and_from_its_first_picture() -> None:
    still = np.repeat(maps(1), 60, axis=0)
    slow, fast = cells(still, step_s=0.2), cells(still, step_s=0.04)
    np.testing.assert_allclose(slow, np.broadcast_to(slow[0], slow.shape), atol=1e-6)
    np.testing.assert_allclose(fast[-1], slow[-1], atol=1e-6)


def test_a_thing_that_comes_is_seen_alike_at_any_rate_after_the_same_time() -> None:
    before, after = maps(1), maps(1, seed=1)
    seen = {
        rate: cells(
            np.concatenate([np.repeat(before, rate, 0), np.repeat(after, rate, 0)]), step_s=1 / rate
        )[-1]
        for rate in (10, 50)
    }
    np.testing.assert_allclose(seen[10], seen[50], atol=1e-5)


def test_cut_up_in_any_way_a_video_has_the_same_values() -> None:
    given, times = maps(17), np.cumsum(np.random.default_rng(2).uniform(0.02, 0.2, 17))
    lengths = np.append(np.diff(times), 0.1)
    whole = AppearanceCells().update(given, times, lengths)
    meter = AppearanceCells()
    parts = [
        meter.update(given[a:b], times[a:b], lengths[a:b])
        for a, b in ((0, 1), (1, 1), (1, 9), (9, 17))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_what_comes_later_changes_nothing() -> None:
    given = maps(10)
    np.testing.assert_array_equal(cells(given)[:6], cells(given[:6]))


def test_behind_a_cut_the_mean_begins_anew() -> None:
    given = maps(40)
    begins = np.arange(40) == 5
    own = AppearanceCells().update(given, clock(40), np.full(40, STEP_S), begins=begins)
    np.testing.assert_array_equal(own[5:], cells(given[5:]))


def test_behind_a_hole_the_mean_begins_anew() -> None:
    given, times = maps(40), clock(40)
    times[5:] += 3
    own = AppearanceCells().update(given, times, np.full(40, STEP_S))
    np.testing.assert_array_equal(own[5], cells(given[5:], SINGLE)[0])


def test_a_picture_that_failed_is_nan_and_ends_the_mean() -> None:
    given = maps(6)
    given[3] = np.nan
    own = cells(given)
    assert np.isnan(own[3]).all()
    assert np.isfinite(own[[0, 1, 2, 4, 5]]).all()
    np.testing.assert_array_equal(own[4], cells(given[4:], SINGLE)[0])


def test_a_place_without_activity_gives_zeros() -> None:
    assert (cells(np.zeros((2, 112, 4, 4), np.float32), SINGLE) == 0).all()


def test_numbers_of_a_map_are_the_same_on_every_machine() -> None:
    given = np.arange(6, dtype=np.float32).reshape(1, 6, 1, 1)
    own = cells(given, AppearanceOptions(numbers=4, mean_s=0.0))[0, 0, 0]
    np.testing.assert_allclose(own * np.sqrt(55) * 2, [5, -7, 7, -5], atol=1e-4)


def test_no_pictures_give_no_cells() -> None:
    assert cells(maps(0)).shape == (0, 4, 4, 32)


def test_half_precision_maps_are_taken_as_they_are() -> None:
    half = maps(3).astype(np.float16)
    own = AppearanceCells().update(half, clock(3), np.full(3, STEP_S))
    np.testing.assert_array_equal(own, cells(half.astype(np.float32)))


@pytest.mark.parametrize(
    ("given", "times", "message"),
    [
        (maps(2)[0], [0.0, 0.1], "must be"),
        (maps(2), [0.0], "must be"),
        (maps(2), [0.1, 0.1], "must rise"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    given: Floats, times: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        AppearanceCells().update(given, np.array(times), np.full(len(times), 0.1))


def test_maps_of_another_encoder_in_one_video_are_refused() -> None:
    meter = AppearanceCells()
    meter.update(maps(1), np.array([0.0]), np.array([0.1]))
    with pytest.raises(ValueError, match="one encoder"):
        meter.update(maps(1, side=7), np.array([0.1]), np.array([0.1]))


def test_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="numbers is 0"):
        AppearanceOptions(numbers=0)


@pytest.mark.parametrize("mean_s", [-1.0, np.inf, np.nan])
def test_a_mean_over_no_number_of_seconds_is_refused(mean_s: float) -> None:
    with pytest.raises(ValueError, match="mean_s is"):
        AppearanceOptions(mean_s=mean_s)
