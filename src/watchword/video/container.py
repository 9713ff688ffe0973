"""Opening a file or URL with FFmpeg: every way that fails becomes a VideoError with its reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream as AvStream

from watchword.errors import VideoError

URL_SCHEMES = ("http://", "https://")

_LOCAL = "file"
_REMOTE = "http,https,httpproxy,tcp,tls,crypto"

# Formats that FFmpeg makes pictures of although nobody would call them video: text terminals.
_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf"}


def is_url(source: str) -> bool:
    """Whether the source is fetched over the network."""
    return source.lower().startswith(URL_SCHEMES)


def open_container(
    source: str, *, threads: int, max_pixels: int, timeout_s: float
) -> tuple[InputContainer, AvStream]:
    """The open container and its video track, ready to decode.

    A local file may not make FFmpeg reach into the network, nor a URL into local files.

    Raises:
        VideoError: it is missing, unreadable, no video, cut off, or larger than ``max_pixels``.
    """
    remote = is_url(source)
    # Decoders pad pictures to whole blocks, hence the slack: it only bounds the memory they take.
    limit = {"max_pixels": str(2 * max_pixels + 128 * 128)}
    if not remote:
        check_file(source)
    try:
        container = av.open(
            source if remote else f"file:{source}",
            "r",
            options={
                "protocol_whitelist": _REMOTE if remote else _LOCAL,
                **limit,
            },
            metadata_errors="replace",
            timeout=timeout_s if remote else None,
        )
    except av.FFmpegError as exc:
        raise VideoError(source, _why_not_opened(source, exc)) from exc
    try:
        stream = _video_track(container, source)
        _check_size(stream, max_pixels, source)
    except BaseException:
        container.close()
        raise
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    stream.codec_context.options = limit
    return container, stream


def words(exc: av.FFmpegError) -> str:
    """FFmpeg's own words for an error, without numbers and call names."""
    return (exc.strerror or type(exc).__name__).lower()


def time_zero(container: InputContainer, stream: AvStream) -> Fraction:
    """The stored time, in seconds, at which a player starts: the earliest of all tracks."""
    own = None
    if stream.start_time is not None and stream.time_base is not None:
        own = stream.start_time * stream.time_base
    starts = cast(int | None, container.start_time)
    if starts is None:
        return own or Fraction(0)
    start = Fraction(starts, av.time_base)
    # The container's is rounded to microseconds; where the video begins first its own is exact.
    if own is not None and abs(own - start) < Fraction(2, av.time_base):
        return own
    return start


def duration_s(container: InputContainer, stream: AvStream, zero: Fraction) -> float | None:
    """Seconds from time zero to the end of the video track as the container says, or None."""
    seconds = None
    if stream.duration is not None and stream.time_base is not None:
        start = (stream.start_time or 0) * stream.time_base
        seconds = stream.duration * stream.time_base + max(Fraction(0), start - zero)
    elif container.duration is not None:
        seconds = Fraction(container.duration, av.time_base)
        if container.format.name == "matroska,webm":
            # Matroska stores where the last picture ends, not how long the video lasts.
            seconds -= zero
    return float(seconds) if seconds is not None and seconds > 0 else None


def check_file(source: str) -> None:
    """Make sure that a file is there, is a file, may be read, and holds something."""
    try:
        found = os.stat(source)  # noqa: PTH116 - one call tells all that is asked below
        if stat.S_ISREG(found.st_mode):
            with Path(source).open("rb"):
                pass
    except FileNotFoundError as exc:
        raise VideoError(source, "there is no such file or folder") from exc
    except PermissionError as exc:
        raise VideoError(source, "no permission to read it") from exc
    except OSError as exc:
        raise VideoError(source, f"cannot be opened: {exc.strerror}") from exc
    if not stat.S_ISREG(found.st_mode):
        raise VideoError(source, "is neither a file nor a folder; give a video file")
    if found.st_size == 0:
        raise VideoError(source, "is empty (0 bytes); copy or record it again")


def _why_not_opened(source: str, exc: av.FFmpegError) -> str:
    if isinstance(exc, av.error.ExitError):
        return "no answer within the time limit (timeout_s); check the address or allow more time"
    if is_url(source):
        return f"cannot be fetched: {words(exc)}"
    if _is_unfinished_mp4(source):
        return (
            "the file is cut off or was not finished: it is an MP4 or MOV without its index "
            "(moov); copy or record it again"
        )
    return f"is not a video that FFmpeg can read ({words(exc)})"


def _is_unfinished_mp4(source: str) -> bool:
    boxes = list(_boxes(Path(source)))
    return bool(boxes) and boxes[0] in (b"ftyp", b"mdat", b"wide") and b"moov" not in boxes


def _boxes(path: Path) -> Iterator[bytes]:
    """Types of the top-level boxes of an ISO/IEC 14496-12 file, as far as they can be followed."""
    end = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            yield head[4:8]
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if size < 8:
                return
            at += size


def _video_track(container: InputContainer, source: str) -> AvStream:
    if container.format.name in _TEXT_FORMATS:
        raise VideoError(source, "is text, not a video; give a video file")
    tracks = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not tracks:
        kinds = sorted({stream.type for stream in container.streams})
        found = f"it holds {', '.join(kinds)} only" if kinds else "it holds nothing"
        raise VideoError(source, f"has no video track ({found}); give a file with pictures")
    decodable = [stream for stream in tracks if stream.codec_context is not None]
    if not decodable:
        raise VideoError(source, "its video is in a codec that this FFmpeg cannot decode")
    return decodable[0]


def _check_size(stream: AvStream, max_pixels: int, source: str) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise VideoError(source, too_large(width, height, max_pixels))


def too_large(width: int, height: int, max_pixels: int) -> str:
    """The refusal of a picture of more than ``max_pixels``, in words."""
    return (
        f"its pictures are {width} x {height}, more than the {max_pixels} pixels allowed; "
        "raise max_pixels if that is right"
    )
