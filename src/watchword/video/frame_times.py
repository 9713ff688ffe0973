"""When each frame of a video is shown, without decoding any: what frame numbers are counted in."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream as AvStream
from numpy.typing import NDArray

from watchword.errors import VideoError
from watchword.video.container import is_url, open_container, time_zero
from watchword.video.folder import picture_files
from watchword.video.reader import ReadOptions, open_video
from watchword.video.sampling import Sampling


def frame_times(
    source: str | Path,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen, so shared safely
) -> NDArray[np.float64]:
    """(N,) the second at which each frame is shown, rising, as ``open_video`` gives every frame.

    Read from the container's packets. A video whose packets do not all have a time is decoded
    instead, small. A folder of pictures counts ``options.frame_rate`` a second.

    Raises:
        VideoError: it cannot be read, or holds no frame.
    """
    return np.unique(_stored(os.fspath(source), options))


def counted_times(
    source: str | Path,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen, so shared safely
) -> NDArray[np.float64]:
    """(N,) a rising second for each frame that is stored, to turn frame numbers into seconds.

    Some recordings store frames with the time of the one before. A reader that goes by time drops
    those; whoever numbered the frames counted them. Such frames share evenly the time until the
    next one, so that no later number is shifted. Otherwise as ``frame_times``.

    Raises:
        VideoError: as for ``frame_times``.
    """
    times, counts = np.unique(_stored(os.fspath(source), options), return_counts=True)
    if len(times) < 2:
        return times
    gaps = np.append(np.diff(times), times[-1] - times[-2])
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    spread: NDArray[np.float64] = np.repeat(times, counts) + within * np.repeat(
        gaps / counts, counts
    )
    return spread


def _stored(name: str, options: ReadOptions) -> NDArray[np.float64]:
    """(N,) times of all stored frames in order; some may be equal."""
    if not is_url(name) and Path(name).is_dir():
        count = len(picture_files(Path(name)))
        if not count:
            raise VideoError(name, "the folder holds no pictures")
        step = 1 / Fraction(options.frame_rate).limit_denominator(1_000_000)
        return np.array([float(index * step) for index in range(count)])
    container, stream = open_container(
        name, threads=1, max_pixels=options.max_pixels, timeout_s=options.timeout_s
    )
    try:
        times = _of_packets(container, stream)
    finally:
        container.close()
    return _by_decoding(name, options) if times is None else times


def _of_packets(container: InputContainer, stream: AvStream) -> NDArray[np.float64] | None:
    """Times from the first keyframe on; None if the packets do not tell them."""
    stamps: list[int] = []
    key_seen = False
    try:
        for packet in container.demux(stream):
            key_seen = key_seen or packet.is_keyframe
            if not packet.size or packet.is_discard or not key_seen:
                continue
            if packet.pts is None:
                return None
            stamps.append(packet.pts)
    except (av.FFmpegError, IndexError):
        # Damaged: what a reader still gets out of it is what counts.
        return None
    if not stamps or stream.time_base is None:
        return None
    base, zero = stream.time_base, time_zero(container, stream)
    return np.array([float(stamp * base - zero) for stamp in sorted(stamps)])


def _by_decoding(name: str, options: ReadOptions) -> NDArray[np.float64]:
    small = ReadOptions(size=(16, 16), max_pixels=options.max_pixels, timeout_s=options.timeout_s)
    with open_video(name, sampling=Sampling(rate=None), options=small) as stream:
        return np.concatenate([batch.pts_s for batch in stream])
