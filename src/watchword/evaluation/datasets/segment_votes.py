"""What is true by Video Anomaly CLIP (seed 2): the class and split of whole videos.

Three kinds of file say it, all read alike: the manifest (CSV or JSON lines: ``video``, ``class``,
``split``), the table of videos and the table of segments (CSV: ``video_id``, ``true_class``,
``split``, ...). A class called Normal, in whatever case and with whatever follows, is normal; any
other is an event somewhere in the video. When is not told, so there are no spans and no frames to
number. The columns that hold predictions are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import columns_of, csv_rows_of
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.datasets.text_file import first_line_of, json_rows_of

VOTES = ("video_id", "true_class")
MANIFEST = ("video", "class")
_VIDEO_TABLE = "videos.csv"


def sniff(path: Path) -> bool:
    """Whether it is a table of segments or videos, a manifest with classes, or a run of seed 2."""
    path = _table(path)
    line = first_line_of(path)
    if not line.startswith("{"):
        return _tells(columns_of(path))
    try:
        return _tells(json.loads(line))
    except (ValueError, RecursionError):
        return False


def read(path: Path) -> tuple[Record, ...]:
    """A record a video, in order of first appearance; of a folder, its ``videos.csv`` is read.

    Raises:
        DatasetError: a column or class is missing, or rows of one video disagree.
    """
    path = _table(path)
    records: list[Record] = []
    said: dict[tuple[str, str], tuple[int, str]] = {}
    for row, cells in _rows(path):
        video, true_class = _cells(path, row, cells)
        split = str(cells.get("split") or "").strip()
        if "segment_uid" in cells and (video, split) in said:
            first, before = said[video, split]
            if before != true_class:
                raise DatasetError(
                    str(path),
                    f"calls {video!r} {true_class!r}, while row {first} calls it {before!r}",
                    row=row,
                )
            continue
        said[video, split] = row, true_class
        records.append(_record(path, row, video, true_class, split))
    if not records:
        raise DatasetError(str(path), "holds no video")
    return tuple(records)


def _table(path: Path) -> Path:
    return path / _VIDEO_TABLE if path.is_dir() else path


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if first_line_of(path).startswith("{"):
        yield from json_rows_of(path)
        return
    for row, cells in csv_rows_of(path):
        if not _tells(cells):
            raise DatasetError(
                str(path),
                f"has columns {', '.join(cells)}; needed are {' and '.join(VOTES)}, "
                f"or {' and '.join(MANIFEST)}",
            )
        yield row, cells


def _tells(columns: Iterable[str]) -> bool:
    return any(set(columns).issuperset(kind) for kind in (VOTES, MANIFEST))


def _cells(path: Path, row: int, cells: Mapping[str, Any]) -> tuple[str, str]:
    columns = VOTES if VOTES[0] in cells else MANIFEST
    video, true_class = (str(cells.get(column) or "").strip() for column in columns)
    for column, value in zip(columns, (video, true_class), strict=True):
        if not value:
            raise DatasetError(
                str(path), f"gives no {column}; without it nothing is known to be true", row=row
            )
    return video, true_class


def _record(path: Path, row: int, video: str, true_class: str, split: str) -> Record:
    anomalous = not true_class.lower().startswith("normal")
    return Record(
        video=video,
        where=f"{path}, row {row}",
        labels=(true_class,) if anomalous else (),
        anomalous=anomalous,
        split=split or None,
    )
