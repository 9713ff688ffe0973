"""Scores and people's ratings from files, joined by the name of the item."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import csv_rows_of
from watchword.evaluation.datasets.text_file import json_of, json_rows_of

NAME_COLUMNS = ("name", "filename", "file", "video", "clip", "id")
"""Columns that name an item, looked for in this order if none is said, capitals aside."""

_SHOWN = 3
Rows = dict[str, tuple[int | None, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class RatedItems:
    """Scores with their ratings, item by item.

    Attributes:
        names: of the items; of one file without names, their rows.
        scores: (N,).
        ratings: (N,).
        groups: the group of each; None if none was asked for.
        left_out: names of items that have no score or no rating, if leaving them out was asked for.
    """

    names: tuple[str, ...]
    scores: NDArray[np.float64]
    ratings: NDArray[np.float64]
    groups: tuple[str, ...] | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Where a number stands.

    Attributes:
        file: CSV with a header, JSON or JSONL. JSON may be a list of objects, an object that holds
            one such list, or an object of objects, whose keys are the names.
        value: the column; within objects ``a.b`` is member b of a. A list of numbers, as of several
            raters, is averaged; with a hole in it the item has no number.
        name: the column that names the item; None takes the first of `NAME_COLUMNS` that is there.
    """

    file: Path
    value: str
    name: str | None = None


def read_rated(
    score: Column, rating: Column, *, group: str | None = None, leave_out: bool = False
) -> RatedItems:
    """Scores with the ratings of the same items, in the order of the scores' file.

    If both stand in one file, each row is an item and needs no name. Else every name of the one
    file must be in the other.

    Args:
        score: where the scores stand.
        rating: where the ratings stand.
        group: a column of the ratings' file, or else of the scores', by which items are grouped.
        leave_out: leaves out, and lists, items that have no score or no rating (absent, empty, null
            or NaN), instead of refusing them.

    Raises:
        DatasetError: unreadable, no such column, a name twice, an item on one side only, a value
            that is no number, or fewer than 2 items.
    """
    same = score.file.resolve() == rating.file.resolve()
    scored = _rows_by_name(score, numbered=same)
    rated = scored if same else _rows_by_name(rating, numbered=False)
    scores, ratings = _numbers(score, scored), _numbers(rating, rated)
    names = [name for name in scores if not math.isnan(ratings.get(name, math.nan) + scores[name])]
    kept = set(names)
    left_out = tuple(name for name in {**scores, **ratings} if name not in kept)
    if left_out and not leave_out:
        raise DatasetError(str(score.file), _unpaired(scores, ratings, rating.file))
    if len(names) < 2:
        raise DatasetError(
            str(score.file), f"gives {len(names)} items with a score and a rating; 2 are needed"
        )
    return RatedItems(
        tuple(names),
        np.array([scores[name] for name in names]),
        np.array([ratings[name] for name in names]),
        None if group is None else _groups(group, names, rating.file, rated, scored),
        left_out,
    )


def _unpaired(scores: dict[str, float], ratings: dict[str, float], ratings_file: Path) -> str:
    """What is missing on which side, in words."""
    problems = []
    for what, own, other in (("score", scores, ratings), ("rating", ratings, scores)):
        missing = [name for name in {**own, **other} if math.isnan(own.get(name, math.nan))]
        if missing:
            shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
            problems.append(f"items without a {what}: {len(missing)} ({shown})")
    return (
        f"{'; '.join(problems)}; the ratings are in {ratings_file}; add what is missing, or "
        "leave such items out"
    )


def _rows_by_name(column: Column, *, numbered: bool) -> Rows:
    """The rows of a file by the name of their item; by their number where one file holds all."""
    found: Rows = {}
    key = column.name
    for row, cells in _rows_of(column.file):
        if key is None and not numbered:
            key = _name_column(column.file, cells)
        if key is None:
            name = f"row {row}"
        else:
            value = _member(cells, key)
            name = "" if value is None else str(value).strip()
            if not name:
                problem = f"has no name under {key!r}; its columns are {', '.join(cells)}"
                raise DatasetError(str(column.file), problem, row=row)
        if name in found:
            raise DatasetError(
                str(column.file),
                f"names {name!r} a second time, after row {found[name][0]}",
                row=row,
            )
        found[name] = row, cells
    return found


def _name_column(file: Path, cells: Mapping[str, Any]) -> str:
    by_lower = {key.strip().lower(): key for key in cells}
    for known in NAME_COLUMNS:
        if known in by_lower:
            return by_lower[known]
    raise DatasetError(
        str(file),
        f"has no column that names its items ({', '.join(NAME_COLUMNS)}); it has "
        f"{', '.join(cells)}; say which one does",
    )


def _rows_of(file: Path) -> Sequence[tuple[int, Mapping[str, Any]]]:
    suffix = file.suffix.lower()
    if suffix == ".csv":
        return list(csv_rows_of(file))
    if suffix == ".jsonl":
        return list(json_rows_of(file))
    if suffix == ".json":
        return _json_rows(file)
    raise DatasetError(str(file), f"ends in {suffix or 'nothing'}; .csv, .json or .jsonl is needed")


def _json_rows(file: Path) -> list[tuple[int, Mapping[str, Any]]]:
    found = json_of(file)
    if isinstance(found, dict):
        lists = [value for value in found.values() if _is_rows(value)]
        if len(lists) == 1:
            found = lists[0]
        elif found and all(isinstance(value, dict) for value in found.values()):
            found = [{**value, NAME_COLUMNS[0]: name} for name, value in found.items()]
    if not _is_rows(found):
        raise DatasetError(
            str(file),
            "must be a list of objects, an object with one such list, or an object of objects",
        )
    return list(enumerate(found, start=1))


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _numbers(column: Column, rows: Rows) -> dict[str, float]:
    """The column's number of each item, NaN where it has none."""
    _check_held(column.value, column.file, rows)
    return {
        name: _number(_member(cells, column.value), column, row)
        for name, (row, cells) in rows.items()
    }


def _number(value: Any, column: Column, row: int | None) -> float:
    if isinstance(value, list) and value:
        return sum(_number(one, column, row) for one in value) / len(value)
    if value is None or value == "":
        return math.nan
    try:
        number = math.inf if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.inf
    if math.isinf(number):
        problem = f"{column.value!r} must be a number, got {str(value)[:40]!r}"
        raise DatasetError(str(column.file), problem, row=row)
    return number


def _groups(
    group: str, names: Sequence[str], ratings_file: Path, rated: Rows, scored: Rows
) -> tuple[str, ...]:
    held = next((rows for rows in (rated, scored) if _is_held(group, rows)), rated)
    _check_held(group, ratings_file, held)
    found = []
    for name in names:
        row, cells = held[name]
        value = _member(cells, group)
        if value is None or value == "":
            raise DatasetError(str(ratings_file), f"{name!r} has no group under {group!r}", row=row)
        found.append(str(value))
    return tuple(found)


def _is_held(column: str, rows: Rows) -> bool:
    return any(_member(cells, column) is not None for _, cells in rows.values())


def _check_held(column: str, file: Path, rows: Rows) -> None:
    if not _is_held(column, rows):
        known = dict.fromkeys(key for _, cells in rows.values() for key in cells)
        raise DatasetError(
            str(file),
            f"has no values under {column!r}; its columns are {', '.join(known) or 'none'}",
        )


def _member(cells: Mapping[str, Any], path: str) -> Any:
    """What stands under a column; ``a.b`` is looked for as it is, then as member b of a."""
    if path in cells:
        return cells[path]
    first, dot, rest = path.partition(".")
    inner = cells.get(first) if dot else None
    return _member(inner, rest) if isinstance(inner, dict) else None
