"""A table of one's own, as CSV or with one JSON object a line: a row an event, or a normal video.

Columns: ``video``, then ``label`` with ``start_s`` and ``end_s`` (seconds), or with ``start_frame``
and ``end_frame`` (frames that count from 0; ``end_frame`` is the first frame after the event). May
have ``split``, ``group``, ``anomalous`` (true or false), ``duration_s`` (of the video, not of the
event), ``frame_count``, ``rate`` and ``accident_s``. Rows of one video and split belong together.

A row without label and times is a video where nothing happens, unless ``anomalous`` is true: then
it holds an event and nobody said when. A label without times needs ``anomalous`` true, or a CSV
without columns for times, which speaks of whole videos. A line of a JSONL file may also be an
object as in Watchword's own JSON, with ``spans``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import check_columns, columns_of, csv_rows_of
from watchword.evaluation.datasets.fields import (
    check_keys,
    frame_span,
    place,
    second_span,
    seconds,
    whole,
    words,
)
from watchword.evaluation.datasets.own_json import numbers_of, own_record
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import first_line_of, json_rows_of
from watchword.types import Span

SECONDS = ("start_s", "end_s")
FRAMES = ("start_frame", "end_frame")
COLUMNS = (
    *("video", "label", *SECONDS, *FRAMES),
    *("split", "group", "anomalous", "duration_s", "frame_count", "rate", "accident_s"),
)
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def sniff(path: Path) -> bool:
    """Whether the first line names a video and its label, times, or whether it is anomalous."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        try:
            found = json.loads(first_line_of(path))
        except (ValueError, RecursionError):
            return False
        if not isinstance(found, dict):
            return False
        return "video" in found and (_speaks(found) or "spans" in found or set(found) == {"video"})
    columns = columns_of(path)
    if "video" in columns and _speaks(columns):
        return True
    return {"video", "label"} <= set(columns) <= set(COLUMNS)


def read(path: Path) -> tuple[Record, ...]:
    """A record a video and split, in order of their first row.

    Raises:
        DatasetError: a column that is not known, half an event, or rows that contradict another.
    """
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        rows: Iterable[tuple[int, Mapping[str, Any]]] = json_rows_of(path)
    else:
        check_columns(path, ("video",))
        columns = columns_of(path)
        check_keys(columns, COLUMNS, (), str(path))
        rows = csv_rows_of(path)
        if not _speaks(columns):
            rows = (_of_whole_video(found, path, row) for row, found in rows)
    made: dict[tuple[str, str | None], Record] = {}
    for row, found in rows:
        record = _record(found, path, row)
        key = (record.video, record.split)
        made[key] = _joined(made[key], record, path, row) if key in made else record
    if not made:
        raise DatasetError(str(path), "holds no row")
    return tuple(made.values())


def _speaks(keys: Iterable[str]) -> bool:
    return any(set(needed) <= set(keys) for needed in (SECONDS, FRAMES, ("anomalous",)))


def _of_whole_video(
    found: Mapping[str, Any], path: Path, row: int
) -> tuple[int, Mapping[str, Any]]:
    """A row whose label says what happens somewhere in the video."""
    label = found.get("label")
    if not label:
        return row, found
    if label.lower() in _YES_NO:
        raise DatasetError(
            str(path),
            f"has the label {label!r}, which is no name of an event; call the column 'anomalous'",
            row=row,
        )
    return row, {**found, "anomalous": "true"}


def _record(found: Mapping[str, Any], path: Path, row: int) -> Record:
    file = str(path)
    if "spans" in found:
        return own_record(found, path, place(file, row))
    check_keys(found, COLUMNS, ("video",), file, row)
    given = {key: value for key, value in found.items() if value is not None and value != ""}
    anomalous = _yes_no(given.get("anomalous"), file, row)
    spans = _spans(given, file, row, anomalous=anomalous)
    if spans and anomalous is False:
        raise DatasetError(file, "is called not anomalous but has an event", row=row)
    told = {key: words(given[key], key, file, row) for key in ("split", "group") if key in given}
    return Record(
        video=words(given.get("video", ""), "video", file, row),
        where=place(file, row),
        spans=spans,
        labels=(words(given["label"], "label", file, row),) if "label" in given else (),
        anomalous=anomalous if anomalous is not None else bool(spans),
        split=told.get("split"),
        group=told.get("group"),
        **numbers_of(given, file, row),
    )


def _spans(
    given: Mapping[str, Any], file: str, row: int, *, anomalous: bool | None
) -> tuple[Span | FrameSpan, ...]:
    times = tuple(key for key in (*SECONDS, *FRAMES) if key in given)
    if not times:
        if "label" in given and anomalous is not True:
            raise DatasetError(
                file,
                f"has the label {given['label']!r} and no times; give its times, or anomalous true "
                "if nobody said when, or no label if nothing happens",
                row=row,
            )
        return ()
    if times not in (SECONDS, FRAMES) or "label" not in given:
        raise DatasetError(
            file,
            f"an event needs label, start_s and end_s, or label, start_frame and end_frame; "
            f"got {', '.join(key for key in ('label', *times) if key in given)}",
            row=row,
        )
    label = words(given["label"], "label", file, row)
    if times == FRAMES:
        start, end = (whole(given[key], key, file, row) for key in FRAMES)
        return (frame_span(label, start, end, file, row),)
    start_s, end_s = (seconds(given[key], key, file, row) for key in SECONDS)
    return (second_span(label, start_s, end_s, file, row),)


def _joined(first: Record, more: Record, path: Path, row: int) -> Record:
    """One record of two rows about one video; what only one of them says holds for both."""
    if not (first.spans and more.spans):
        raise DatasetError(
            str(path),
            f"{more.video!r} stands in {first.where.removeprefix(f'{path}, ')} too; only events "
            "may be given in several rows",
            row=row,
        )
    if type(first.spans[0]) is not type(more.spans[0]):
        raise DatasetError(
            str(path), f"gives {more.video!r} in seconds and in frames; use one of them", row=row
        )
    told: dict[str, Any] = {}
    for field in ("group", "duration_s", "frame_count", "rate", "accident"):
        old, new = getattr(first, field), getattr(more, field)
        if old is not None and new is not None and old != new:
            raise DatasetError(
                str(path),
                f"says {field} {new!r} of {more.video!r}, an earlier row says {old!r}",
                row=row,
            )
        told[field] = old if old is not None else new
    labels = tuple(dict.fromkeys([*first.labels, *more.labels]))
    return replace(first, spans=(*first.spans, *more.spans), labels=labels, **told)


def _yes_no(value: Any, file: str, row: int) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    known = _YES_NO.get(str(value).strip().lower())
    if known is None:
        raise DatasetError(file, f"anomalous must be true or false, got {value!r}", row=row)
    return known
