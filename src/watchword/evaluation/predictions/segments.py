"""Seed 2's tables of segments and videos, as it and ``watchword detect --manifest`` write them.

``segment_uid,video_id,split,true_class,pred_class,score,is_anomaly`` and ``video_id,split,
true_class,total_segments,anomaly_segments,anomaly_ratio,video_is_anomaly``. The columns ``split``
and ``true_class`` are truth and are not read. A segment is 16 pictures, numbered from 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.predictions.rows import Row, by_video, numbers, one_each, read_rows
from watchword.evaluation.predictions.series import LABEL, regular_edges, scores_of
from watchword.types import Kind

SEGMENT_COLUMNS = ("segment_uid", "video_id", "pred_class", "score", "is_anomaly")
VIDEO_COLUMNS = ("video_id", "total_segments", "anomaly_segments", "anomaly_ratio")
PICTURES = 16
_NUMBER = re.compile(r"_seg_(\d+)$")


def is_segments(columns: Sequence[str]) -> bool:
    """Whether columns are those of seed 2's segments."""
    return set(SEGMENT_COLUMNS) <= set(columns)


def is_videos(columns: Sequence[str]) -> bool:
    """Whether columns are those of seed 2's videos."""
    return set(VIDEO_COLUMNS) <= set(columns)


def read_segments(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """A prediction a video, with its ``segments``; their edges count segments.

    With a rate, of pictures a second, the edges of ``segments`` are seconds, and ``scores`` holds
    the same series. The verdict is the share of segments that are called anomalous.

    Raises:
        DatasetError: a segment is missing, stands twice, or has cells that make no sense.
    """
    rows = read_rows(path)
    one_each(rows, "segment_uid")
    # Every video was asked with all of them; what it was called is what scored best.
    classes = tuple(dict.fromkeys(row.text("pred_class", "") for row in rows))
    made = Made(sentences=tuple(name for name in classes if name))
    return tuple(
        _of_video(video, part, path, made, rate=rate, kind=kind)
        for video, part in by_video(rows, "video_id").items()
    )


def read_videos(path: Path) -> tuple[Prediction, ...]:
    """A verdict a video: the share of anomalous segments, and whether the video was called one."""
    rows = read_rows(path)
    one_each(rows, "video_id")
    return tuple(_verdict(row) for row in rows)


def read_both(
    segments: Path, videos: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """Segments with the verdicts of the other table.

    Raises:
        DatasetError: the tables are of different videos or count their segments differently.
    """
    found = {p.video: p for p in read_segments(segments, rate=rate, kind=kind)}
    rows = read_rows(videos)
    one_each(rows, "video_id")
    joined = []
    for row in rows:
        verdict = _verdict(row)
        # A video of which nothing could be cut has a row here and no segments there.
        own = found.pop(verdict.video, None)
        counted = 0 if own is None or own.segments is None else len(own.segments)
        if counted != row.count("total_segments"):
            raise row.error(
                f"total_segments is {row.text('total_segments')}, {segments} has {counted} of "
                f"{verdict.video!r}"
            )
        joined.append(
            verdict
            if own is None
            else replace(own, verdict=verdict.verdict, positive=verdict.positive)
        )
    if found:
        raise DatasetError(str(videos), f"lacks {next(iter(found))!r}, which {segments} has")
    return tuple(joined)


def _verdict(row: Row) -> Prediction:
    return Prediction(
        video=row.text("video_id"),
        where=f"{row.file}, row {row.number}",
        verdict=_known(_ratio(row)),
        positive=row.flag("video_is_anomaly"),
    )


def _of_video(
    video: str, rows: Sequence[Row], path: Path, made: Made, *, rate: float | None, kind: Kind
) -> Prediction:
    where = f"{path}, row {rows[0].number}"
    _numbered(rows)
    called = [row.flag("is_anomaly") for row in rows]
    values = np.array(numbers(rows, "score", Row.score))
    measured = [bool(flag) for flag, value in zip(called, values, strict=True) if value == value]
    edges = np.arange(len(rows) + 1.0)
    if rate is not None:
        edges = regular_edges(len(rows), rate / PICTURES, where)
    segments = scores_of(values[:, None], edges, (LABEL,), kind, where=where)
    return Prediction(
        video=video,
        where=where,
        scores=None if rate is None else segments,
        verdict=sum(measured) / len(measured) if measured else None,
        segments=segments,
        rate=rate,
        made=made,
    )


def _numbered(rows: Sequence[Row]) -> None:
    """DatasetError unless the segments of a video are 0, 1, 2, ... in order."""
    for expected, row in enumerate(rows):
        found = _NUMBER.search(row.text("segment_uid"))
        if found is None:
            raise row.error(f"segment_uid is {row.text('segment_uid')!r}, it must end in _seg_0000")
        if int(found.group(1)) != expected:
            raise row.error(
                f"is segment {int(found.group(1))} of {row.text('video_id')!r}, segment {expected} "
                "comes next; every segment must be there, in order"
            )


def _ratio(row: Row) -> float:
    ratio = row.score("anomaly_ratio")
    if not (math.isnan(ratio) or 0 <= ratio <= 1):
        raise row.error(f"anomaly_ratio is {ratio:g}, it must lie in [0, 1]")
    return ratio


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
