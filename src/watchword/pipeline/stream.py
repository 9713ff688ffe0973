"""Pictures on their way into vectors: prepared and encoded side by side, lost stretches marked.

Reading and preparing run on a thread of their own beside the model, with a bounded line between
them, so memory stays flat however long the video is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Encoder
from watchword.pipeline.ahead import ahead, side_by_side
from watchword.pipeline.rows import Rows
from watchword.types import Coverage, Embeddings, Frames
from watchword.video.reader import VideoStream
from watchword.video.stillness import StillTest

# Prepared batches that may wait for the model: enough to hide a slow keyframe, little in memory.
BATCHES_AHEAD = 2

# So that a core need not wait for the slower one at the end of each batch.
BATCHES_AT_ONCE = 2

# Time stamps of many containers are rounded to a millisecond or coarser ticks; less than this
# between the end of one picture and the start of the next is rounding, not a hole.
ROUNDING_S = 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedBatch:
    """Vectors (n,D) of pictures that follow each other, and when each is shown, in seconds.

    A row of NaN is a stretch that could not be decoded.
    """

    vectors: NDArray[np.float32]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Pictures on their way through the model; ``fresh`` marks those that are encoded, not reused.

    ``rows`` are in turn the model's input for the fresh ones, and their vectors.
    """

    rows: NDArray[np.float32]
    fresh: NDArray[np.bool_]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]


class Reading:
    """An open video on its way through the encoder, and how much of it was seen.

    ``pictures`` counts those that came out so far.

    Args:
        stream: the open video, which stays the caller's to close.
        encoder: makes vectors of its pictures.
        still: says which pictures reuse the vector before them; None encodes every one.
    """

    def __init__(
        self,
        stream: VideoStream,
        encoder: Encoder,
        *,
        still: StillTest | None,
    ) -> None:
        self.stream = stream
        self.pictures = 0
        self._encoder = encoder
        self._still = still
        self._reused = 0

    @property
    def coverage(self) -> Coverage:
        """How much was seen so far."""
        return replace(self.stream.coverage, reused=self._reused)

    def batches(self) -> Generator[EmbeddedBatch]:
        """Vectors of all pictures in order, with a NaN row for every stretch that was lost."""
        last = np.zeros((0, self._encoder.dim), np.float32)
        ended_s: float | None = None
        prepared = ahead(self._prepared(), depth=BATCHES_AHEAD)
        with closing(prepared):
            for batch in side_by_side(self._encoded, prepared, workers=BATCHES_AT_ONCE):
                vectors = _spread(batch.rows, batch.fresh, last)
                last = vectors[-1:].copy()
                whole = EmbeddedBatch(vectors, batch.pts_s, batch.duration_s)
                self.pictures += len(batch.fresh)
                self._reused += int((~batch.fresh).sum())
                yield _gapless(whole, ended_s)
                ended_s = float(batch.pts_s[-1] + batch.duration_s[-1])

    def _prepared(self) -> Iterator[_Batch]:
        for frames in self.stream:
            fresh = _fresh(frames, self._still)
            pixels = frames.pixels if fresh.all() else frames.pixels[fresh]
            rows = self._encoder.prepare(pixels)
            yield _Batch(rows, fresh, frames.pts_s, frames.duration_s)

    def _encoded(self, batch: _Batch) -> _Batch:
        vectors = np.zeros((0, self._encoder.dim), np.float32)
        if len(batch.rows):
            vectors = self._encoder.embed_images(batch.rows)
        return replace(batch, rows=vectors)


class Kept:
    """Batches on their way into one array.

    Args:
        dim: D, width of the vectors.
        limit: rows that are taken up at most; None is any number.
    """

    def __init__(self, dim: int, *, limit: int | None = None) -> None:
        self._rows = Rows(dim)
        self._starts: list[NDArray[np.float64]] = []
        self._limit = limit
        self._end_s = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    def takes(self, batch: EmbeddedBatch) -> bool:
        """Whether the batch was taken up; False when there would be too many."""
        if self._limit is not None and len(self) + len(batch) > self._limit:
            return False
        self._rows.extend(batch.vectors)
        self._starts.append(batch.pts_s)
        self._end_s = float(batch.pts_s[-1] + batch.duration_s[-1])
        return True

    def embeddings(self, encoder: str, video: str | None, coverage: Coverage) -> Embeddings:
        """All of them; nothing may be taken up afterwards."""
        edges = np.append(np.concatenate(self._starts), self._end_s)
        return Embeddings(self._rows.done(), edges, encoder, video, coverage)


def _fresh(frames: Frames, still: StillTest | None) -> NDArray[np.bool_]:
    if still is None:
        return np.ones(len(frames), bool)
    return np.array([not still.is_still(picture) for picture in frames.pixels], bool)


def _spread(
    encoded: NDArray[np.float32], fresh: NDArray[np.bool_], last: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A row for every picture: its own, or that of the last encoded picture before it.

    >>> rows = _spread(np.eye(2, dtype=np.float32), np.array([True, False, True]), np.ones((0, 2)))
    >>> rows.tolist()
    [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    if fresh.all():
        return encoded
    pool = np.concatenate([last, encoded])
    return np.asarray(pool[np.cumsum(fresh) + len(last) - 1], np.float32)


def _gapless(batch: EmbeddedBatch, ended_s: float | None) -> EmbeddedBatch:
    """The batch with a NaN row wherever a picture ends before the next begins.

    ``ended_s`` is where the picture before the batch ends; None for the first batch.

    >>> one = EmbeddedBatch(np.ones((1, 2), np.float32), np.array([2.0]), np.array([1.0]))
    >>> _gapless(one, 1.5).pts_s.tolist()
    [1.5, 2.0]
    """
    ends = batch.pts_s + batch.duration_s
    before = np.append(batch.pts_s[0] if ended_s is None else ended_s, ends[:-1])
    holes = np.flatnonzero(batch.pts_s - before > ROUNDING_S)
    if not len(holes):
        return batch
    missing = np.full((len(holes), batch.vectors.shape[1]), np.nan, np.float32)
    return EmbeddedBatch(
        np.insert(batch.vectors, holes, missing, axis=0),
        np.insert(batch.pts_s, holes, before[holes]),
        np.insert(batch.duration_s, holes, batch.pts_s[holes] - before[holes]),
    )
