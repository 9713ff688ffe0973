"""Pictures of a file or URL, decoded by FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from watchword.errors import VideoError
from watchword.types import VideoInfo
from watchword.video.container import duration_s, open_container, time_zero, too_large, words
from watchword.video.decoded import Shown, Tally
from watchword.video.decoding import FrameReader
from watchword.video.upright import (
    Orientation,
    PictureMaker,
    Region,
    check_region,
    orientation_of,
)


class PyavBackend:
    """An open file or URL. Opening decodes the first picture, so what opens has pictures.

    Args:
        source: path or http(s) URL.
        start_s: where reading should begin; pictures from shortly before it may come too.
        region: part of the upright picture to cut out, or None.
        size: (width, height) to scale to, or None.
        max_pixels: larger pictures are refused before memory is taken for them.
        threads: of the decoder.
        timeout_s: how long a server may stay silent.

    Raises:
        VideoError: the source is missing, unreadable, no video, cut off or too large, or the
            region lies outside the picture.
    """

    def __init__(
        self,
        source: str,
        *,
        start_s: float,
        region: Region | None,
        size: tuple[int, int] | None,
        max_pixels: int,
        threads: int,
        timeout_s: float,
    ) -> None:
        self._source = source
        self._max_pixels = max_pixels
        self._threads = threads
        self._timeout_s = timeout_s
        self._maker = PictureMaker(region=region, size=size, source=source)
        self._open()
        try:
            self._first = self._sought(start_s)
            self.info = self._describe(self._first)
            check_region(region, (self.info.width, self.info.height), source)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def pictures(self) -> Iterator[Shown]:
        """Every decodable picture in the order it is shown, from the range's start or before."""
        yield self._shown(self._first)
        del self._first
        for frame in self._frames:
            yield self._shown(frame)

    def _open(self) -> None:
        self._container, self._stream = open_container(
            self._source,
            threads=self._threads,
            max_pixels=self._max_pixels,
            timeout_s=self._timeout_s,
        )
        self._zero = time_zero(self._container, self._stream)
        self.tally = Tally()
        self._reader = FrameReader(self._container, self._stream, self.tally)
        self._frames = self._reader.frames()

    def _sought(self, start_s: float) -> VideoFrame:
        """The first frame to look at: by seeking where that lands early enough, else by reading."""
        if start_s > 0 and self._seek(start_s):
            frame = next(self._frames, None)
            seconds = None if frame is None else self._seconds(frame)
            if frame is not None and seconds is not None and seconds <= start_s:
                return frame
            self.close()
            self._open()
        frame = next(self._frames, None)
        if frame is None:
            raise VideoError(self._source, self._nothing_decoded())
        return frame

    def _seek(self, start_s: float) -> bool:
        base = self._stream.time_base
        if base is None:
            return False
        try:
            at = int((Fraction(start_s) + self._zero) / base)
            self._container.seek(at, stream=self._stream)
        except (av.FFmpegError, OverflowError):
            # Nothing is lost by that: the pictures before the range are read instead of skipped.
            self.close()
            self._open()
            return False
        return True

    def _nothing_decoded(self) -> str:
        lost = "; ".join(self.tally.notes)
        reason = f" ({lost})" if lost else ""
        return (
            f"no picture of its {self._stream.codec_context.name} video could be decoded{reason}; "
            "the file is damaged or cut off"
        )

    def _describe(self, frame: VideoFrame) -> VideoInfo:
        if frame.width * frame.height > self._max_pixels:
            raise VideoError(self._source, too_large(frame.width, frame.height, self._max_pixels))
        orientation = self._orientation(frame)
        width, height = orientation.size((frame.width, frame.height))
        return VideoInfo(
            source=self._source,
            width=width,
            height=height,
            duration_s=duration_s(self._container, self._stream, self._zero),
            rate=self._stream.average_rate or self._stream.guessed_rate or None,
            frame_count=self._stream.frames or None,
            codec=self._stream.codec_context.name,
            rotation=orientation.degrees,
        )

    def _orientation(self, frame: VideoFrame) -> Orientation:
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if matrix is None:
            return Orientation()
        orientation, exact = orientation_of(bytes(cast(Buffer, matrix)))
        if not exact:
            self.tally.say("the turn that the file asks for was rounded to a right angle")
        return orientation

    def _seconds(self, frame: VideoFrame) -> float | None:
        # The frames that a decoder still held at the end carry no time base of their own.
        base = self._stream.time_base
        if frame.pts is None or base is None:
            return None
        return float(frame.pts * base - self._zero)

    def _shown(self, frame: VideoFrame) -> Shown:
        base = self._stream.time_base
        own_s = float(frame.duration * base) if frame.duration and base else None
        return Shown(self._seconds(frame), own_s, self._reader.near_loss, self._pixels_of(frame))

    def _pixels_of(self, frame: VideoFrame) -> Callable[[], NDArray[np.uint8] | None]:
        def make() -> NDArray[np.uint8] | None:
            if frame.width * frame.height > self._max_pixels:
                self.tally.lose("larger than max_pixels allows")
                return None
            try:
                return self._maker.make(frame, self._orientation(frame))
            except av.FFmpegError as exc:
                self.tally.lose(f"no way to make RGB of them ({words(exc)})")
                return None

        return make
