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
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from watchword.errors import CacheMismatch, OutputError
from watchword.types import Coverage, Embeddings

FORMAT = "1"


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
        path = self._path(key)
        if not path.is_file():
            return None
        embeddings, found = _read(path)
        if found != key:
            raise CacheMismatch(
                f"{path} was made for {found}, not for {key}; it is not used. "
                "Remove it with: watchword cache clear"
            )
        return embeddings

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
            "checksum": _checksum(vectors, edges),
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
                embeddings, key = _read(path)
            except CacheMismatch as exc:
                yield CacheEntry(path, size, 0, "", str(exc))
            else:
                yield CacheEntry(path, size, len(embeddings), key.encoder)

    def clear(self) -> tuple[int, int]:
        """Removes every entry and unfinished file: (files removed, bytes freed)."""
        paths = [*self.folder.glob("*.safetensors"), *self.folder.glob("*.part")]
        freed = 0
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                freed += path.stat().st_size
                path.unlink()
        return len(paths), freed


def _checksum(vectors: NDArray[np.float32], edges: NDArray[np.float64]) -> str:
    # CRC-32 finds damage, which is all that is wanted here: content is vouched for by the key.
    return f"{zlib.crc32(edges.data, zlib.crc32(vectors.data)):08x}"


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


def _read(path: Path) -> tuple[Embeddings, CacheKey]:
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            vectors, edges = file.get_tensor("vectors"), file.get_tensor("edges_s")
        if metadata.get("format") != FORMAT:
            raise ValueError(
                f"its format is {metadata.get('format')!r}, this version reads {FORMAT}"
            )
        if metadata["checksum"] != _checksum(vectors, edges):
            raise ValueError("its checksum does not match")
        key = CacheKey(**json.loads(metadata["key"]))
        told = json.loads(metadata["coverage"])
        coverage = Coverage(**{**told, "notes": tuple(told["notes"])})
        return Embeddings(vectors, edges, key.encoder, key.video, coverage), key
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise CacheMismatch(
            f"cache entry {path} is refused: {exc}. Remove it with: watchword cache clear"
        ) from exc
