"""One video's rows through a model that reads windows: overlapping and merged, or as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

# (n,T,D) rows with zeros in holes and (n,T) what was seen, to vectors (n,T,D), probability (n,T).
Run = Callable[[Floats, Bools], tuple[Floats, Floats]]

# Windows a run of the model: a few megabytes of input.
_BATCH = 256


class AdapterStream:
    """A causal model fed picture by picture: however the stream is cut up, the same values.

    Each picture is seen at the end of a window of its own, as in training: the pictures before it,
    as many as a window holds, or as there have been.

    Args:
        run: the model.
        length: T, pictures of a window.
    """

    def __init__(self, run: Run, length: int) -> None:
        self._run, self._length = run, length
        self._past: Floats | None = None

    def push(self, rows: Floats) -> tuple[Floats, Floats]:
        """Vectors (n,D) and probability (n,) of the next pictures, rows (n,D) with NaN in holes."""
        known = rows if self._past is None else np.concatenate([self._past, rows])
        before, length = len(known) - len(rows), self._length
        adapted = np.full(rows.shape, np.nan, np.float32)
        probability = np.full(len(rows), np.nan, np.float32)
        measured = np.flatnonzero(~np.isnan(rows).any(axis=1))
        for at in range(0, len(measured), _BATCH):
            mine = measured[at : at + _BATCH]
            last = mine + before
            first = np.maximum(0, last - length + 1)
            index = first[:, None] + np.arange(length)
            there = index <= last[:, None]
            given, seen = _filled(known[np.minimum(index, len(known) - 1)], there)
            vectors, chances = self._run(given, seen)
            own = np.arange(len(mine)), last - first
            adapted[mine], probability[mine] = vectors[own], chances[own]
        self._past = known[max(0, len(known) - length + 1) :].copy()
        return adapted, probability


def adapt_rows(
    run: Run, rows: Floats, *, length: int, stride: int, causal: bool
) -> tuple[Floats, Floats]:
    """What a model makes of one video: unit rows (N,D) and probability (N,), NaN in holes.

    Windows overlap, and a picture's values are means over the windows that hold it; the last window
    is flush with the end, and a video shorter than a window is one that is not full. A causal model
    sees each picture at the end of a window of its own.

    Args:
        run: the model.
        rows: (N,D) float32, rows of NaN where nothing could be decoded.
        length: pictures of a window.
        stride: pictures from one window to the next.
        causal: whether the model looks back only.
    """
    if causal:
        return AdapterStream(run, length).push(rows)
    total = np.zeros(rows.shape, np.float64)
    chance = np.zeros(len(rows), np.float64)
    count = np.zeros(len(rows), np.intp)
    for index, given, seen in _windows(rows, length, stride):
        vectors, chances = run(given, seen)
        np.add.at(total, index[seen], vectors[seen])
        np.add.at(chance, index[seen], chances[seen])
        np.add.at(count, index[seen], 1)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN: nothing was seen
        mean = total / np.linalg.norm(total, axis=1, keepdims=True)
        return np.asarray(mean, np.float32), np.asarray(chance / count, np.float32)


def window_starts(count: int, length: int, stride: int) -> NDArray[np.intp]:
    """First pictures of the windows that cover ``count`` pictures, the last flush with the end.

    >>> window_starts(21, 16, 8).tolist()
    [0, 5]
    >>> window_starts(5, 16, 8).tolist()
    [0]
    """
    last = max(0, count - length)
    return np.append(np.arange(0, last, stride), last) if count else np.zeros(0, np.intp)


def _windows(
    rows: Floats, length: int, stride: int
) -> Iterator[tuple[NDArray[np.intp], Floats, Bools]]:
    """Batches of windows: number of each picture (n,T), rows (n,T,D), what was seen (n,T)."""
    padded = rows
    if len(rows) < length:
        rest = np.full((length - len(rows), rows.shape[1]), np.nan, np.float32)
        padded = np.concatenate([rows, rest])
    starts = window_starts(len(rows), length, stride)
    views = sliding_window_view(padded, length, axis=0)
    for at in range(0, len(starts), _BATCH):
        mine = starts[at : at + _BATCH]
        given, seen = _filled(views[mine].transpose(0, 2, 1), None)
        if seen.any():
            yield mine[:, None] + np.arange(length), given, seen


def _filled(windows: Floats, there: Bools | None) -> tuple[Floats, Bools]:
    """Windows with zeros for what was not seen, and what was."""
    seen = ~np.isnan(windows[..., 0])
    if there is not None:
        seen &= there
    return np.where(seen[..., None], windows, np.float32(0)), seen
