"""Motion cells: speeds in heights of the picture a second, whatever the camera and the sampling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from watchword.evidence.normality.motion import MotionCells, MotionOptions
from watchword.video.reader import ReadOptions, open_video

SIZE = 224
Pixels = NDArray[np.uint8]


def texture(seed: int, height: int, width: int) -> NDArray[np.float64]:
    """Soft random blobs: something that flow can follow."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (height // 4 + 2, width // 4 + 2))
    fine = np.kron(coarse, np.ones((4, 4)))
    for axis in (0, 1):
        fine = sum(np.roll(fine, shift, axis) for shift in range(-2, 3)) / 5
    return fine[:height, :width]


GROUND = texture(0, SIZE, 3 * SIZE)
THING = texture(1, 64, 64)


def picture(at_s: float, speed: float = 0.0, *, pan: float = 0.0, gain: float = 1.0) -> Pixels:
    """A thing that moves right over ground, in pixels a second; ``pan`` moves all of it."""
    offset = round(pan * at_s)
    scene = GROUND[:, SIZE + offset : 2 * SIZE + offset].copy()
    left = 30 + round(speed * at_s)
    scene[80:144, left : left + 64] = THING
    return np.repeat(np.clip(scene * gain, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def measured(pictures: list[Pixels], times: list[float], **kwargs) -> NDArray[np.float32]:
    pts = np.array(times, np.float64)
    lengths = np.append(np.diff(pts), 0.1)
    cells = MotionCells(kwargs.pop("options", None), aspect=kwargs.pop("aspect", 1.0))
    return cells.update(np.stack(pictures), pts, lengths, **kwargs)[..., 0]


def steps(count: int, rate: float = 10.0) -> list[float]:
    return [i / rate for i in range(count)]


def inside(cells: NDArray[np.float32], left: int) -> float:
    """Mean speed well within the thing whose left side is at that pixel."""
    return float(cells[12:16, left // 8 + 2 : left // 8 + 6].mean())


def test_a_thing_that_moves_has_its_speed_and_the_ground_has_none() -> None:
    times = steps(6)
    cells = measured([picture(t, 40) for t in times], times)
    assert inside(cells[4], 30 + 16) == pytest.approx(40 / SIZE, rel=0.15)
    assert cells[4][:6].max() < 0.01
    assert cells.shape == (6, 28, 28)


def test_speeds_are_those_of_the_picture_before_it_was_squashed() -> None:
    times = steps(4)
    pictures = [picture(t, 40) for t in times]
    square, wide = measured(pictures, times), measured(pictures, times, aspect=2.0)
    assert inside(wide[3], 42) == pytest.approx(2 * inside(square[3], 42), rel=0.05)


@pytest.mark.parametrize("rate", [5.0, 10.0, 25.0, 30.0, 60.0])
def test_speeds_do_not_depend_on_pictures_a_second(rate: float) -> None:
    times = steps(int(rate) + 1, rate)
    cells = measured([picture(t, 40) for t in times], times)
    assert inside(cells[-1], 70) == pytest.approx(40 / SIZE, rel=0.2)


def test_speeds_do_not_depend_on_an_even_rate() -> None:
    times = [0.0, 0.1, 0.14, 0.22, 0.36, 0.5, 0.66]
    cells = measured([picture(t, 50) for t in times], times)
    speeds = [inside(one, 30 + round(50 * t)) for one, t in zip(cells[1:], times[1:], strict=True)]
    assert np.allclose(speeds, 50 / SIZE, rtol=0.2)


def test_speeds_do_not_depend_on_the_size_of_the_pictures() -> None:
    times = steps(4)
    pictures = [picture(t, 40) for t in times]
    large = [one.repeat(2, axis=0).repeat(2, axis=1) for one in pictures]
    assert np.allclose(measured(pictures, times)[1:], measured(large, times)[1:], atol=0.01)


def test_pictures_shown_twice_do_not_stop_what_moves() -> None:
    times = steps(50, 50)
    cells = measured([picture(t // 0.04 * 0.04, 50) for t in np.array(times) + 1e-9], times)
    speeds = [inside(one, 70) for one in cells[30:]]
    assert min(speeds) > 0.6 * max(speeds)


def test_a_frozen_picture_is_at_rest_and_measured() -> None:
    times = steps(5)
    cells = measured([picture(0)] * 5, times)
    assert (cells[1:] == 0).all()


def test_black_pictures_are_at_rest() -> None:
    cells = measured([np.zeros((SIZE, SIZE, 3), np.uint8)] * 4, steps(4))
    assert (cells[1:] == 0).all()


def test_the_first_pictures_are_not_measured_until_a_step_has_passed() -> None:
    times = steps(8, 30)
    cells = measured([picture(t) for t in times], times)
    assert np.isnan(cells[:3]).all()
    assert not np.isnan(cells[3:]).any()


def test_a_cut_is_not_measured() -> None:
    times = steps(6)
    pictures = [picture(t) for t in times[:3]] + [255 - picture(t) for t in times[3:]]
    begins = np.array([False, False, False, True, False, False])
    cells = measured(pictures, times, begins=begins)
    assert np.isnan(cells[3]).all()
    assert cells[4:].max() < 0.01


def test_a_hole_is_not_measured() -> None:
    pts, lengths = np.array([0.0, 0.1, 0.4, 0.5]), np.full(4, 0.1)
    cells = MotionCells(aspect=1).update(np.stack([picture(t, 40) for t in pts]), pts, lengths)
    assert list(np.isnan(cells[..., 0]).all(axis=(1, 2))) == [True, False, True, False]


def test_pictures_too_far_apart_are_not_measured() -> None:
    times = [0.0, 1.0, 2.0]
    assert np.isnan(measured([picture(t, 40) for t in times], times)).all()


def test_a_camera_that_turns_sets_nothing_in_motion() -> None:
    times = steps(5)
    turning = measured([picture(t, pan=40) for t in times], times)
    # The thing stands still in the picture, which is what moves against the ground.
    assert np.median(turning[1:]) < 0.02


def test_a_new_exposure_sets_nothing_in_motion() -> None:
    pictures = [picture(0, gain=gain) for gain in (0.8, 0.8, 1.0, 0.9, 0.7)]
    assert measured(pictures, steps(5))[1:].max() < 0.05


def test_the_noise_of_a_sensor_is_hardly_motion() -> None:
    rng = np.random.default_rng(0)
    still = picture(0).astype(float)
    pictures = [
        np.clip(still + rng.normal(0, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(5)
    ]
    assert measured(pictures, steps(5))[1:].max() < 0.02


def test_cut_up_in_any_way_the_values_are_the_same() -> None:
    times = np.array(steps(12, 25))
    pixels = np.stack([picture(t, 60) for t in times])
    lengths = np.full(12, 0.04)
    whole = MotionCells(aspect=1.5).update(pixels, times, lengths)
    parts = MotionCells(aspect=1.5)
    slices = [slice(0, 1), slice(1, 1), slice(1, 5), slice(5, 12)]
    got = np.concatenate([parts.update(pixels[s], times[s], lengths[s]) for s in slices])
    assert np.array_equal(whole, got, equal_nan=True)


def test_what_comes_later_changes_nothing_before_it() -> None:
    times = steps(6)
    one = measured([picture(t, 40) for t in times], times)
    other = measured([picture(t, 40) for t in times[:4]] + [picture(9)] * 2, times)
    assert np.array_equal(one[:4], other[:4], equal_nan=True)


def test_a_long_video_is_not_kept() -> None:
    cells = MotionCells(aspect=1)
    for i in range(200):
        at = np.array([i / 60])
        cells.update(picture(0)[None], at, np.array([1 / 60]))
    assert len(cells._past) <= 8


def test_a_grid_need_not_divide_the_picture() -> None:
    times = steps(3)
    small = [picture(t, 40)[:100, :150] for t in times]
    cells = measured(small, times, options=MotionOptions(cells=14))
    assert cells.shape == (3, 14, 14)
    assert np.isfinite(cells[1:]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step_s": 0}, "step_s is 0"),
        ({"longest_s": 0.05}, "longest_s is 0.05"),
        ({"longest_s": float("nan")}, "longest_s is nan"),
        ({"cells": 0}, "cells is 0"),
        ({"side": 20}, "side is 20"),
        ({"window": 0}, "window is 0"),
        ({"levels": 0}, "levels is 0"),
    ],
)
def test_impossible_options_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MotionOptions(**arguments)


@pytest.mark.parametrize("aspect", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_aspect_is_refused(aspect: float) -> None:
    with pytest.raises(ValueError, match="aspect is"):
        MotionCells(aspect=aspect)


def test_pictures_that_do_not_fit_are_refused() -> None:
    cells = MotionCells(aspect=1)
    one, at, length = picture(0)[None], np.array([0.0]), np.array([0.1])
    with pytest.raises(ValueError, match="must be uint8"):
        cells.update(one.astype(np.float32), at, length)
    with pytest.raises(ValueError, match="each must be"):
        cells.update(one, np.array([0.0, 0.1]), length)
    with pytest.raises(ValueError, match="smaller than 28 cells"):
        cells.update(one[:, :20], at, length)
    cells.update(one, at, length)
    with pytest.raises(ValueError, match="must rise"):
        cells.update(one, at, length)


def test_no_pictures_have_no_cells() -> None:
    none = np.zeros((0, SIZE, SIZE, 3), np.uint8)
    assert MotionCells(aspect=1).update(none, np.zeros(0), np.zeros(0)).shape == (0, 28, 28, 1)


@pytest.mark.shared
def test_who_runs_is_faster_than_who_walks(shared: Path) -> None:
    # Someone runs through the picture from 0.5 to 2.7 s; then people walk and stand.
    path = shared / "data" / "cuhk_avenue" / "test" / "21.mp4"
    with open_video(path, options=ReadOptions(size=(SIZE, SIZE))) as video:
        cells = MotionCells(aspect=video.info.width / video.info.height)
        parts = [
            (frames.pts_s, cells.update(frames.pixels, frames.pts_s, frames.duration_s))
            for frames in video
        ]
    at = np.concatenate([pts for pts, _ in parts])
    speeds = np.concatenate([values for _, values in parts]).reshape(len(at), -1)
    fast = np.sort(speeds, axis=1)[:, -16:].mean(axis=1)
    runs, walks = (at > 0.8) & (at < 2.4), at > 2.8
    assert fast[runs].min() > 1.5 * fast[walks].max()
