"""A light model of crash risk fitted on annotated videos: what is soon to be, from features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.foreseen import LeadOptions, foreseen, windows_before
from watchword.evaluation.metrics.reliability import brier, calibration_error
from watchword.evidence.light import Light, Source, seen_by
from watchword.evidence.platt import Platt, expit
from watchword.evidence.pooled import PoolOptions
from watchword.features import Features
from watchword.train.crossval import held_out_logits
from watchword.train.examples import LabelledVideo, make_examples
from watchword.train.head import WINDOW_S, FitOptions, FitResult, fit_head
from watchword.train.platt import fit_platt
from watchword.types import Annotation, Embeddings

# Where an event of kind probability begins unless said.
_BALANCE = 0.5


@dataclass(frozen=True, slots=True)
class LightOptions:
    """How a light model is fitted.

    Attributes:
        lead: what counts as soon.
        source: "features" (default), which tell more of change, or "vectors".
        fit: how its head is fitted; by default a look at the last second, twice a second, and
            only where that second has been seen: accidents lie late in published clips, and a head
            that can tell how long ago a clip began learns nothing else.
    """

    lead: LeadOptions = field(default_factory=LeadOptions)
    source: Source = "features"
    fit: FitOptions = field(
        default_factory=lambda: FitOptions(window_s=1.0, every_s=0.5, sizes=(), whole=True)
    )

    def __post_init__(self) -> None:
        if self.fit.unit != "window":
            raise ValueError("fit.unit is clip, it must be window: risk is told as time goes on")


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """A video to learn from: what is true of it, and what an encoder saw of it."""

    annotation: Annotation
    embeddings: Embeddings
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class LightResult:
    """A light model and what there is to know of it.

    Attributes:
        light: the model.
        fit: figures of its head on groups that it had not seen, beside rivals.
        brier: held-out Brier score before and after it was put right; None if nothing was held out.
        error: held-out calibration error, likewise.
        base: Brier score of always saying the share of positives, likewise.
        notes: sentences for people.
    """

    light: Light
    fit: FitResult
    brier: tuple[float, float] | None
    error: tuple[float, float] | None
    base: float | None
    notes: tuple[str, ...] = ()


def fit_light(
    footage: Sequence[Footage],
    options: LightOptions | None = None,
    *,
    encoder_name: str = "",
    notes: Sequence[str] = (),
) -> LightResult:
    """The light model of footage, with figures of what it had not seen.

    Pictures from the accident on are never looked at. Its probabilities are put right by Platt's
    curve on held-out examples; the figures after that rest on curves that each left groups out too.

    Args:
        footage: annotated videos with what one encoder saw of them.
        options: what is soon, and how to fit.
        encoder_name: the encoder's name, for messages.
        notes: sentences on the footage, to stand before the result's own.

    Raises:
        CalibrationError: nothing can be learned or validated, as `fit_head` says.
    """
    options = options or LightOptions()
    videos, told = _labelled(footage, options)
    label = options.lead.label
    fitting = replace(options.fit, labels=(), merged=label)
    fit = fit_head(videos, fitting, encoder_name=encoder_name)
    logits, truth, groups = _held_out(videos, fitting, label)
    calibration, figures = _calibrated(logits, truth, groups)
    if figures is None:
        told.append("its probabilities were not put right: too little could be held out")
    highest = float(np.nanmax(calibration(expit(logits)), initial=0.0))
    if figures is not None and highest < _BALANCE:
        told.append(
            f"what it had not seen it never called more probable than {highest:.2f}: no event "
            f"begins at {_BALANCE} unless a lower threshold is given"
        )
    light = Light(fit.head, options.lead.lead_s, options.source, calibration)
    scores, errors, base = figures or (None, None, None)
    return LightResult(light, fit, scores, errors, base, (*notes, *told, *fit.notes))


def _labelled(
    footage: Sequence[Footage], options: LightOptions
) -> tuple[list[LabelledVideo], list[str]]:
    """What is to be learned of each video, up to its accident; and what was left out."""
    videos, unknown, late = [], 0, 0
    for one in footage:
        truth = foreseen(one.annotation, options.lead)
        if truth is None:
            unknown += 1
            continue
        seen = seen_by(one.embeddings, one.features, options.source)
        windows = windows_before(seen.edges_s, truth.accident_s)
        # Change needs a picture to differ from.
        if windows < 2:
            late += 1
            continue
        vectors, edges = seen.vectors[:windows], seen.edges_s[: windows + 1]
        videos.append(LabelledVideo(truth, replace(seen, vectors=vectors, edges_s=edges)))
    counts = {
        "videos have an event but no known accident, and were left out": unknown,
        "videos begin with their accident, and were left out": late,
    }
    if not videos:
        raise CalibrationError(
            f"none of {len(footage)} videos can be learned from: {unknown} have an event but no "
            f"known accident, {late} begin with it; annotate when accidents happen"
        )
    return videos, [f"{count} {what}" for what, count in counts.items() if count]


def _held_out(
    videos: Sequence[LabelledVideo], options: FitOptions, label: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]]:
    """(n,) logits of models without the example's group, the truth, and the groups."""
    pool = PoolOptions(options.pooling, options.window_s or WINDOW_S)
    every_s = options.every_s or pool.window_s / 2
    examples = make_examples(
        videos,
        (label,),
        unit="window",
        pool=pool,
        every_s=every_s,
        merged=True,
        whole=options.whole,
    )
    truth, groups = examples.truth[:, 0], np.asarray(examples.groups)
    if len(set(groups)) < 2:
        return np.full(len(truth), np.nan), truth, groups
    logits = held_out_logits(
        examples.x, truth, examples.groups, folds=options.folds, seed=options.seed
    )
    return logits, truth, groups


def _calibrated(
    logits: NDArray[np.float64], truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> tuple[Platt, tuple[tuple[float, float], tuple[float, float], float] | None]:
    """The curve of all, and Brier score and calibration error before and after curves of halves."""
    known = np.isfinite(logits)
    said, true = expit(logits[known]), truth[known]
    names = np.unique(groups[known])
    half = np.isin(groups[known], names[::2])
    right = np.full(len(said), np.nan)
    try:
        whole = fit_platt(said, true)
        for mine in (half, ~half):
            right[mine] = fit_platt(said[~mine], true[~mine])(said[mine])
    except (CalibrationError, ValueError):
        return Platt(), None
    share = float(true.mean())
    scores = (brier(true, said), brier(true, right))
    errors = (calibration_error(true, said), calibration_error(true, right))
    return whole, (scores, errors, share * (1 - share))
