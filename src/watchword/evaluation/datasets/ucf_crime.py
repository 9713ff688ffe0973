"""UCF-Crime's ``Temporal_Anomaly_Annotation.txt``: up to two events in each of its test videos.

``Arson011_x264  Arson  150  420  680  1267`` on a line: video, class, and two pairs of frames, -1
where there is no such event; normal videos have class Normal and four times -1. The paper does not
say how frames are numbered: the common evaluation code takes a pair as ``[start, end)`` from 0 at
the videos' 30 frames a second, and so does this reader. The file lists the test split.
"""

from __future__ import annotations

import re
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import first_line_of, rows_of, whole_number

RATE = 30.0
_LINE = re.compile(r"\S+\s+[A-Za-z]\S*(\s+-?[0-9]+){4}")
_NONE = (-1, -1)


def sniff(path: Path) -> bool:
    """Whether the first line is a video, a class and four whole numbers."""
    return _LINE.fullmatch(first_line_of(path)) is not None


def read(path: Path) -> tuple[Record, ...]:
    """A record a line, in order.

    Raises:
        DatasetError: a line that is cut off, no number, or an event that ends before it starts.
    """
    return tuple(_record(path, row, line.split()) for row, line in rows_of(path))


def _record(path: Path, row: int, words: list[str]) -> Record:
    if len(words) != 6:
        raise DatasetError(
            str(path),
            f"must hold a video, its class and 4 frame numbers, got {len(words)} words",
            row=row,
        )
    video, label = words[:2]
    spans = tuple(
        FrameSpan(label, *pair)
        for pair in (_pair(path, row, words[2:4]), _pair(path, row, words[4:]))
        if pair != _NONE
    )
    anomalous = label.lower() != "normal"
    if anomalous != bool(spans):
        problem = "is Normal but has an event" if spans else f"is {label} but has no event"
        raise DatasetError(str(path), f"{video} {problem}", row=row)
    return Record(
        video=video,
        where=f"{path}, row {row}",
        spans=spans,
        labels=(label,) if anomalous else (),
        anomalous=anomalous,
        split="test",
        rate=RATE,
    )


def _pair(path: Path, row: int, words: list[str]) -> tuple[int, int]:
    start, end = (whole_number(word) for word in words)
    if start is None or end is None:
        raise DatasetError(
            str(path), f"frames must be whole numbers, got {' '.join(words)!r}", row=row
        )
    if (start, end) != _NONE and not 0 <= start < end:
        raise DatasetError(
            str(path),
            f"an event must start at frame 0 or later and end after it starts (or be -1 -1), "
            f"got {start} {end}",
            row=row,
        )
    return start, end
