"""Tables as text in boxes, for a terminal, a log or a paper's notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from watchword.evaluation.report.cells import (
    columns_wide,
    folded,
    is_numeric,
    padded,
    plain,
    texts,
    wrapped,
)
from watchword.evaluation.result import Table

_NARROWEST = 24
# A heading of up to so many columns stays on one line even above narrower cells.
_HEADING = 9


@dataclass(frozen=True, slots=True)
class _Column:
    """A column ready to be set: lines of the heading and of every cell, all within ``width``."""

    heading: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    width: int
    right: bool


def box(table: Table, *, width: int = 80) -> str:
    """The table in a box of at most ``width`` columns, under its title.

    A table that is wider becomes several boxes, each with the first column again. Nothing is cut
    off: a long name is folded. The best row is marked with ``*``; what is not defined is "–".

    Raises:
        ValueError: ``width`` is under 24, or the table has no columns.
    """
    if width < _NARROWEST:
        raise ValueError(f"width is {width}, it must be at least {_NARROWEST} columns")
    if not table.columns:
        raise ValueError(f"table {table.name} has no columns")
    parts = [wrapped(table.title, width)] if table.title else []
    if table.rows:
        parts += [_drawn(group) for group in _groups(_columns(table, width), width)]
    else:
        parts.append("(no rows)")
    if table.best is not None:
        parts.append("* best")
    if table.note:
        parts.append(wrapped(table.note, width))
    return "\n".join(parts)


def _columns(table: Table, width: int) -> list[_Column]:
    made = []
    for place, name in enumerate(table.columns):
        column = [row[place] for row in table.rows]
        cells = texts(column)
        if place == 0 and table.best is not None:
            cells = tuple(
                f"* {cell}" if row == table.best else cell for row, cell in enumerate(cells)
            )
        # The first column comes back in every box, so it must leave room for another.
        limit = width // 2 - 4 if len(table.columns) > 1 else width - 4
        heading = plain(name).replace("_", " ")
        made.append(_column(heading, cells, limit, right=is_numeric(column)))
    return made


def _column(name: str, cells: Sequence[str], limit: int, *, right: bool) -> _Column:
    longest_word = max(map(columns_wide, name.split(" ")))
    wanted = max(
        *map(columns_wide, cells), longest_word, min(columns_wide(name), _HEADING), 1
    )  # fmt: skip
    width = min(wanted, limit)
    return _Column(
        folded(name, width), tuple(folded(cell, width) for cell in cells), width, right
    )  # fmt: skip


def _groups(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns that fit side by side, each group with the first one and all about as wide."""
    fewest = _packed(columns, width)
    narrower = (_packed(columns, limit) for limit in range(_NARROWEST, width))
    even = (
        groups
        for groups in narrower
        if len(groups) == len(fewest) and max(map(_outer_width, groups)) <= width
    )
    return next(even, fewest)


def _packed(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    first, *others = columns
    groups = [[first]]
    for column in others:
        if len(groups[-1]) > 1 and _outer_width([*groups[-1], column]) > width:
            groups.append([first])
        groups[-1].append(column)
    return groups


def _outer_width(columns: Sequence[_Column]) -> int:
    return sum(column.width + 3 for column in columns) + 1


def _drawn(columns: Sequence[_Column]) -> str:
    rules = ["─" * (column.width + 2) for column in columns]
    lines = [f"┌{'┬'.join(rules)}┐"]
    lines += _row([c.heading for c in columns], columns)
    lines.append(f"├{'┼'.join(rules)}┤")
    for cells in zip(*(column.cells for column in columns), strict=True):
        lines += _row(cells, columns)
    lines.append(f"└{'┴'.join(rules)}┘")
    return "\n".join(lines)


def _row(cells: Sequence[tuple[str, ...]], columns: Sequence[_Column]) -> list[str]:
    return [
        "│"
        + "│".join(
            f" {padded(text, column.width, right=column.right)} "
            for text, column in zip(line, columns, strict=True)
        )
        + "│"
        for line in zip_longest(*cells, fillvalue="")
    ]
