"""A video into embeddings, whole or batch by batch, each encoded once and kept by its content."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from watchword.config import Config
from watchword.encoders.base import Encoder, EncoderOptions
from watchword.encoders.cache import CacheKey, EmbeddingCache
from watchword.encoders.catalog import load_encoder
from watchword.encoders.store import cache_folder, default_encoder
from watchword.errors import CacheMismatch, OutputError, VideoError
from watchword.evidence.segments import windowed
from watchword.pipeline.stream import EmbeddedBatch, Kept, Reading
from watchword.types import Coverage, Embeddings, VideoInfo
from watchword.video.fingerprint import FingerprintMemo
from watchword.video.reader import VideoStream, open_video
from watchword.video.stillness import StillTest

# Pictures of a video whose vectors are kept for the cache while it streams: 40 MB of CLIP's. More
# would make memory grow with the video.
KEPT = 20_000

# Vectors of the cache that are handed on at a time.
CACHED_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a video has been read: seconds seen, seconds in all (None if unknown), pictures."""

    seen_s: float
    total_s: float | None
    pictures: int


Listener = Callable[[Progress], None]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A video as the rest of the pipeline sees it; ``cached`` says that nothing was encoded."""

    info: VideoInfo
    embeddings: Embeddings
    cached: bool


class EmbeddedStream:
    """The vectors of a video, batch by batch: iterate over it once; ``with`` closes it.

    ``info`` and ``cached`` are known at once, ``coverage`` is complete when the iteration has
    ended.
    """

    def __init__(
        self,
        info: VideoInfo,
        batches: Generator[EmbeddedBatch],
        *,
        cached: bool,
        coverage: Callable[[], Coverage],
        source: VideoStream | None = None,
    ) -> None:
        self.info = info
        self.cached = cached
        self._batches = batches
        self._coverage = coverage
        self._source = source

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[EmbeddedBatch]:
        return self

    def __next__(self) -> EmbeddedBatch:
        return next(self._batches)

    def close(self) -> None:
        """Let go of the video; closing twice is fine."""
        self._batches.close()
        if self._source is not None:
            self._source.close()

    @property
    def coverage(self) -> Coverage:
        """How much of the video was seen so far, and what happened to the cache."""
        return self._coverage()


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

    @property
    def looking(self) -> str:
        """Which pictures are looked at and how they are read: equal means the same pixels."""
        return f"{self.config.sampling.fingerprint}-{_reading(self.config, self.encoder)}"

    def embed(self, source: str | Path, *, listener: Listener | None = None) -> Embedded:
        """One vector a window of the video, from the cache if it holds them.

        Raises:
            VideoError: the video cannot be read, or nothing in it could be decoded.
            EncoderError: the model gave something that is no embedding.
        """
        with self._open(source) as stream:
            info = self._identified(stream.info)
            key = self._key(info)
            kept, refusal = self._kept(key, EmbeddingCache.get)
            if kept is not None:
                return Embedded(info, self._windowed(kept), cached=True)
            fresh = embed_stream(stream, self.encoder, still=self._still(), listener=listener)
        fresh = replace(fresh, video=info.fingerprint)
        # What happened to the cache is news of this run, not of the video: it is not kept with it.
        fresh = _noted(fresh, (*refusal, *self._keep(key, fresh)))
        return Embedded(info, self._windowed(fresh), cached=False)

    def batches(self, source: str | Path, *, listener: Listener | None = None) -> EmbeddedStream:
        """One vector a picture, batch by batch, in memory that does not grow with the video.

        From the cache if it holds them, and kept in it if the video is read to its end and has no
        more than ``KEPT`` pictures. Settings of windows play no part.

        Raises:
            VideoError: the video cannot be read. Iteration may raise it too.
            EncoderError: the model gave something that is no embedding (from the iteration).
        """
        stream = self._open(source)
        try:
            info = self._identified(stream.info)
            key = self._key(info)
            kept, refusal = self._kept(key, _first_of_parts)
        except BaseException:
            stream.close()
            raise
        if kept is not None:
            stream.close()
            first, others = kept
            return EmbeddedStream(
                info,
                (_as_batch(part) for part in chain([first], others)),
                cached=True,
                coverage=lambda: first.coverage,
            )
        reading = Reading(stream, self.encoder, still=self._still())
        told = list(refusal)
        return EmbeddedStream(
            info,
            self._kept_while_read(reading, key, listener, told),
            cached=False,
            coverage=lambda: _with_notes(reading.coverage, told),
            source=stream,
        )

    def _kept_while_read(
        self, reading: Reading, key: CacheKey | None, listener: Listener | None, told: list[str]
    ) -> Generator[EmbeddedBatch]:
        """The batches as they are read; the end puts them into the cache, if they are few."""
        kept = None
        if self.cache is not None and key is not None:
            kept = Kept(self.encoder.dim, limit=KEPT)
        with closing(_told(reading, listener)) as batches:
            for batch in batches:
                if kept is not None and not kept.takes(batch):
                    kept = None
                    told.append(
                        f"not kept for another time: more than {KEPT} pictures, which are let go "
                        "as they are read so that memory stays flat"
                    )
                yield batch
        if kept is not None and key is not None:
            made = kept.embeddings(self.encoder.fingerprint, key.video, reading.coverage)
            told.extend(self._keep(key, made))

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
        return CacheKey(info.fingerprint, self.looking, self.encoder.fingerprint)

    def _kept(
        self, key: CacheKey | None, get: Callable[[EmbeddingCache, CacheKey], Found | None]
    ) -> tuple[Found | None, tuple[str, ...]]:
        """What the cache has, and what is to be said of it."""
        if self.cache is None or key is None:
            return None, ()
        try:
            return get(self.cache, key), ()
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
    reading = Reading(stream, encoder, still=still)
    kept = Kept(encoder.dim)
    with closing(_told(reading, listener)) as batches:
        for batch in batches:
            kept.takes(batch)
    if not len(kept):
        raise VideoError(stream.info.source, "no picture in the range asked for could be decoded")
    return kept.embeddings(encoder.fingerprint, None, reading.coverage)


def _told(reading: Reading, listener: Listener | None) -> Generator[EmbeddedBatch]:
    """The batches; whoever listens hears of each as it comes."""
    with closing(reading.batches()) as batches:
        for batch in batches:
            if listener is not None:
                seen = float(batch.pts_s[-1] + batch.duration_s[-1])
                listener(Progress(seen, reading.stream.info.duration_s, reading.pictures))
            yield batch


def _noted(embeddings: Embeddings, notes: Sequence[str]) -> Embeddings:
    return replace(embeddings, coverage=_with_notes(embeddings.coverage, notes))


def _with_notes(coverage: Coverage, notes: Sequence[str]) -> Coverage:
    return replace(coverage, notes=(*coverage.notes, *notes))


def _first_of_parts(
    cache: EmbeddingCache, key: CacheKey
) -> tuple[Embeddings, Iterator[Embeddings]] | None:
    """Embeddings from the cache in handy parts: the first, which knows the coverage, and others."""
    parts = cache.parts(key, CACHED_BATCH)
    return None if parts is None else (next(parts), parts)


def _as_batch(part: Embeddings) -> EmbeddedBatch:
    return EmbeddedBatch(part.vectors, part.edges_s[:-1], np.diff(part.edges_s))


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
