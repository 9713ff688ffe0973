"""The truth about one video, out of any format: what a single run is compared with."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import ArrayLike

from watchword.errors import DatasetError
from watchword.evaluation.datasets import own_json
from watchword.evaluation.datasets.formats import FORMATS, read_records
from watchword.evaluation.datasets.record import FrameClock, Record, clock_of_pts
from watchword.types import Annotation


def read_annotation(
    path: str | Path, *, rate: float | None = None, pts_s: ArrayLike | None = None
) -> Annotation:
    """The truth about the only video of a file, in seconds.

    The content says which of the known formats it is; a JSON file of none of them is taken for
    one of Watchword's own, so that the error says what is missing.

    Args:
        path: truth file.
        rate: frames a second, for a file that speaks of frame numbers.
        pts_s: (N,) times of the video's frames in seconds, for the same; better than a rate.

    Raises:
        DatasetError: an unreadable file, no or several videos, or frame numbers without times.
    """
    clock = None
    if pts_s is not None:
        clock = clock_of_pts(pts_s)
    elif rate is not None:
        clock = FrameClock(rate=rate)
    records = _records(Path(path))
    if len(records) != 1:
        raise DatasetError(
            str(path),
            f"is about {len(records)} videos where one is needed: {records[0].video!r}, "
            f"{records[1].video!r}, ...",
        )
    return records[0].annotation(clock)


def _records(path: Path) -> tuple[Record, ...]:
    unknown = path.suffix.lower() == ".json" and not any(f.sniff(path) for f in FORMATS.values())
    return own_json.read(path) if unknown else read_records(path)
