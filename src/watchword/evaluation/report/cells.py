"""A cell of a table as text of a known width: numbers by column, names that cannot do any harm.

Names come from other people's files. A terminal would obey the control characters in them, and
characters that turn the reading direction make a line say something else: both are written out.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from watchword.evaluation.result import Cell

UNDEFINED = "–"
_WITHOUT_WIDTH = ("Mn", "Me")


def plain(text: str) -> str:
    r"""The text on one line, with what a terminal would obey written out.

    >>> plain("red \x1b[31m")
    'red \\x1b[31m'
    """
    return "".join(
        character
        if character.isprintable()
        else " "
        if character.isspace()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def columns_wide(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters take two, accents none.

    >>> columns_wide("鹿 deer")
    7
    """
    return sum(_wide(character) for character in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with blanks to a width in columns of a terminal."""
    blanks = " " * max(0, width - columns_wide(text))
    return blanks + text if right else text + blanks


def folded(text: str, width: int) -> tuple[str, ...]:
    """The text on lines of at most ``width`` columns, broken at blanks where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if columns_wide(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return (*lines, line)


def wrapped(text: str, width: int, *, lead: str = "") -> str:
    """A paragraph for a terminal, ``lead`` before its first line and as much blank before others.

    >>> print(wrapped("one two three", 9, lead="- "))
    - one two
      three
    """
    first, *others = folded(plain(text), width - len(lead))
    return "\n".join([lead + first, *(" " * len(lead) + line for line in others)])


def number(value: float | None, *, decimals: int = 3) -> str:
    """A number for people; "–" where it is not defined.

    >>> number(0.46512), number(None), number(0.00002), number(3.25, decimals=1)
    ('0.465', '–', '2e-05', '3.2')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:.{decimals}f}"
    # Nearly nothing is not nothing.
    if value and not text.strip("-0."):
        return f"{value:.2g}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals that show three digits of the largest value or more.

    >>> decimals_for([0.5]), decimals_for([3.0, 41.3]), decimals_for([None, 5400.0])
    (3, 2, 0)
    """
    finite = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(finite, default=0.0)
    return next((d for limit, d in ((10, 3), (100, 2), (1000, 1)) if largest < limit), 0)


def texts(column: Sequence[Cell]) -> tuple[str, ...]:
    """The cells of one column, numbers with the same decimals: three digits of the largest."""
    decimals = decimals_for(c for c in column if isinstance(c, float))
    return tuple(_text(cell, decimals) for cell in column)


def is_numeric(column: Sequence[Cell]) -> bool:
    """Whether a column holds numbers, and so is set to the right."""
    known = [cell for cell in column if cell is not None]
    return bool(known) and all(
        isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in known
    )


def _text(cell: Cell, decimals: int) -> str:
    if cell is None:
        return UNDEFINED
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return number(cell, decimals=decimals)
    return plain(str(cell))


def _pieces(word: str, width: int) -> list[str]:
    """A word cut into pieces of at most ``width`` columns; at least one character each."""
    pieces = [""]
    for character in word:
        if pieces[-1] and columns_wide(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _wide(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
