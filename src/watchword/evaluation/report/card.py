"""The protocol card: an evaluation on one screen of text, the verdict first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchword.evaluation.report.boxes import box
from watchword.evaluation.report.cells import columns_wide, plain, wrapped
from watchword.evaluation.report.figure_tables import (
    LevelFigures,
    by_level,
    confusion_table,
    told,
)
from watchword.evaluation.report.light_table import light_table
from watchword.evaluation.report.standing import (
    BASELINE_WORDS,
    MARKS,
    MEANINGS,
    baseline_text,
    headline,
    interval_text,
    value_text,
)
from watchword.evaluation.result import BASELINES, Evaluation, Finding, Table

_WIDTH = 80
# Longer tables scroll the verdict off the screen; they are in the files.
_ROWS = 16
# A finding names so many videos, a card so many notes.
_NAMED, _NOTES = 5, 12
# Lines go on under the value if its name is no longer than this.
_HANGING = 20


def card(evaluation: Evaluation, *, rows: int = _ROWS) -> str:
    """The protocol card as text, 80 columns wide.

    First the verdict, then warnings, the figures beside their baselines, confusion matrices, tables
    of at most ``rows`` rows, and how it was measured. Longer tables are named, not shown.
    """
    levels = by_level(evaluation)
    shown = [table for table in evaluation.tables if len(table.rows) <= rows]
    longer = [table for table in evaluation.tables if len(table.rows) > rows]
    parts = [
        wrapped(headline(evaluation), _WIDTH),
        *(_warning(finding) for finding in evaluation.findings),
        *(_level(level) for level in levels),
        _legend(levels),
        *(box(confusion_table(*item), width=_WIDTH) for item in evaluation.confusions.items()),
        *(box(table, width=_WIDTH) for table in shown),
        _left_out(longer),
        _pairs("How it was measured", evaluation.protocol.items()),
        _pairs("What was measured", told(evaluation.made).items()),
        _notes(evaluation.notes),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def videos_named(finding: Finding) -> str:
    """The videos of a finding, the first few by name and the others counted."""
    more = len(finding.videos) - _NAMED
    return ", ".join(finding.videos[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _warning(finding: Finding) -> str:
    parts = [wrapped(finding.sentence, _WIDTH, lead="!! " if finding.serious else "!  ")]
    if finding.videos:
        parts.append(wrapped(videos_named(finding), _WIDTH, lead="   In: "))
    return "\n".join(parts)


def _level(level: LevelFigures) -> str:
    if level.reasons:
        if len(level.reasons) == 1:
            return wrapped(level.reasons[0], _WIDTH, lead=f"{level.title}: ")
        reasons = (wrapped(reason, _WIDTH, lead="  ") for reason in level.reasons)
        return "\n".join([level.title, *reasons])
    figures = [each.figure for each in level.standings]
    columns = {"value": [value_text(figure) for figure in figures]}
    if any(map(interval_text, figures)):
        columns["95 %"] = [interval_text(figure) for figure in figures]
    columns |= {name: [baseline_text(f, name) for f in figures] for name in level.baselines}
    titles = [plain(f.title) + "".join(f" ({n})" for n in level.marks(f)) for f in figures]
    marks = [MARKS[each.verdict] for each in level.standings]
    notes = (
        wrapped(note, _WIDTH, lead=f"  ({count}) ") for count, note in enumerate(level.footnotes, 1)
    )
    return "\n".join([light_table(level.title, titles, columns, marks=marks), *notes])


def _legend(levels: Sequence[LevelFigures]) -> str:
    there = {each.verdict for level in levels for each in level.standings}
    lines = [
        wrapped(meaning, _WIDTH, lead=f"{MARKS[verdict]} ")
        for verdict, meaning in MEANINGS.items()
        if verdict in there
    ]
    named = [name for name in BASELINES if any(name in level.baselines for level in levels)]
    if named:
        words = "; ".join(f"{name}: {BASELINE_WORDS[name]}" for name in named)
        lines.append(wrapped(f"Baselines: {words}.", _WIDTH))
    return "\n".join(lines)


def _left_out(tables: list[Table]) -> str:
    if not tables:
        return ""
    named = ", ".join(f"{table.title} ({len(table.rows)} rows)" for table in tables)
    return wrapped(f"Too long for the card: {named}.", _WIDTH)


def _pairs(title: str, pairs: Iterable[tuple[str, object]]) -> str:
    lines = [_pair(plain(name), str(value)) for name, value in pairs if value != ""]
    return "\n".join([title, *lines]) if lines else ""


def _pair(name: str, value: str) -> str:
    if columns_wide(name) == len(name) <= _HANGING:
        return wrapped(value, _WIDTH, lead=f"  {name}: ")
    return wrapped(f"{name}: {value}", _WIDTH, lead="  ")


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    lines = [wrapped(note, _WIDTH, lead="  - ") for note in notes[:_NOTES]]
    more = len(notes) - _NOTES
    if more > 0:
        lines.append(f"  and {more} more, in evaluation.json")
    return "\n".join(["Notes", *lines])
