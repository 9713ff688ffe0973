"""Rows of figures for a terminal, without a box: more numbers fit side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from watchword.evaluation.report.cells import columns_wide, folded, padded

# Words need so many columns to be read.
_NARROWEST = 14


def light_table(
    heading: str,
    titles: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    *,
    marks: Sequence[str] = (),
    width: int = 80,
) -> str:
    """The rows under a rule: mark, title, and a column of text a name, set to the right.

    A title that the numbers leave no room for is folded; the numbers never are.

    Args:
        heading: what stands above the titles.
        titles: N names of rows, without line ends.
        columns: N cells a column.
        marks: N single characters before the titles; blank if none are given.
        width: columns of the terminal.
    """
    widths = [max(map(columns_wide, (name, *cells))) for name, cells in columns.items()]
    longest = max(map(columns_wide, (heading, *titles)))
    room = max(_NARROWEST, min(longest, width - 2 - sum(each + 1 for each in widths)))
    head = _line(padded(heading, room), columns, widths)
    lines = [f"  {head}", f"  {'─' * columns_wide(head)}"]
    for row, title in enumerate(titles):
        mark = marks[row] if marks else " "
        first, *others = folded(title, room)
        cells = (column[row] for column in columns.values())
        lines.append(f"{mark} {_line(padded(first, room), cells, widths)}".rstrip())
        # Two columns further in, so that it is not taken for another row; the numbers end above.
        lines += [f"    {line}" for line in others]
    return "\n".join(lines)


def _line(title: str, cells: Iterable[str], widths: Iterable[int]) -> str:
    right = (padded(cell, width, right=True) for cell, width in zip(cells, widths, strict=True))
    return " ".join([title, *right]).rstrip()
