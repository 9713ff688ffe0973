"""Tables for spreadsheets: the events of videos, and seed 2's judgement of segments and videos."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from watchword.output.atomic import new_file
from watchword.types import Detection, Event

_EVENT_COLUMNS = (
    "video",
    "label",
    "start_s",
    "end_s",
    "duration_s",
    "score",
    "peak_s",
    "model",
    "raised_by",
)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """Seed 2's row about one segment; ``score`` is NaN where nothing was measured."""

    segment_uid: str
    video_id: str
    split: str
    true_class: str
    pred_class: str
    score: float
    is_anomaly: bool


@dataclass(frozen=True, slots=True)
class VideoRow:
    """Seed 2's row about one video; ``anomaly_ratio`` is the share of segments, 0 to 1."""

    video_id: str
    split: str
    true_class: str
    total_segments: int
    anomaly_segments: int
    anomaly_ratio: float
    video_is_anomaly: bool


def write_segment_csv(
    rows: Iterable[SegmentRow], path: str | Path, *, overwrite: bool = False
) -> None:
    """Seed 2's table of segments; OutputError if it cannot be written."""
    with new_file(path, overwrite=overwrite) as made:
        _write(made, _columns(SegmentRow), ([*_cells(row, SegmentRow)] for row in rows))


def write_video_csv(rows: Iterable[VideoRow], path: str | Path, *, overwrite: bool = False) -> None:
    """Seed 2's table of videos; OutputError if it cannot be written."""
    with new_file(path, overwrite=overwrite) as made:
        _write(made, _columns(VideoRow), ([*_cells(row, VideoRow)] for row in rows))


def write_events(detection: Detection, path: Path) -> None:
    """The events, a row each: video, label, start, end, length, peak score, its time, model.

    ``raised_by`` holds the surprise of each part of the evidence, as ``motion=3.6;change=1.3``.
    """
    rows = (
        (
            detection.info.source,
            event.label,
            *map(_number, (event.start_s, event.end_s, event.duration_s)),
            *map(_number, (event.score, event.peak_s)),
            detection.provenance.encoder_name,
            parts_cell(event),
        )
        for event in detection.events
    )
    _write(path, _EVENT_COLUMNS, rows)


def parts_cell(event: Event) -> str:
    """The surprise of each part at the peak as one cell of a table; empty behind = if not known."""
    return ";".join(f"{name}={_number(value)}" for name, value in event.raised_by)


def _columns(row: type[SegmentRow] | type[VideoRow]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row))


def _cells(row: object, kind: type[SegmentRow] | type[VideoRow]) -> Iterable[object]:
    for name in _columns(kind):
        value = getattr(row, name)
        unmeasured = isinstance(value, float) and math.isnan(value)
        yield "" if unmeasured else value


def _number(value: float) -> str:
    """To six decimals at most; empty if not measured."""
    return "" if math.isnan(value) else str(round(value, 6))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
