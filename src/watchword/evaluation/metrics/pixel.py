"""How well maps of scores find the pixels of an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.pixel_tally import PixelTally

Floats = NDArray[np.float64]
_CHUNK_PIXELS = 2**21


def pixel_auc(masks: Iterable[ArrayLike], maps: Iterable[ArrayLike]) -> float | None:
    """Chance that a pixel of an event scores above one of none, over all videos together.

    Holds one video at a time and a table of the distinct scores (see `PixelTally`): exact up to a
    million of them; beyond that scores that differ by a few millionths of their size may tie.

    Args:
        masks: of each video (T,H,W) which pixels belong to an event.
        maps: of each video (T,H,W) their scores, higher is more.

    Returns:
        0 to 1; None if all pixels are of one class.

    Raises:
        ValueError: numbers of videos or shapes that differ, NaN, masks that are not 0 or 1, or maps
            that hold a single value a frame: they say when, not where.
    """
    tally = _tally(masks, maps, regions=False)
    normal, event = tally.falling()
    if not (normal.sum() > 0 and event.sum() > 0):
        return None
    reached = np.cumsum(event)
    area = np.dot(normal, reached - event / 2)
    return float(area / normal.sum() / reached[-1])


def aupro(
    masks: Iterable[ArrayLike], maps: Iterable[ArrayLike], *, limit: float = 0.3
) -> float | None:
    """Area under the per-region overlap, up to ``limit`` false positive rate, as a share of it.

    A region is a connected part of a frame's mask, diagonal neighbours included (as anomalib labels
    them); each counts the same, however large. For every threshold the mean share of each region
    that is found is drawn over the share of normal pixels that are wrongly found; straight lines
    between thresholds, and at exactly ``limit``. Scores that know nothing reach ``limit / 2``.
    Memory, arguments and errors as for `pixel_auc`.

    Returns:
        0 to 1; None if there is no region or no normal pixel.

    Raises:
        ValueError: as for `pixel_auc`, or a limit outside (0, 1].
    """
    if not 0 < limit <= 1:
        raise ValueError(f"limit is {limit}, it must be above 0 and at most 1")
    tally = _tally(masks, maps, regions=True)
    normal, overlap = tally.falling()
    if not (normal.sum() > 0 and overlap.sum() > 0):
        return None
    rate = np.concatenate([[0.0], np.cumsum(normal)]) / normal.sum()
    found = np.concatenate([[0.0], np.cumsum(overlap)]) / overlap.sum()
    inside = int(np.searchsorted(rate, limit, side="right"))
    at_limit = np.interp(limit, rate[inside - 1 : inside + 1], found[inside - 1 : inside + 1])
    area = np.trapezoid(np.append(found[:inside], at_limit), np.append(rate[:inside], limit))
    return float(area / limit)


def _tally(masks: Iterable[ArrayLike], maps: Iterable[ArrayLike], *, regions: bool) -> PixelTally:
    tally = PixelTally()
    where = False
    videos = 0
    for mask, scores in _videos(masks, maps):
        videos += 1
        frames = max(1, _CHUNK_PIXELS // max(1, mask[0].size))
        for start in range(0, len(mask), frames):
            part, values = mask[start : start + frames], scores[start : start + frames]
            where = where or bool((np.ptp(values, axis=(1, 2)) > 0).any())
            weights = region_weights(part) if regions else part[part].astype(np.float64)
            tally.add(values[~part], values[part], weights)
    if not videos:
        raise ValueError("there are no videos to measure")
    if not where:
        raise ValueError(
            "every frame's map holds a single value: it says when, not where, so there is nothing "
            "to measure on pixels"
        )
    return tally


def _videos(
    masks: Iterable[ArrayLike], maps: Iterable[ArrayLike]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]]:
    missing = object()
    for number, (mask, scores) in enumerate(zip_longest(masks, maps, fillvalue=missing)):
        if mask is missing or scores is missing:
            raise ValueError(f"masks and maps differ in number: one of them ends at {number}")
        true, values = np.asarray(mask), np.asarray(scores)
        if true.ndim != 3 or true.shape != values.shape or not true.size:
            raise ValueError(
                f"video {number}: mask {true.shape} and map {values.shape} must be the same (T,H,W)"
            )
        if true.dtype != np.bool_:
            if not np.isin(true, (0, 1)).all():
                raise ValueError(f"video {number}: the mask must hold only 0 and 1")
            true = true.astype(np.bool_)
        if not np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float64)
        if np.isnan(values).any():
            raise ValueError(f"video {number}: the map holds NaN (not measured); leave it out")
        yield true, values


def region_weights(mask: NDArray[np.bool_]) -> Floats:
    """One over the size of its region, for each pixel of a mask (T,H,W) in order.

    Regions are connected within a frame, diagonal neighbours included; each weighs 1 in all.
    """
    from scipy.ndimage import label

    within = np.zeros((3, 3, 3), bool)
    within[1] = True
    regions, _ = label(mask, structure=within)
    own = regions[mask]
    sizes = np.bincount(own)
    return np.asarray(1.0 / sizes[own], np.float64)
