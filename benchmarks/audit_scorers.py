"""Seed 1's scenes, and the 104 ways to score a picture that benchmarks/audit.py compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.datasets import clip_signals
from watchword.evaluation.datasets.record import FrameClock
from watchword.evaluation.predictions.read import read_predictions
from watchword.evidence.smooth import Smoothing, smooth
from watchword.evidence.words import ScoreOptions, score_cosines
from watchword.types import Prompt, PromptBank, Scores, Span

HONEST = 38
NOUNS = 19
# Words of the seed's own list that a road without any hazard is full of.
BENIGN = ("object", "pedestrian", "worker", "cone")
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "animal": (
        "animal in the road",
        "animal crossing the road",
        "animal crossing the road unexpectedly",
    ),
    "construction": (
        "construction zone ahead",
        "construction workers in the roadway",
        "construction blocking the lane",
        "traffic cones on the road",
        "road rerouted by workers",
    ),
    "vehicle": ("stalled vehicle in the lane", "vehicle swerving out of control"),
    "debris": (
        "object debris on the road",
        "unexpected debris on the road",
        "dangerous debris on the road",
        "tumbleweed rolling across the road",
        "trash on the road",
        "household object lying on the road",
    ),
}

Series = NDArray[np.float64]
Scorer = Callable[["Scene"], Series]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One scene: cosines (T,38), truth (T,) and its intervals."""

    name: str
    cosines: Scores
    truth: NDArray[np.bool_]
    spans: tuple[Span, ...]

    @property
    def values(self) -> Series:
        """Cosines in double precision, (T,38)."""
        return self.cosines.values.astype(np.float64)

    @property
    def place(self) -> Series:
        """Where each window lies in the video, 0 to 1."""
        return (np.arange(len(self.truth)) + 0.5) / len(self.truth)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to score; ``use`` says whether a live camera could, and whether it looks at all."""

    name: str
    use: str
    scorer: Scorer


def load(folder: Path) -> list[Scene]:
    """The scenes with their honest sentences alone."""
    truths = {r.video.split(".")[0]: r for r in clip_signals.read(folder / "annotations")}
    scenes = []
    for prediction in read_predictions(folder, rate=1):
        assert prediction.scores is not None
        truth = truths[prediction.video].annotation(FrameClock(rate=1))
        cosines = replace(
            prediction.scores,
            values=prediction.scores.values[:, :HONEST],
            labels=prediction.scores.labels[:HONEST],
        )
        mask = np.asarray(truth.mask(cosines.edges_s).any(axis=1))
        scenes.append(Scene(prediction.video, cosines, mask, truth.spans))
    return scenes


# Scores of one picture at a time: what a live camera has.


def top_minus_all(count: int) -> Scorer:
    def score(scene: Scene) -> Series:
        best = np.sort(scene.values, axis=1)[:, -count:]
        return np.asarray(best.mean(axis=1) - scene.values.mean(axis=1))

    return score


def banked(options: ScoreOptions, normal: Sequence[str] | None = None) -> Scorer:
    """The road sentences as one label against nouns (all unless said), as ``detect --bank``."""

    def score(scene: Scene) -> Series:
        texts = scene.cosines.labels
        events = [Prompt(text, "hazard") for text in texts[NOUNS:]]
        rivals = [Prompt(text, "", "normal") for text in normal or texts[:NOUNS]]
        made = score_cosines(
            scene.cosines, PromptBank((*events, *rivals)), options=options, alpha=0.9
        )
        return np.asarray(made.values[:, 0], np.float64)

    return score


def categories(options: ScoreOptions) -> Scorer:
    """The strongest of four hazards, each against the nouns."""

    def score(scene: Scene) -> Series:
        events = [Prompt(text, name) for name, texts in CATEGORIES.items() for text in texts]
        rivals = [Prompt(text, "", "normal") for text in scene.cosines.labels[:NOUNS]]
        made = score_cosines(scene.cosines, PromptBank((*events, *rivals)), options=options)
        return np.asarray(made.values.max(axis=1), np.float64)

    return score


def novelty(scene: Scene) -> Series:
    """How far the profile of all sentences has moved from that of the first 16 pictures."""
    profile = scene.values - scene.values.mean(axis=1, keepdims=True)
    moved = np.linalg.norm(profile - profile[:16].mean(axis=0), axis=1)
    moved[:16] = 0  # a live camera has nothing to compare with yet
    return np.asarray(moved)


BASES: Mapping[str, Scorer] = {
    "max (the seed)": lambda s: s.values.max(axis=1),
    "mean": lambda s: s.values.mean(axis=1),
    "spread over sentences": lambda s: s.values.std(axis=1),
    "top 3 - mean": top_minus_all(3),
    "top 5 - mean": top_minus_all(5),
    "top 10 - mean": top_minus_all(10),
    "road - nouns, margin of means": banked(ScoreOptions("margin", top_share=1)),
    "road - nouns, margin of top half": banked(ScoreOptions("margin")),
    "road - nouns, margin of best": banked(ScoreOptions("margin", "max")),
    "road - nouns, contrast": banked(ScoreOptions("contrast")),
    "road - benign nouns, margin": banked(ScoreOptions("margin", top_share=1), BENIGN),
    "best of 4 hazards - nouns": categories(ScoreOptions("margin", top_share=1)),
    "novelty against the start": novelty,
}


def smoothed(scorer: Scorer, width: float, *, causal: bool = False) -> Scorer:
    how = Smoothing("gaussian", width, causal=causal)

    def score(scene: Scene) -> Series:
        series = Scores(
            scorer(scene)[:, None].astype(np.float32), scene.cosines.edges_s, ("x",), "margin"
        )
        return smooth(series, how).values[:, 0].astype(np.float64)

    return score


def per_scene(scorer: Scorer) -> Scorer:
    """Less the scene's mean, in its standard deviations: needs the whole video."""

    def score(scene: Scene) -> Series:
        series = scorer(scene)
        return np.asarray((series - series.mean()) / max(float(series.std()), 1e-9))

    return score


def running(scorer: Scorer) -> Scorer:
    """Less the mean so far, in standard deviations so far (from 30 pictures on): causal."""

    def score(scene: Scene) -> Series:
        series = scorer(scene)
        count = np.arange(1, len(series) + 1)
        mean = np.cumsum(series) / count
        variance = np.maximum(np.cumsum(series**2) / count - mean**2, 0)
        return np.where(count < 30, 0.0, (series - mean) / np.sqrt(variance + 1e-6))

    return score


def centre(scene: Scene) -> Series:
    """The centre prior: a Gaussian about the middle, a quarter of the video wide."""
    return np.asarray(np.exp(-0.5 * ((scene.place - 0.5) / 0.25) ** 2))


def in_the_centre(scorer: Scorer) -> Scorer:
    """The rank of the score within its scene times the centre prior: needs the whole video."""

    def score(scene: Scene) -> Series:
        ranks = scorer(scene).argsort().argsort() / len(scene.truth)
        return (0.5 + ranks) * centre(scene)

    return score


def candidates() -> list[Candidate]:
    """Every way that was tried; the list was written before any was looked at."""
    made = []
    for name, base in BASES.items():
        wide = smoothed(base, 15)
        made += [
            Candidate(name, "live", base),
            Candidate(f"{name}, past 15", "live", smoothed(base, 15, causal=True)),
            Candidate(f"{name}, running", "live", running(smoothed(base, 5, causal=True))),
            Candidate(f"{name}, smooth 5", "whole", smoothed(base, 5)),
            Candidate(f"{name}, smooth 15", "whole", wide),
            Candidate(f"{name}, smooth 40", "whole", smoothed(base, 40)),
            Candidate(f"{name}, smooth 15, per scene", "whole", per_scene(wide)),
            Candidate(f"{name}, smooth 15, centre", "centre", in_the_centre(wide)),
        ]
    return made
