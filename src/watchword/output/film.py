"""Plays a file or an address by FFmpeg, from any moment on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from watchword.errors import VideoError
from watchword.output.shown import Shown

_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
_REMOTE = "http,https,tcp,tls,crypto,data"
# Seconds without an answer after which an address is given up.
_TIMEOUT_S = 20.0
# A file that gives nothing so often in a row is over.
_TRIES = 8
# A keyframe may lie after the place that was asked for: look again from further ahead.
_BACK_S = (0.0, 5.0, 60.0, math.inf)


def open_container(source: str) -> InputContainer:
    """The open file or address, which holds a video stream; VideoError otherwise.

    A local file may not make FFmpeg reach into the network, nor an address into local files.
    """
    allowed = _REMOTE if source.lower().startswith(("http://", "https://")) else "file"
    try:
        container = av.open(
            source, timeout=_TIMEOUT_S, container_options={"protocol_whitelist": allowed}
        )
    except (av.FFmpegError, OSError) as exc:
        raise VideoError(source, f"cannot be read again: {_words(exc)}") from exc
    if not container.streams.video:
        container.close()
        raise VideoError(source, "holds no video stream")
    return container


def time_zero_s(container: InputContainer, stream: VideoStream) -> float:
    """The stored time at which a player starts: the earliest of all tracks."""
    start_s = (container.start_time or 0) / av.time_base
    if stream.start_time is None or stream.time_base is None:
        return start_s
    # The container's is rounded to microseconds; where the video begins first its own is exact.
    own_s = float(stream.start_time * stream.time_base)
    return own_s if abs(own_s - start_s) < 2 / av.time_base else start_s


class FilePlayer:
    """Plays a file or an address by FFmpeg, seeking where that is exact."""

    def __init__(self, source: str, container: InputContainer) -> None:
        self._source = source
        self._container = container
        self._stream: VideoStream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._start_s = time_zero_s(container, self._stream)
        self._untouched = True

    @property
    def tick(self) -> Fraction:
        """Seconds a tick."""
        return self._stream.time_base or Fraction(1, 90000)

    def play(self, from_s: float = 0.0) -> Iterator[Shown]:
        """Pictures in order, the first being the one on screen at ``from_s``."""
        for back_s in _BACK_S:
            started = False
            for shown in _from_moment(self._decoded(from_s - back_s), from_s):
                # Landed behind the moment: the picture on screen lies before the keyframe.
                if not started and shown.time_s > from_s + 1e-6 and from_s - back_s > 0:
                    break
                started = True
                yield shown
            if started or from_s <= back_s:
                return

    def _decoded(self, from_s: float) -> Iterator[Shown]:
        """Pictures from the keyframe before ``from_s``; none if that lies where none can be."""
        # What was just opened stands at its start, and need not be able to seek.
        if not (self._untouched and from_s <= 0):
            at = max(0, round((max(from_s, 0.0) + self._start_s) / self.tick))
            try:
                self._container.seek(at, stream=self._stream)
            except (av.FFmpegError, OSError) as exc:
                if from_s > 0:
                    return
                raise VideoError(self._source, f"cannot be sought: {_words(exc)}") from exc
        self._untouched = False
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                # A damaged stretch: what follows may be sound, and the caller sees the times.
                continue
            for frame in frames:
                if frame.time is not None and not frame.is_corrupt:
                    own_s = float(frame.duration * self.tick) if frame.duration else None
                    yield Shown(frame.time - self._start_s, own_s, _drawer(frame))

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        fails = 0
        while fails < _TRIES:
            try:
                for packet in self._container.demux(self._stream):
                    fails = 0
                    yield packet
            except av.error.ExitError as exc:
                raise VideoError(self._source, f"breaks off: {_words(exc)}") from exc
            except (av.FFmpegError, OSError):
                # A damaged stretch, as when it was read: what follows may be sound.
                fails += 1
            else:
                return


def _from_moment(pictures: Iterator[Shown], from_s: float) -> Iterator[Shown]:
    """Drops what is off screen by ``from_s``; the first picture stays if none came before."""
    held: Shown | None = None
    for shown in pictures:
        if shown.time_s > from_s + 1e-6:
            if held is not None:
                yield held
            yield shown
            yield from pictures
            return
        held = shown
    if held is not None:
        yield held


def _drawer(frame: VideoFrame) -> Callable[[int | None], Image.Image]:
    def draw(width: int | None) -> Image.Image:
        turn = round(frame.rotation / 90) * 90 % 360
        across = frame.height if turn in (90, 270) else frame.width
        scale = 1.0 if width is None else min(1.0, width / across)
        size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
        picture = Image.fromarray(frame.reformat(*size, format="rgb24").to_ndarray())
        return picture.transpose(_TURNS[turn]) if turn else picture

    return draw


def _words(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)
