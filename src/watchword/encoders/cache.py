"""Embeddings and features on disk: a video is encoded once and asked about for ever.

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
from watchword.features import Features
from watchword.types import Coverage, Embeddings

FORMAT = "2"

# What file names begin from. It stays when the format changes, so that an entry of an older one is
# found, said, and replaced.
_NAMING = "1"

# An entry's tables, in the order they lie in it, and their numbers.
_KINDS = {"vectors": "<f4", "features": "<i1"}

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
        text = "\n".join((_NAMING, self.video, self.sampling, self.encoder))
        return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What a video was encoded to: a vector a picture, and the features of the same pictures.

    Features of an encoder that has none are the vectors themselves, held once.
    """

    embeddings: Embeddings
    features: Features

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One line of ``watchword cache info``: ``problem`` is empty for an entry that can be read."""

    path: Path
    bytes: int
    windows: int
    encoder: str
    problem: str = ""


class EmbeddingCache:
    """Embeddings and features kept in a folder, by content.

    Args:
        folder: where entries lie; made on the first ``put``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: CacheKey) -> Path:
        return self.folder / f"{key.digest}.safetensors"

    def get(self, key: CacheKey) -> Encoded | None:
        """What is kept under the key, or None if there is nothing.

        Raises:
            CacheMismatch: the file is damaged or was made from something else.
        """
        entry = self._entry(key)
        return None if entry is None else entry.part(0, len(entry))

    def parts(self, key: CacheKey, size: int) -> Iterator[Encoded] | None:
        """What is kept under the key in parts of ``size`` rows; None if there is nothing.

        Of the rows only one part is held at a time. The checksum is looked at before the first.

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

    def put(self, key: CacheKey, encoded: Encoded) -> Path:
        """The file that now holds all of it; an entry under the same key is replaced whole.

        Raises:
            OutputError: the folder cannot be written, or the disk is full.
        """
        embeddings, codes = encoded.embeddings, encoded.features.codes
        arrays: dict[str, NDArray[Any]] = {
            "edges_s": embeddings.edges_s,
            "vectors": embeddings.vectors,
        }
        # Those of an encoder that has none are the vectors, which are there already.
        if codes is not None:
            arrays["features"] = codes
        metadata = {
            "format": FORMAT,
            "key": json.dumps(asdict(key)),
            "coverage": json.dumps(asdict(embeddings.coverage)),
            "checksum": _checksum(arrays.values()),
        }
        path = self._path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, suffix=".part")
            os.close(handle)
            try:
                _write(Path(draft), arrays, metadata)
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


def _checksum(parts: Iterable[NDArray[Any]]) -> str:
    # CRC-32 finds damage, which is all that is wanted here: content is vouched for by the key.
    found = 0
    for part in parts:
        found = zlib.crc32(part.data, found)
    return f"{found:08x}"


def _write(path: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    """A safetensors file: length of the header, the header as JSON, then the arrays' bytes.

    By hand, since the library's writer holds a copy of everything and an hour of video is large.
    """
    names = {"float32": "F32", "float64": "F64", "int8": "I8"}
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
                edges = file.get_tensor("edges_s")
                names = [name for name in _KINDS if name in set(file.keys())]
                shapes = {name: file.get_slice(name).get_shape() for name in names}
            if told.get("format") != FORMAT:
                raise ValueError(
                    f"its format is {told.get('format')!r}, this version reads {FORMAT}"
                )
            self._tables = _tables(path, shapes)
            if {table.rows for table in self._tables.values()} != {len(edges) - 1}:
                raise ValueError(f"{len(edges)} times do not fit tables of {shapes}")
            if told["checksum"] != _checksum(self._all(edges)):
                raise ValueError("its checksum does not match")
            self.key = CacheKey(**json.loads(told["key"]))
            coverage = json.loads(told["coverage"])
            self._coverage = Coverage(**{**coverage, "notes": tuple(coverage["notes"])})
            self._edges = edges

    def __len__(self) -> int:
        return len(self._edges) - 1

    def part(self, start: int, stop: int) -> Encoded:
        """Some of the rows; CacheMismatch if the file is gone or they are no unit vectors."""
        with _refused(self._path):
            edges, key = self._edges[start : stop + 1], self.key
            found = {name: table.part(start, stop) for name, table in self._tables.items()}
            vectors = found["vectors"]
            values = found.get("features", vectors)
            return Encoded(
                Embeddings(vectors, edges, key.encoder, key.video, self._coverage),
                Features(values, edges, key.encoder, key.video),
            )

    def _all(self, edges: NDArray[np.float64]) -> Iterator[NDArray[Any]]:
        """Everything that the checksum is of, in its order, some rows at a time."""
        yield edges
        for table in self._tables.values():
            for at in range(0, table.rows, _ROWS):
                yield table.part(at, at + _ROWS)


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of one kind in an entry's file: where they begin, how many, how wide."""

    path: Path
    begin: int
    rows: int
    width: int
    kind: str

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """Some of the rows."""
        # Read, not mapped: pages of a mapped file count as memory of the process.
        kind = np.dtype(self.kind)
        count = (min(stop, self.rows) - start) * self.width
        at = self.begin + kind.itemsize * start * self.width
        return np.fromfile(self.path, kind, count, offset=at).reshape(-1, self.width)


def _tables(path: Path, shapes: dict[str, list[int]]) -> dict[str, _Table]:
    """The tables of an entry by name; ``shapes`` says which, and their rows and width."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {
        name: _Table(path, 8 + length + header[name]["data_offsets"][0], rows, width, _KINDS[name])
        for name, (rows, width) in shapes.items()
    }


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """What is wrong with an entry, as the one error that says what to do."""
    try:
        yield
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise CacheMismatch(
            f"cache entry {path} is refused: {exc}. Remove it with: watchword cache clear"
        ) from exc
