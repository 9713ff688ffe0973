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

    A pixel whose score is NaN was not measured and is left out. Holds one video at a time and a
    table of the distinct scores (see `PixelTally`): exact up to a million of them; beyond that
    scores that differ by a few millionths of their size may tie.

    Args:
        masks: of each video (T,H,W) which pixels belong to an event.
        maps: of each video (T,H,W) their scores, higher is more.

    Returns:
        0 to 1; None if all measured pixels are of one class.

    Raises:
        ValueError: numbers of videos or shapes that differ, masks that are not 0 or 1, no pixel
            that was measured, or maps that hold a single value a frame: they say when, not where.
    """
    return _auc(_tally(_videos(masks, maps)))


def aupro(
    masks: Iterable[ArrayLike], maps: Iterable[ArrayLike], *, limit: float = 0.3
) -> float | None:
    """Area under the per-region overlap, up to ``limit`` false positive rate, as a share of it.

    A region is a connected part of a frame's mask, diagonal neighbours included (as anomalib labels
    them); each counts the same, however large. For every threshold the mean share of each region
    that is found is drawn over the share of normal pixels that are wrongly found; straight lines
    between thresholds, and at exactly ``limit``. Scores that know nothing reach ``limit / 2``.
    Of a region that was measured in part that part counts. Memory, arguments and errors as for
    `pixel_auc`.

    Returns:
        0 to 1; None if there is no region or no normal pixel that was measured.

    Raises:
        ValueError: as for `pixel_auc`, or a limit outside (0, 1].
    """
    _check_limit(limit)
    return _overlap_area(_tally(_videos(masks, maps)), limit)


def pixel_areas(
    pairs: Iterable[tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]], *, limit: float = 0.3
) -> tuple[float | None, float | None]:
    """`pixel_auc` and `aupro` of pairs of a mask and a map, from one look at each.

    A video may come in several pairs, cut between frames: the result is the same.

    Raises:
        ValueError: as for `aupro`.
    """
    _check_limit(limit)
    tally = _tally(pairs)
    return _auc(tally), _overlap_area(tally, limit)


def _check_limit(limit: float) -> None:
    if not 0 < limit <= 1:
        raise ValueError(f"limit is {limit}, it must be above 0 and at most 1")


def _auc(tally: PixelTally) -> float | None:
    normal, event, _ = tally.falling()
    if not (normal.sum() > 0 and event.sum() > 0):
        return None
    reached = np.cumsum(event)
    area = np.dot(normal, reached - event / 2)
    return float(area / normal.sum() / reached[-1])


def _overlap_area(tally: PixelTally, limit: float) -> float | None:
    normal, _, overlap = tally.falling()
    if not (normal.sum() > 0 and overlap.sum() > 0):
        return None
    rate = np.concatenate([[0.0], np.cumsum(normal)]) / normal.sum()
    found = np.concatenate([[0.0], np.cumsum(overlap)]) / overlap.sum()
    inside = int(np.searchsorted(rate, limit, side="right"))
    at_limit = np.interp(limit, rate[inside - 1 : inside + 1], found[inside - 1 : inside + 1])
    area = np.trapezoid(np.append(found[:inside], at_limit), np.append(rate[:inside], limit))
    return float(area / limit)


def _tally(pairs: Iterable[tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]]) -> PixelTally:
    tally = PixelTally()
    where = measured_any = False
    for mask, scores in pairs:
        frames = max(1, _CHUNK_PIXELS // max(1, mask[0].size))
        for start in range(0, len(mask), frames):
            part, values = mask[start : start + frames], scores[start : start + frames]
            measured = ~np.isnan(values)
            measured_any = measured_any or bool(measured.any())
            where = where or _says_where(values)
            event = part & measured
            tally.add(values[measured & ~part], values[event], region_weights(part, measured))
    if not measured_any:
        raise ValueError("there is no pixel that was measured")
    if not where:
        raise ValueError(
            "every frame's map holds a single value: it says when, not where, so there is nothing "
            "to measure on pixels"
        )
    return tally


def _says_where(values: NDArray[np.floating[Any]]) -> bool:
    """Whether two measured pixels of a frame differ."""
    flat = values.reshape(len(values), -1)
    return bool((np.fmax.reduce(flat, axis=1) > np.fmin.reduce(flat, axis=1)).any())


def _videos(
    masks: Iterable[ArrayLike], maps: Iterable[ArrayLike]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]]:
    missing = object()
    number = -1
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
        yield true, values
    if number < 0:
        raise ValueError("there are no videos to measure")


def region_weights(mask: NDArray[np.bool_], measured: NDArray[np.bool_]) -> Floats:
    """One over the measured size of its region, for each measured pixel of a mask, in order.

    Regions are connected within a frame, diagonal neighbours included; each weighs 1 in all.

    Args:
        mask: (T,H,W) which pixels belong to an event.
        measured: (T,H,W) which count.
    """
    from scipy.ndimage import label

    within = np.zeros((3, 3, 3), bool)
    within[1] = True
    regions, _ = label(mask, structure=within)
    own = regions[mask & measured]
    sizes = np.bincount(own)
    return np.asarray(1.0 / sizes[own], np.float64)
