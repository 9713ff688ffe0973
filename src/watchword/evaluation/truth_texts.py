"""Free text of annotation files, read for the leakage guard alone.

Readers of formats never expose what an annotation says in words, so that it cannot reach a prompt.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
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
_TABLES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_OUR_NAMES = ("prompt", "bank", "detection.json", "evaluation.json", "comparison.json")
_OURS = re.compile(
    r'\s*\{\s*("results"\s*:\s*\[\s*\{\s*)?'
    r'"(schema_version"\s*:\s*"[0-9]+",\s*"watchword"|watchword_(evaluation|comparison)")'
)
_BEGIN = 200
_MOST_BESIDE = 4 * 2**20
_OFTEN = 4


def truth_texts(path: str | Path) -> set[str]:
    """Every free text about videos in an annotation file or the files of a folder.

    JSON and CSV: fields called description, target_hazard, text, caption, summary, cause and the
    like. Text files: lines that are sentences. A file that cannot be read adds nothing, since the
    reader of the format has already judged it.

    A text that most entries of a field share, four or more, is a question put to all of them. JSON
    and CSV files that lie beside a single file, up to 4 MiB each, are read too: captions often
    stand in a file of their own. Those named as prompts, and our own results, are not.

    Args:
        path: file or folder.
    """
    found = Counter(_all(Path(path), free=True))
    of_field: Counter[str] = Counter()
    for (field, _), count in found.items():
        of_field[field] += count
    # The same in most places of a field is a question that is asked, not an answer.
    asked = {
        text
        for (field, text), count in found.items()
        if count >= _OFTEN and count > 0.5 * of_field[field]
    }
    return {text for _, text in found} - asked


def truth_labels(path: str | Path) -> set[str]:
    """Every label or type in the files, which a prompt may repeat: they are what is looked for."""
    return {text for _, text in _all(Path(path), free=False)}


def _all(path: Path, *, free: bool) -> Iterator[tuple[str, str]]:
    """Field ("" for plain lines) and text of each place that holds one."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path, *_beside(path, free=free)]
    for file in files:
        if file.suffix.lower() in _ENDINGS and not file.name.startswith("."):
            yield from _of_file(file, free=free)


def _beside(path: Path, *, free: bool) -> Iterator[Path]:
    """The files beside one that may tell more of the same videos; labels are not looked for."""
    if not (free and path.is_file()):
        return
    for file in sorted(path.parent.iterdir()):
        own = any(word in file.name.casefold() for word in _OUR_NAMES)
        other = file != path and not own and file.suffix.lower() in _TABLES
        if other and file.is_file() and file.stat().st_size <= _MOST_BESIDE and not _is_ours(file):
            yield file


def _is_ours(file: Path) -> bool:
    """Whether it is a document that we write, which repeats the bank; its name is the user's."""
    try:
        begun = file.read_text(encoding="utf-8-sig", errors="replace")[:_BEGIN]
    except OSError:
        return False
    return _OURS.match(begun) is not None


def _of_file(file: Path, *, free: bool) -> Iterator[tuple[str, str]]:
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


def _of_json(content: str, *, free: bool) -> Iterator[tuple[str, str]]:
    try:
        yield from _walk(json.loads(content), free=free)
    except (ValueError, RecursionError):
        for line in content.splitlines():
            try:
                yield from _walk(json.loads(line), free=free)
            except (ValueError, RecursionError):
                continue


def _walk(node: Any, *, free: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if _wanted(str(key), free=free):
                yield from ((str(key), text) for text in _strings(value))
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


def _of_table(content: str, *, free: bool) -> Iterator[tuple[str, str]]:
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
                yield from ((key, text) for text in _strings(value))


def _of_lines(content: str) -> Iterator[tuple[str, str]]:
    """Lines of four or more words, which no table of names and numbers has."""
    for line in re.sub(r"<[^>]*>", "\n", content).splitlines():
        if len(re.findall(r"(?<![\w.])[^\W\d_]{2,}(?![\w])", line)) >= 4:
            yield "", line.strip()
