"""What one level adds to an evaluation, and how its figures get their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.bootstrap import interval
from watchword.evaluation.metrics.frame import Confusion
from watchword.evaluation.result import Curve, Figure, Level, Table

Replicates = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one level adds to an evaluation.

    Attributes:
        figures: its numbers.
        tables: its tables.
        curves: its curves.
        confusions: (tn, fp, fn, tp) by level.
        notes: sentences.
        replicates: (B,) each figure in each bootstrap resample, NaN where it is not defined there;
            resample b holds the same videos in every part of the same seed.
    """

    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()
    confusions: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    replicates: Mapping[str, Replicates] = field(default_factory=dict)


def absent(titles: Mapping[str, str], level: Level, why: str) -> tuple[Figure, ...]:
    """The figures of a level that cannot be measured, each with the reason."""
    return tuple(Figure(name, level, title, None, why) for name, title in titles.items())


def with_interval(figure: Figure, replicates: Replicates | None) -> Figure:
    """The figure with its bootstrap interval; as it is where it has no value or no resamples."""
    if figure.value is None or replicates is None or len(replicates) < 2:
        return figure
    found = interval(replicates)
    note = figure.note
    if found.undefined:
        lacking = f"not defined in {found.undefined} of {found.samples} resamples"
        note = f"{note}; {lacking}" if note else lacking
    return replace(figure, low=found.low, high=found.high, note=note)


def counts_of(confusion: Confusion) -> tuple[int, int, int, int]:
    """(tn, fp, fn, tp)."""
    return (int(confusion.tn), int(confusion.fp), int(confusion.fn), int(confusion.tp))


def ratio(above: ArrayLike, below: ArrayLike) -> Replicates:
    """One over the other, element by element; NaN where the lower one is 0."""
    top, bottom = np.asarray(above, np.float64), np.asarray(below, np.float64)
    out = np.full(np.broadcast(top, bottom).shape, np.nan)
    return np.asarray(np.divide(top, bottom, out=out, where=bottom != 0))


def count_ratios(
    tn: Replicates, fp: Replicates, fn: Replicates, tp: Replicates
) -> dict[str, Replicates]:
    """Precision, recall, F1 and accuracy of many confusion matrices at once."""
    return {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "accuracy": ratio(tp + tn, tn + fp + fn + tp),
    }


def value_of(number: ArrayLike) -> float | None:
    """The number, or None for NaN."""
    found = float(np.asarray(number))
    return None if np.isnan(found) else found
