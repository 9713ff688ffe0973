"""Free text of annotation files, read for the leakage guard alone.

Readers of formats never expose what an annotation says in words, so that it cannot reach a prompt.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Parts of the names of fields that hold words about a single video.
_FREE = (
    "descri", "target", "text", "caption", "summary", "cause", "sentence", "title", "narrat",
    "explan", "comment", "reason", "note", "hazard", "story", "answer",
)  # fmt: skip
_NAMES = ("label", "labels", "type", "cls", "class", "category", "true_class", "anomaly_class")
_ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".xml")
# A field of prompts is what is judged, not the truth.
_NEVER = ("prompt",)
_MOST_BYTES = 64 * 2**20


def truth_texts(path: str | Path) -> set[str]:
    """Every free text about videos in an annotation file or the files of a folder.

    JSON and CSV: fields called description, target_hazard, text, caption, summary, cause and the
    like. Text files: lines that are sentences. A file that cannot be read adds nothing, since the
    reader of the format has already judged it.

    Args:
        path: file or folder.
    """
    return {text for text, _ in _all(Path(path), free=True)}


def truth_labels(path: str | Path) -> set[str]:
    """Every label or type in the files, which a prompt may repeat: they are what is looked for."""
    return {text for text, _ in _all(Path(path), free=False)}


def _all(path: Path, *, free: bool) -> Iterator[tuple[str, Path]]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.suffix.lower() in _ENDINGS and not file.name.startswith("."):
            for text in _of_file(file, free=free):
                yield text, file


def _of_file(file: Path, *, free: bool) -> Iterator[str]:
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return
        content = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return
    ending = file.suffix.lower()
    if ending in (".csv", ".tsv"):
        yield from _of_table(content, free=free)
    elif ending in (".txt", ".xml"):
        yield from _of_lines(content) if free else ()
    else:
        yield from _of_json(content, free=free)


def _of_json(content: str, *, free: bool) -> Iterator[str]:
    try:
        yield from _walk(json.loads(content), free=free)
    except (ValueError, RecursionError):
        for line in content.splitlines():
            try:
                yield from _walk(json.loads(line), free=free)
            except (ValueError, RecursionError):
                continue


def _walk(node: Any, *, free: bool) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if _wanted(str(key), free=free):
                yield from _strings(value)
            else:
                yield from _walk(value, free=free)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, free=free)


def _wanted(key: str, *, free: bool) -> bool:
    low = key.casefold()
    if any(part in low for part in _NEVER):
        return False
    if low in _NAMES:
        return not free
    return free and any(part in low for part in _FREE)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if re.search(r"[^\W\d_]{2}", value):
            yield value.strip()
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _of_table(content: str, *, free: bool) -> Iterator[str]:
    lines = content.splitlines()
    if not lines:
        return
    delimiter = max(",;\t", key=lines[0].count)
    try:
        rows: Iterable[dict[str, Any]] = list(csv.DictReader(lines, delimiter=delimiter))
    except csv.Error:
        return
    for row in rows:
        for key, value in row.items():
            if key and _wanted(key, free=free):
                yield from _strings(value)


def _of_lines(content: str) -> Iterator[str]:
    """Lines of four or more words, which no table of names and numbers has."""
    for line in re.sub(r"<[^>]*>", "\n", content).splitlines():
        if len(re.findall(r"(?<![\w.])[^\W\d_]{2,}(?![\w])", line)) >= 4:
            yield line.strip()
