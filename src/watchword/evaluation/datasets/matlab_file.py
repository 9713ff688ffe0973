"""MATLAB's files of version 5 to 7.2: arrays of numbers, and cells of them.

Written after "MAT-File Format" by The MathWorks, chapter 1 (Level 5 MAT-files). SciPy reads more,
but brings the whole process down on some damaged files, and truth files come from anywhere. A file
is a head of 128 bytes and then elements: a tag of type and size, data, and zeros up to a multiple
of 8 bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError

_HEAD = 128
_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_UINT32, _MATRIX, _COMPRESSED = 6, 14, 15
_CELL, _FIRST_NUMERIC, _LAST_NUMERIC = 1, 6, 15
_COMPLEX = 0x0800
_DAMAGED = (
    OSError,
    ValueError,
    OverflowError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
)


def mat_variables(path: Path) -> dict[str, NDArray[Any] | None]:
    """The variables of a MATLAB file by name; None for one that is no array of numbers and no cell.

    A cell is an object array of such values. Numbers have the type they are stored in, which MATLAB
    chooses as small as possible.

    Raises:
        DatasetError: absent, damaged, or of version 4 or 7.3, which are other formats.
    """
    try:
        content = path.read_bytes()
        byte_order = _byte_order(content, str(path))
        found: dict[str, NDArray[Any] | None] = {}
        for kind, data in _elements(memoryview(content)[_HEAD:], byte_order):
            if kind == _COMPRESSED:
                ((kind, data),) = _elements(_expanded(data, byte_order), byte_order)
            if kind == _MATRIX:
                name, value = _matrix(data, byte_order)
                found[name] = value
    except _DAMAGED as exc:
        raise DatasetError(str(path), f"cannot be read as a MATLAB file: {exc}") from exc
    return found


def _byte_order(content: bytes, file: str) -> str:
    if len(content) < _HEAD:
        raise ValueError(f"it is only {len(content)} bytes long")
    mark = content[126:128]
    if mark not in (b"IM", b"MI"):
        raise ValueError("it lacks the head that files of version 5 to 7.2 have")
    byte_order = "<" if mark == b"IM" else ">"
    (version,) = struct.unpack(f"{byte_order}H", content[124:126])
    if version == 0x0200:
        raise DatasetError(
            file,
            "is a MATLAB file of version 7.3 (HDF5), which is not read here; "
            "in MATLAB load it and save it again with save('FILE.mat', 'NAME', '-v7')",
        )
    if version != 0x0100:
        raise ValueError(f"its version is {version:#06x}, known is 0x0100")
    return byte_order


def _expanded(data: memoryview, byte_order: str) -> memoryview:
    """What was compressed, expanded in one piece of the size it says, rather than in two copies."""
    _, size = struct.unpack(f"{byte_order}II", zlib.decompressobj().decompress(data, 8))
    # No more than 1032 bytes can come of one: a size beyond that is damage.
    return memoryview(zlib.decompress(data, bufsize=min(size + 8, 1032 * len(data) + 1)))


def _elements(data: memoryview, byte_order: str) -> Iterator[tuple[int, memoryview]]:
    """Type and data of each element, whose tag is 8 bytes, or 4 if it holds 4 bytes or less."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack(f"{byte_order}II", data[at : at + 8])
        begin = at + 8
        if kind >> 16:
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
        end = begin + size
        if end > len(data) or (begin == at + 4 and size > 4):
            raise ValueError(f"an element of {size} bytes does not fit in")
        yield kind, data[begin:end]
        # Only compressed elements are not filled up.
        at = end if kind == _COMPRESSED else at + 8 * math.ceil((end - at) / 8)


def _matrix(data: memoryview, byte_order: str) -> tuple[str, NDArray[Any] | None]:
    if not data:
        return "", np.zeros((0, 0))
    (flags_kind, flags), (_, dimensions), (_, name), *rest = _elements(data, byte_order)
    if flags_kind != _UINT32 or len(flags) != 8:
        raise ValueError("a variable does not begin with its class")
    (word,) = struct.unpack(f"{byte_order}I", flags[:4])
    kind, text = word & 0xFF, bytes(name).decode("latin-1")
    if kind != _CELL and (not _FIRST_NUMERIC <= kind <= _LAST_NUMERIC or word & _COMPLEX):
        return text, None
    shape = tuple(int(n) for n in np.frombuffer(dimensions, f"{byte_order}i4"))
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"a variable has the shape {shape}")
    if kind == _CELL:
        values = _cell(rest, byte_order)
    elif not rest or rest[0][0] not in _NUMBERS:
        raise ValueError("a variable holds no numbers")
    else:
        values = np.frombuffer(rest[0][1], byte_order + _NUMBERS[rest[0][0]])
    return text, values.reshape(shape, order="F")


def _cell(elements: list[tuple[int, memoryview]], byte_order: str) -> NDArray[Any]:
    values = np.empty(len(elements), object)
    for at, (kind, data) in enumerate(elements):
        if kind != _MATRIX:
            raise ValueError("a cell holds something that is no array")
        values[at] = _matrix(data, byte_order)[1]
    return values
