"""Clips with a yes or no: ``{"video": "x.mp4", "text": "Is a ... likely?", "label": "0"}`` a line.

This is the form of crash-risk data (seed 4). ``label`` is 0 or 1, as text or as a number, since
both are in use. It is about the whole clip, so there are no spans and no frames to number. ``text``
is the question that was asked; it is not read, so that it cannot reach a prompt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.datasets.text_file import first_line_of, json_rows_of

KEYS = ("video", "text", "label")


def sniff(path: Path) -> bool:
    """Whether the first line has a video, a text and a label that is 0 or 1."""
    line = first_line_of(path)
    if not line.startswith("{"):
        return False
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return set(KEYS) <= set(found) and _answer(found["label"]) is not None


def read(path: Path) -> tuple[Record, ...]:
    """A record a line, in order.

    Raises:
        DatasetError: a line that is no such object, or a label other than 0 and 1.
    """
    return tuple(_record(path, row, found) for row, found in json_rows_of(path))


def _record(path: Path, row: int, found: dict[str, Any]) -> Record:
    for key in ("video", "label"):
        if key not in found:
            raise DatasetError(str(path), f"lacks {key!r}; a line holds {', '.join(KEYS)}", row=row)
    video = found["video"]
    if not isinstance(video, str) or not video.strip():
        raise DatasetError(str(path), f"video must be text, got {video!r}", row=row)
    answer = _answer(found["label"])
    if answer is None:
        raise DatasetError(str(path), f"label must be 0 or 1, got {found['label']!r}", row=row)
    return Record(video=video, where=f"{path}, row {row}", anomalous=answer)


def _answer(label: Any) -> bool | None:
    if isinstance(label, str):
        return {"0": False, "1": True}.get(label.strip())
    if isinstance(label, int):
        return {0: False, 1: True}.get(label)
    return None
