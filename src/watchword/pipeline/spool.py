"""Cells of a video set down on disk, for whoever must go over them more than once.

A memory of the video itself is learned in one pass and used in another; decoding and encoding twice
would cost as much again, and cells of an hour are too many to hold.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from watchword.errors import OutputError

Cells = Mapping[str, NDArray[np.float32]]
Times = NDArray[np.float64]


class Spool:
    """Batches of cells in a temporary file, gone with it: ``put`` them, then iterate, often.

    Cells are kept at half precision.
    """

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="watchword-")  # noqa: SIM115 see close
        # A video that fails while it is read never comes to close().
        weakref.finalize(self, self._file.close)
        self._batches: list[tuple[dict[str, tuple[int, ...]], Times, Times]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes the file; closing twice is fine."""
        self._file.close()

    def put(self, cells: Cells, pts_s: Times, duration_s: Times) -> None:
        """Sets down cells (n,h,w,C) by part, and when their pictures are shown.

        Raises:
            OutputError: there is no space for them.
        """
        try:
            self._file.seek(0, 2)
            for own in cells.values():
                self._file.write(np.ascontiguousarray(own, np.float16).data)
        except OSError as exc:
            raise OutputError(
                f"cells of the video cannot be set down in {tempfile.gettempdir()}: {exc}; free "
                "some space, or name another folder with the variable TMPDIR"
            ) from exc
        shapes = {name: own.shape for name, own in cells.items()}
        self._batches.append((shapes, pts_s.copy(), duration_s.copy()))

    def __iter__(self) -> Iterator[tuple[Cells, Times, Times]]:
        at = 0
        for shapes, pts_s, duration_s in self._batches:
            cells: dict[str, NDArray[np.float32]] = {}
            for name, shape in shapes.items():
                size = int(np.prod(shape)) * 2
                self._file.seek(at)
                rows = np.frombuffer(self._file.read(size), np.float16)
                cells[name] = rows.reshape(shape).astype(np.float32)
                at += size
            yield cells, pts_s, duration_s
