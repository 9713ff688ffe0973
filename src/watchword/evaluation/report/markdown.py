"""An evaluation as Markdown: for a README, a wiki or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchword.evaluation.report.card import videos_named
from watchword.evaluation.report.cells import is_numeric, plain, texts
from watchword.evaluation.report.figure_tables import (
    LevelFigures,
    by_level,
    confusion_table,
    told,
)
from watchword.evaluation.report.standing import (
    BASELINE_WORDS,
    SHORT,
    baseline_text,
    headline,
    interval_text,
    value_text,
)
from watchword.evaluation.result import BASELINES, Cell, Evaluation, Table

# What Markdown or the HTML in it would take as an order.
_ORDERS = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def markdown(evaluation: Evaluation) -> str:
    """The protocol card and every table as GitHub's Markdown; names are only ever text."""
    levels = by_level(evaluation)
    parts = [
        f"**{escaped(headline(evaluation))}**",
        *_warnings(evaluation),
        *(part for level in levels for part in _level(level)),
        _baselines(levels),
        *(markdown_table(confusion_table(*item)) for item in evaluation.confusions.items()),
        *(markdown_table(table) for table in evaluation.tables),
        _pairs("How it was measured", evaluation.protocol.items()),
        _pairs("What was measured", told(evaluation.made).items()),
        "\n".join(["### Notes", "", *(f"- {escaped(note)}" for note in evaluation.notes)])
        if evaluation.notes
        else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def markdown_table(table: Table) -> str:
    """One table under its title; the best row is bold, numbers are set to the right."""
    columns = [[row[place] for row in table.rows] for place in range(len(table.columns))]
    rights = [is_numeric(column) for column in columns]
    rows = [list(row) for row in zip(*(texts(column) for column in columns), strict=True)]
    rows = [[escaped(cell) for cell in row] for row in rows]
    if table.best is not None:
        rows[table.best] = [f"**{cell}**" if cell else "" for cell in rows[table.best]]
    lines = [
        _row(escaped(name) for name in table.columns),
        _row("---:" if right else "---" for right in rights),
        *map(_row, rows),
    ]
    note = f"\n\n{escaped(table.note)}" if table.note else ""
    return f"### {escaped(table.title)}\n\n" + "\n".join(lines) + note


def escaped(text: str) -> str:
    r"""Text that Markdown shows as it is.

    >>> escaped("<b> a|b")
    '\\<b\\> a\\|b'
    """
    return _ORDERS.sub(r"\\\1", plain(text))


def _warnings(evaluation: Evaluation) -> Iterable[str]:
    for finding in evaluation.findings:
        lead = "**Warning.** " if finding.serious else "Mind: "
        where = f" In: {escaped(videos_named(finding))}." if finding.videos else ""
        yield f"> {lead}{escaped(finding.sentence)}{where}"


def _level(level: LevelFigures) -> Iterable[str]:
    if level.reasons:
        yield "\n".join([f"### {level.title}", "", *(f"- {escaped(r)}" for r in level.reasons)])
        return
    rows: list[tuple[Cell, ...]] = []
    for each in level.standings:
        figure = each.figure
        marks = "".join(f" ({mark})" for mark in level.marks(figure))
        rows.append(
            (
                figure.title + marks,
                value_text(figure),
                interval_text(figure),
                *(baseline_text(figure, name) for name in level.baselines),
                *([SHORT.get(each.verdict, "")] if level.baselines else []),
            )
        )
    compared = ["against the best of these"] if level.baselines else []
    columns = ("figure", "value", "95 %", *level.baselines, *compared)
    yield markdown_table(Table(level.level, level.title, columns, tuple(rows)))
    if level.footnotes:
        yield "\n".join(f"{n}. {escaped(note)}" for n, note in enumerate(level.footnotes, 1))


def _baselines(levels: Iterable[LevelFigures]) -> str:
    known = {name for level in levels for name in level.baselines}
    words = "; ".join(f"*{name}*: {BASELINE_WORDS[name]}" for name in BASELINES if name in known)
    return f"Baselines: {words}." if words else ""


def _pairs(title: str, pairs: Iterable[tuple[str, object]]) -> str:
    lines = [f"- {escaped(name)}: {escaped(str(value))}" for name, value in pairs if value != ""]
    return "\n".join([f"### {title}", "", *lines]) if lines else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
