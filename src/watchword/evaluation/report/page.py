"""The page of an evaluation: one HTML file that a reader can judge without asking back.

It loads nothing and runs nothing: its content policy forbids every request and every script, its
pictures are drawn in it, and every name is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from watchword.evaluation.report import drawing
from watchword.evaluation.report.card import videos_named
from watchword.evaluation.report.cells import is_numeric, plain, texts
from watchword.evaluation.report.figure_tables import by_level, told
from watchword.evaluation.report.standing import (
    BASELINE_WORDS,
    MEANINGS,
    SHORT,
    Standing,
    baseline_text,
    headline,
    headline_standing,
    interval_text,
    standings,
    value_text,
)
from watchword.evaluation.result import BASELINES, Evaluation, Table
from watchword.output.timecode import clock

_HERE = Path(__file__).parent
# Longer tables are folded up; of still longer ones the page holds the first rows.
_FOLDED, _MOST = 24, 1000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as the page shows it: cells as text, and which columns are numbers."""

    table: Table
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    folded: bool


def write_page(evaluation: Evaluation, path: Path) -> None:
    """Writes the page; an existing file is replaced."""
    path.write_text(page(evaluation), encoding="utf-8")


def page(evaluation: Evaluation) -> str:
    """The page as text, verdict first and how to repeat it last."""
    levels = by_level(evaluation)
    found = standings(evaluation)
    drawn, scale = drawing.strips(evaluation.lanes, evaluation.threshold)
    threshold = evaluation.threshold
    made = told(evaluation.made)
    return _template().render(
        evaluation=evaluation,
        name=str(made.get("model") or made.get("encoder") or ""),
        verdict=headline(evaluation),
        tally=tally(found),
        gauges=drawing.gauges(headline_first(found)),
        compared=sum(each.verdict in MEANINGS for each in found),
        baseline_names=[
            (name, BASELINE_WORDS[name])
            for name in BASELINES
            if any(name in level.baselines for level in levels)
        ],
        panels=drawing.panels(evaluation.curves),
        strips=drawn,
        threshold_y=None if threshold is None else drawing.height_of(threshold, scale),
        scale=drawing.scale_texts(scale),
        levels=levels,
        sheets=[_sheet(table) for table in evaluation.tables],
        made=made,
        most=_MOST,
        short=SHORT,
        frame=drawing,
    )


def headline_first(found: Sequence[Standing]) -> list[Standing]:
    """The figures with the one first that the verdict speaks of."""
    first = headline_standing(found)
    return sorted(found, key=lambda each: each is not first)


def tally(found: Sequence[Standing]) -> str:
    """How many of the figures are better than all that knows nothing, in one sentence."""
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in MEANINGS}
    total = sum(counts.values())
    if total < 2:
        return ""
    return (
        f"Of {total} figures that can be compared with guesses that know nothing of the picture, "
        f"{counts['better']} {'is' if counts['better'] == 1 else 'are'} surely better, "
        f"{counts['unclear']} better but perhaps by luck, {counts['no better']} no better."
    )


def _sheet(table: Table) -> Sheet:
    columns = [[row[place] for row in table.rows] for place in range(len(table.columns))]
    rows = zip(*(texts(column) for column in columns), strict=True)
    return Sheet(
        table,
        tuple(rows)[:_MOST],
        tuple(is_numeric(column) for column in columns),
        len(table.rows) > _FOLDED,
    )


def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "baseline": baseline_text,
        "clock": clock,
        "interval": interval_text,
        "plain": plain,
        "value": value_text,
        "videos": videos_named,
    }
    return made.get_template("page.html.j2")
