"""Truth that is written as text: opened, cut into rows, and refused by name where it is no text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError

_HEAD_BYTES = 65_536
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


def head_of(path: Path) -> str:
    """The beginning of a text file, to tell formats apart; "" for whatever is no text file."""
    try:
        with path.open("rb") as file:
            begun = file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return ""
    return "" if b"\0" in begun else begun.decode("utf-8-sig", errors="replace")


def first_line_of(path: Path) -> str:
    """The first line that is not blank, without blanks around it; "" if there is none."""
    return next((line.strip() for line in head_of(path).splitlines() if line.strip()), "")


def text_of(path: Path) -> str:
    """The whole file.

    Raises:
        DatasetError: it cannot be read, is no UTF-8 text, or holds nothing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc
    if not text.strip():
        raise DatasetError(str(path), "is empty")
    return text


def rows_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with the number of each in the file, from 1."""
    for row, line in enumerate(text_of(path).splitlines(), start=1):
        if line.strip():
            yield row, line.strip()


def json_of(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        DatasetError: unreadable, empty, or not JSON.
    """
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError) as exc:
        raise DatasetError(str(path), f"is not JSON: {exc}") from exc


def json_rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with one JSON object a line, with their rows.

    Raises:
        DatasetError: as for ``json_of``, or a line that holds something else.
    """
    for row, line in rows_of(path):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise DatasetError(str(path), f"is not JSON: {exc}", row=row) from exc
        if not isinstance(found, dict):
            raise DatasetError(str(path), f"holds {found!r}, an object is needed", row=row)
        yield row, found


def whole_number(word: str) -> int | None:
    """The whole number that a word writes in digits, or None.

    >>> whole_number("-1"), whole_number("1_000"), whole_number("2.0")
    (-1, None, None)
    """
    return int(word) if _WHOLE.fullmatch(word) else None
