"""The truth of single pixels: a mask a frame, from every kind of file that records point to.

* a folder of pictures (UCSD ``Test001_gt/001.bmp``, seed 3's ``000000.png``), one a frame: the
  number at the end of each name counts from 0 or 1 without a gap; any value but 0 is an event;
* a MATLAB file with the cell ``volLabel``, 1xN of HxW (Avenue);
* ``.npy``, (T,H,W) of 0 and 1, or of 0 and 255 (ShanghaiTech);
* ``.npz`` with ``mask``, ``np.packbits(masks, axis=-1)`` of bool (T,H,W), and ``shape`` (T,H,W).
"""

from __future__ import annotations

import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from watchword.errors import DatasetError
from watchword.evaluation.datasets.matlab_file import mat_variables
from watchword.evaluation.datasets.numpy_file import npy_array

PICTURES = (".bmp", ".png", ".tif", ".tiff")
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
# What NumPy and zipfile raise for an .npz file that is none; RuntimeError: locked by a password.
_DAMAGED = (
    *(OSError, ValueError, TypeError, OverflowError, EOFError, MemoryError, RuntimeError),
    *(SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True, slots=True)
class _Stack:
    """``count`` masks that are made one at a time, since all of a video may not fit in memory."""

    file: str
    count: int
    make: Callable[[int], NDArray[Any]]

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        size: tuple[int, ...] | None = None
        for frame in range(self.count):
            mask = self.make(frame)
            if mask.ndim != 2 or mask.dtype.kind not in "biuf":
                raise DatasetError(
                    self.file, f"mask of frame {frame} must be HxW numbers, got {mask.shape}"
                )
            if size is not None and mask.shape != size:
                raise DatasetError(
                    self.file, f"mask of frame {frame} is {mask.shape}, those before are {size}"
                )
            size = mask.shape
            yield mask != 0


def read_masks(path: str | Path) -> NDArray[np.bool_]:
    """(T,H,W) whether each pixel of each frame belongs to an event.

    Raises:
        DatasetError: unreadable, of no known kind, frames of different size, or a gap between them.
    """
    stack = _stack(Path(path))
    masks: NDArray[np.bool_] | None = None
    for frame, mask in enumerate(stack):
        if masks is None:
            masks = np.empty((stack.count, *mask.shape), bool)
        masks[frame] = mask
    assert masks is not None
    return masks


def each_mask(path: str | Path) -> Iterator[NDArray[np.bool_]]:
    """(H,W) whether each pixel belongs to an event, frame by frame; one mask in memory at a time.

    Raises:
        DatasetError: as for `read_masks`.
    """
    yield from _stack(Path(path))


def marked_frames(path: str | Path) -> NDArray[np.bool_]:
    """(T,) whether any pixel of each frame belongs to an event; one mask in memory at a time.

    Raises:
        DatasetError: as for ``read_masks``.
    """
    return np.array([mask.any() for mask in _stack(Path(path))], bool)


def mask_count(path: str | Path) -> int:
    """How many frames the masks are for; their pixels are not looked at.

    Raises:
        DatasetError: unreadable, of no known kind, or a gap between the frames.
    """
    return _stack(Path(path)).count


def _stack(path: Path) -> _Stack:
    openers = {".mat": _mat, ".npy": _npy, ".npz": _npz}
    if path.is_dir():
        stack = _folder(path)
    elif path.suffix.lower() in openers:
        stack = openers[path.suffix.lower()](path)
    else:
        raise DatasetError(
            str(path), "is no folder of mask pictures and no .mat, .npy or .npz file of masks"
        )
    if not stack.count:
        raise DatasetError(str(path), "holds no masks")
    return stack


def _folder(path: Path) -> _Stack:
    files = numbered_pictures(path, PICTURES)
    return _Stack(str(path), len(files), lambda frame: _picture(files[frame]))


def numbered_pictures(folder: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """The pictures of a folder, one a frame, by the number at the end of their names.

    Files that macOS leaves (``._001.bmp``) and files with other endings are no pictures.

    Raises:
        DatasetError: a name without a number, or numbers that do not count from 0 or 1 by one.
    """
    try:
        found = [
            file
            for file in folder.iterdir()
            if file.suffix.lower() in endings and not file.name.startswith(".")
        ]
    except OSError as exc:
        raise DatasetError(str(folder), f"cannot be read: {exc}") from exc
    numbers: dict[int, Path] = {}
    for file in sorted(found):
        ending = re.search(r"[0-9]+$", file.stem)
        if ending is None:
            raise DatasetError(str(file), "must end in the number of its frame, as 001.bmp")
        number = int(ending.group())
        if number in numbers:
            raise DatasetError(str(file), f"has the same number as {numbers[number].name}")
        numbers[number] = file
    first = min(numbers, default=0)
    missing = next((n for n in range(first, first + len(numbers)) if n not in numbers), None)
    if first > 1 or missing is not None:
        raise DatasetError(
            str(folder),
            f"lacks frame {missing if missing is not None else 1}; pictures must count from 0 or 1 "
            "without a gap, or every later frame would be shifted",
        )
    return tuple(numbers[number] for number in sorted(numbers))


def _picture(file: Path) -> NDArray[Any]:
    try:
        with Image.open(file) as image:
            if image.mode in ("P", "RGB", "RGBA", "LA", "PA"):
                return np.asarray(np.asarray(image.convert("RGB")).any(axis=-1))
            return np.asarray(image)
    except _UNREADABLE as exc:
        raise DatasetError(str(file), f"cannot be read as a picture: {exc}") from exc


def _mat(path: Path) -> _Stack:
    found = mat_variables(path)
    if "volLabel" not in found:
        raise DatasetError(
            str(path), f"must hold the cell volLabel, got {', '.join(sorted(found)) or 'nothing'}"
        )
    cells = found["volLabel"]
    if cells is None or cells.dtype != object:
        raise DatasetError(str(path), "volLabel must be a cell 1xN of masks")
    flat = cells.reshape(-1)
    return _Stack(str(path), len(flat), lambda frame: np.asarray(flat[frame]))


def _npy(path: Path) -> _Stack:
    found = npy_array(path)
    if found.ndim != 3:
        raise DatasetError(str(path), f"must hold masks (T,H,W), got an array {found.shape}")
    return _Stack(str(path), len(found), lambda frame: np.asarray(found[frame]))


def _npz(path: Path) -> _Stack:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as opened:
            packed, shape = opened["mask"], [int(n) for n in opened["shape"]]
    except KeyError as exc:
        raise DatasetError(str(path), f"lacks {exc}; it must hold mask and shape") from exc
    except _DAMAGED as exc:
        raise DatasetError(str(path), f"cannot be read as an .npz file: {exc}") from exc
    if len(shape) != 3 or packed.shape != (*shape[:2], (shape[2] + 7) // 8):
        raise DatasetError(
            str(path),
            f"mask {packed.shape} is not packed from shape {tuple(shape)} along the last axis",
        )
    if packed.dtype != np.uint8:
        raise DatasetError(str(path), f"mask must be packed bits of type uint8, got {packed.dtype}")
    return _Stack(
        str(path), shape[0], lambda frame: np.unpackbits(packed[frame], axis=-1, count=shape[2])
    )
