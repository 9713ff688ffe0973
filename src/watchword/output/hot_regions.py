"""The hottest regions of a heat map, as boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from watchword.output.heat_scale import HeatScale, map_at
from watchword.places import Box
from watchword.types import Detection

# First and one past the last row and column, and the highest value inside.
_Region = tuple[int, int, int, int, float]


def hot_boxes(heat_map: NDArray[np.floating], *, above: float, most: int = 3) -> tuple[Box, ...]:
    """Boxes around the connected places that reach ``above``, hottest first, at most ``most``.

    Places touch across corners too. Boxes that overlap become one. NaN reaches nothing.

    Args:
        heat_map: (h,w), a grid over the whole picture.
        above: the value from which a place is hot, in the map's own unit.
        most: how many boxes at most.

    >>> hot_boxes(np.array([[0.0, 0.0, 5.0, 0.0]]), above=3.0)
    (Box(left=0.5, top=0.0, right=0.75, bottom=1.0, score=5.0),)
    """
    if heat_map.ndim != 2:
        raise ValueError(f"a heat map is (h,w), got {heat_map.shape}")
    if most < 1:
        raise ValueError(f"most is {most}, it must be at least 1")
    height, width = heat_map.shape
    merged = _merged(_regions(heat_map, heat_map >= above))
    hottest = sorted(merged, key=lambda region: (-region[4], region[:4]))[:most]
    return tuple(
        Box(left / width, top / height, right / width, bottom / height, score)
        for top, bottom, left, right, score in hottest
    )


def boxes_at(detection: Detection, at_s: float, scale: HeatScale | None) -> tuple[Box, ...]:
    """The hottest regions at a moment of a detection; none without heat."""
    if detection.heat is None or scale is None:
        return ()
    found = map_at(detection.heat, at_s)
    return () if found is None else hot_boxes(found, above=scale.mark)


def _regions(heat_map: NDArray[np.floating], hot: NDArray[np.bool_]) -> Iterable[_Region]:
    left_over = {(int(row), int(column)) for row, column in np.argwhere(hot)}
    while left_over:
        edge = [left_over.pop()]
        places = []
        while edge:
            row, column = edge.pop()
            places.append((row, column))
            around = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left_over
            left_over -= around
            edge.extend(around)
        rows, columns = zip(*places, strict=True)
        score = float(heat_map[list(rows), list(columns)].max())
        yield min(rows), max(rows) + 1, min(columns), max(columns) + 1, score


def _merged(regions: Iterable[_Region]) -> list[_Region]:
    made: list[_Region] = []
    for new in regions:
        grown = new
        # What has grown may reach another box: again until nothing is reached.
        while reached := next((box for box in made if _overlap(box, grown)), None):
            made.remove(reached)
            grown = _around(reached, grown)
        made.append(grown)
    return made


def _overlap(one: _Region, other: _Region) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _around(one: _Region, other: _Region) -> _Region:
    return (
        min(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        max(one[3], other[3]),
        max(one[4], other[4]),
    )
