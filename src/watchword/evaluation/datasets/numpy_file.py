"""Truth that is kept as an array in NumPy's own format: opened without running any code."""

from __future__ import annotations

import tokenize
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError

_DAMAGED = (
    *(OSError, ValueError, TypeError, OverflowError, EOFError, MemoryError),
    *(SyntaxError, tokenize.TokenError),
)


def npy_array(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file, left on disk until it is looked at.

    Raises:
        DatasetError: absent, damaged, no ``.npy`` file, or one with Python objects inside.
    """
    try:
        with warnings.catch_warnings():
            # Said of files that Python 2 wrote, which are as good.
            warnings.simplefilter("ignore", UserWarning)
            return np.lib.format.open_memmap(path, mode="r")
    except _DAMAGED as exc:
        if "Python objects" in str(exc):
            problem = (
                "holds Python objects, which may run code when they are loaded; "
                "save it as an array of numbers (np.save with dtype uint8)"
            )
            raise DatasetError(str(path), problem) from exc
        raise DatasetError(str(path), f"cannot be read as a .npy array: {exc}") from exc
