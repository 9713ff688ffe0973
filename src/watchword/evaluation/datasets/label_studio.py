"""Label Studio's JSON export: timeline regions and tracked boxes of videos.

Frames count from 1 and the last one is inside: ``{"start": 3, "end": 5}`` are frames 2, 3 and 4
counted from 0. The rate that numbered them is the Video tag's ``frameRate``, which is in the export
only if the task's data has it; otherwise the video's own frames are what is counted. Read are:

* ``timelinelabels`` with ``value.ranges``, the present form;
* the older ``value.start`` and ``value.end`` without ranges: frames as above where both are whole
  numbers of ``timelinelabels``, else seconds;
* ``videorectangle`` tracks: from an enabled key frame up to and including the next that is not
  enabled, or to the last frame (``framesCount``).

Results that name no time (choices, text) are not events and are passed over. A task nobody
annotated, or whose only annotation was skipped, is known to hold neither an event nor none;
predictions of a model are not truth. Names lose what an upload put before them
(``/data/upload/1/0a1b2c3d-``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.fields import (
    a_list,
    an_object,
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

_UPLOAD = re.compile(r"^/data/upload/(?:[0-9]+/)?(?:[0-9a-f]{8}-)?|^/data/local-files/\?d=")
_NAMED_BY = ("video", "video_url", "url")


def sniff(path: Path) -> bool:
    """Whether it begins with a task: data, and annotations or predictions."""
    found = json_head(path)
    task = found[0] if isinstance(found, list) and found else found
    return (
        isinstance(task, dict)
        and isinstance(task.get("data"), dict)
        and ("annotations" in task or "predictions" in task)
    )


def read(path: Path) -> tuple[Record, ...]:
    """A record a task, in order.

    Raises:
        DatasetError: no export, a task that several people annotated, or a region of no form known.
    """
    found = json_of(path)
    tasks = found if isinstance(found, list) else [found]
    if not tasks:
        raise DatasetError(str(path), "holds no task")
    return tuple(_record(task, f"{path}, task {row}") for row, task in enumerate(tasks, start=1))


def _record(task: Any, where: str) -> Record:
    task = an_object(task, "a task", where)
    data = an_object(task.get("data"), "data", where)
    annotation = _annotation(task, where)
    results = [] if annotation is None else a_list(annotation.get("result"), "result", where)
    regions = [
        (row, an_object(region, "a region", where, row))
        for row, region in enumerate(results, start=1)
    ]
    spans = tuple(span for row, region in regions for span in _spans(region, where, row))
    if len({type(span) for span in spans}) > 1:
        raise DatasetError(where, "gives some regions in seconds and some in frames")
    rate = data.get("frameRate")
    return Record(
        video=_name(data, where),
        where=where,
        spans=spans,
        labels=tuple(dict.fromkeys(span.label for span in spans)),
        anomalous=None if annotation is None else bool(spans),
        frame_count=_frame_count([region for _, region in regions], where),
        rate=None if rate is None else positive(rate, "frameRate", where),
    )


def _annotation(task: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    """The one annotation that counts: the only one, or the one marked as ground truth."""
    listed = a_list(task.get("annotations", []), "annotations", where)
    given = [an_object(found, "an annotation", where) for found in listed]
    given = [found for found in given if not found.get("was_cancelled")]
    if len(given) > 1:
        chosen = [found for found in given if found.get("ground_truth")]
        if len(chosen) != 1:
            raise DatasetError(
                where,
                f"was annotated {len(given)} times; mark one annotation as ground truth, or export "
                "one of them",
            )
        return chosen[0]
    return given[0] if given else None


def _name(data: Mapping[str, Any], where: str) -> str:
    key = next((key for key in _NAMED_BY if key in data), None)
    if key is None:
        raise DatasetError(
            where, f"data names no video ({', '.join(_NAMED_BY)}); it has {', '.join(data)}"
        )
    return _UPLOAD.sub("", words(data[key], key, where))


def _spans(region: Mapping[str, Any], where: str, row: int) -> Iterator[Span | FrameSpan]:
    value = an_object(region.get("value", {}), "value", where, row)
    kind = str(region.get("type"))
    if "sequence" in value:
        intervals: list[tuple[float, float]] = list(_shown(value, where, row))
    elif "ranges" in value:
        intervals = [
            _frames(found, where, row) for found in a_list(value["ranges"], "ranges", where)
        ]
    elif "start" in value and "end" in value:
        start, end = value["start"], value["end"]
        if kind != "timelinelabels" or not (_whole(start) and _whole(end)):
            for label in _labels(value, kind, where, row):
                start_s, end_s = (seconds(at, "start and end", where, row) for at in (start, end))
                yield second_span(label, start_s, end_s, where, row)
            return
        intervals = [_frames(value, where, row)]
    else:
        return
    for label in _labels(value, kind, where, row):
        for first, last in intervals:
            yield frame_span(label, int(first), int(last), where, row)


def _labels(value: Mapping[str, Any], kind: str, where: str, row: int) -> list[str]:
    named = value.get(kind) or value.get("labels") or value.get("timelinelabels")
    if not named:
        raise DatasetError(where, "a region has no label; give it one, or delete it", row=row)
    return [words(label, "a label", where, row) for label in a_list(named, "labels", where, row)]


def _frames(found: Any, where: str, row: int) -> tuple[int, int]:
    """Frames [start, end) from 0 of a first and a last frame from 1."""
    found = an_object(found, "a range", where, row)
    first, last = (whole(found.get(key), key, where, row) for key in ("start", "end"))
    if first == 0:
        raise DatasetError(where, "starts at frame 0, but frames count from 1", row=row)
    return first - 1, last


def _shown(value: Mapping[str, Any], where: str, row: int) -> Iterator[tuple[int, int]]:
    """Frames [start, end) from 0 during which a tracked box is there."""
    listed = a_list(value["sequence"], "sequence", where, row)
    keys = [an_object(key, "a key frame", where, row) for key in listed]
    placed = sorted(
        (whole(key.get("frame"), "frame", where, row), bool(key.get("enabled", True)))
        for key in keys
    )
    start: int | None = None
    for frame, enabled in placed:
        if start is None:
            start = frame - 1
        if not enabled:
            yield start, frame
            start = None
    if start is not None:
        if "framesCount" not in value:
            raise DatasetError(
                where, "a track does not end and framesCount is missing; disable its last", row=row
            )
        yield start, whole(value["framesCount"], "framesCount", where, row)


def _frame_count(regions: list[Mapping[str, Any]], where: str) -> int | None:
    counts = {
        whole(region["value"]["framesCount"], "framesCount", where)
        for region in regions
        if "framesCount" in region.get("value", {})
    }
    if len(counts) > 1:
        raise DatasetError(where, f"gives more than one framesCount: {sorted(counts)}")
    return next(iter(counts), None)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
