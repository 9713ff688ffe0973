"""``labels.json``: a list of clips of many sources, described in one way; or the folder it is in.

``[{"clip": "test/Test001.mp4", "anomaly_intervals": [[60, 180]], "n_frames": 180, "fps": 10.0}]``.
``anomaly_intervals`` are frames ``[start, end)`` counted from 0, ``anomaly_intervals_s`` seconds,
``frame_labels`` 0 or 1 a frame. An empty list is a wholly normal clip; none of the three leaves the
clip's ``label`` to speak for all of it: "no_crash" and "normal ..." are normal, others are not, and
no label is no statement. Null intervals are an event nobody placed. ``frame_times_s`` are the times
of ``n_frames`` pictures that no container times.

Spans bear ``cls`` or ``label``, or the types of ``by_type`` where these make up the same frames;
else "anomaly". Texts that tell what happens are not labels and are not read. The accident is at
``accident_frame`` or ``collision_frame``, in clips labelled accident or crash at the start of the
first interval; ``official.accident_s`` is in seconds, and left out where the pictures end before
it. ``mask`` lies relative to the file. The group is the subject that a clip's name begins with
(``S1_Fall_14.mp4``), where all clips are named so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from watchword.evaluation.datasets.frame_labels import checked_marks, spans_of
from watchword.evaluation.datasets.json_head import json_head
from watchword.evaluation.datasets.record import FrameClock, FrameSpan, Record, clock_of_pts
from watchword.evaluation.datasets.text_file import json_of
from watchword.types import Span

FRAMES, SECONDS, MARKS = "anomaly_intervals", "anomaly_intervals_s", "frame_labels"
FILE = "labels.json"
DEFAULT_LABEL = "anomaly"
_NORMAL = re.compile(r"(no|non|not|normal)(?![a-z])")
_UNSAID = ("video-text", "unlabelled", "unlabeled", "unknown")
_SUBJECT = re.compile(r"(S[0-9]+)_")


def sniff(path: Path) -> bool:
    """Whether it begins with a list of objects that name a clip, or holds a file that does."""
    found = json_head(_file(path))
    return isinstance(found, list) and bool(found) and "clip" in _keys(found[0])


def read(path: Path) -> tuple[Record, ...]:
    """A record a clip, in order; of a folder, its ``labels.json`` is read.

    Raises:
        DatasetError: no such list, or an interval that does not end after it starts.
    """
    path = _file(path)
    entries = [
        an_object(entry, "an entry", f"{path}, entry {row}")
        for row, entry in enumerate(a_list(json_of(path), "the file", str(path)), start=1)
    ]
    if not entries:
        raise DatasetError(str(path), "holds no clip")
    subjects = [_SUBJECT.match(str(entry.get("clip"))) for entry in entries]
    named_by_subject = all(subjects)
    return tuple(
        _record(path, row, entry, subject[1] if subject and named_by_subject else None)
        for row, (entry, subject) in enumerate(zip(entries, subjects, strict=True), start=1)
    )


def _file(path: Path) -> Path:
    return path / FILE if path.is_dir() else path


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _record(path: Path, row: int, entry: Mapping[str, Any], subject: str | None) -> Record:
    where = f"{path}, entry {row}"
    frames = None if entry.get("n_frames") is None else whole(entry["n_frames"], "n_frames", where)
    spans = _spans(entry, frames, where)
    clock = _clock(entry, frames, where)
    rate, split, mask = entry.get("fps"), entry.get("split"), entry.get("mask")
    anomalous = bool(spans) if spans is not None else _whole_clip(entry)
    labels = tuple(dict.fromkeys(span.label for span in spans or ()))
    if spans is None and anomalous:
        labels = (_label(entry),)
    return Record(
        video=words(entry.get("clip"), "clip", where),
        where=where,
        spans=spans or (),
        labels=labels,
        anomalous=anomalous,
        split=None if split is None else words(split, "split", where),
        group=subject,
        frame_count=frames,
        rate=None if rate is None else positive(rate, "fps", where),
        accident=_accident(entry, spans or (), clock, where),
        frame_clock=clock,
        masks=None if mask is None else path.parent / words(mask, "mask", where),
    )


def _label(entry: Mapping[str, Any]) -> str:
    """The name of what happens, without the remarks behind a comma."""
    named = str(entry.get("cls") or entry.get("label") or "").split(",")[0].strip()
    return named or DEFAULT_LABEL


def _whole_clip(entry: Mapping[str, Any]) -> bool | None:
    """What is said of a clip as a whole, where nothing is said of its parts."""
    if any(key in entry for key in (FRAMES, SECONDS, MARKS)):
        return True
    named = str(entry.get("cls") or entry.get("label") or "").strip().lower()
    if not named or named in _UNSAID:
        return None
    return _NORMAL.match(named) is None


def _spans(
    entry: Mapping[str, Any], frames: int | None, where: str
) -> tuple[Span | FrameSpan, ...] | None:
    """The events; () where the clip is normal, None where nobody said when."""
    label = _label(entry)
    if entry.get(SECONDS) is not None:
        return tuple(
            second_span(
                label, seconds(start, SECONDS, where), seconds(end, SECONDS, where), where, row
            )
            for row, (start, end) in enumerate(_pairs(entry[SECONDS], SECONDS, where), start=1)
        )
    if entry.get(FRAMES) is not None:
        found = _frame_spans(entry[FRAMES], label, FRAMES, where)
        return _by_type(entry, found, where)
    if entry.get(MARKS) is not None:
        marks = checked_marks(_array(entry[MARKS], MARKS, where), where)
        if frames is not None and len(marks) != frames:
            raise DatasetError(where, f"has {len(marks)} {MARKS} for {frames} frames")
        return spans_of(marks, label)
    return None


def _by_type(
    entry: Mapping[str, Any], found: tuple[FrameSpan, ...], where: str
) -> tuple[FrameSpan, ...]:
    """The spans under the names of their types, where those mark the same frames."""
    types = entry.get("by_type")
    if not isinstance(types, dict) or not found:
        return found
    typed = tuple(
        span
        for label, pairs in types.items()
        for span in _frame_spans(pairs, label, "by_type", where)
    )
    if _covered(typed) != _covered(found):
        return found
    return tuple(sorted(typed, key=lambda span: span.start))


def _covered(spans: Sequence[FrameSpan]) -> list[list[int]]:
    """The frames that any of the spans holds, as the fewest [start, end]."""
    covered: list[list[int]] = []
    for start, end in sorted((span.start, span.end) for span in spans):
        if covered and start <= covered[-1][1]:
            covered[-1][1] = max(covered[-1][1], end)
        else:
            covered.append([start, end])
    return covered


def _frame_spans(value: Any, label: str, name: str, where: str) -> tuple[FrameSpan, ...]:
    return tuple(
        frame_span(label, whole(start, name, where), whole(end, name, where), where, row)
        for row, (start, end) in enumerate(_pairs(value, name, where), start=1)
    )


def _pairs(value: Any, name: str, where: str) -> list[list[Any]]:
    pairs = a_list(value, name, where)
    for row, pair in enumerate(pairs, start=1):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise DatasetError(where, f"{name} must be [start, end] each, got {pair!r}", row=row)
    return pairs


def _array(value: Any, name: str, where: str) -> NDArray[Any]:
    try:
        return np.asarray(a_list(value, name, where))
    except ValueError as exc:
        raise DatasetError(where, f"{name} must be numbers: {exc}") from exc


def _accident(
    entry: Mapping[str, Any],
    spans: Sequence[Span | FrameSpan],
    clock: FrameClock | None,
    where: str,
) -> int | float | None:
    for key in ("accident_frame", "collision_frame"):
        if entry.get(key) is not None:
            return whole(entry[key], key, where)
    official = entry.get("official")
    if isinstance(official, dict) and official.get("accident_s") is not None:
        at_s = seconds(official["accident_s"], "accident_s", where)
        # Pictures that were picked from a longer video may end before its accident.
        ended = clock is not None and clock.edges_s is not None and at_s >= clock.edges_s[-1]
        return None if ended else at_s
    first = spans[0] if spans else None
    if isinstance(first, FrameSpan) and _label(entry).lower() in ("accident", "crash"):
        return first.start
    return None


def _clock(entry: Mapping[str, Any], frames: int | None, where: str) -> FrameClock | None:
    if entry.get("frame_times_s") is None:
        return None
    listed = a_list(entry["frame_times_s"], "frame_times_s", where)
    times = [seconds(at, "frame_times_s", where) for at in listed]
    if frames is not None and len(times) != frames:
        raise DatasetError(where, f"has {len(times)} frame_times_s for {frames} frames")
    try:
        return clock_of_pts(times, origin="frame_times_s of the file")
    except ValueError as exc:
        raise DatasetError(where, f"frame_times_s: {exc}") from exc
