"""A video into embeddings: read, prepare and encode side by side, and keep the result.

Reading and preparing run on a thread of their own beside the model, with a bounded line between
them, so memory stays flat however long the video is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.config import Config
from watchword.encoders.base import Encoder, EncoderOptions
from watchword.encoders.cache import CacheKey, EmbeddingCache
from watchword.encoders.catalog import load_encoder
from watchword.encoders.store import cache_folder, default_encoder
from watchword.errors import CacheMismatch, OutputError, VideoError
from watchword.evidence.segments import windowed
from watchword.pipeline.ahead import ahead, side_by_side
from watchword.pipeline.rows import Rows
from watchword.types import Embeddings, Frames, VideoInfo
from watchword.video.fingerprint import FingerprintMemo
from watchword.video.reader import VideoStream, open_video
from watchword.video.stillness import StillTest

# Prepared batches that may wait for the model: enough to hide a slow keyframe, little in memory.
BATCHES_AHEAD = 2

# So that a core need not wait for the slower one at the end of each batch.
BATCHES_AT_ONCE = 2

# Time stamps of many containers are rounded to a millisecond or coarser ticks; less than this
# between the end of one picture and the start of the next is rounding, not a hole.
ROUNDING_S = 2e-3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a video has been read: seconds seen, seconds in all (None if unknown), pictures."""

    seen_s: float
    total_s: float | None
    pictures: int


Listener = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A video as the rest of the pipeline sees it; ``cached`` says that nothing was encoded."""

    info: VideoInfo
    embeddings: Embeddings
    cached: bool


class VideoEncoder:
    """Turns videos into embeddings, and keeps them so that each is encoded once.

    Args:
        config: settings; encoder, sampling, read, stillness, windows and cache are used.
        encoder: a loaded encoder; None loads the one the config names.
    """

    def __init__(self, config: Config | None = None, *, encoder: Encoder | None = None) -> None:
        self.config = config or Config()
        self.encoder = encoder or _load(self.config.encoder)
        self.cache = _cache(self.config)

    def embed(self, source: str | Path, *, listener: Listener | None = None) -> Embedded:
        """One vector a window of the video, from the cache if it holds them.

        Raises:
            VideoError: the video cannot be read, or nothing in it could be decoded.
            EncoderError: the model gave something that is no embedding.
        """
        with self._open(source) as stream:
            info = self._identified(stream.info)
            key = self._key(info)
            kept, refusal = self._kept(key)
            if kept is not None:
                return Embedded(info, self._windowed(kept), cached=True)
            fresh = embed_stream(stream, self.encoder, still=self._still(), listener=listener)
        fresh = replace(fresh, video=info.fingerprint)
        # What happened to the cache is news of this run, not of the video: it is not kept with it.
        fresh = _noted(fresh, (*refusal, *self._keep(key, fresh)))
        return Embedded(info, self._windowed(fresh), cached=False)

    def _open(self, source: str | Path) -> VideoStream:
        read = replace(self.config.read, batch=self.encoder.batch_size)
        if read.size is None:
            read = replace(read, size=self.encoder.picture_size)
        return open_video(source, sampling=self.config.sampling, options=read)

    def _identified(self, info: VideoInfo) -> VideoInfo:
        if self.cache is None:
            return info
        memo = FingerprintMemo(self.cache.folder / "fingerprints.json")
        return replace(info, fingerprint=memo.fingerprint(info.source))

    def _key(self, info: VideoInfo) -> CacheKey | None:
        if info.fingerprint is None:
            return None
        sampling = f"{self.config.sampling.fingerprint}-{_reading(self.config, self.encoder)}"
        return CacheKey(info.fingerprint, sampling, self.encoder.fingerprint)

    def _kept(self, key: CacheKey | None) -> tuple[Embeddings | None, tuple[str, ...]]:
        if self.cache is None or key is None:
            return None, ()
        try:
            return self.cache.get(key), ()
        except CacheMismatch as exc:
            # The reader must learn why the video was encoded again; the new entry mends it.
            return None, (f"encoded again: {exc}",)

    def _keep(self, key: CacheKey | None, embeddings: Embeddings) -> tuple[str, ...]:
        """Keeps the embeddings; what is in the way is a note, since the result itself is there."""
        if self.cache is None or key is None:
            return ()
        try:
            self.cache.put(key, embeddings)
        except OutputError as exc:
            return (f"not kept for another time: {exc}",)
        return ()

    def _windowed(self, embeddings: Embeddings) -> Embeddings:
        windows = self.config.windows
        if windows.length == 1 and windows.stride == 1:
            return embeddings
        return windowed(embeddings, length=windows.length, stride=windows.stride)

    def _still(self) -> StillTest | None:
        return StillTest(self.config.stillness) if self.config.stillness.enabled else None


def _noted(embeddings: Embeddings, notes: tuple[str, ...]) -> Embeddings:
    coverage = embeddings.coverage
    return replace(embeddings, coverage=replace(coverage, notes=(*coverage.notes, *notes)))


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Pictures on their way through the model; ``fresh`` marks those that are encoded, not reused.

    ``rows`` are in turn the model's input for the fresh ones, their vectors, and all vectors.
    """

    rows: NDArray[np.float32]
    fresh: NDArray[np.bool_]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]


def embed_stream(
    stream: VideoStream,
    encoder: Encoder,
    *,
    still: StillTest | None = None,
    listener: Listener | None = None,
) -> Embeddings:
    """One vector a picture of an open video; a stretch that failed to decode is a NaN row.

    Raises:
        VideoError: no picture of the video could be decoded.
    """

    def encoded(batch: _Batch) -> _Batch:
        vectors = np.zeros((0, encoder.dim), np.float32)
        if len(batch.rows):
            vectors = encoder.embed_images(batch.rows)
        return replace(batch, rows=vectors)

    vectors = Rows(encoder.dim)
    times: list[_Batch] = []
    prepared = ahead(_prepared(stream, encoder, still), depth=BATCHES_AHEAD)
    with closing(prepared):
        for batch in side_by_side(encoded, prepared, workers=BATCHES_AT_ONCE):
            vectors.extend(_spread(batch.rows, batch.fresh, vectors.last))
            times.append(replace(batch, rows=batch.rows[:0].copy()))
            if listener is not None:
                seen = float(batch.pts_s[-1] + batch.duration_s[-1])
                listener(Progress(seen, stream.info.duration_s, len(vectors)))
    if not times:
        raise VideoError(stream.info.source, "no picture in the range asked for could be decoded")
    rows, edges = _gapless(
        vectors.done(),
        np.concatenate([batch.pts_s for batch in times]),
        np.concatenate([batch.duration_s for batch in times]),
    )
    reused = sum(int((~batch.fresh).sum()) for batch in times)
    coverage = replace(stream.coverage, reused=reused)
    return Embeddings(rows, edges, encoder.fingerprint, None, coverage)


def _prepared(stream: VideoStream, encoder: Encoder, still: StillTest | None) -> Iterator[_Batch]:
    for frames in stream:
        fresh = _fresh(frames, still)
        pixels = frames.pixels if fresh.all() else frames.pixels[fresh]
        yield _Batch(encoder.prepare(pixels), fresh, frames.pts_s, frames.duration_s)


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


def _gapless(
    vectors: NDArray[np.float32], pts_s: NDArray[np.float64], duration_s: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows and T+1 edges, with a NaN row wherever a picture ends before the next begins."""
    ends = pts_s + duration_s
    holes = np.flatnonzero(pts_s[1:] - ends[:-1] > ROUNDING_S) + 1
    edges = np.append(pts_s, ends[-1])
    if not len(holes):
        return vectors, edges
    missing = np.full((len(holes), vectors.shape[1]), np.nan, np.float32)
    return np.insert(vectors, holes, missing, axis=0), np.insert(edges, holes, ends[holes - 1])


def _load(options: EncoderOptions) -> Encoder:
    return load_encoder(
        options.name or default_encoder(),
        device=options.device,
        precision=options.precision,
        backend=options.backend,
        offline=options.offline,
        threads=options.threads,
    )


def _cache(config: Config) -> EmbeddingCache | None:
    if not config.cache.enabled:
        return None
    folder = config.cache.folder
    return EmbeddingCache(Path(folder).expanduser() if folder else cache_folder())


def _reading(config: Config, encoder: Encoder) -> str:
    """What else decides the pictures that were encoded: decoder, its scaler, and reuse."""
    package = {"pyav": "av"}.get(config.read.backend, config.read.backend)
    parts = (
        f"{package} {importlib.metadata.version(package)} {config.read.device}",
        str(config.read.size or encoder.picture_size),
        str(config.read.frame_rate),
        str(config.stillness) if config.stillness.enabled else "every picture encoded",
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
