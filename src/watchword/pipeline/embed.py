"""A video into embeddings, whole or batch by batch, each encoded once and kept by its content."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from watchword.config import Config
from watchword.encoders.base import Encoder, EncoderOptions
from watchword.encoders.cache import CacheKey, EmbeddingCache, Encoded
from watchword.encoders.catalog import load_encoder
from watchword.encoders.store import cache_folder, default_encoder
from watchword.errors import CacheMismatch, OutputError, VideoError
from watchword.evidence.segments import windowed
from watchword.features import Features
from watchword.pipeline.stream import EmbeddedBatch, Kept, Reading, Sight
from watchword.pipeline.streamed import Streamed
from watchword.types import Coverage, Embeddings, VideoInfo
from watchword.video.fingerprint import FingerprintMemo
from watchword.video.reader import VideoStream, open_video
from watchword.video.stillness import StillTest

# Pictures of a video whose vectors are kept for the cache while it streams: 40 MB of CLIP's, 56 of
# the built-in model's with its features. More would make memory grow with the video.
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


class Watcher(Protocol):
    """Is told which video is read, and then shown its pictures, with pixels and maps, in order."""

    def begin(self, info: VideoInfo) -> None:
        """Says which video comes; once, before its first pictures."""
        ...

    def __call__(self, sight: Sight) -> None:
        """Takes in the next pictures."""
        ...


Found = TypeVar("Found")
Read = TypeVar("Read", EmbeddedBatch, Sight)


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A video as the rest of the pipeline sees it; ``cached`` says that nothing was encoded.

    ``features`` have a row a picture, also where windows of ``embeddings`` average several.
    """

    info: VideoInfo
    embeddings: Embeddings
    features: Features
    cached: bool


class EmbeddedStream(Streamed[EmbeddedBatch]):
    """The vectors and features of a video, a row a picture, batch by batch."""


class SightStream(Streamed[Sight]):
    """A video's pictures with all that the encoder makes of them, batch by batch."""


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

    def embed(
        self,
        source: str | Path,
        *,
        listener: Listener | None = None,
        watcher: Watcher | None = None,
    ) -> Embedded:
        """One vector a window of the video and its features, from the cache if it holds them.

        Args:
            source: file, folder of pictures, or URL.
            listener: told of the progress.
            watcher: shown all pictures; since pixels and maps are not kept, the video is then
                encoded in any case, once for both.

        Raises:
            VideoError: the video cannot be read, or nothing in it could be decoded.
            EncoderError: the model gave something that is no embedding.
        """
        with self.open(source) as stream:
            info = self._identified(stream.info)
            key = self._key(info)
            refusal: tuple[str, ...] = ()
            if watcher is None:
                kept, refusal = self._kept(key, EmbeddingCache.get)
                if kept is not None:
                    return self._embedded(info, kept, cached=True)
            else:
                watcher.begin(info)
            reading = Reading(stream, self.encoder, still=self._still())
            fresh = _read(reading, info, listener, watcher)
        # What happened to the cache is news of this run, not of the video: it is not kept with it.
        notes = (*refusal, *self._keep(key, fresh))
        coverage = _with_notes(fresh.embeddings.coverage, notes)
        noted = replace(fresh, embeddings=replace(fresh.embeddings, coverage=coverage))
        return self._embedded(info, noted, cached=False)

    def sights(self, source: str | Path, *, listener: Listener | None = None) -> SightStream:
        """All pictures with pixels, maps, vectors and features, in memory that does not grow.

        Another call begins anew: whoever needs two passes asks twice. Vectors and features are put
        into the cache on the way, if the video is read to its end and has no more than ``KEPT``
        pictures. Settings of windows play no part.

        Raises:
            VideoError: the video cannot be read. Iteration may raise it too.
            EncoderError: the model gave something that is no embedding (from the iteration).
        """
        stream = self.open(source)
        try:
            info = self._identified(stream.info)
        except BaseException:
            stream.close()
            raise
        reading = Reading(stream, self.encoder, still=self._still())
        told: list[str] = []
        return SightStream(
            info,
            self._kept_while_read(reading, reading.sights(), self._key(info), listener, told),
            cached=False,
            coverage=lambda: _with_notes(reading.coverage, told),
            source=stream,
        )

    def batches(self, source: str | Path, *, listener: Listener | None = None) -> EmbeddedStream:
        """One vector a picture, batch by batch, in memory that does not grow with the video.

        From the cache if it holds them, and kept in it if the video is read to its end and has no
        more than ``KEPT`` pictures. Settings of windows play no part.

        Raises:
            VideoError: the video cannot be read. Iteration may raise it too.
            EncoderError: the model gave something that is no embedding (from the iteration).
        """
        stream = self.open(source)
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
                coverage=lambda: first.embeddings.coverage,
            )
        reading = Reading(stream, self.encoder, still=self._still())
        told = list(refusal)
        return EmbeddedStream(
            info,
            self._kept_while_read(reading, reading.batches(), key, listener, told),
            cached=False,
            coverage=lambda: _with_notes(reading.coverage, told),
            source=stream,
        )

    def _kept_while_read(
        self,
        reading: Reading,
        read: Generator[Read],
        key: CacheKey | None,
        listener: Listener | None,
        told: list[str],
    ) -> Generator[Read]:
        """The batches as they are read; the end puts them into the cache, if they are few."""
        kept = None
        if self.cache is not None and key is not None:
            kept = Kept(self.encoder, limit=KEPT)
        with closing(_told(reading, read, listener)) as batches:
            for batch in batches:
                if kept is not None and not kept.takes(_rows_of(batch)):
                    kept = None
                    told.append(
                        f"not kept for another time: more than {KEPT} pictures, which are let go "
                        "as they are read so that memory stays flat"
                    )
                yield batch
        if kept is not None and key is not None:
            told.extend(self._keep(key, kept.encoded(key.video, reading.coverage)))

    def open(self, source: str | Path) -> VideoStream:
        """The video with the pictures that are looked at, as the encoder wants them.

        Raises:
            VideoError: the video cannot be read.
        """
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

    def _keep(self, key: CacheKey | None, encoded: Encoded) -> tuple[str, ...]:
        """Keeps what was encoded; what is in the way is a note, since the result is there."""
        if self.cache is None or key is None:
            return ()
        try:
            self.cache.put(key, encoded)
        except OutputError as exc:
            return (f"not kept for another time: {exc}",)
        return ()

    def _embedded(self, info: VideoInfo, encoded: Encoded, *, cached: bool) -> Embedded:
        windows, embeddings = self.config.windows, encoded.embeddings
        if windows.length != 1 or windows.stride != 1:
            embeddings = windowed(embeddings, length=windows.length, stride=windows.stride)
        return Embedded(info, embeddings, encoded.features, cached)

    def _still(self) -> StillTest | None:
        return StillTest(self.config.stillness) if self.config.stillness.enabled else None


def _read(
    reading: Reading, info: VideoInfo, listener: Listener | None, watcher: Watcher | None
) -> Encoded:
    """A row a picture of an open video; a stretch that failed to decode is a NaN row."""
    kept = Kept(reading.encoder)
    read = reading.batches() if watcher is None else _watched(reading.sights(), watcher)
    with closing(_told(reading, read, listener)) as batches:
        for batch in batches:
            kept.takes(batch)
    if not len(kept):
        raise VideoError(info.source, "no picture in the range asked for could be decoded")
    return kept.encoded(info.fingerprint, reading.coverage)


def _watched(sights: Generator[Sight], watcher: Watcher) -> Generator[EmbeddedBatch]:
    """What is kept of each, after it was watched."""
    with closing(sights):
        for sight in sights:
            watcher(sight)
            yield sight.gapless


def _rows_of(read: EmbeddedBatch | Sight) -> EmbeddedBatch:
    return read.gapless if isinstance(read, Sight) else read


def _told(reading: Reading, read: Generator[Read], listener: Listener | None) -> Generator[Read]:
    """The batches; whoever listens hears of each as it comes."""
    with closing(read) as batches:
        for batch in batches:
            if listener is not None:
                seen = float(batch.pts_s[-1] + batch.duration_s[-1])
                listener(Progress(seen, reading.stream.info.duration_s, reading.pictures))
            yield batch


def _with_notes(coverage: Coverage, notes: Sequence[str]) -> Coverage:
    return replace(coverage, notes=(*coverage.notes, *notes))


def _first_of_parts(
    cache: EmbeddingCache, key: CacheKey
) -> tuple[Encoded, Iterator[Encoded]] | None:
    """What the cache has in handy parts: the first, which knows the coverage, and others."""
    parts = cache.parts(key, CACHED_BATCH)
    return None if parts is None else (next(parts), parts)


def _as_batch(part: Encoded) -> EmbeddedBatch:
    vectors, edges = part.embeddings.vectors, part.embeddings.edges_s
    return EmbeddedBatch(vectors, edges[:-1], np.diff(edges), part.features.codes)


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
