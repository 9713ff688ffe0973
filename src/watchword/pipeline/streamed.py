"""A video on its way through the encoder, as something to iterate over and to close."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from watchword.types import Coverage, VideoInfo
from watchword.video.reader import VideoStream

Batch = TypeVar("Batch")


class Streamed(Generic[Batch]):
    """What comes of a video, batch by batch: iterate over it once; ``with`` closes it.

    ``info`` and ``cached`` are known at once, ``coverage`` is complete when the iteration has
    ended.
    """

    def __init__(
        self,
        info: VideoInfo,
        batches: Generator[Batch],
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

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
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
