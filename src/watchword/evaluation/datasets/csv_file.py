"""Truth that is written as a CSV table: its columns and rows, refused where they do not fit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.text_file import first_line_of, text_of


def columns_of(path: Path) -> tuple[str, ...]:
    """The names in the first line of a table, to tell formats apart; () for what is no text."""
    try:
        cells = next(csv.reader([first_line_of(path)]), [])
    except csv.Error:
        return ()
    return tuple(cell.strip() for cell in cells)


def csv_rows_of(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a table as cells by column, with the line each ends in; the header is line 1.

    Cells come without blanks around them. Rows without any text are passed over.

    Raises:
        DatasetError: unreadable, a column named twice, or a row with more or fewer cells.
    """
    reader = csv.reader(io.StringIO(text_of(path), newline=""), strict=True)
    try:
        columns = [cell.strip() for cell in next(reader, [])]
        twice = {name for name in columns if columns.count(name) > 1}
        if twice:
            raise DatasetError(str(path), f"has more than one column {', '.join(sorted(twice))}")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise DatasetError(
                    str(path),
                    f"has {len(cells)} cells under {len(columns)} columns; put text that holds a "
                    "comma between double quotes",
                    row=reader.line_num,
                )
            stripped = (cell.strip() for cell in cells)
            yield reader.line_num, dict(zip(columns, stripped, strict=True))
    except csv.Error as exc:
        raise DatasetError(str(path), f"is not CSV: {exc}", row=reader.line_num) from exc


def check_columns(path: Path, needed: tuple[str, ...]) -> None:
    """Refuse a table that lacks one of the columns."""
    found = columns_of(path)
    missing = [name for name in needed if name not in found]
    if missing:
        raise DatasetError(
            str(path), f"lacks column {', '.join(missing)}; it has {', '.join(found) or 'none'}"
        )
