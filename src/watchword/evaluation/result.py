"""What an evaluation says: figures with their baselines and intervals, tables, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["frame", "event", "video", "pixel", "anticipation"]
LEVELS: tuple[Level, ...] = ("frame", "event", "video", "pixel", "anticipation")
BASELINES = ("always", "never", "random", "centre", "shorter", "oracle")
Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an evaluation, with what is needed to read it.

    Attributes:
        name: identifier, as "auc_micro".
        level: what kind of truth it was measured against.
        title: its name for people, as "AUC, micro".
        value: the number; None where it is not defined.
        why: why it is not defined, where it is not.
        low: lower end of the 95 % bootstrap interval over videos; None if there is none.
        high: upper end, likewise.
        unit: "" for a share or an area, else "s", "1/h" or the like.
        better: whether higher or lower is better.
        note: what a reader must know, as "chosen on this data" or the padding rule.
        baselines: the same number for what knows nothing of the picture, by name of BASELINES;
            None where it is not defined for that one. The oracle knows which videos hold an event.
    """

    name: str
    level: Level
    title: str
    value: float | None
    why: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    note: str = ""
    baselines: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, for boxes, Markdown and CSV alike; None is an empty cell."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    best: int | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {self.name} has {len(row)} cells: {row}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that makes a number mean less than it seems; ``serious`` ones stop --strict."""

    code: str
    sentence: str
    serious: bool = True
    videos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve to draw: ``x`` and ``y`` (N,), ``marks`` points to name on it (x, y, words)."""

    name: str
    title: str
    x_title: str
    y_title: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    marks: tuple[tuple[float, float, str], ...] = ()
    chance: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One video to draw: its scores (T,), the truth and the events as intervals in seconds."""

    video: str
    edges_s: NDArray[np.float64]
    values: NDArray[np.float32]
    truth_s: tuple[tuple[float, float], ...]
    found_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A protocol card: every figure, how it was measured, and what to be careful about.

    Attributes:
        figures: the numbers, in order of LEVELS.
        protocol: how they were measured, as words by name: unit, threshold and where it came from,
            smoothing, padding rule, bootstrap, ... in the order to print.
        tables: per type, per video and the like.
        confusions: (true negative, false positive, false negative, true positive) by level.
        findings: what the leakage guard found.
        notes: sentences, as on lengths that disagree or videos left out.
        curves: ROC, PR, sweep.
        lanes: videos to draw.
        threshold: score from which a window counts as an event; None if there was none.
        made: what made the predictions: model, bank, kind.
    """

    figures: tuple[Figure, ...]
    protocol: Mapping[str, str]
    tables: tuple[Table, ...] = ()
    confusions: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    lanes: tuple[Lane, ...] = ()
    threshold: float | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name; KeyError names the known ones."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(f"no figure {name!r}; known are {', '.join(f.name for f in self.figures)}")

    def table(self, name: str) -> Table:
        """The table of that name; KeyError names the known ones."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"no table {name!r}; known are {', '.join(t.name for t in self.tables)}")
