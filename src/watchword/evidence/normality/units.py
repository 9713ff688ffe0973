"""In what units cells are measured: what is usual of things that move, at each place.

A person far away moves few pixels a second, one nearby many. Dividing by what is usual at a place
makes them alike, but only if it is learned of what moves there: most pictures show a place at rest,
and where nothing was seen to move, nobody knows how fast things are there. Such places take what is
usual in their row of the picture, at one distance from most cameras, and that what is anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.normality.folds import Span, folds_of
from watchword.evidence.normality.memory import PartOptions
from watchword.evidence.normality.sample import Run

# What is usual: the length that this share of stirred cells stay below.
SHARE = 0.99
# Cells around a place that tell of it, in shares of the picture: two of 28.
AROUND = 2 / 28
# Where nothing was ever stirred, so many times the length that would have been.
REST = 4.0
# Seconds that cells around a place must have been stirred, all together, to be trusted half.
TRUSTED_S = 30.0

Floats = NDArray[np.float32]


def units(runs: Sequence[Run], spread: Floats, options: PartOptions, each: int = 1) -> Floats:
    """(h,w,C) what the numbers of a cell at each place are divided by.

    Args:
        runs: pictures of the footage.
        spread: (C,) of the numbers.
        options: whether places have units of their own.
        each: pictures of the footage that each of these stands for.
    """
    height, width, numbers = runs[0].cells.shape[1:]
    if options.stirred is None:
        return np.ascontiguousarray(np.broadcast_to(spread, (height, width, numbers)))
    lengths = np.concatenate([np.linalg.norm(run.cells, axis=-1) for run in runs])
    picture_s = each * float(np.concatenate([run.length_s for run in runs]).mean())
    usual = _usual(lengths, options.stirred, TRUSTED_S / picture_s).astype(np.float32)
    return np.repeat(usual[..., None], numbers, axis=-1)


def in_units(runs: Sequence[Run], scale: Floats) -> list[Run]:
    """The pictures divided by units."""
    return [replace(run, cells=run.cells / scale) for run in runs]


def unseen_units(
    runs: Sequence[Run],
    spread: Floats,
    options: PartOptions,
    each: int = 1,
    *,
    spans: Mapping[int, Span],
) -> dict[Span, Floats]:
    """Units for each part of the footage, learned from all the others, in order of time.

    Otherwise what moved faster than anything else would have made its own unit larger. Empty where
    units do not come of what moves.

    Args:
        runs: pictures of the footage.
        spread: (C,) of the numbers.
        options: whether places have units of their own.
        each: pictures of the footage that each of these stands for.
        spans: of the clips that are left out as a whole.
    """
    if options.stirred is None:
        return {}
    folds = folds_of(runs, spans)
    scales = {}
    for fold in sorted(set(folds)):
        others = [run for run, own in zip(runs, folds, strict=True) if own != fold]
        scales[fold] = units(others or runs, spread, options, each)
    return scales


def in_unseen_units(
    runs: Sequence[Run], scale: Floats, unseen: Mapping[Span, Floats], spans: Mapping[int, Span]
) -> list[Run]:
    """The pictures divided by units that they had no part in, as `unseen_units` gives them.

    Args:
        runs: pictures of the footage.
        scale: units of all footage, where there are no others.
        unseen: units for parts of the footage.
        spans: of the clips that are left out as a whole.
    """
    if not unseen:
        return in_units(runs, scale)
    folds = folds_of(runs, spans)
    return [
        replace(run, cells=run.cells / unseen[fold]) for run, fold in zip(runs, folds, strict=True)
    ]


def _usual(lengths: Floats, stirred: float, trusted: float) -> NDArray[np.floating]:
    """(h,w) usual length of stirred cells (n,h,w), each place, its row and all of them in turn."""
    _, height, width = lengths.shape
    anywhere = lengths[lengths > stirred]
    if not len(anywhere):
        return np.full((height, width), (REST * stirred) or 1.0)
    usual = np.full((height, width), np.quantile(anywhere, SHARE), np.float64)
    down, across = (max(1, round(AROUND * size)) for size in (height, width))
    for y in range(height):
        band = lengths[:, max(0, y - down) : y + down + 1]
        usual[y] = _shrunk(band, stirred, float(usual[y, 0]), trusted * (2 * down + 1))
        for x in range(width):
            near = band[:, :, max(0, x - across) : x + across + 1]
            usual[y, x] = _shrunk(near, stirred, float(usual[y, x]), trusted)
    return usual


def _shrunk(lengths: Floats, stirred: float, otherwise: float, trusted: float) -> float:
    said = lengths[lengths > stirred]
    if not len(said):
        return otherwise
    own = float(np.quantile(said, SHARE))
    return (len(said) * own + trusted * otherwise) / (len(said) + trusted)
