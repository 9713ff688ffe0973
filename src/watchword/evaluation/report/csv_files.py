"""The tables of an evaluation as CSV files, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from watchword.evaluation.report.figure_tables import confusion_table, figures_table
from watchword.evaluation.result import Cell, Evaluation, Table

# A spreadsheet would run a text that begins like this.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_tables(evaluation: Evaluation, folder: Path) -> None:
    """One CSV a table, ``figures.csv`` and the confusion matrices among them, in ``folder``.

    Numbers are written in full. A text that a spreadsheet would take for a formula gets an
    apostrophe before it. Files are named after the tables; what no file name can hold becomes "_".
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = [
        figures_table(evaluation),
        *(confusion_table(*item) for item in evaluation.confusions.items()),
        *evaluation.tables,
    ]
    for name, table in zip(file_names([t.name for t in tables]), tables, strict=True):
        write_csv(table, folder / f"{name}.csv")


def file_names(names: Sequence[str]) -> tuple[str, ...]:
    """A file name for each name, without ending: plain letters, and no two alike.

    >>> file_names(["per_video", "../a b", "a_b"])
    ('per_video', 'a_b', 'a_b_2')
    """
    made: list[str] = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:60].lower() or "table"
        numbered = (stem if count == 1 else f"{stem}_{count}" for count in range(1, len(names) + 1))
        made.append(next(each for each in numbered if each not in made))
    return tuple(made)


def write_csv(table: Table, path: Path) -> None:
    """One table as a CSV file; an existing file is replaced."""
    with path.open("w", encoding="utf-8", newline="") as file:
        # Its own line ends, so that a name with half of one in it is quoted.
        writer = csv.writer(file)
        writer.writerow(_cells(table.columns))
        writer.writerows(_cells(row) for row in table.rows)


def _cells(row: Iterable[Cell]) -> list[Cell]:
    return [_cell(cell) for cell in row]


def _cell(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and math.isnan(cell):
        return None
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell
