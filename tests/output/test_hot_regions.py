"""Boxes hold what is hot, hottest first, and nothing else asks for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from watchword.output.heat_scale import heat_scale
from watchword.output.hot_regions import boxes_at, hot_boxes
from watchword.places import Box
from watchword.types import Detection

maps = arrays.arrays(
    np.float16,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0.0, 1.0, 2.5, 4.0, float("nan")]),
)


def inside(box: Box, shape: tuple[int, int]) -> tuple[slice, slice]:
    rows, columns = (
        slice(round(low * size), round(high * size))
        for low, high, size in (
            (box.top, box.bottom, shape[0]),
            (box.left, box.right, shape[1]),
        )
    )
    return rows, columns


@given(heat_map=maps)
def test_every_hot_place_lies_in_exactly_one_box_and_every_box_says_its_hottest_place(
    heat_map: np.ndarray,
) -> None:
    boxes = hot_boxes(heat_map, above=2.0, most=81)
    covered = np.zeros(heat_map.shape, int)
    for box in boxes:
        place = inside(box, heat_map.shape)
        covered[place] += 1
        assert box.score == np.nanmax(heat_map[place])
    assert covered.max(initial=0) <= 1
    assert (covered[heat_map >= 2.0] == 1).all()
    assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)


@given(heat_map=maps)
def test_a_box_touches_a_hot_place_with_each_of_its_sides(heat_map: np.ndarray) -> None:
    for box in hot_boxes(heat_map, above=2.0, most=81):
        hot = heat_map[inside(box, heat_map.shape)] >= 2.0
        assert hot[0].any()
        assert hot[-1].any()
        assert hot[:, 0].any()
        assert hot[:, -1].any()


def test_corners_connect_and_boxes_that_overlap_become_one() -> None:
    diagonal = np.array([[3.0, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 0, 3.0]])
    assert hot_boxes(diagonal, above=2.0) == (
        Box(0.0, 0.0, 0.5, 2 / 3, 3.0),
        Box(0.75, 2 / 3, 1.0, 1.0, 3.0),
    )
    ring = np.full((5, 5), 3.0)
    ring[1:4, 1:4] = 0.0
    ring[2, 2] = 5.0
    assert hot_boxes(ring, above=2.0) == (Box(0.0, 0.0, 1.0, 1.0, 5.0),)


def test_only_the_hottest_are_kept_and_a_calm_map_has_none() -> None:
    spots = np.zeros((1, 9))
    spots[0, ::2] = [3, 7, 5, 4, 6]
    assert [box.score for box in hot_boxes(spots, above=2.0)] == [7.0, 6.0, 5.0]
    assert hot_boxes(np.full((4, 4), np.nan), above=2.0) == ()


def test_an_event_has_the_boxes_of_its_peak(unusual: Detection) -> None:
    scale = heat_scale(unusual)
    assert boxes_at(unusual, 1.5, scale) == (
        Box(5 / 8, 1 / 6, 7 / 8, 0.5, 4.0),
        Box(0.0, 5 / 6, 1 / 8, 1.0, 3.0),
    )
    for calm_s in (0.0, 3.0, 99.0, -1.0, float("nan")):
        assert boxes_at(unusual, calm_s, scale) == ()
    assert boxes_at(replace(unusual, heat=None), 1.5, None) == ()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a heat map is \(h,w\), got \(3,\)"):
        hot_boxes(np.zeros(3), above=1.0)
    with pytest.raises(ValueError, match="most is 0"):
        hot_boxes(np.zeros((2, 2)), above=1.0, most=0)
