"""Arrays as Scores, with the errors of files in place of those of values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import DatasetError
from watchword.types import Kind, Scores

# What a series is called whose file names no label.
LABEL = "score"


def load_array(path: Path) -> NDArray[Any]:
    """The numbers of a ``.npy`` file.

    Raises:
        DatasetError: it is damaged, or holds Python objects, which are never unpickled.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as exc:
        raise DatasetError(str(path), _array_problem(exc)) from exc
    return numeric(array, str(path))


def numeric(array: Any, where: str) -> NDArray[Any]:
    """The array itself; DatasetError if it holds anything but numbers."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise DatasetError(where, f"must hold numbers, got {getattr(array, 'dtype', type(array))}")
    return array


def load_json(path: Path) -> Any:
    """What a JSON file holds; DatasetError if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc
    except (json.JSONDecodeError, RecursionError) as exc:
        raise DatasetError(str(path), f"is not JSON: {exc}") from exc


def regular_edges(windows: int, rate: float | None, where: str) -> NDArray[np.float64]:
    """(T+1,) seconds of pictures at a rate; DatasetError if nobody told it."""
    if rate is None:
        raise DatasetError(where, "holds no times; give the pictures a second with --rate")
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"rate is {rate}, it must be a positive number of pictures a second")
    return np.arange(windows + 1) / rate


def scores_of(
    values: ArrayLike,
    edges_s: ArrayLike,
    labels: Sequence[str],
    kind: Kind,
    *,
    where: str,
    made_by: str = "",
) -> Scores:
    """Scores (T,K) of a file; DatasetError where they are none."""
    array = np.asarray(values)
    if not len(array):
        raise DatasetError(where, "holds no scores")
    try:
        return Scores(
            np.asarray(array, np.float32),
            np.asarray(edges_s, np.float64),
            tuple(labels),
            kind,
            made_by=made_by,
        )
    except ValueError as exc:
        raise DatasetError(where, str(exc)) from exc


def _array_problem(exc: Exception) -> str:
    if "allow_pickle" in str(exc) or "pickle" in str(exc).lower():
        return (
            "holds Python objects, which can run code when they are read, so they are not; save "
            "the arrays by name instead: numpy.savez('scores.npz', **{name: array for each video})"
        )
    return f"is no array that can be read: {exc}"
