"""Pixel level: do heat maps show where in the picture it happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.cases import Case
from watchword.evaluation.datasets.masks import each_mask, mask_count
from watchword.evaluation.levels.part import Part, absent
from watchword.evaluation.metrics.pixel import pixel_areas
from watchword.evaluation.metrics.upsampling import upsampled
from watchword.evaluation.predictions.heat_maps import SavedMaps, open_maps
from watchword.evaluation.result import Figure

TITLES = {"pixel_auc": "AUC of pixels", "aupro": "AUPRO to 0.3"}
# Half of what is reached up to the limit, whatever the maps say of no pixel.
_CHANCE = {"pixel_auc": 0.5, "aupro": 0.15}
_CHUNK_PIXELS = 2**21
Map = NDArray[np.floating[Any]]


@dataclass(slots=True)
class _Seen:
    """What was met on the way through the maps.

    Attributes:
        frames: frames that have a mask.
        unmeasured: those of which no pixel was measured.
        events: those of the unmeasured ones that hold an event.
        partly: frames of which some pixels were measured.
        grids: rows and columns of maps that are no pixels, and the height and width of the masks.
    """

    frames: int = 0
    unmeasured: int = 0
    events: int = 0
    partly: int = 0
    grids: set[tuple[int, int, int, int]] = field(default_factory=set)

    def count(self, masks: NDArray[np.bool_], maps: Map) -> None:
        """Add some frames (N,H,W)."""
        share = np.isnan(maps).mean(axis=(1, 2))
        self.frames += len(masks)
        self.unmeasured += int((share == 1).sum())
        self.events += int(masks[share == 1].any(axis=(1, 2)).sum())
        self.partly += int(((share > 0) & (share < 1)).sum())

    @property
    def grid_words(self) -> str:
        """How maps came to the size of the masks."""
        told = [
            f"maps of {h}x{w} cells, read between their middles for {height}x{width} pixels"
            for h, w, height, width in sorted(self.grids)
        ]
        return "; ".join(told) or "maps of a value a pixel"

    @property
    def missing_words(self) -> str:
        """What was not measured; empty if everything was."""
        told = []
        if self.unmeasured:
            told.append(
                f"{self.unmeasured} of {self.frames} frames with pixel truth have no map that was "
                f"measured and are left out of the pixel level, {self.events} of them with an event"
            )
        if self.partly:
            told.append(f"{self.partly} of {self.frames} frames have maps measured in part only")
        return "; ".join(told)


def pixel_level(cases: Sequence[Case]) -> Part:
    """The pixel level's figures, where every video with pixel truth has heat maps too.

    Each frame is judged by the map of the window that its middle lies in. A video without any event
    has no masks and is not asked for maps.

    Raises:
        DatasetError: a map that cannot be read or does not belong to its masks.
    """
    masked = [case for case in cases if case.annotation.masks is not None]
    mapped = [case for case in masked if case.prediction.maps is not None]
    if not masked:
        return Part(figures=absent(TITLES, "pixel", "no truth of single pixels is given"))
    if len(mapped) < len(masked):
        lacking = len(masked) - len(mapped)
        why = f"{lacking} of {len(masked)} videos with pixel truth have no maps"
        return Part(figures=absent(TITLES, "pixel", why))
    seen = _Seen()
    try:
        values = dict(zip(TITLES, pixel_areas(_pairs(mapped, seen)), strict=True))
    except ValueError as exc:
        return Part(figures=absent(TITLES, "pixel", str(exc)))
    figures = tuple(
        Figure(
            name,
            "pixel",
            title,
            values[name],
            "" if values[name] is not None else "all measured pixels are of one class",
            note=f"{len(mapped)} videos; {seen.grid_words}",
            baselines={"random": _CHANCE[name]},
        )
        for name, title in TITLES.items()
    )
    missing = seen.missing_words
    return Part(figures=figures, notes=(f"{missing}.",) if missing else ())


def _pairs(cases: Sequence[Case], seen: _Seen) -> Iterator[tuple[NDArray[np.bool_], Map]]:
    """Masks and maps of a few frames at a time, so that a long video need not fit in memory."""
    for case in cases:
        assert case.annotation.masks is not None
        assert case.prediction.maps is not None
        saved = open_maps(case.prediction.maps)
        rows = _rows(case, saved, mask_count(case.annotation.masks))
        each = each_mask(case.annotation.masks)
        first = next(each)
        _check_size(case, saved, (len(rows), *first.shape))
        if saved.edges_s is not None:
            seen.grids.add((*saved.values.shape[1:], *first.shape))
        each, at = chain([first], each), 0
        while batch := list(islice(each, max(1, _CHUNK_PIXELS // first.size))):
            masks = np.stack(batch)
            maps = np.stack([_map(saved, row, first.shape) for row in rows[at : at + len(batch)]])
            seen.count(masks, maps)
            yield masks, maps
            at += len(batch)


def _rows(case: Case, saved: SavedMaps, frames: int) -> NDArray[np.intp]:
    """(frames,) which map each frame is judged by; -1 is none."""
    if saved.edges_s is None:
        return np.arange(frames)
    clock = case.clock
    if clock is None:
        raise DatasetError(
            str(case.prediction.maps),
            f"holds maps by seconds, and nothing says when the frames of {case.name} are shown; "
            "name the videos' folder (--videos) or the frame rate (--rate)",
        )
    known = clock.frames
    # Published masks end one frame early or late, as lists of frames do.
    if known is not None and abs(known - frames) > 1:
        raise DatasetError(
            str(case.annotation.masks),
            f"holds {frames} masks, {case.name} has {known} frames; there must be one a frame",
        )
    shown = frames if known is None else min(frames, known)
    edges_s = np.array([clock.at(frame) for frame in range(shown + 1)])
    rows = np.full(frames, -1, np.intp)
    rows[:shown] = saved.at((edges_s[:-1] + edges_s[1:]) / 2)
    return rows


def _check_size(case: Case, saved: SavedMaps, size: tuple[int, ...]) -> None:
    if saved.edges_s is None and saved.values.shape != size:
        raise DatasetError(
            str(case.prediction.maps),
            f"heat maps are {saved.values.shape}, the masks of {case.name} are {size}; maps of "
            "another size need the times of their rows beside them (NAME_edges.npy)",
        )


def _map(saved: SavedMaps, row: np.intp, size: tuple[int, ...]) -> Map:
    if row < 0:
        return np.full(size, np.nan, np.float32)
    found = np.asarray(saved.values[row])
    if saved.edges_s is not None:
        return upsampled(found, *size)
    return found if found.dtype.kind == "f" else found.astype(np.float64)
