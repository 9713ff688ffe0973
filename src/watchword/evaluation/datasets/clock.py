"""The clock of a record: when the frames are shown that its truth counts in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from watchword.evaluation.datasets.locate import find_video
from watchword.evaluation.datasets.record import FrameClock, Record, clock_of_pts


def clock_for(
    record: Record,
    *,
    videos: Path | None,
    path: str | None,
    rate: float | None,
    among: Sequence[Path] | None = None,
) -> FrameClock | None:
    """The best clock there is; None if nothing about the record counts frames, or none is known.

    Masks count frames too. In this order: the rate that was asked for; the times of the video's own
    frames, found below ``videos`` or at ``path``; the times that the truth file holds; the rate
    that it states.

    Args:
        record: what the truth file says.
        videos: folder that videos are looked for in.
        path: where the video lay when it was looked at, which may be no longer so.
        rate: frames a second, said by the user.
        among: ``videos_below(videos)``, which spares going through a large folder for each record.

    Raises:
        DatasetError: several videos could be meant, or there is no such folder.
        VideoError: the video is there and cannot be read.
    """
    if not record.needs_clock and record.masks is None:
        return None
    if rate is not None:
        return FrameClock(rate=rate, origin="the rate that was asked for")
    found = None if videos is None else find_video(record.video, videos, among=among)
    if found is None and path is not None and Path(path).exists():
        found = Path(path)
    own = None if found is None else clock_of_video(found, record)
    return own or _stated(record)


def clock_of_video(video: Path, record: Record) -> FrameClock | None:
    """The clock of a video's own frames; None where it has no times that would help.

    A folder of pictures stores no times: it gives the number of frames, at the times or the rate
    that the record states.

    Raises:
        VideoError: it cannot be read.
    """
    if video.is_dir():
        return _clock_of_pictures(video, record)
    from watchword.video.frame_times import counted_times

    times = counted_times(video)
    if len(times) < 2:
        return None
    return clock_of_pts(times, origin=f"the frame times of {video}")


def _clock_of_pictures(folder: Path, record: Record) -> FrameClock | None:
    from watchword.video.folder import picture_files

    count = len(picture_files(folder))
    if record.frame_clock is not None or record.rate is None or not count:
        return None
    return FrameClock(
        np.arange(count + 1) / record.rate,
        origin=f"{count} pictures of {folder} at the rate that the file states",
    )


def _stated(record: Record) -> FrameClock | None:
    if record.frame_clock is not None or record.rate is None:
        return record.frame_clock
    return FrameClock(rate=record.rate, origin="the rate that the file states")


def unclocked(records: Sequence[Record]) -> tuple[Record, ...]:
    """The records that count frames and state neither times nor a rate."""
    return tuple(r for r in records if r.needs_clock and _stated(r) is None)
