"""A comparison of two runs as people and programs read it: verdict, card, Markdown, JSON, files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchword.evaluation.compare import Comparison, Difference
from watchword.evaluation.report.boxes import box
from watchword.evaluation.report.cells import decimals_for, number, plain, wrapped
from watchword.evaluation.report.csv_files import write_csv
from watchword.evaluation.report.document import plain_json
from watchword.evaluation.report.light_table import light_table
from watchword.evaluation.report.markdown import escaped, markdown_table
from watchword.evaluation.report.standing import (
    CHOSEN_HERE,
    LEVEL_TITLES,
    headline,
    headline_standing,
    short_unit,
    standings,
)
from watchword.evaluation.result import LEVELS, Cell, Level, Table
from watchword.output.atomic import new_folder

VERSION = "1"
_WIDTH = 80
_ROWS = 16
_DOCUMENT = "comparison.json"
_FILES = (_DOCUMENT, "card.txt", "card.md", "differences.csv", "per_video.csv")


def comparison_headline(comparison: Comparison) -> str:
    """Which run is better, by how much, and whether that could be luck, in plain words."""
    first, second = comparison.names
    found = _spoken_of(comparison)
    if found is None or found.difference is None:
        return f"{second} and {first} cannot be compared: no figure is defined for both."
    values = f"{_value(found, found.second)} against {_value(found, found.first)}"
    gained = found.difference if found.better == "higher" else -found.difference
    change = f"difference {_signed(found.difference, _decimals(found))}{_interval(found)}"
    said = f"{found.title} {values}, {change}."
    if _sure(found):
        return f"{second} is {'better' if gained > 0 else 'worse'} than {first}: {said}"
    if found.low is None:
        return f"Whether {second} differs from {first} by more than luck is not known: {said}"
    return f"{second} cannot be told from {first}: {said}"


def comparison_card(comparison: Comparison, *, rows: int = _ROWS) -> str:
    """The comparison as text, 80 columns wide: verdict, each run by itself, differences, videos.

    The table of videos is left out, and said to be, if it is longer than ``rows``.
    """
    parts = [wrapped(comparison_headline(comparison), _WIDTH)]
    for name, evaluation in zip(
        comparison.names, (comparison.first, comparison.second), strict=True
    ):
        parts.append(wrapped(f"{name}: {headline(evaluation)}", _WIDTH, lead="  "))
    parts += [_level(comparison, level) for level in LEVELS]
    parts.append(_legend(comparison))
    table = comparison.per_video
    if 0 < len(table.rows) <= rows:
        parts.append(box(table, width=_WIDTH))
    elif table.rows:
        said = f"Too long for the card: {table.title} ({len(table.rows)} rows)."
        parts.append(wrapped(said, _WIDTH))
    parts += [wrapped(note, _WIDTH, lead="- ") for note in comparison.notes]
    return "\n\n".join(filter(None, parts)) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison as GitHub's Markdown."""
    parts = [
        f"**{escaped(comparison_headline(comparison))}**",
        *(
            f"{escaped(name)}: {escaped(headline(evaluation))}"
            for name, evaluation in zip(
                comparison.names, (comparison.first, comparison.second), strict=True
            )
        ),
        markdown_table(_texts(comparison)),
        *([markdown_table(comparison.per_video)] if comparison.per_video.rows else []),
        *(escaped(note) for note in comparison.notes),
    ]
    return "\n\n".join(parts) + "\n"


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON values; null is not defined, and NaN never stands in it.

    Keys: ``watchword_comparison`` (version), ``headline``, ``names``, ``differences`` (the fields
    of Difference), ``per_video`` (columns, rows) and ``notes``.
    """
    table = comparison.per_video
    document: Mapping[str, Any] = {
        "watchword_comparison": VERSION,
        "headline": comparison_headline(comparison),
        "names": comparison.names,
        "differences": [
            {name: getattr(each, name) for name in Difference.__slots__}
            for each in comparison.differences
        ],
        "per_video": {"columns": table.columns, "rows": table.rows},
        "notes": comparison.notes,
    }
    made: dict[str, Any] = plain_json(document)
    return made


def differences_table(comparison: Comparison) -> Table:
    """Every figure of both runs in one table."""
    rows: list[tuple[Cell, ...]] = [
        (d.level, d.title, d.first, d.second, d.difference, d.low, d.high, d.p, d.unit, d.note)
        for d in comparison.differences
    ]
    columns = (
        "level", "figure", *comparison.names, "difference", "low", "high", "p", "unit", "note",
    )  # fmt: skip
    return Table("differences", "Figure by figure", columns, tuple(rows))


def write_comparison(
    comparison: Comparison, folder: str | Path, *, overwrite: bool = False
) -> Path:
    """The comparison in a folder of its own, whole or not at all; returns the folder.

    Raises:
        OutputError: the folder is taken; no space, no permission.
    """
    folder = Path(folder)
    with new_folder(folder, mark=_DOCUMENT, ours=_FILES.__contains__, overwrite=overwrite) as to:
        text = json.dumps(comparison_json(comparison), ensure_ascii=False, indent=1)
        for name, content in (
            (_DOCUMENT, text + "\n"),
            ("card.txt", comparison_card(comparison)),
            ("card.md", comparison_markdown(comparison)),
        ):
            (to / name).write_text(content, encoding="utf-8", errors="backslashreplace")
        write_csv(differences_table(comparison), to / "differences.csv")
        write_csv(comparison.per_video, to / "per_video.csv")
    return folder


def _spoken_of(comparison: Comparison) -> Difference | None:
    """The difference that the verdict is about: of the figure that the first card begins with."""
    chosen = headline_standing(standings(comparison.first))
    defined = [d for d in comparison.differences if d.difference is not None]
    fair = [d for d in defined if CHOSEN_HERE not in d.note]
    named = [d for d in fair if chosen is not None and d.name == chosen.figure.name]
    return next(iter([*named, *fair]), None)


def _columns(comparison: Comparison, found: Sequence[Difference]) -> dict[str, list[str]]:
    """Both values, the change, its interval and p, as text, under names that differ."""
    first, second = _short_names(comparison)
    return {
        first: [_value(d, d.first) for d in found],
        second: [_value(d, d.second) for d in found],
        "change": [
            "–" if d.difference is None else _signed(d.difference, _decimals(d)) for d in found
        ],
        "95 %": [_interval(d).strip() for d in found],
        "p": ["" if d.p is None else number(d.p) for d in found],
    }


def _level(comparison: Comparison, level: Level) -> str:
    here = [d for d in comparison.differences if d.level == level]
    if not here:
        return ""
    if all(d.first is None and d.second is None for d in here):
        return f"{LEVEL_TITLES[level]}: not defined in either run."
    titles = [plain(d.title) for d in here]
    marks = [("+" if _gain(d) > 0 else "-") if _sure(d) else " " for d in here]
    return light_table(LEVEL_TITLES[level], titles, _columns(comparison, here), marks=marks)


def _texts(comparison: Comparison) -> Table:
    """Every figure of both runs as text: numbers of different units in one column."""
    found = comparison.differences
    columns = _columns(comparison, found)
    rows = zip([d.level for d in found], [d.title for d in found], *columns.values(), strict=True)
    return Table("differences", "Figure by figure", ("level", "figure", *columns), tuple(rows))


def _legend(comparison: Comparison) -> str:
    tested = sum(d.low is not None for d in comparison.differences)
    if not tested:
        return "No interval is known for any difference, so each may be luck."
    by_luck = max(1, round(tested / 20))
    return wrapped(
        f"+ {_short_names(comparison)[1]} surely better, - surely worse: the paired 95 % interval "
        "of the change, over the same videos, leaves out 0. "
        f"Of {tested} figures about {by_luck} would do so by luck alone.",
        _WIDTH,
    )


def _short_names(comparison: Comparison) -> tuple[str, str]:
    """Names that fit above a column; "first" and "second" where they would not differ."""
    first, second = (plain(name)[:12].strip() for name in comparison.names)
    alike = len({first, second, "", "change", "95 %", "p"}) < 6
    return ("first", "second") if alike else (first, second)


def _sure(found: Difference) -> bool:
    return found.low is not None and found.high is not None and (found.low > 0 or found.high < 0)


def _gain(found: Difference) -> float:
    change = found.difference or 0.0
    return change if found.better == "higher" else -change


def _decimals(found: Difference) -> int:
    return decimals_for([found.first, found.second])


def _value(found: Difference, value: float | None) -> str:
    text = number(value, decimals=_decimals(found))
    return text if value is None else text + short_unit(found.unit)


def _signed(value: float, decimals: int) -> str:
    return ("+" if value > 0 else "") + number(value, decimals=decimals)


def _interval(found: Difference) -> str:
    if found.low is None or found.high is None:
        return ""
    decimals = max(0, _decimals(found) - 1)
    low, high = (_signed(round(end, decimals), decimals) for end in (found.low, found.high))
    return f" [{low}, {high}]"
