"""Frame level: do probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchword.evaluation.bootstrap import Weights
from watchword.evaluation.levels.part import Part, Replicates, absent, with_interval
from watchword.evaluation.levels.windows import Windows
from watchword.evaluation.metrics.reliability import (
    BINS,
    bin_sums,
    brier,
    calibration_error,
    reliability,
)
from watchword.evaluation.result import Cell, Curve, Figure, Table

TITLES = {"brier": "Brier score", "calibration_error": "Expected calibration error"}


def reliability_level(windows: Sequence[Windows], weights: Weights) -> Part:
    """Brier score and calibration error with intervals, the reliability table and its curve.

    Args:
        windows: V videos.
        weights: (B,V) how often each video is in each bootstrap resample.
    """
    why = _why_not(windows)
    if why:
        return Part(figures=absent(TITLES, "frame", why))
    truth = np.concatenate([w.truth for w in windows])
    said = np.concatenate([w.values for w in windows]).astype(np.float64)
    own = {"brier": brier(truth, said), "calibration_error": calibration_error(truth, said)}
    share = float(truth.mean())
    # What always says one number misses by how far that is from the share of events.
    one = {"always": 1.0, "never": 0.0, "random": share}
    told = {
        "brier": {k: share * (1 - p) ** 2 + (1 - share) * p**2 for k, p in one.items()},
        "calibration_error": {k: abs(p - share) for k, p in one.items()},
    }
    notes = {
        "brier": f"random says {share:.3f}, the share of events, everywhere",
        "calibration_error": f"{BINS} bins of equal width",
    }
    again = _resampled(windows, weights)
    figures = tuple(
        with_interval(
            Figure(
                name,
                "frame",
                title,
                own[name],
                better="lower",
                note=notes[name],
                baselines=told[name],
            ),
            again[name],
        )
        for name, title in TITLES.items()
    )
    bins = reliability(truth, said)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.low, one.high, int(one.count), one.said, one.true) for one in bins
    )
    table = Table(
        "reliability",
        "What was said, and how often it was true",
        ("from", "to", "windows", "mean_probability", "share_of_events"),
        rows,
    )
    known = [(one.said, one.true) for one in bins if one.said is not None and one.true is not None]
    x, y = (np.array(values, np.float64) for values in zip(*known, strict=True))
    titles = ("Reliability", "Mean probability that was said", "Share of events")
    curve = Curve("reliability", *titles, x, y, chance=((0.0, 0.0), (1.0, 1.0)))
    return Part(figures, tables=(table,), curves=(curve,), replicates=again)


def _why_not(windows: Sequence[Windows]) -> str:
    if not windows:
        return "no video has both scores over time and a truth that says when"
    kinds = {w.case.scores.kind for w in windows if w.case.scores is not None}
    other = sorted(kinds - {"probability"})
    if other:
        return f"scores are of kind {' and '.join(other)}, which is no probability"
    return ""


def _resampled(windows: Sequence[Windows], weights: Weights) -> dict[str, Replicates]:
    """Both figures in every resample: sums of each video, added up as often as it was drawn."""
    drawn = np.asarray(weights, np.float64)
    sums = [bin_sums(w.truth, w.values.astype(np.float64), BINS) for w in windows]
    count, saying, holding = (drawn @ np.stack(part) for part in zip(*sums, strict=True))
    missed = np.array([((w.values.astype(np.float64) - w.truth) ** 2).sum() for w in windows])
    total = count.sum(axis=1)
    empty = np.full(len(total), np.nan)
    return {
        "brier": np.divide(drawn @ missed, total, out=empty.copy(), where=total > 0),
        "calibration_error": np.divide(
            np.abs(saying - holding).sum(axis=1), total, out=empty, where=total > 0
        ),
    }
