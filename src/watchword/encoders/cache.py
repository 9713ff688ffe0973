"""Embeddings on disk, so that a video is encoded once and asked about for ever.

One safetensors file an entry, named by a digest of its key: the video's content, what was looked at
(sampling, reuse of still pictures), and the encoder (weights, preprocessing, precision). The file
repeats its key and a checksum, so that a damaged or foreign file is refused with the reason and
never scored. Files are written beside their place and renamed, so an interrupted run leaves none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from watchword.errors import CacheMismatch, OutputError
from watchword.types import Coverage, Embeddings

FORMAT = "1"

# Rows that are checked at a time where an entry is not read whole: 4 MB of CLIP's.
_ROWS = 2048


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What an entry was made from: equal keys mean interchangeable embeddings.

    Attributes:
        video: fingerprint of the video's content.
        sampling: fingerprint of which pictures were looked at, and how they were read.
        encoder: fingerprint of weights, preprocessing and precision.
    """

    video: str
    sampling: str
    encoder: str

    @property
    def digest(self) -> str:
        """40 hex digits that name the entry's file."""
        text = "\n".join((FORMAT, self.video, self.sampling, self.encoder))
        return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One line of ``watchword cache info``: ``problem`` is empty for an entry that can be read."""

    path: Path
    bytes: int
    windows: int
    encoder: str
    problem: str = ""


class EmbeddingCache:
    """Embeddings kept in a folder, by content.

    Args:
        folder: where entries lie; made on the first ``put``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: CacheKey) -> Path:
        return self.folder / f"{key.digest}.safetensors"

    def get(self, key: CacheKey) -> Embeddings | None:
        """The embeddings kept under the key, or None if there are none.

        Raises:
            CacheMismatch: the file is damaged or was made from something else.
        """
        entry = self._entry(key)
        return None if entry is None else entry.part(0, len(entry))

    def parts(self, key: CacheKey, size: int) -> Iterator[Embeddings] | None:
        """The embeddings kept under the key in parts of ``size`` rows; None if there are none.

        Of the vectors only one part is held at a time. The checksum is looked at before the first.

        Raises:
            CacheMismatch: as for ``get``.
        """
        entry = self._entry(key)
        if entry is None:
            return None
        return (entry.part(at, at + size) for at in range(0, len(entry), size))

    def _entry(self, key: CacheKey) -> _Entry | None:
        path = self._path(key)
        if not path.is_file():
            return None
        entry = _Entry(path)
        if entry.key != key:
            raise CacheMismatch(
                f"{path} was made for {entry.key}, not for {key}; it is not used. "
                "Remove it with: watchword cache clear"
            )
        return entry

    def put(self, key: CacheKey, embeddings: Embeddings) -> Path:
        """The file that now holds the embeddings; an entry under the same key is replaced whole.

        Raises:
            OutputError: the folder cannot be written, or the disk is full.
        """
        vectors = np.ascontiguousarray(embeddings.vectors)
        edges = np.ascontiguousarray(embeddings.edges_s)
        metadata = {
            "format": FORMAT,
            "key": json.dumps(asdict(key)),
            "coverage": json.dumps(asdict(embeddings.coverage)),
            "checksum": _checksum([vectors], edges),
        }
        path = self._path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, suffix=".part")
            os.close(handle)
            try:
                _write(Path(draft), {"vectors": vectors, "edges_s": edges}, metadata)
                Path(draft).replace(path)
            finally:
                Path(draft).unlink(missing_ok=True)
        except OSError as exc:
            raise OutputError(
                f"the embedding cache in {self.folder} cannot be written: {exc}; free some space, "
                "choose another folder with --set cache.folder=DIR, or go without with --no-cache"
            ) from exc
        return path

    def entries(self) -> Iterator[CacheEntry]:
        """Every entry, damaged ones with their problem, in order of file name."""
        for path in sorted(self.folder.glob("*.safetensors")):
            size = path.stat().st_size
            try:
                entry = _Entry(path)
            except CacheMismatch as exc:
                yield CacheEntry(path, size, 0, "", str(exc))
            else:
                yield CacheEntry(path, size, len(entry), entry.key.encoder)

    def clear(self) -> tuple[int, int]:
        """Removes every entry and unfinished file: (files removed, bytes freed)."""
        paths = [*self.folder.glob("*.safetensors"), *self.folder.glob("*.part")]
        freed = 0
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                freed += path.stat().st_size
                path.unlink()
        return len(paths), freed


def _checksum(vectors: Iterable[NDArray[np.float32]], edges: NDArray[np.float64]) -> str:
    # CRC-32 finds damage, which is all that is wanted here: content is vouched for by the key.
    found = 0
    for part in vectors:
        found = zlib.crc32(part.data, found)
    return f"{zlib.crc32(edges.data, found):08x}"


def _write(path: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    """A safetensors file: length of the header, the header as JSON, then the arrays' bytes.

    By hand, since the library's writer holds a copy of everything and an hour of video is large.
    """
    names = {"float32": "F32", "float64": "F64"}
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        kind = names[array.dtype.name]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    # Readers want the data to begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for array in arrays.values():
            file.write(array.data)


class _Entry:
    """An entry's file, found undamaged; its rows are read when they are asked for.

    Raises:
        CacheMismatch: it is damaged, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _refused(path):
            with safe_open(path, framework="np") as file:
                told = file.metadata() or {}
                rows, width = file.get_slice("vectors").get_shape()
                self._rows, self._width = int(rows), int(width)
                self._edges = file.get_tensor("edges_s")
            if told.get("format") != FORMAT:
                raise ValueError(
                    f"its format is {told.get('format')!r}, this version reads {FORMAT}"
                )
            with path.open("rb") as plain:
                # The length of the header, the header, then the vectors.
                self._begin = 8 + int.from_bytes(plain.read(8), "little")
            parts = (self._vectors(at, at + _ROWS) for at in range(0, self._rows, _ROWS))
            if told["checksum"] != _checksum(parts, self._edges):
                raise ValueError("its checksum does not match")
            self.key = CacheKey(**json.loads(told["key"]))
            coverage = json.loads(told["coverage"])
            self._coverage = Coverage(**{**coverage, "notes": tuple(coverage["notes"])})

    def __len__(self) -> int:
        return self._rows

    def part(self, start: int, stop: int) -> Embeddings:
        """Some of the rows; CacheMismatch if the file is gone or they are no unit vectors."""
        with _refused(self._path):
            edges = self._edges[start : stop + 1]
            vectors = self._vectors(start, stop)
            return Embeddings(vectors, edges, self.key.encoder, self.key.video, self._coverage)

    def _vectors(self, start: int, stop: int) -> NDArray[np.float32]:
        # Read, not mapped: pages of a mapped file count as memory of the process.
        count = (min(stop, self._rows) - start) * self._width
        at = self._begin + 4 * start * self._width
        found = np.fromfile(self._path, np.dtype("<f4"), count, offset=at)
        return found.reshape(-1, self._width)


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """What is wrong with an entry, as the one error that says what to do."""
    try:
        yield
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise CacheMismatch(
            f"cache entry {path} is refused: {exc}. Remove it with: watchword cache clear"
        ) from exc
