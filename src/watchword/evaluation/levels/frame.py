"""Frame level: each measured window is a hit or not; with the best that could have been chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.baselines import coin, shortest_within
from watchword.evaluation.bootstrap import Weights
from watchword.evaluation.levels.part import (
    Part,
    absent,
    count_ratios,
    counts_of,
    value_of,
    with_interval,
)
from watchword.evaluation.levels.ranking import TITLES as RANKING_TITLES
from watchword.evaluation.levels.ranking import ranking
from watchword.evaluation.levels.windows import Windows
from watchword.evaluation.metrics.frame import (
    Padding,
    best_f1,
    best_youden,
    confusion,
    pr_curve,
    roc_curve,
)
from watchword.evaluation.result import Curve, Figure

AT_THRESHOLD = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "accuracy": "Accuracy",
}
CHOSEN_HERE = {
    "youden": "Youden's J at its best threshold",
    "best_f1": "F1 at its best threshold",
}
NO_THRESHOLD = "there is no threshold; give one (--threshold)"
_WHY = {
    "precision": "nothing was flagged",
    "recall": "no window holds an event",
    "f1": "no window holds an event and nothing was flagged",
}
# A curve is drawn: more points cannot be seen.
_POINTS = 600


def frame_level(windows: Sequence[Windows], weights: Weights, *, padding: Padding) -> Part:
    """The frame level's figures, curves and confusion matrix.

    Args:
        windows: V videos whose truth says when; may be none.
        weights: (B,V) how often each video is in each bootstrap resample.
        padding: macro AUC of videos of one class, as ``ranking`` tells.
    """
    if not windows:
        titles = {**AT_THRESHOLD, **RANKING_TITLES, **CHOSEN_HERE}
        why = "no video has both scores over time and a truth that says when"
        return Part(figures=absent(titles, "frame", why))
    ranked, again, table = ranking(windows, weights, padding=padding)
    judged = _judged(windows, weights)
    chosen, curves = _chosen_here(windows)
    return Part(
        figures=(*judged.figures, *ranked, *chosen),
        tables=(table,),
        curves=curves,
        confusions=judged.confusions,
        replicates={**judged.replicates, **again},
    )


def _judged(windows: Sequence[Windows], weights: Weights) -> Part:
    """Precision, recall, F1 and accuracy at the threshold."""
    hits = [w.hits for w in windows if w.hits is not None]
    if len(hits) < len(windows):
        return Part(figures=absent(AT_THRESHOLD, "frame", NO_THRESHOLD))
    counts = _counts(windows, hits)
    own = _ratios(counts.sum(axis=0))
    again = count_ratios(*(weights @ counts).astype(np.float64).T)
    beside = {name: _ratios(found) for name, found in _baseline_counts(windows, hits).items()}
    figures = tuple(
        with_interval(
            Figure(
                name,
                "frame",
                title,
                own[name],
                "" if own[name] is not None else _WHY.get(name, ""),
                baselines={key: found[name] for key, found in beside.items()},
            ),
            again[name],
        )
        for name, title in AT_THRESHOLD.items()
    )
    tn, fp, fn, tp = (int(count) for count in counts.sum(axis=0))
    return Part(figures=figures, confusions={"frame": (tn, fp, fn, tp)}, replicates=again)


def _counts(windows: Sequence[Windows], hits: Sequence[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """(V,4) tn, fp, fn, tp of each video."""
    found = [counts_of(confusion(w.truth, hit)) for w, hit in zip(windows, hits, strict=True)]
    return np.array(found, np.int64)


def _ratios(counts: NDArray[np.floating] | NDArray[np.int64]) -> dict[str, float | None]:
    values = count_ratios(*np.asarray(counts, np.float64))
    return {name: value_of(value) for name, value in values.items()}


def _baseline_counts(
    windows: Sequence[Windows], hits: Sequence[NDArray[np.bool_]]
) -> Mapping[str, NDArray[np.float64]]:
    sizes = [len(w.truth) for w in windows]
    share = sum(int(hit.sum()) for hit in hits) / sum(sizes)
    short = shortest_within([w.duration_s for w in windows], sizes, share)
    # The positions are those of windows' middles, so a share of the windows is what is flagged.
    flags = {
        "always": [np.ones(n, bool) for n in sizes],
        "never": [np.zeros(n, bool) for n in sizes],
        "centre": [np.abs(w.position - 0.5) < share / 2 for w in windows],
        "shorter": [np.full(n, yes) for n, yes in zip(sizes, short, strict=True)],
        "oracle": [
            np.full(n, w.case.annotation.positive) for n, w in zip(sizes, windows, strict=True)
        ],
    }
    counted = {
        name: _counts(windows, flagged).sum(axis=0).astype(np.float64)
        for name, flagged in flags.items()
    }
    positives = sum(int(w.truth.sum()) for w in windows)
    return {**counted, "random": coin(positives, sum(sizes) - positives)}


def _chosen_here(windows: Sequence[Windows]) -> tuple[tuple[Figure, ...], tuple[Curve, ...]]:
    """The best that a threshold could reach on this very data, and the curves it lies on."""
    truth = np.concatenate([w.truth for w in windows])
    values = np.concatenate([w.values for w in windows])
    youden, f1 = best_youden(truth, values), best_f1(truth, values)
    if youden is None or f1 is None:
        why = "all measured windows are of one class"
        return absent(CHOSEN_HERE, "frame", why), ()
    base = float(truth.mean())
    best = {"youden": youden, "best_f1": f1}
    # What flags nothing has no F1 to speak of, and a coin none that a threshold could raise.
    always = {"youden": 0.0, "best_f1": 2 * base / (1 + base)}
    figures = tuple(
        Figure(
            name,
            "frame",
            title,
            best[name][1],
            note=f"chosen on this data: threshold {best[name][0]:.4g}",
            baselines={"always": always[name]},
        )
        for name, title in CHOSEN_HERE.items()
    )
    return figures, _curves(truth, values, base)


def _curves(
    truth: NDArray[np.bool_], values: NDArray[np.float32], base: float
) -> tuple[Curve, ...]:
    roc_points, pr_points = roc_curve(truth, values), pr_curve(truth, values)
    if roc_points is None or pr_points is None:
        return ()
    fpr, tpr, _ = roc_points
    precision, recall, _ = pr_points
    roc, pr = _thinned(len(fpr)), _thinned(len(recall))
    return (
        Curve(
            "roc",
            "ROC, all windows",
            "False positive rate",
            "Recall",
            np.asarray(fpr[roc], np.float64),
            np.asarray(tpr[roc], np.float64),
            chance=((0.0, 0.0), (1.0, 1.0)),
        ),
        Curve(
            "pr",
            "Precision and recall, all windows",
            "Recall",
            "Precision",
            np.asarray(recall[pr], np.float64),
            np.asarray(precision[pr], np.float64),
            chance=((0.0, base), (1.0, base)),
        ),
    )


def _thinned(points: int) -> NDArray[np.intp]:
    if points <= _POINTS:
        return np.arange(points)
    return np.unique(np.linspace(0, points - 1, _POINTS).round().astype(np.intp))
