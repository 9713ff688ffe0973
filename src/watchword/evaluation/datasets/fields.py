"""Values of truth files as what they must be, or a DatasetError that says what was got."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan
from watchword.evaluation.datasets.text_file import whole_number
from watchword.types import Span

# More frames than a camera records in a year.
_LARGEST = 2**31 - 1


def place(file: str, row: int | None = None) -> str:
    """A file and its row in words, as a Record's ``where``."""
    return file if row is None else f"{file}, row {row}"


def check_keys(
    found: Collection[str],
    known: tuple[str, ...],
    needed: tuple[str, ...],
    file: str,
    row: int | None = None,
) -> None:
    """Refuse keys that are not known, naming the nearest, and the lack of those that are needed."""
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            problem = f"key {key!r} is not known; {hint}known are {', '.join(known)}"
            raise DatasetError(file, problem, row=row)
    for key in needed:
        if key not in found:
            raise DatasetError(file, f"lacks {key!r}; needed are {', '.join(needed)}", row=row)


def an_object(value: Any, name: str, file: str, row: int | None = None) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise DatasetError(file, f"{name} must be a JSON object, got {_short(value)}", row=row)
    return value


def a_list(value: Any, name: str, file: str, row: int | None = None) -> list[Any]:
    """A JSON list."""
    if not isinstance(value, list):
        raise DatasetError(file, f"{name} must be a list, got {_short(value)}", row=row)
    return value


def words(value: Any, name: str, file: str, row: int | None = None) -> str:
    """Text that says something."""
    if not isinstance(value, str):
        raise DatasetError(file, f"{name} must be str, got {_short(value)}", row=row)
    if not value.strip():
        raise DatasetError(file, f"{name} is empty", row=row)
    return value


def whole(value: Any, name: str, file: str, row: int | None = None) -> int:
    """A whole number of frames or the like, as a number or in digits."""
    number = whole_number(value.strip()) if isinstance(value, str) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _LARGEST:
        raise DatasetError(
            file, f"{name} must be a whole number, 0 to {_LARGEST}, got {_short(value)}", row=row
        )
    return number


def seconds(value: Any, name: str, file: str, row: int | None = None) -> float:
    """0 or more seconds, as a number or as text."""
    return _number(value, f"{name} must be 0 or more seconds", file, row)


def positive(value: Any, name: str, file: str, row: int | None = None) -> float:
    """A number above 0, as a number or as text."""
    number = _number(value, f"{name} must be a number above 0", file, row)
    if number == 0:
        raise DatasetError(file, f"{name} must be a number above 0, got 0", row=row)
    return number


def frame_span(label: str, start: int, end: int, file: str, row: int | None = None) -> FrameSpan:
    """A label over frames ``[start, end)`` counted from 0, which must hold a frame."""
    if not 0 <= start < end:
        raise DatasetError(
            file,
            f"{label!r} at frames [{start}, {end}) must start at 0 or later, and end after that",
            row=row,
        )
    return FrameSpan(label, start, end)


def second_span(
    label: str, start_s: float, end_s: float, file: str, row: int | None = None
) -> Span:
    """A label over seconds ``[start_s, end_s)``."""
    try:
        return Span(label, start_s, end_s)
    except ValueError as exc:
        raise DatasetError(file, str(exc), row=row) from exc


def _number(value: Any, wanted: str, file: str, row: int | None) -> float:
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise DatasetError(file, f"{wanted}, got {_short(value)}", row=row)
    return number


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."
