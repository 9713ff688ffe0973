"""Writes pictures as an H.264 video that plays everywhere, each at its exact time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from watchword.errors import OutputError

# ITU-T H.273: BT.709 primaries, transfer and matrix.
_BT709 = 1


class VideoWriter:
    """An open MP4 file (H.264, yuv420p, BT.709, no sound); the first picture sets the size.

    The end of a ``with`` block finishes the file, with OutputError if it holds no picture. Odd
    sizes, which the format has not, are filled up with one more row or column.
    """

    def __init__(self, path: Path, *, tick: Fraction, crf: int) -> None:
        self._path = path
        # MP4 holds whole ticks a second; clocks that it cannot hold are rounded to 90 kHz.
        fits = tick.numerator == 1 and tick.denominator < 1 << 20
        self._tick = tick if fits else Fraction(1, 90000)
        self._crf = crf
        self._last = -1
        self._durations: dict[int, int] = {}
        self._stream: VideoStream | None = None
        self._container = av.open(str(path), "w", format="mp4")

    def write(self, picture: Image.Image, *, time_s: float, duration_s: float | None) -> None:
        """Adds a picture; one that falls on the tick of the one before is left out."""
        pts = round(time_s / self._tick)
        if pts <= self._last:
            return
        self._last = pts
        if duration_s is not None:
            self._durations[pts] = max(1, round(duration_s / self._tick))
        stream = self._stream or self._begin(picture)
        frame = VideoFrame.from_ndarray(_even(np.asarray(picture)), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = pts, self._tick
        self._encode(stream, frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._container:
            if kind is not None:
                return
            if self._stream is None:
                raise OutputError(f"{self._path.name} would hold no picture")
            self._encode(self._stream, None)

    def _encode(self, stream: VideoStream, frame: VideoFrame | None) -> None:
        for packet in stream.encode(frame):
            # The encoder forgets durations, and with them how long the last picture stays.
            if packet.pts in self._durations:
                packet.duration = self._durations.pop(packet.pts)
            self._container.mux(packet)

    def _begin(self, picture: Image.Image) -> VideoStream:
        try:
            # No B-frames: MP4 takes the length from the frame that is decoded last.
            options = {"crf": str(self._crf), "bf": "0"}
            stream = self._container.add_stream("libx264", options=options)
        except av.FFmpegError as exc:
            raise OutputError("this build of PyAV has no H.264 encoder (libx264)") from exc
        stream.width, stream.height = (side + side % 2 for side in picture.size)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = self._tick
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = ColorRange.MPEG
        self._stream = stream
        return stream


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
