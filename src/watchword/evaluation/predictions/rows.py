"""Rows of CSV and JSONL files with their numbers, and cells as what they must be.

Rows count from 1 without the header, as a person counts what stands under it. An empty cell, a JSON
null and NaN are "not measured".
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from watchword.errors import DatasetError

TRUE = frozenset({"true", "1", "yes"})
FALSE = frozenset({"false", "0", "no"})


class Row(NamedTuple):
    """One row of a file, whose cells are asked for by column: ``places`` says where each stands.

    A tuple, because tables of a million frames are read.
    """

    file: str
    number: int
    places: Mapping[str, int]
    cells: Sequence[Any]

    def cell(self, column: str) -> Any:
        """What stands in the column, as it was read; None if there is no such column."""
        place = self.places.get(column)
        return None if place is None else self.cells[place]

    def text(self, column: str, default: str | None = None) -> str:
        """The cell as text; DatasetError if it is empty and there is no default."""
        value = self.cell(column)
        said = "" if value is None else str(value).strip()
        if said:
            return said
        if default is None:
            raise self.error(f"has no {column}")
        return default

    def empty(self, column: str) -> bool:
        """Whether nothing stands in the cell."""
        value = self.cell(column)
        return value is None or (isinstance(value, str) and not value.strip())

    def score(self, column: str) -> float:
        """The cell as a number; NaN where not measured."""
        if self.empty(column):
            return math.nan
        number = self._number(column)
        if math.isinf(number):
            raise self.error(f"{column} is {self.cell(column)}, it must be finite, or empty")
        return number

    def seconds(self, column: str) -> float:
        """The cell as seconds from the start of the video."""
        number = self._number(column)
        if not (math.isfinite(number) and number >= 0):
            raise self.error(f"{column} is {self.cell(column)!r}, it must be 0 or more seconds")
        return number

    def count(self, column: str) -> int:
        """The cell as a whole number from 0."""
        number = self._number(column)
        if not (math.isfinite(number) and number >= 0 and number == int(number)):
            raise self.error(f"{column} is {self.cell(column)!r}, it must be a whole number from 0")
        return int(number)

    def flag(self, column: str) -> bool | None:
        """The cell as yes or no; None if it is empty."""
        if self.empty(column):
            return None
        said = str(self.cell(column)).strip().lower()
        if said not in TRUE | FALSE:
            raise self.error(f"{column} is {self.cell(column)!r}, it must be true or false")
        return said in TRUE

    def error(self, problem: str) -> DatasetError:
        """What is wrong, with file and row."""
        return DatasetError(self.file, problem, row=self.number)

    def _number(self, column: str) -> float:
        value = self.cell(column)
        if self.empty(column):
            raise self.error(f"has no {column}")
        try:
            if isinstance(value, (bool, list, dict)):
                raise ValueError
            return float(str(value))
        except ValueError:
            raise self.error(f"{column} is {value!r}, it must be a number") from None


def read_rows(path: Path) -> list[Row]:
    """The rows of a ``.csv`` or ``.jsonl`` file, in order.

    Raises:
        DatasetError: it cannot be read, is empty, or a row has more cells than there are columns.
    """
    text = read_text(path)
    rows = list(_jsonl(path, text) if is_jsonl(path) else _csv(path, text))
    if not rows:
        raise DatasetError(str(path), "holds no rows")
    return rows


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns that the first row names; none if the file is no table. Never raises."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline(100_000)
        found = json.loads(line) if is_jsonl(path) else next(csv.reader([line]), [])
    except (OSError, ValueError, RecursionError, csv.Error):
        return ()
    return tuple(map(str, found)) if isinstance(found, (list, dict)) else ()


def read_text(path: Path) -> str:
    """The file's text; DatasetError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc


def is_jsonl(path: Path) -> bool:
    """Whether the file's name says that each line is JSON."""
    return path.suffix.lower() in (".jsonl", ".ndjson")


def by_video(rows: Sequence[Row], column: str = "video") -> dict[str, list[Row]]:
    """The rows of each video, in order of their first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.text(column), []).append(row)
    return found


def one_each(rows: Sequence[Row], column: str) -> None:
    """Nothing, if the column's values differ; DatasetError that names both rows otherwise."""
    seen: dict[str, Row] = {}
    for row in rows:
        name = row.text(column)
        if name in seen:
            raise row.error(f"{name!r} stands already in row {seen[name].number}")
        seen[name] = row


def numbers(rows: Sequence[Row], column: str, read: Callable[[Row, str], float]) -> list[float]:
    """The column's numbers, each as ``read(row, column)`` gives it.

    A column of plain numbers is read at once; ``read`` says what is wrong with any other.
    """
    try:
        found = list(map(float, [row.cell(column) for row in rows]))
    except (TypeError, ValueError):
        return [read(row, column) for row in rows]
    if all(0 <= value < math.inf for value in found) and not any(
        isinstance(row.cell(column), bool) for row in rows
    ):
        return found
    return [read(row, column) for row in rows]


def _csv(path: Path, text: str) -> Iterator[Row]:
    try:
        reader = csv.reader(io.StringIO(text), strict=True)
        columns = next(reader, [])
        places = {name: place for place, name in enumerate(columns)}
        if len(places) < len(columns):
            raise DatasetError(str(path), f"names a column twice: {', '.join(columns)}")
        filled = (cells for cells in reader if cells)
        for number, cells in enumerate(filled, start=1):
            row = Row(str(path), number, places, cells)
            if len(cells) != len(columns):
                raise row.error(f"must have {len(columns)} cells, as the first line")
            yield row
    except csv.Error as exc:
        raise DatasetError(str(path), f"is no CSV: {exc}") from exc


def _jsonl(path: Path, text: str) -> Iterator[Row]:
    known: dict[tuple[str, ...], dict[str, int]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as exc:
            raise DatasetError(str(path), f"is not JSON: {exc}", row=number) from exc
        if not isinstance(found, dict):
            raise DatasetError(str(path), f"holds {found!r}, an object is needed", row=number)
        names = tuple(found)
        places = known.setdefault(names, {name: place for place, name in enumerate(names)})
        yield Row(str(path), number, places, tuple(found.values()))
