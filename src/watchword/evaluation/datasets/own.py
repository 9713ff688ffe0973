"""Watchword's own annotation file, and the one door through which any annotation is read.

The file is JSON; everything but ``video`` and ``spans`` is optional::

    {"video": "drive.mp4", "duration_s": 12.5, "anomalous": true, "labels": ["deer"],
     "split": "test", "spans": [{"label": "deer", "start_s": 3.0, "end_s": 4.2}]}
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from watchword.errors import DatasetError
from watchword.evaluation.datasets.clip_signals import is_scene, parse_scene
from watchword.types import Annotation, Span

KEYS = ("video", "spans", "labels", "duration_s", "split", "anomalous")
SPAN_KEYS = ("label", "start_s", "end_s")


def read_annotation(
    path: str | Path, *, rate: float | None = None, pts_s: ArrayLike | None = None
) -> Annotation:
    """The truth about one video, from a file of ours or one of CLIP Signals for Hazardous Scenes.

    The keys in the file say which of the two it is.

    Args:
        path: JSON file.
        rate: frames a second, for a file that speaks of frame numbers.
        pts_s: (N,) times of the video's frames in seconds, for the same; better than a rate.

    Raises:
        DatasetError: an unreadable file, one of neither format, or frame numbers without times.
    """
    found = _read_json(Path(path))
    if is_scene(found):
        return parse_scene(found, file=str(path), rate=rate, pts_s=pts_s)
    return _parse_own(found, str(path))


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc
    except (json.JSONDecodeError, RecursionError) as exc:
        raise DatasetError(str(path), f"is not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise DatasetError(
            str(path), f"must hold a JSON object with video and spans, got {type(found).__name__}"
        )
    return found


def _parse_own(found: Mapping[str, Any], file: str) -> Annotation:
    _check_keys(found, KEYS, ("video", "spans"), file)
    if not isinstance(found["spans"], list):
        raise DatasetError(file, f"spans must be a list, got {found['spans']!r}")
    spans = tuple(_span(entry, file, row) for row, entry in enumerate(found["spans"], start=1))
    named = found.get("labels", [])
    if not (isinstance(named, list) and all(isinstance(label, str) for label in named)):
        raise DatasetError(file, f"labels must be a list of text, got {named!r}")
    duration = found.get("duration_s")
    return Annotation(
        video=_typed(found["video"], str, "video", file),
        spans=spans,
        labels=tuple(dict.fromkeys([*named, *(span.label for span in spans)])),
        duration_s=None if duration is None else _seconds(duration, "duration_s", file),
        split=_typed(found.get("split"), str | None, "split", file),
        anomalous=_typed(found.get("anomalous"), bool | None, "anomalous", file),
    )


def _span(entry: Any, file: str, row: int) -> Span:
    if not isinstance(entry, dict):
        raise DatasetError(file, f"a span must hold {', '.join(SPAN_KEYS)}, got {entry!r}", row=row)
    _check_keys(entry, SPAN_KEYS, SPAN_KEYS, file, row)
    label = _typed(entry["label"], str, "label", file, row)
    start_s = _seconds(entry["start_s"], "start_s", file, row)
    end_s = _seconds(entry["end_s"], "end_s", file, row)
    try:
        return Span(label, start_s, end_s)
    except ValueError as exc:
        raise DatasetError(file, str(exc), row=row) from exc


def _check_keys(
    found: Mapping[str, Any],
    known: tuple[str, ...],
    needed: tuple[str, ...],
    file: str,
    row: int | None = None,
) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            problem = f"key {key!r} is not known; {hint}known are {', '.join(known)}"
            raise DatasetError(file, problem, row=row)
    for key in needed:
        if key not in found:
            raise DatasetError(file, f"lacks {key!r}; needed are {', '.join(needed)}", row=row)


def _seconds(value: Any, name: str, file: str, row: int | None = None) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not (math.isfinite(value) and value >= 0):
        raise DatasetError(file, f"{name} must be 0 or more seconds, got {value!r}", row=row)
    return float(value)


def _typed(value: Any, kind: Any, name: str, file: str, row: int | None = None) -> Any:
    if not isinstance(value, kind):
        wanted = str(getattr(kind, "__name__", kind))
        raise DatasetError(file, f"{name} must be {wanted}, got {value!r}", row=row)
    return value
