"""A head fitted on a few labelled clips or windows, with figures of what it had not seen.

Nothing is learned of pictures: an encoder's vectors stay as they are, and each label gets one
logistic model on what is seen of a stretch of them (`watchword.evidence.pooled`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.result import Figure
from watchword.evidence.head import FitFacts, Head, Unit, mean_step_s
from watchword.evidence.pooled import Pooling, PoolOptions
from watchword.train.crossval import Fitted, fit_one, held_out_logits
from watchword.train.examples import Examples, LabelledVideo, find_labels, make_examples
from watchword.train.figures import LabelFigures, verdict
from watchword.train.learning_curve import SIZES, CurvePoint, advice, learning_curve
from watchword.train.look_alikes import join_look_alikes

LEAST = 5
WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a head is fitted and judged.

    Attributes:
        unit: learn from whole clips (is there an event?) or from windows (is there one now?).
        pooling: what is seen of a stretch: "mean", or "mean+std+change".
        window_s: seconds that are looked at; None is the median length of the clips, or 2 s.
        every_s: seconds from one window to learn from to the next; None is half of ``window_s``.
        labels: what to learn; empty is every label there is.
        merged: name of the one label that every event counts as; None keeps labels apart.
        folds: splits of the cross-validation, fewer where there are fewer groups.
        samples: of the bootstrap over groups.
        sizes: numbers of labels of the learning curve; empty draws none.
        seeds: draws of each size.
        seed: of the splits and the bootstrap.
        unvalidated: fit even where nothing can be held out.
        whole: learn only from windows with all of ``window_s`` before them, so that nothing tells
            how long ago a video began.
    """

    unit: Unit = "window"
    pooling: Pooling = "mean+std+change"
    window_s: float | None = None
    every_s: float | None = None
    labels: tuple[str, ...] = ()
    merged: str | None = None
    folds: int = 5
    samples: int = 1000
    sizes: tuple[int, ...] = SIZES
    seeds: int = 5
    seed: int = 0
    unvalidated: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if self.unit not in ("clip", "window"):
            raise ValueError(f"unit is {self.unit!r}, it must be clip or window")
        PoolOptions(self.pooling)
        for name in ("window_s", "every_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}, it must be a positive number of seconds")
        if self.labels and self.merged is not None:
            raise ValueError("give labels to learn, or merged to learn one of all; not both")
        for name, least in (("folds", 2), ("samples", 1), ("seeds", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be {least} or more")
        if any(size < 2 for size in self.sizes):
            raise ValueError(f"sizes are {self.sizes}, each must be 2 or more")


@dataclass(frozen=True, slots=True)
class LabelFit:
    """One label of a head: how it was fitted, and how well it does on what it had not seen.

    Attributes:
        label: its name.
        positives: examples that hold it.
        strength: of the penalty.
        chosen: whether inner folds chose the strength; else the usual one was taken.
        figures: cross-validated, beside rivals; empty if nothing was validated.
        curve: by number of labels.
        verdict: what they say, in a sentence.
        advice: what the curve says of labelling more.
    """

    label: str
    positives: int
    strength: float
    chosen: bool
    figures: tuple[Figure, ...]
    curve: tuple[CurvePoint, ...]
    verdict: str
    advice: str

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name; KeyError names the known ones."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(f"no figure {name!r}; known are {', '.join(f.name for f in self.figures)}")


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """A head with what there is to know of it: figures by label, and notes for people."""

    head: Head
    labels: tuple[LabelFit, ...]
    notes: tuple[str, ...] = ()


def fit_head(
    videos: Sequence[LabelledVideo], options: FitOptions | None = None, *, encoder_name: str = ""
) -> FitResult:
    """A head fitted on all examples, and figures from models that each left some groups out.

    Args:
        videos: annotated videos with vectors of one encoder.
        options: what to learn and how.
        encoder_name: the encoder's name, for messages.

    Raises:
        CalibrationError: nothing can be learned (fewer than five examples, one class only), or
            nothing could be validated (too few groups) and ``unvalidated`` is off; vectors of
            different encoders.
    """
    options = options or FitOptions()
    encoder = _one_encoder(videos)
    labels = _labels(videos, options)
    pool = PoolOptions(options.pooling, options.window_s or _usual_window_s(videos, options.unit))
    examples = make_examples(
        videos,
        labels,
        unit=options.unit,
        pool=pool,
        every_s=options.every_s or pool.window_s / 2,
        merged=options.merged is not None,
        whole=options.whole,
    )
    _check(examples, options)
    apart = join_look_alikes([v.embeddings for v in videos], [v.group for v in videos])
    joined = tuple(apart[i] for i in examples.videos)
    models, fits = [], []
    for column in range(len(labels)):
        model = fit_one(
            examples.x,
            examples.truth[:, column],
            examples.groups,
            folds=options.folds,
            seed=options.seed,
        )
        models.append(model)
        fits.append(_judged(examples, column, model, joined, options))
    # Clips of one picture each have no step, and are only seen by their mean, which needs none.
    steps = [step for v in videos if (step := mean_step_s(v.embeddings)) is not None] or [
        pool.window_s
    ]
    head = Head(
        weights=np.stack([model.weights for model in models]),
        bias=np.array([model.bias for model in models]),
        mean=models[0].mean,
        scale=models[0].scale,
        labels=labels,
        encoder=encoder,
        encoder_name=encoder_name,
        pool=pool,
        steps_s=(min(steps), max(steps)),
        facts=_facts(videos, examples, fits, options),
    )
    return FitResult(head, tuple(fits), _notes(videos, examples, fits, apart))


def _judged(
    examples: Examples,
    column: int,
    model: Fitted,
    joined: tuple[str, ...],
    options: FitOptions,
) -> LabelFit:
    """One label's figures, curve and verdict."""
    label, truth = examples.labels[column], examples.truth[:, column]
    folds, seed = options.folds, options.seed
    figures: tuple[Figure, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    said = f"{label}: nothing of it was validated, since one kind is known from one group only."
    if _can_validate(examples.groups, truth):
        logits = held_out_logits(examples.x, truth, examples.groups, folds=folds, seed=seed)
        told = LabelFigures(
            examples, column, logits, unit=options.unit, samples=options.samples, seed=seed
        )
        figures = told.figures()
        lost = len(set(examples.groups)) - len(set(joined))
        if lost:
            stricter = held_out_logits(examples.x, truth, joined, folds=folds, seed=seed)
            figures = (*figures, told.apart(stricter, lost))
        said = verdict(label, figures)
        if options.sizes:
            curve = learning_curve(
                examples.x,
                truth,
                examples.groups,
                folds=folds,
                seeds=options.seeds,
                sizes=options.sizes,
            )
    return LabelFit(
        label,
        int(truth.sum()),
        model.strength,
        model.chosen,
        figures,
        curve,
        said,
        advice(curve),
    )


def _one_encoder(videos: Sequence[LabelledVideo]) -> str:
    encoders = sorted({video.embeddings.encoder for video in videos})
    if not encoders:
        raise CalibrationError("no videos to learn from")
    if len(encoders) > 1:
        raise CalibrationError(
            f"the videos' vectors come from {' and '.join(encoders)}; a head reads one encoder"
        )
    return encoders[0]


def _labels(videos: Sequence[LabelledVideo], options: FitOptions) -> tuple[str, ...]:
    if options.merged is not None:
        return (options.merged,)
    known = find_labels(videos)
    missing = [label for label in options.labels if label not in known]
    if missing:
        raise CalibrationError(
            f"no video holds {', '.join(map(repr, missing))}; "
            f"known labels are {', '.join(known) or 'none'}"
        )
    if not known:
        raise CalibrationError("no video holds an event: both kinds are needed to learn from")
    return options.labels or known


def _usual_window_s(videos: Sequence[LabelledVideo], unit: Unit) -> float:
    if unit == "window":
        return WINDOW_S
    spans = [(video.embeddings.edges_s[0], video.embeddings.edges_s[-1]) for video in videos]
    return float(np.median([end - start for start, end in spans]))


def _check(examples: Examples, options: FitOptions) -> None:
    """CalibrationError if nothing can be learned, or nothing could be validated."""
    count = len(examples.x)
    if count < LEAST:
        raise CalibrationError(
            f"{count} {options.unit}s are too few to learn from, {LEAST} are the least "
            f"({examples.left_out} more could not be used: nothing in them was measured)"
        )
    for column, label in enumerate(examples.labels):
        truth = examples.truth[:, column]
        held = int(truth.sum())
        if held in (0, count):
            raise CalibrationError(
                f"{held} of {count} {options.unit}s hold {label!r}; both kinds are needed to learn"
            )
        if not options.unvalidated and not _can_validate(examples.groups, truth):
            raise CalibrationError(
                f"nothing could be said of how good {label!r} would be: with any group left out, "
                "only one kind would be left to learn from. Label videos of more groups, learn "
                "all events as one (--as NAME), or fit without knowing (--unvalidated)"
            )


def _can_validate(groups: Sequence[str], truth: NDArray[np.bool_]) -> bool:
    """Whether both kinds occur in two groups or more."""
    names = np.asarray(groups)
    return len(set(names[truth])) > 1 and len(set(names[~truth])) > 1


def _facts(
    videos: Sequence[LabelledVideo],
    examples: Examples,
    fits: Sequence[LabelFit],
    options: FitOptions,
) -> FitFacts:
    told = " ".join(fit.verdict for fit in fits)
    count, groups = len(examples.x), len(set(examples.groups))
    splits = {video.annotation.split for video in videos}
    return FitFacts(
        unit=options.unit,
        videos=tuple(video.annotation.video for video in videos),
        fingerprints=tuple(video.embeddings.video or "" for video in videos),
        groups=groups,
        examples=count,
        positives={fit.label: fit.positives for fit in fits},
        strengths={fit.label: fit.strength for fit in fits},
        figures={
            fit.label: {f.name: [f.value, f.low, f.high] for f in fit.figures} for fit in fits
        },
        sentence=f"Head fitted on {count} {options.unit}s of {groups} groups. {told}",
        split=splits.pop() if len(splits) == 1 else None,
    )


def _notes(
    videos: Sequence[LabelledVideo],
    examples: Examples,
    fits: Sequence[LabelFit],
    apart: Sequence[str],
) -> tuple[str, ...]:
    notes = []
    if examples.left_out:
        notes.append(f"{examples.left_out} examples were left out: too little of them was measured")
    usual = [fit.label for fit in fits if not fit.chosen]
    if usual:
        notes.append(f"too few groups to choose the penalty of {', '.join(usual)}: a usual one")
    groups, joined = len({video.group for video in videos}), len(set(apart))
    if joined < groups:
        notes.append(
            f"{groups} groups look like {joined} scenes: if clips come from one recording, name "
            "their group in the annotations; 'look-alikes held out together' is the safer figure"
        )
    return tuple(notes)
