"""Frame level without a threshold: do windows with an event score higher than those without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import FrameBootstrap, Weights, resampled_mean
from watchword.evaluation.levels.part import Replicates, with_interval
from watchword.evaluation.levels.windows import Windows
from watchword.evaluation.levels.wins import count_wins
from watchword.evaluation.metrics.frame import (
    Padding,
    average_precision,
    macro_auc,
    roc_auc,
    trapezoid_pr_auc,
)
from watchword.evaluation.result import Cell, Figure, Table

TITLES = {
    "auc_micro": "AUC, micro",
    "auc_over_centre": "AUC, micro, above the centre prior",
    "auc_macro": "AUC, macro",
    "auc_normalised": "AUC, each video stretched to 0..1",
    "auc_anomalous_only": "AUC, videos with events only",
    "ap": "Average precision",
    "ap_trapezoid": "PR area by trapezoid",
}
_ONE_CLASS = "all measured windows are of one class"
_WHY = {"auc_macro": "no video has windows of both classes"}
_PRIORS = ("centre", "shorter", "centre x shorter", "later", "oracle")
# In the table only: beside each figure there is no room for more.
_TABLE_ONLY = ("centre x shorter", "later")
Found = dict[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """The windows of V videos under one score."""

    truths: list[NDArray[np.bool_]]
    values: Sequence[NDArray[np.floating]]

    @property
    def with_events(self) -> list[int]:
        return [i for i, truth in enumerate(self.truths) if truth.any()]

    def of(self, chosen: Sequence[int]) -> _Series:
        return _Series([self.truths[i] for i in chosen], [self.values[i] for i in chosen])

    def stretched(self) -> _Series:
        return _Series(self.truths, [_stretched(values) for values in self.values])

    def video_aucs(self, padding: Padding) -> list[float | None]:
        # What pads stands at or beyond every score; contrast and probability end at 0 and 1.
        bounds = (
            min(0.0, *(float(values.min()) for values in self.values)),
            max(1.0, *(float(values.max()) for values in self.values)),
        )
        pairs = zip(self.truths, self.values, strict=True)
        return [macro_auc([pair], padding=padding, bounds=bounds) for pair in pairs]

    def auc(self) -> float | None:
        if not self.truths:
            return None
        return roc_auc(np.concatenate(self.truths), np.concatenate(self.values))


def ranking(
    windows: Sequence[Windows], weights: Weights, *, padding: Padding
) -> tuple[tuple[Figure, ...], dict[str, Replicates], Table]:
    """The figures, each figure in every resample, and the table of baselines.

    Args:
        windows: V videos.
        weights: (B,V) how often each video is in each resample.
        padding: macro AUC of videos of one class: "skip" leaves them out, "pad" gives every video
            one window without event at score 0 and one with at score 1.
    """
    truths = [w.truth for w in windows]
    own_series = _Series(truths, [w.values for w in windows])
    own = _values(own_series, padding)
    priors = {
        name: _values(_Series(truths, [w.prior(name) for w in windows]), padding)
        for name in _PRIORS
    }
    flat = _values(_Series(truths, [np.zeros(len(t), np.float32) for t in truths]), padding)
    # A coin's area has the base rate for its expected value whichever way points are joined. Where
    # all scores are equal there are two points, and a straight line between them is no area of
    # anything: (1 + base rate) / 2, however bad.
    priors = {
        "always": {**flat, "ap_trapezoid": None},
        "never": {**flat, "ap_trapezoid": None},
        "random": {**flat, "ap_trapezoid": flat["ap"]},
    } | priors
    priors["oracle"]["ap_trapezoid"] = None
    again = _resampled(own_series, weights, padding)
    centre = count_wins(truths, [w.prior("centre") for w in windows])
    again["auc_over_centre"] = again["auc_micro"] - centre.auc(weights)
    own["auc_over_centre"] = _minus(own["auc_micro"], priors["centre"]["auc_micro"])
    notes = _notes(windows, padding) | _late(own, priors)
    figures = []
    for name, title in TITLES.items():
        beside = (
            {}
            if name == "auc_over_centre"
            else {key: found[name] for key, found in priors.items() if key not in _TABLE_ONLY}
        )
        why = "" if own[name] is not None else _WHY.get(name, _ONE_CLASS)
        made = Figure(
            name, "frame", title, own[name], why, note=notes.get(name, ""), baselines=beside
        )
        figures.append(with_interval(made, again.get(name)))
    return tuple(figures), again, _baseline_table(own, priors)


def _values(series: _Series, padding: Padding) -> Found:
    truth, values = np.concatenate(series.truths), np.concatenate(series.values)
    some = bool(truth.any())
    return {
        "auc_micro": series.auc(),
        "auc_macro": _mean(series.video_aucs(padding)),
        "auc_normalised": series.stretched().auc(),
        "auc_anomalous_only": series.of(series.with_events).auc(),
        "ap": average_precision(truth, values) if some else None,
        "ap_trapezoid": trapezoid_pr_auc(truth, values) if some else None,
    }


def _resampled(series: _Series, weights: Weights, padding: Padding) -> dict[str, Replicates]:
    wins = count_wins(series.truths, series.values)
    normalised = series.stretched()
    whole = FrameBootstrap(series.truths, series.values)
    return {
        "auc_micro": wins.auc(weights),
        "auc_macro": resampled_mean(series.video_aucs(padding), weights),
        "auc_normalised": count_wins(normalised.truths, normalised.values).auc(weights),
        "auc_anomalous_only": wins.auc(weights, series.with_events),
        "ap": whole.average_precision(weights),
    }


def _mean(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if known else None


def _stretched(values: NDArray[np.floating]) -> NDArray[np.floating]:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / ((high - low) or 1.0), values.dtype)


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _notes(windows: Sequence[Windows], padding: Padding) -> dict[str, str]:
    both = sum(w.both for w in windows)
    rule = (
        f"mean over the {both} of {len(windows)} videos with both classes"
        if padding == "skip"
        else f"every one of {len(windows)} videos padded with (0, 0) and (1, 1)"
    )
    base = np.concatenate([w.truth for w in windows]).mean()
    return {
        "auc_over_centre": "both in the same resamples",
        "auc_macro": rule,
        "auc_normalised": "looks at the whole video first: not for live use",
        "auc_anomalous_only": f"{sum(bool(w.truth.any()) for w in windows)} videos",
        "ap": f"by steps; {base:.1%} of windows are events",
        "ap_trapezoid": "joins points by straight lines, which flatters few points most",
    }


def _late(own: Found, priors: dict[str, Found]) -> dict[str, str]:
    """A word of warning where the time since the start alone tells as much.

    Clips that end with their event are such, and a live camera has no start.
    """
    later, reached = priors["later"]["auc_micro"], own["auc_micro"]
    if later is None or reached is None or later < reached:
        return {}
    return {"auc_micro": f"the time since each video's start alone reaches {later:.3f}"}


def _baseline_table(own: Found, priors: dict[str, Found]) -> Table:
    names = [name for name in TITLES if name != "auc_over_centre"]
    rows: list[tuple[Cell, ...]] = [("model", *(own[name] for name in names))]
    rows += [(key, *(found[name] for name in names)) for key, found in priors.items()]
    return Table(
        "baselines",
        "What knows nothing of the picture",
        ("score", *names),
        tuple(rows),
        note="the oracle knows which videos hold an event",
    )
