"""Parts of the evidence, each judged by itself beside the score that was combined of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import Weights, paired_difference
from watchword.evaluation.cases import Case
from watchword.evaluation.levels.part import Part
from watchword.evaluation.levels.windows import Unit, Windows, windows_of
from watchword.evaluation.levels.wins import count_wins
from watchword.evaluation.metrics.frame import Padding, average_precision, macro_auc, roc_auc
from watchword.evaluation.result import Cell, Table
from watchword.evaluation.settling import Settled
from watchword.types import Scores

COMBINED = "combined"
_UNJUDGED = Settled(None, "none", None, saved=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """One part: its figures, and by how much the combined score's micro AUC lies above them."""

    name: str
    windows: int
    auc_micro: float | None
    auc_macro: float | None
    ap: float | None
    gain: float | None = None
    low: float | None = None
    high: float | None = None


def evidence_parts(
    cases: Sequence[Case], weights: Weights, *, unit: Unit, padding: Padding
) -> Part:
    """The table of parts, where every video with scores has the same; nothing otherwise.

    A part is compared with the combined score on the windows that both measured, in the same
    resamples of the videos.

    Args:
        cases: V videos.
        weights: (B,V) how often each video is in each resample.
        unit: what counts, as on the frame level.
        padding: of the macro AUC, likewise.
    """
    chosen = [
        i for i, case in enumerate(cases) if case.scores is not None and case.annotation.localised
    ]
    kept = [cases[i] for i in chosen]
    names = {case.parts.labels if case.parts is not None else () for case in kept}
    if len(names) != 1 or names == {()}:
        return Part()
    places = {cases[i].name: i for i in chosen}
    whole = windows_of(kept, _UNJUDGED, unit=unit)
    if not whole:
        return Part()
    rows = [_row(name, kept, places, weights, unit=unit, padding=padding) for name in names.pop()]
    combined = _Row(COMBINED, sum(len(w.truth) for w in whole), *_figures(whole, padding))
    return Part(tables=(_table([*rows, combined], _sentence(rows)),))


def _row(
    name: str,
    cases: Sequence[Case],
    places: dict[str, int],
    weights: Weights,
    *,
    unit: Unit,
    padding: Padding,
) -> _Row:
    pairs = [_shared(case, name) for case in cases]
    own = windows_of([part for part, _ in pairs], _UNJUDGED, unit=unit)
    other = windows_of([combined for _, combined in pairs], _UNJUDGED, unit=unit)
    if not own:
        return _Row(name, 0, None, None, None)
    figures = _figures(own, padding)
    row = _Row(name, sum(len(w.truth) for w in own), *figures)
    whole = _micro(other)
    if figures[0] is None or whole is None:
        return row
    drawn = weights[:, [places[w.case.name] for w in own]]
    found = paired_difference(_again(other, drawn), _again(own, drawn))
    # One video drawn again is the same video: an interval of no width would claim certainty.
    low, high = (found.low, found.high) if len(own) > 1 else (None, None)
    return replace(row, gain=whole - figures[0], low=low, high=high)


def _shared(case: Case, name: str) -> tuple[Case, Case]:
    """The case with the part for its scores, and with the combined ones, where both measured."""
    assert case.scores is not None
    assert case.parts is not None
    part, whole = case.parts[name], case.series
    unknown = np.isnan(part) | np.isnan(whole)
    return _with(case, case.parts, part, unknown), _with(case, case.scores, whole, unknown)


def _with(
    case: Case, like: Scores, series: NDArray[np.float32], unknown: NDArray[np.bool_]
) -> Case:
    values = np.where(unknown, np.float32(np.nan), series)[:, None]
    return replace(case, scores=replace(like, values=values, labels=(COMBINED,)))


def _figures(
    windows: Sequence[Windows], padding: Padding
) -> tuple[float | None, float | None, float | None]:
    """Micro AUC, macro AUC and average precision."""
    truth = np.concatenate([w.truth for w in windows])
    values = np.concatenate([w.values for w in windows])
    bounds = (min(0.0, float(values.min())), max(1.0, float(values.max())))
    macro = macro_auc([(w.truth, w.values) for w in windows], padding=padding, bounds=bounds)
    return _micro(windows), macro, average_precision(truth, values) if truth.any() else None


def _micro(windows: Sequence[Windows]) -> float | None:
    truth = np.concatenate([w.truth for w in windows])
    return roc_auc(truth, np.concatenate([w.values for w in windows]))


def _again(windows: Sequence[Windows], weights: Weights) -> NDArray[np.float64]:
    return count_wins([w.truth for w in windows], [w.values for w in windows]).auc(weights)


def _sentence(rows: Sequence[_Row]) -> str:
    """Whether the combined score is below its best part."""
    known = [row for row in rows if row.auc_micro is not None and row.gain is not None]
    if not known:
        return "no part can be compared with the combined score"
    best = max(known, key=lambda row: row.auc_micro or 0.0)
    assert best.gain is not None
    between = (
        "" if best.low is None or best.high is None else f" [{best.low:+.3f}, {best.high:+.3f}]"
    )
    stands = "is below" if best.gain < 0 else "is not below"
    return (
        f"The combined score {stands} its best part, {best.name}: {best.gain:+.3f}{between} in "
        "micro AUC"
    )


def _table(rows: Sequence[_Row], sentence: str) -> Table:
    cells: list[tuple[Cell, ...]] = [
        (r.name, r.windows, r.auc_micro, r.auc_macro, r.ap, r.gain, r.low, r.high) for r in rows
    ]
    columns = ("part", "windows", "auc_micro", "auc_macro", "ap")
    return Table(
        "parts",
        "Parts of the evidence",
        (*columns, "gain", "low", "high"),
        tuple(cells),
        note=f"{sentence}; gain: micro AUC of the combined score minus the part's, on the windows "
        "that both measured, with its paired 95 % interval",
    )
