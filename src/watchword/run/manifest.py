"""Lists of videos with their class and split, as CSV or JSONL (seed 2's manifest).

Each row names a ``video`` (relative to the manifest's folder, or absolute, or a URL) and may give
its true ``class`` and its ``split``. Other columns are left alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Job:
    """One video to look at; ``true_class`` and ``split`` are empty where nobody said."""

    source: str
    true_class: str = ""
    split: str = ""

    @property
    def name(self) -> str:
        """Short name for folders and tables: the file's name without its ending."""
        last = self.source.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1].split("?", 1)[0]
        is_folder = Path(self.source).is_dir()
        return (last if is_folder else Path(last).stem) or "video"

    @property
    def video_id(self) -> str:
        """Seed 2's name of a video: split, class and name joined by underscores."""
        return "_".join(part for part in (self.split, self.true_class, self.name) if part)


def read_manifest(path: str | Path) -> tuple[Job, ...]:
    """The jobs of a ``.csv`` or ``.jsonl`` manifest, in order.

    Raises:
        DatasetError: unreadable, without a ``video`` column, or with an empty row.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc
    if path.suffix.lower() == ".csv":
        rows: Iterable[tuple[int, Mapping[str, Any]]] = _csv_rows(path, text)
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = _jsonl_rows(path, text)
    else:
        raise DatasetError(str(path), f"ends in {path.suffix!r}; a manifest is .csv or .jsonl")
    jobs = tuple(_job(path, number, row) for number, row in rows)
    if not jobs:
        raise DatasetError(str(path), "holds no video")
    return jobs


def _csv_rows(path: Path, text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    if "video" not in (reader.fieldnames or ()):
        raise DatasetError(
            str(path), f"has columns {reader.fieldnames}; it needs video, and may have class, split"
        )
    yield from enumerate(reader, start=1)


def _jsonl_rows(path: Path, text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise DatasetError(str(path), f"is not JSON: {exc}", row=number) from exc
        if not isinstance(row, dict):
            raise DatasetError(str(path), f"holds {row!r}, an object is needed", row=number)
        yield number, row


def _job(path: Path, number: int, row: Mapping[str, Any]) -> Job:
    source = str(row.get("video") or "").strip()
    if not source:
        raise DatasetError(str(path), f"names no video: {dict(row)}", row=number)
    is_url = source.startswith(("http://", "https://"))
    return Job(
        source if is_url else str(path.parent / source),
        true_class=str(row.get("class") or ""),
        split=str(row.get("split") or ""),
    )
