"""Whether a threshold is the best there is for this very data: a sign that it was chosen by it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.levels.tables import events_at
from watchword.evaluation.levels.windows import Windows
from watchword.evaluation.metrics.confusion import Confusion
from watchword.evaluation.metrics.frame import best_f1, best_youden, confusion, threshold_counts

# A threshold that was rounded to two digits misses the best by no more.
_NEAR = 0.002
# Who sweeps takes steps of the last digit written, or five of it.
_STEPS = (1, 5)
_REACH = 8
# So many of these must lie among the scores, or being the best of them says little.
_ENOUGH = 8
# Runs of hits are looked at for each threshold and video; beyond this it takes seconds.
_MOST_WINDOWS = 200_000


def best_at(windows: Sequence[Windows], threshold: float | None) -> tuple[str, ...]:
    """Figures that no other threshold raises by more than rounding a threshold would.

    None of them where flagging everything does as well: then there was nothing to choose.
    """
    return () if not windows else best_of(*_all(windows), threshold)


def best_of(
    truth: NDArray[np.bool_], values: NDArray[np.floating], threshold: float | None
) -> tuple[str, ...]:
    """The same for (N,) truth and scores, whether of windows or of whole videos."""
    if threshold is None:
        return ()
    f1, youden = best_f1(truth, values), best_youden(truth, values)
    if f1 is None or youden is None:
        return ()
    base = float(truth.mean())
    here = confusion(truth, values >= values.dtype.type(threshold))
    reached = {
        "F1": (here.f1, f1[1], 2 * base / (1 + base)),
        "Youden's J": (here.youden, youden[1], 0.0),
    }
    return tuple(
        name
        for name, (own, top, always) in reached.items()
        if (own or 0.0) >= top - _NEAR and top > always + _NEAR
    )


def best_nearby(windows: Sequence[Windows], threshold: float | None) -> tuple[str, ...]:
    """Figures that a sweep in round steps would have chosen this threshold for."""
    if not windows or threshold is None:
        return ()
    last_digit = float(Decimal(1).scaleb(_exponent(threshold)))
    found: dict[str, None] = {}
    for step in _STEPS:
        steps = np.arange(-_REACH, _REACH + 1, dtype=np.float64)
        around = threshold + step * last_digit * steps
        values = _all(windows)[1]
        if ((around >= values.min()) & (around <= values.max())).sum() < _ENOUGH:
            continue
        for name, figures in _figures(windows, around).items():
            others = np.delete(figures, _REACH)
            if figures[_REACH] > others.max():
                found[name] = None
    return tuple(found)


def _exponent(threshold: float) -> int:
    """Power of ten of the last digit that the threshold is written with."""
    exponent = Decimal(repr(round(threshold, 6))).normalize().as_tuple().exponent
    return min(-1, int(exponent))


def _figures(
    windows: Sequence[Windows], levels: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Each figure at each of the thresholds; 0 where it is not defined."""
    truth, values = _all(windows)
    counts = threshold_counts(truth, values, levels)
    frame = [Confusion(*(float(n) for n in four)) for four in zip(*counts, strict=True)]
    figures = {"F1": [one.f1 for one in frame], "Youden's J": [one.youden for one in frame]}
    if len(truth) <= _MOST_WINDOWS:
        events = [events_at(windows, float(level)) for level in levels]
        figures["best-interval IoU"] = [iou for iou, _ in events]
        figures["event F1"] = [count.f1 for _, count in events]
    return {name: np.array([one or 0.0 for one in own]) for name, own in figures.items()}


def _all(windows: Sequence[Windows]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    truth = np.concatenate([w.truth for w in windows])
    return truth, np.concatenate([w.values for w in windows])
