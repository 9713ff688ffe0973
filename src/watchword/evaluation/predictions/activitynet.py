"""Detections as ActivityNet's evaluation takes them.

``{"version": ..., "results": {"VIDEO": [{"label": "x", "score": 0.9, "segment": [1.2, 9.8]}]},
...}`` with seconds. A video with an empty list was looked at and nothing was found.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.series import load_json
from watchword.types import Event


def is_results(found: Any) -> bool:
    """Whether a JSON value has the shape of ActivityNet's results."""
    return isinstance(found, dict) and isinstance(found.get("results"), dict)


def read_results(path: Path, *, rate: float | None = None) -> tuple[Prediction, ...]:
    """The events of each video.

    Raises:
        DatasetError: an entry lacks label, score or segment, or they make no sense.
    """
    found = load_json(path)
    if not is_results(found):
        raise DatasetError(str(path), 'must hold {"results": {VIDEO: [detections]}}')
    if not found["results"]:
        raise DatasetError(str(path), "holds no videos")
    predictions = []
    for video, entries in found["results"].items():
        where = f"{path}[{video}]"
        if not isinstance(entries, list):
            raise DatasetError(where, f"must be a list of detections, got {entries!r}")
        events = tuple(_event(entry, where, row) for row, entry in enumerate(entries, start=1))
        predictions.append(Prediction(video=video, where=where, events=events, rate=rate))
    return tuple(predictions)


def _event(entry: Any, where: str, row: int) -> Event:
    if not (isinstance(entry, dict) and isinstance(entry.get("label"), str)):
        raise DatasetError(where, f"needs label, score and segment, got {entry!r}", row=row)
    segment = entry.get("segment")
    if not (isinstance(segment, list) and len(segment) == 2 and all(map(_number, segment))):
        raise DatasetError(where, f"segment must be [start, end] seconds, got {segment!r}", row=row)
    if not _number(entry.get("score")):
        raise DatasetError(where, f"score must be a number, got {entry.get('score')!r}", row=row)
    start_s, end_s = map(float, segment)
    if not 0 <= start_s < end_s:
        raise DatasetError(
            where,
            f"segment is [{start_s:g}, {end_s:g}], it must begin at 0 or later and end later",
            row=row,
        )
    return Event(entry["label"], start_s, end_s, float(entry["score"]))


def _number(value: Any) -> bool:
    whole = isinstance(value, (int, float)) and not isinstance(value, bool)
    return whole and math.isfinite(value)
