"""ActivityNet's ground truth, and the many data sets that use its JSON: segments in seconds.

``{"version": "1.3", "database": {ID: {"duration": 82.7, "subset": "validation", "annotations":
[{"label": "Discus throw", "segment": [1.2, 9.8]}]}}}``. Seconds are taken as they are, half-open.
The subset is the split. IDs come without the ``v_`` that the video files begin with. A subset in
which no video has an annotation is a withheld one: nothing is said of its videos. In any other, a
video without annotations is a normal one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.fields import (
    a_list,
    an_object,
    positive,
    second_span,
    seconds,
    words,
)
from watchword.evaluation.datasets.json_head import json_head
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.datasets.text_file import json_of
from watchword.types import Span


def sniff(path: Path) -> bool:
    """Whether it is a JSON object with a database, or begins as ActivityNet's own does."""
    found = json_head(path)
    if not isinstance(found, dict):
        return False
    return "database" in found or {"version", "taxonomy"} <= set(found)


def read(path: Path) -> tuple[Record, ...]:
    """A record a video, in the file's order.

    Raises:
        DatasetError: no such file, or a segment that does not end after it starts.
    """
    found = an_object(json_of(path), "the file", str(path))
    videos = an_object(found.get("database"), "database", str(path))
    if not videos:
        raise DatasetError(str(path), "has an empty database")
    entries = {name: an_object(entry, name, f"{path}, {name}") for name, entry in videos.items()}
    told = {str(entry.get("subset")) for entry in entries.values() if entry.get("annotations")}
    return tuple(_record(path, name, entry, told) for name, entry in entries.items())


def _record(path: Path, name: str, entry: Mapping[str, Any], told: set[str]) -> Record:
    where = f"{path}, {name}"
    listed = a_list(entry.get("annotations", []), "annotations", where)
    spans = tuple(_span(found, where, row) for row, found in enumerate(listed, start=1))
    subset, duration = entry.get("subset"), entry.get("duration")
    return Record(
        video=name,
        where=where,
        spans=spans,
        labels=tuple(dict.fromkeys(span.label for span in spans)),
        anomalous=bool(spans) if str(subset) in told else None,
        split=None if subset is None else words(subset, "subset", where),
        duration_s=None if duration is None else positive(duration, "duration", where),
    )


def _span(found: Any, where: str, row: int) -> Span:
    found = an_object(found, "an annotation", where, row)
    label = words(found.get("label"), "label", where, row)
    segment = a_list(found.get("segment"), "segment", where, row)
    if len(segment) != 2:
        raise DatasetError(where, f"segment must be [start, end], got {segment!r}", row=row)
    start_s, end_s = (seconds(value, "segment", where, row) for value in segment)
    return second_span(label, start_s, end_s, where, row)
