"""Thresholds and smoothing that nobody vouches for and that are the best on this very data.

Nobody can tell from files whether a number was tuned here; that no other does better is a sign. A
calibration names the videos that it was chosen on, and is judged by these instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from watchword.evaluation.matching import Cases
from watchword.evaluation.metrics.frame import roc_auc
from watchword.evaluation.result import Finding
from watchword.evaluation.settling import Settled
from watchword.evidence.smooth import Smoothing, smooth

# Less is not worth tuning for.
_WORTH = 0.002


def tuned(
    cases: Cases,
    settled: Settled | None,
    *,
    best: Sequence[str],
    nearly_best: Sequence[str],
    vouched: bool,
) -> list[Finding]:
    """Findings on the threshold and on smoothing that was set for this evaluation.

    Args:
        cases: what is evaluated.
        settled: the threshold in use; None leaves it unchecked.
        best: names of figures that no other threshold raises on these very videos.
        nearly_best: names of figures that none of the thresholds a few steps away raises.
        vouched: whether threshold and smoothing come with the videos that they were chosen on.
    """
    if vouched:
        return []
    return [*_threshold(cases, settled, best, nearly_best), *_smoothing(cases)]


def _threshold(
    cases: Cases, settled: Settled | None, best: Sequence[str], nearly_best: Sequence[str]
) -> list[Finding]:
    if settled is None:
        return []
    # A threshold that is given takes the place of one that a calibration chose for the run.
    calibrated = all("calibration" in case.prediction.made.fitted for case in cases.cases)
    if settled.by_hand and not (settled.saved and calibrated) and (best or nearly_best):
        which = "any could" if best else "a threshold of its digits near it could"
        sentence = (
            f"The threshold {settled.threshold:.6g} gives the best "
            f"{' and '.join(best or nearly_best)} that {which} on this very data; if it was chosen "
            "by that, the figure flatters. A calibration says where a threshold was chosen."
        )
        return [Finding("threshold_is_best", sentence, serious=bool(best))]
    return []


def _smoothing(cases: Cases) -> list[Finding]:
    """Smoothing that was set for this evaluation."""
    chosen = cases.options.smoothing
    if chosen.method == "none":
        return []
    here, others = _auc(cases, chosen), [_auc(cases, other) for other in _rivals(chosen)]
    known = [other for other in others if other is not None]
    best = here is not None and bool(known) and here > max(known) + _WORTH
    why = "the AUC is higher than with half, twice or none of it" if best else "nothing says why"
    sentence = (
        f"Smoothing of {chosen.width_s:g} s was set for this evaluation, and {why}; if it was "
        "chosen by these figures, they flatter. A calibration says where smoothing was chosen."
    )
    return [Finding("smoothing_here", sentence, serious=best)]


def _rivals(chosen: Smoothing) -> tuple[Smoothing, ...]:
    half, twice = (replace(chosen, width_s=chosen.width_s * by) for by in (0.5, 2.0))
    return Smoothing(), half, twice


def _auc(cases: Cases, smoothing: Smoothing) -> float | None:
    """Micro AUC of the raw scores under a smoothing; None if it is not defined."""
    truths, values = [], []
    for case in cases.cases:
        given = case.prediction.raw if case.prediction.raw is not None else case.prediction.scores
        if given is None or not case.annotation.localised or not len(given):
            continue
        judged = replace(case, scores=smooth(given, smoothing))
        measured = ~np.isnan(judged.series)
        truths.append(judged.truth[measured])
        values.append(judged.series[measured])
    if not sum(map(len, truths)):
        return None
    return roc_auc(np.concatenate(truths), np.concatenate(values))
