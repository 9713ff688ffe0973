"""Watchword's own JSON: the truth about one video, or a list of such objects about many.

Everything but ``video`` and ``spans`` is optional::

    {"video": "drive.mp4", "duration_s": 12.5, "anomalous": true, "labels": ["deer"],
     "split": "test", "group": "camera 2", "accident_s": 4.0, "masks": "masks/drive.npz",
     "spans": [{"label": "deer", "start_s": 3.0, "end_s": 4.2}]}

Spans may be given as ``start_frame`` and ``end_frame`` instead: frames count from 0 and
``end_frame`` is the first frame after the event. No spans is a video where nothing happens, unless
``anomalous`` says otherwise or is null. ``rate`` and ``frame_count`` go with them. ``masks`` lies
relative to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.fields import (
    a_list,
    check_keys,
    frame_span,
    positive,
    second_span,
    seconds,
    whole,
    words,
)
from watchword.evaluation.datasets.json_head import json_head
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import json_of
from watchword.types import Span

KEYS = (
    *("video", "spans", "labels", "duration_s", "split", "anomalous"),
    *("group", "accident_s", "masks", "rate", "frame_count"),
)
IN_SECONDS = ("label", "start_s", "end_s")
IN_FRAMES = ("label", "start_frame", "end_frame")


def sniff(path: Path) -> bool:
    """Whether it begins with an object, or a list of objects, with ``video`` and ``spans``."""
    found = json_head(path)
    first = found[0] if isinstance(found, list) and found else found
    return isinstance(first, dict) and {"video", "spans"} <= set(first) and not _is_lines(path)


def read(path: Path) -> tuple[Record, ...]:
    """A record an object, in order.

    Raises:
        DatasetError: not JSON, a key that is missing or not known, or a value of another type.
    """
    found = json_of(path)
    if isinstance(found, dict):
        return (own_record(found, path, str(path)),)
    if not (isinstance(found, list) and found):
        kind = "an empty list" if found == [] else type(found).__name__
        raise DatasetError(
            str(path),
            f"must hold a JSON object with video and spans, or a list of them, got {kind}",
        )
    return tuple(_entry(entry, path, number) for number, entry in enumerate(found, start=1))


def own_record(found: Mapping[str, Any], path: Path, where: str) -> Record:
    """The record of one object.

    Args:
        found: the JSON object.
        path: the file it stands in, which masks lie beside.
        where: the file and, in a longer one, the place in it; errors name it.

    Raises:
        DatasetError: as for ``read``.
    """
    check_keys(found, KEYS, ("video", "spans"), where)
    listed = a_list(found["spans"], "spans", where)
    spans = tuple(_span(entry, where, row) for row, entry in enumerate(listed, start=1))
    if len({type(span) for span in spans}) > 1:
        raise DatasetError(where, "gives some spans in seconds and some in frames; use one of them")
    named = found.get("labels", [])
    if not (isinstance(named, list) and all(isinstance(label, str) for label in named)):
        raise DatasetError(where, f"labels must be a list of text, got {named!r}")
    anomalous = found.get("anomalous", None if spans else False)
    if not (anomalous is None or isinstance(anomalous, bool)):
        raise DatasetError(where, f"anomalous must be true, false or null, got {anomalous!r}")
    if anomalous is False and spans:
        raise DatasetError(where, "is called not anomalous but has spans")
    known = {key: value for key, value in found.items() if value is not None}
    return Record(
        video=words(found["video"], "video", where),
        where=where,
        spans=spans,
        labels=tuple(dict.fromkeys([*named, *(span.label for span in spans)])),
        anomalous=anomalous,
        split=words(known["split"], "split", where) if "split" in known else None,
        group=words(known["group"], "group", where) if "group" in known else None,
        **numbers_of(known, where),
        masks=path.parent / words(known["masks"], "masks", where) if "masks" in known else None,
    )


def numbers_of(known: Mapping[str, Any], file: str, row: int | None = None) -> dict[str, Any]:
    """The numbers about a whole video, as fields of a Record, out of the keys that were given."""
    readers = {
        "duration_s": ("duration_s", seconds),
        "accident_s": ("accident", seconds),
        "rate": ("rate", positive),
        "frame_count": ("frame_count", whole),
    }
    return {
        field: reader(known[key], key, file, row)
        for key, (field, reader) in readers.items()
        if key in known
    }


def _entry(entry: Any, path: Path, number: int) -> Record:
    where = f"{path}, entry {number}"
    if not isinstance(entry, dict):
        raise DatasetError(where, f"must be a JSON object with video and spans, got {entry!r}")
    return own_record(entry, path, where)


def _span(entry: Any, where: str, row: int) -> Span | FrameSpan:
    if not isinstance(entry, dict):
        raise DatasetError(
            where, f"a span must hold {', '.join(IN_SECONDS)}, got {entry!r}", row=row
        )
    in_frames = "start_frame" in entry or "end_frame" in entry
    keys = IN_FRAMES if in_frames else IN_SECONDS
    check_keys(entry, keys, keys, where, row)
    label = words(entry["label"], "label", where, row)
    if in_frames:
        start = whole(entry["start_frame"], "start_frame", where, row)
        return frame_span(
            label, start, whole(entry["end_frame"], "end_frame", where, row), where, row
        )
    start_s = seconds(entry["start_s"], "start_s", where, row)
    return second_span(label, start_s, seconds(entry["end_s"], "end_s", where, row), where, row)


def _is_lines(path: Path) -> bool:
    return path.suffix.lower() in (".jsonl", ".ndjson")
