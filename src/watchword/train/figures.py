"""How well a head does on what it had not seen, beside what knows nothing of the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import FrameBootstrap, bootstrap_weights, interval
from watchword.evaluation.metrics.frame import macro_auc, roc_auc
from watchword.evaluation.result import Figure, Level
from watchword.evidence.head import Unit
from watchword.train.examples import Examples

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Draws of fewer groups than this are too much alike to tell how far a figure could be off.
FEWEST = 5

RIVALS = {
    "zero-shot": "AUC of the zero-shot score",
    "change": "AUC of mean change alone, nothing learned",
    "centre": "AUC of being near the middle of the video",
    "shorter": "AUC of the video being short",
    "later": "AUC of the time since the video's start",
}


class LabelFigures:
    """The figures of one label, on the examples that were scored by a model without their group.

    Args:
        examples: all examples.
        column: number of the label.
        logits: (n,) held-out logits; NaN where there is none.
        unit: clips or windows.
        samples: of the bootstrap over groups.
        seed: likewise.
    """

    def __init__(
        self,
        examples: Examples,
        column: int,
        logits: Floats,
        *,
        unit: Unit,
        samples: int,
        seed: int,
    ) -> None:
        self.label = examples.labels[column]
        self.level: Level = "video" if unit == "clip" else "frame"
        self.unit = unit
        self.scored = ~np.isnan(logits)
        self.truth = examples.truth[self.scored, column]
        self.logits = logits[self.scored]
        self.videos = examples.videos[self.scored]
        self.groups = np.asarray(examples.groups)[self.scored]
        self.rivals = {
            name.split(":")[0]: series[self.scored]
            for name, series in examples.rivals.items()
            if name in (f"zero-shot:{self.label}", *RIVALS)
        }
        self.samples, self.seed = samples, seed

    def figures(self) -> tuple[Figure, ...]:
        """AUC over all examples and mean over videos, each rival's, and the gain over each."""
        return (
            self._auc("auc", f"AUC, held-out {self.unit}s", self.logits),
            *self._macro(),
            *(figure for name in RIVALS if name in self.rivals for figure in self._beside(name)),
        )

    def apart(self, logits: Floats, joined: int) -> Figure:
        """AUC of held-out logits (n,) with videos that look alike on one side of each split.

        Args:
            logits: of all examples, as given to the constructor.
            joined: how many groups were joined to others.
        """
        figure = self._auc("auc_apart", "AUC, look-alikes held out together", logits[self.scored])
        note = f"{joined} groups look like another: they may show the same scene"
        return replace(figure, note=note)

    def _auc(self, name: str, title: str, scores: Floats) -> Figure:
        both = np.isfinite(scores)
        value = roc_auc(self.truth[both], scores[both]) if both.any() else None
        if value is None:
            why = "one class only among what could be held out"
            return Figure(name, self.level, title, None, why=why)
        low, high = _ends(self._resampled(scores, both))
        return Figure(name, self.level, title, value, low=low, high=high, baselines={"random": 0.5})

    def _macro(self) -> tuple[Figure, ...]:
        """Mean over videos that hold both kinds; there are none where each video is one example."""
        if self.unit == "clip":
            return ()
        pairs = [
            (self.truth[self.videos == video], self.logits[self.videos == video])
            for video in np.unique(self.videos)
        ]
        value = macro_auc(pairs, padding="skip")
        why = "" if value is not None else "no video holds both kinds"
        note = "mean over videos that hold both kinds"
        title = "AUC, held-out windows, macro"
        return (Figure("auc_macro", self.level, title, value, why=why, note=note),)

    def _beside(self, name: str) -> tuple[Figure, ...]:
        """A rival's AUC, and how much the head gains on it, on the examples that both score."""
        both = np.isfinite(self.rivals[name])
        title = RIVALS[name]
        truth = self.truth[both]
        plain = name.replace("-", "_")
        if not truth.any() or truth.all():
            why = "one class only among what it scores"
            return (Figure(f"auc_{plain}", self.level, title, None, why=why),)
        own, other = self.logits[both], self.rivals[name][both]
        mine, its = roc_auc(truth, own), roc_auc(truth, other)
        assert mine is not None
        assert its is not None
        a, b = self._resampled(self.logits, both), self._resampled(self.rivals[name], both)
        low, high = _ends(b)
        gain_low, gain_high = _ends(a - b)
        return (
            Figure(f"auc_{plain}", self.level, title, its, low=low, high=high),
            Figure(
                f"gain_{plain}",
                self.level,
                f"gain over {name}",
                mine - its,
                low=gain_low,
                high=gain_high,
                note="paired bootstrap over groups",
            ),
        )

    def _resampled(self, scores: Floats, used: Bools) -> Floats:
        """(B,) AUC of resamples of groups: the same ones each time, so that figures are paired."""
        names = np.unique(self.groups[used])
        if len(names) < FEWEST:
            return np.full(self.samples, np.nan)
        members = [used & (self.groups == name) for name in names]
        boot = FrameBootstrap([self.truth[m] for m in members], [scores[m] for m in members])
        return np.asarray(boot.auc(bootstrap_weights(len(names), self.samples, self.seed)))


def verdict(label: str, figures: Sequence[Figure]) -> str:
    """A plain sentence: how good it is, and whether it beats what learned nothing of the labels."""
    by_name = {figure.name: figure for figure in figures}
    auc = by_name["auc"]
    if auc.value is None:
        return f"{label}: nothing of it was validated ({auc.why})."
    said = [f"{label}: AUC {_shown(auc)} on what it had not seen"]
    said.append(_against("the zero-shot score", "zero_shot", by_name))
    # To beat what is worse than chance would say nothing.
    priors = [
        name
        for name in ("change", "centre", "shorter", "later")
        if f"gain_{name}" in by_name and (by_name[f"auc_{name}"].value or 0.0) > 0.5
    ]
    if priors:
        best = max(priors, key=lambda name: by_name[f"auc_{name}"].value or 0.0)
        said.append(_against(by_name[f"auc_{best}"].title[7:], best, by_name))
    elif auc.low is not None:
        beats = "better than" if auc.low > 0.5 else "not reliably better than"
        said.append(f"{beats} chance")
    return "; ".join(part for part in said if part) + "."


def _against(what: str, name: str, by_name: dict[str, Figure]) -> str:
    gain = by_name.get(f"gain_{name}")
    if gain is None or gain.value is None:
        return ""
    if gain.low is None or gain.high is None:
        word = "cannot be told from"
    elif gain.low > 0:
        word = "beats"
    elif gain.high < 0:
        word = "is worse than"
    else:
        word = "does not reliably beat"
    return f"it {word} {what} ({_shown(by_name[f'auc_{name}'])}, difference {_shown(gain)})"


def _shown(figure: Figure) -> str:
    if figure.value is None:
        return "not defined"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _ends(values: Floats) -> tuple[float | None, float | None]:
    found = interval(values)
    return found.low, found.high
