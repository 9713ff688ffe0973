"""Pictures of a file decoded by torchcodec, which can decode on a GPU; an optional backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from watchword.errors import MissingDependency, VideoError
from watchword.types import VideoInfo
from watchword.video.container import check_file, is_url, too_large
from watchword.video.decoded import Shown, Tally
from watchword.video.upright import Orientation, PictureMaker, Region, check_region

# Frames decoded at a time: a GPU is idle between single ones.
_CHUNK = 16

# How far the first frame may lie from where the scan saw it: in a transport stream torchcodec
# (seen in 0.12) seeks past the start and numbers frames wrongly, without an error.
_SEEK_S = 1e-3


class TorchcodecBackend:
    """An open file whose frames torchcodec decodes, on the device asked for.

    It scans the file once when it opens, so that times are exact. Pictures that it cannot decode
    cost the chunk of frames they stand in; PyavBackend loses fewer of a damaged file.

    Args:
        source: path.
        device: cpu or cuda.
        region: part of the picture to cut out, or None.
        size: (width, height) to scale to, or None.
        max_pixels: larger pictures are refused.
        threads: of the decoder on a CPU.

    Raises:
        MissingDependency: torchcodec is not installed, or cannot find its libraries.
        VideoError: the source cannot be read, is too large, or the region lies outside it.
    """

    def __init__(
        self,
        source: str,
        *,
        device: str,
        region: Region | None,
        size: tuple[int, int] | None,
        max_pixels: int,
        threads: int,
    ) -> None:
        self.tally = Tally()
        self._source = source
        self._maker = PictureMaker(region=region, size=size, source=source)
        if not is_url(source):
            check_file(source)
        self._decoder = _decoder(source, device, threads)
        self.info = self._describe()
        if self.info.width * self.info.height > max_pixels:
            raise VideoError(source, too_large(self.info.width, self.info.height, max_pixels))
        check_region(region, (self.info.width, self.info.height), source)

    def close(self) -> None:
        """Let go of the file."""
        self._decoder = None

    def pictures(self) -> Iterator[Shown]:
        """Every decodable picture in the order it is shown."""
        near_loss = False
        for start in range(0, len(self._decoder), _CHUNK):
            stop = min(start + _CHUNK, len(self._decoder))
            try:
                chunk = self._decoder.get_frames_in_range(start, stop)
            except RuntimeError as exc:
                self.tally.lose(f"not decodable by torchcodec ({_first_line(exc)})", stop - start)
                near_loss = True
                continue
            zero = self._zero_s
            for at, own, data in zip(
                chunk.pts_seconds, chunk.duration_seconds, chunk.data, strict=True
            ):
                yield Shown(float(at) - zero, float(own), near_loss, self._maker_of(data))
                near_loss = False

    @property
    def _zero_s(self) -> float:
        return float(self._decoder.metadata.begin_stream_seconds or 0.0)

    def _maker_of(self, data: Any) -> Callable[[], NDArray[np.uint8] | None]:
        def make() -> NDArray[np.uint8] | None:
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(data.cpu().numpy()))
            return self._maker.make(frame, Orientation())

        return make

    def _describe(self) -> VideoInfo:
        about = self._decoder.metadata
        if not len(self._decoder):
            raise VideoError(self._source, "holds no pictures that torchcodec can decode")
        # The first picture tells its upright size; the header's may still lie on its side.
        try:
            first = self._decoder.get_frames_in_range(0, 1)
        except RuntimeError as exc:
            raise VideoError(
                self._source, f"torchcodec cannot decode its first picture: {_first_line(exc)}"
            ) from exc
        if abs(float(first.pts_seconds[0]) - about.begin_stream_seconds) > _SEEK_S:
            raise VideoError(
                self._source,
                "torchcodec cannot seek in it and would give wrong pictures; use the pyav backend",
            )
        height, width = first.data.shape[1:3]
        rate = about.average_fps
        return VideoInfo(
            source=self._source,
            width=int(width),
            height=int(height),
            duration_s=about.duration_seconds,
            rate=Fraction(rate).limit_denominator(1001) if rate else None,
            frame_count=about.num_frames,
            codec=about.codec or "",
        )


def _decoder(source: str, device: str, threads: int) -> Any:
    try:
        from torchcodec.decoders import VideoDecoder
    except (ImportError, OSError, RuntimeError) as exc:
        # RuntimeError and OSError: it is installed, but not the FFmpeg or CUDA it links to.
        raise MissingDependency(
            f"torchcodec ({_first_line(exc)})", "pip install 'watchword[gpu-decode]'"
        ) from exc
    try:
        return VideoDecoder(
            source, device=device, num_ffmpeg_threads=threads, dimension_order="NHWC"
        )
    except (RuntimeError, ValueError) as exc:
        raise VideoError(source, f"torchcodec cannot open it: {_first_line(exc)}") from exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
