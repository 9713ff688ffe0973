"""Pictures on their way into vectors: prepared and encoded side by side, lost stretches marked.

Reading and preparing run on a thread of their own beside the model, with a bounded line between
them, so memory stays flat however long the video is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Encoder, Seen, nothing_seen
from watchword.encoders.cache import Encoded
from watchword.features import Features, from_codes, to_codes
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

Maybe: TypeAlias = NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedBatch:
    """Vectors (n,D) of pictures that follow each other, and when each is shown, in seconds.

    A row of NaN is a stretch that could not be decoded. ``codes`` (n,F) int8 are the features of
    the same pictures as they are kept; None where the encoder has none beside its vectors.
    """

    vectors: NDArray[np.float32]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    codes: NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def features(self) -> NDArray[np.float32]:
        """Unit rows (n,F) of what the picture network sees: the same as ``Features.rows``."""
        return self.vectors if self.codes is None else from_codes(self.codes)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Pictures that follow each other, and all that the encoder made of them.

    ``pixels`` (n,H,W,3) uint8 RGB as the reader gave them, ``maps`` (n,C,h,w) float32 or None where
    the encoder has none. ``pictures`` are their vectors, features and times, without rows for what
    was lost. ``before_s`` is where the picture before the first one ends; None at the beginning.
    """

    pixels: NDArray[np.uint8]
    maps: NDArray[np.float32] | None
    pictures: EmbeddedBatch
    before_s: float | None

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Unit rows (n,D) of the space of words."""
        return self.pictures.vectors

    @property
    def features(self) -> NDArray[np.float32]:
        """Unit rows (n,F) of what the picture network sees."""
        return self.pictures.features

    @property
    def pts_s(self) -> NDArray[np.float64]:
        """When each picture is first shown (n,), in seconds."""
        return self.pictures.pts_s

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """How long each picture is shown (n,), in seconds."""
        return self.pictures.duration_s

    @property
    def after_hole(self) -> NDArray[np.bool_]:
        """Between which picture (n,) and the one before it something could not be decoded."""
        return _starts_late(self.pictures, self.before_s)[1]

    @property
    def gapless(self) -> EmbeddedBatch:
        """The pictures' vectors and features, with a NaN row for each stretch that was lost."""
        return _gapless(self.pictures, self.before_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Pictures on their way to the model; ``fresh`` marks those that are encoded, not reused.

    ``prepared`` is the model's input for the fresh ones; ``pixels`` are those of all.
    """

    prepared: NDArray[np.float32]
    pixels: NDArray[np.uint8]
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
        self.encoder = encoder
        self._still = still
        self._reused = 0

    @property
    def coverage(self) -> Coverage:
        """How much was seen so far."""
        return replace(self.stream.coverage, reused=self._reused)

    def batches(self) -> Generator[EmbeddedBatch]:
        """Vectors of all pictures in order, with a NaN row for every stretch that was lost."""
        with closing(self._looked(places=False)) as looked:
            for sight in looked:
                yield sight.gapless

    def sights(self) -> Generator[Sight]:
        """All pictures in order, with pixels and maps."""
        return self._looked(places=True)

    def _looked(self, *, places: bool) -> Generator[Sight]:
        """All pictures in order; ``pixels`` and ``maps`` are of none unless ``places``."""
        last = nothing_seen(self.encoder, maps=places)
        ended_s: float | None = None
        prepared = ahead(self._prepared(places=places), depth=BATCHES_AHEAD)
        see = partial(self._seen, places=places)
        with closing(prepared):
            for batch, seen in side_by_side(see, prepared, workers=BATCHES_AT_ONCE):
                whole = _spread(seen, batch.fresh, last)
                last = _last(whole)
                self.pictures += len(batch.fresh)
                self._reused += int((~batch.fresh).sum())
                codes = None if whole.features is None else to_codes(whole.features)
                embedded = EmbeddedBatch(whole.vectors, batch.pts_s, batch.duration_s, codes)
                yield Sight(batch.pixels, whole.maps, embedded, ended_s)
                ended_s = float(batch.pts_s[-1] + batch.duration_s[-1])

    def _prepared(self, *, places: bool) -> Iterator[_Batch]:
        for frames in self.stream:
            fresh = _fresh(frames, self._still)
            prepared = self.encoder.prepare(frames.pixels if fresh.all() else frames.pixels[fresh])
            # Full-size pictures are let go as soon as nobody needs them.
            pixels = frames.pixels if places else np.zeros((0, 0, 0, 3), np.uint8)
            yield _Batch(prepared, pixels, fresh, frames.pts_s, frames.duration_s)

    def _seen(self, batch: _Batch, *, places: bool) -> tuple[_Batch, Seen]:
        seen = nothing_seen(self.encoder, maps=places)
        if len(batch.prepared):
            seen = self.encoder.see(batch.prepared, maps=places)
        # The model's input is large, and the batch may wait for those before it.
        return replace(batch, prepared=np.zeros((0, 0, 0, 0), np.float32)), seen


class Kept:
    """Batches on their way into one array of vectors, and one of features.

    Args:
        encoder: that makes them.
        limit: rows that are taken up at most; None is any number.
    """

    def __init__(self, encoder: Encoder, *, limit: int | None = None) -> None:
        width = encoder.feature_dim
        self._encoder = encoder.fingerprint
        self._rows = Rows(encoder.dim, np.float32)
        self._codes = None if width is None else Rows(width, np.int8)
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
        if self._codes is not None and batch.codes is not None:
            self._codes.extend(batch.codes)
        self._starts.append(batch.pts_s)
        self._end_s = float(batch.pts_s[-1] + batch.duration_s[-1])
        return True

    def encoded(self, video: str | None, coverage: Coverage) -> Encoded:
        """All of them; nothing may be taken up afterwards."""
        edges = np.append(np.concatenate(self._starts), self._end_s)
        embeddings = Embeddings(self._rows.done(), edges, self._encoder, video, coverage)
        values = embeddings.vectors if self._codes is None else self._codes.done()
        return Encoded(embeddings, Features(values, edges, self._encoder, video))


def _fresh(frames: Frames, still: StillTest | None) -> NDArray[np.bool_]:
    if still is None:
        return np.ones(len(frames), bool)
    return np.array([not still.is_still(picture) for picture in frames.pixels], bool)


def _spread(seen: Seen, fresh: NDArray[np.bool_], last: Seen) -> Seen:
    """Rows for every picture: its own, or those of the last encoded picture before it.

    >>> seen, before = Seen(np.eye(2, dtype=np.float32)), Seen(np.ones((0, 2), np.float32))
    >>> _spread(seen, np.array([True, False, True]), before).vectors.tolist()
    [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    if fresh.all():
        return seen
    at = np.cumsum(fresh) + len(last.vectors) - 1

    def spread(own: Maybe, before: Maybe) -> Maybe:
        return None if own is None or before is None else np.concatenate([before, own])[at]

    vectors = np.concatenate([last.vectors, seen.vectors])[at]
    return Seen(vectors, spread(seen.features, last.features), spread(seen.maps, last.maps))


def _last(seen: Seen) -> Seen:
    """The last row of each, as copies: they do not hold the whole batch."""
    features, maps = seen.features, seen.maps
    return Seen(
        seen.vectors[-1:].copy(),
        None if features is None else features[-1:].copy(),
        None if maps is None else maps[-1:].copy(),
    )


def _starts_late(
    batch: EmbeddedBatch, ended_s: float | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where the picture before each one ends, and whether something is missing between them."""
    ends = batch.pts_s + batch.duration_s
    before = np.append(batch.pts_s[0] if ended_s is None else ended_s, ends[:-1])
    return before, batch.pts_s - before > ROUNDING_S


def _gapless(batch: EmbeddedBatch, ended_s: float | None) -> EmbeddedBatch:
    """The batch with a NaN row wherever a picture ends before the next begins.

    ``ended_s`` is where the picture before the batch ends; None for the first batch.

    >>> one = EmbeddedBatch(np.ones((1, 2), np.float32), np.array([2.0]), np.array([1.0]))
    >>> _gapless(one, 1.5).pts_s.tolist()
    [1.5, 2.0]
    """
    before, late = _starts_late(batch, ended_s)
    holes = np.flatnonzero(late)
    if not len(holes):
        return batch
    codes = batch.codes
    return EmbeddedBatch(
        np.insert(batch.vectors, holes, np.float32(np.nan), axis=0),
        np.insert(batch.pts_s, holes, before[holes]),
        np.insert(batch.duration_s, holes, batch.pts_s[holes] - before[holes]),
        # Codes of zeros are those of a row of NaN.
        None if codes is None else np.insert(codes, holes, 0, axis=0),
    )
