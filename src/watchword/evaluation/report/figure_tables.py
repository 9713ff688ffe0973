"""The figures of an evaluation as tables, a level each, with the notes that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchword.evaluation.report.standing import LEVEL_TITLES, Standing, standings
from watchword.evaluation.result import BASELINES, LEVELS, Cell, Evaluation, Figure, Level, Table


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """The figures of one level.

    Attributes:
        level: what kind of truth they were measured against.
        title: the same in words.
        standings: a figure each, beside its best baseline.
        baselines: those baselines that at least one figure has, in the order to print.
        footnotes: what must be known, each once.
    """

    level: Level
    title: str
    standings: tuple[Standing, ...]
    baselines: tuple[str, ...]
    footnotes: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is nothing on this level, without the figures' names where the reason is one.

        Empty if a figure is defined.
        """
        if any(each.figure.value is not None for each in self.standings):
            return ()
        titles: dict[str, list[str]] = {}
        for each in self.standings:
            titles.setdefault(each.figure.why or "no reason is known", []).append(each.figure.title)
        if len(titles) == 1:
            return (f"not measured, {next(iter(titles))}",)
        return tuple(f"{', '.join(names)}: not defined, {why}" for why, names in titles.items())

    def marks(self, figure: Figure) -> tuple[int, ...]:
        """Numbers of the footnotes that belong to a figure, from 1."""
        return tuple(self.footnotes.index(note) + 1 for note in _notes(figure))


def by_level(evaluation: Evaluation) -> tuple[LevelFigures, ...]:
    """The figures by level, in the order of LEVELS; levels without a figure are left out."""
    found = standings(evaluation)
    made = []
    for level in LEVELS:
        here = tuple(each for each in found if each.figure.level == level)
        if here:
            figures = [each.figure for each in here]
            named = {name for f in figures for name, v in f.baselines.items() if v is not None}
            known = [name for name in BASELINES if name in named]
            notes = dict.fromkeys(note for figure in figures for note in _notes(figure))
            made.append(
                LevelFigures(level, LEVEL_TITLES[level], here, tuple(known), tuple(notes))
            )  # fmt: skip
    return tuple(made)


def figures_table(evaluation: Evaluation) -> Table:
    """Every figure in one table: for spreadsheets."""
    rows: list[tuple[Cell, ...]] = [
        (
            f.level, f.name, f.title, f.value, f.low, f.high, f.unit, f.better,
            *(f.baselines.get(name) for name in BASELINES), each.verdict, f.note, f.why,
        )
        for each in standings(evaluation)
        for f in [each.figure]
    ]  # fmt: skip
    columns = (
        "level", "name", "title", "value", "low", "high", "unit", "better",
        *BASELINES, "compared", "note", "why undefined",
    )  # fmt: skip
    return Table("figures", "Every figure", columns, tuple(rows))


def told(made: Mapping[str, Any]) -> dict[str, Any]:
    """What made the predictions, without what is empty and what only programs read (nested)."""
    return {
        str(name): value
        for name, value in made.items()
        if value not in ("", None) and not isinstance(value, Mapping)
    }


def confusion_table(level: str, counts: tuple[int, int, int, int]) -> Table:
    """How often what was called meets what is, of (TN, FP, FN, TP)."""
    tn, fp, fn, tp = counts
    return Table(
        f"confusion_{level}",
        f"Confusion matrix, {level} level",
        ("", "called event", "called normal"),
        (("is event", tp, fn), ("is normal", fp, tn)),
    )


def _notes(figure: Figure) -> tuple[str, ...]:
    undefined = f"not defined: {figure.why}" if figure.value is None and figure.why else ""
    return tuple(filter(None, (figure.note, undefined)))
