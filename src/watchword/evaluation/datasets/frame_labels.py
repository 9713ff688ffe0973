"""Truth given frame by frame, as 0 and 1, and the same as spans of frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan


def spans_of(marks: ArrayLike, label: str) -> tuple[FrameSpan, ...]:
    """The runs of marked frames, as spans ``[start, end)`` counted from 0.

    >>> spans_of([0, 1, 1, 0, 1], "fire")
    (FrameSpan(label='fire', start=1, end=3), FrameSpan(label='fire', start=4, end=5))
    """
    padded = np.concatenate(([False], np.asarray(marks, bool), [False]))
    starts = np.flatnonzero(~padded[:-1] & padded[1:])
    ends = np.flatnonzero(padded[:-1] & ~padded[1:])
    return tuple(
        FrameSpan(label, int(start), int(end)) for start, end in zip(starts, ends, strict=True)
    )


def marks_of(spans: Iterable[FrameSpan], frames: int) -> NDArray[np.bool_]:
    """(frames,) whether each frame lies in any of the spans.

    Raises:
        ValueError: a span that does not lie within the frames.
    """
    marks = np.zeros(frames, bool)
    for span in spans:
        if not 0 <= span.start < span.end <= frames:
            raise ValueError(
                f"{span.label!r} at [{span.start}, {span.end}) must lie within {frames} frames"
            )
        marks[span.start : span.end] = True
    return marks


def checked_marks(found: NDArray[Any], file: str) -> NDArray[np.bool_]:
    """(T,) marks out of a file's array; a row or a column (as MATLAB writes vectors) counts too.

    Raises:
        DatasetError: another shape, no frame at all, or values other than 0 and 1.
    """
    flat = found.reshape(-1) if found.ndim == 2 and 1 in found.shape else found
    if flat.ndim != 1:
        raise DatasetError(file, f"must hold one 0 or 1 a frame (T,), got an array {found.shape}")
    if not len(flat):
        raise DatasetError(file, "holds no frames")
    if flat.dtype.kind not in "biuf":
        raise DatasetError(file, f"must hold numbers 0 and 1, got {flat.dtype}")
    wrong = np.flatnonzero((flat != 0) & (flat != 1))
    if len(wrong):
        raise DatasetError(
            file, f"must hold 0 or 1 for each frame, got {flat[wrong[0]]} at frame {wrong[0]}"
        )
    return np.asarray(flat, bool)
