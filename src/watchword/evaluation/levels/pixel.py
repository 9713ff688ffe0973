"""Pixel level: do heat maps show where in the picture it happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.cases import Case
from watchword.evaluation.datasets.masks import read_masks
from watchword.evaluation.levels.part import Part, absent
from watchword.evaluation.metrics.pixel import aupro, pixel_auc
from watchword.evaluation.result import Figure

TITLES = {"pixel_auc": "AUC of pixels", "aupro": "AUPRO to 0.3"}
# Half of what is reached up to the limit, whatever the maps say of no pixel.
_CHANCE = {"pixel_auc": 0.5, "aupro": 0.15}


def pixel_level(cases: Sequence[Case]) -> Part:
    """The pixel level's figures, where every video with pixel truth has heat maps too.

    A video without any event has no masks and is not asked for maps.

    Raises:
        DatasetError: a map that cannot be read or is of another shape than its masks.
    """
    masked = [case for case in cases if case.annotation.masks is not None]
    mapped = [case for case in masked if case.prediction.maps is not None]
    if not masked or len(mapped) < len(masked):
        why = (
            "no truth of single pixels is given"
            if not masked
            else (
                f"{len(masked) - len(mapped)} of {len(masked)} videos with pixel truth have no maps"
            )
        )
        return Part(figures=absent(TITLES, "pixel", why))
    try:
        values = {
            "pixel_auc": pixel_auc(_masks(mapped), _maps(mapped)),
            "aupro": aupro(_masks(mapped), _maps(mapped)),
        }
    except ValueError as exc:
        return Part(figures=absent(TITLES, "pixel", str(exc)))
    figures = tuple(
        Figure(
            name,
            "pixel",
            title,
            values[name],
            "" if values[name] is not None else "all pixels are of one class",
            note=f"{len(mapped)} videos",
            baselines={"random": _CHANCE[name]},
        )
        for name, title in TITLES.items()
    )
    return Part(figures=figures)


def _masks(cases: Sequence[Case]) -> Iterator[NDArray[np.bool_]]:
    for case in cases:
        assert case.annotation.masks is not None
        yield read_masks(case.annotation.masks)


def _maps(cases: Sequence[Case]) -> Iterator[NDArray[np.floating]]:
    for case in cases:
        assert case.prediction.maps is not None
        path = Path(case.prediction.maps)
        try:
            maps = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as exc:
            raise DatasetError(str(path), f"no heat maps that can be read (.npy): {exc}") from exc
        assert case.annotation.masks is not None
        shape = read_masks(case.annotation.masks).shape
        if maps.shape != shape:
            raise DatasetError(
                str(path), f"heat maps are {maps.shape}, the masks of {case.name} are {shape}"
            )
        yield np.asarray(maps)
