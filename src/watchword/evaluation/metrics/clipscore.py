"""Formulas that turn the cosine of a picture and a text into a number called a CLIP score.

The same cosine of 0.25 is printed as 0.25, 0.625 or 25 by different tools. Here each formula has
its own function, and `DEFINITIONS` names them. NaN is a frame that was not decoded: it stays NaN in
what is computed frame by frame, and means leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.evaluation.metrics.consistency import Consistency, unit_directions

Floats = NDArray[np.float64]
How = Literal["mean", "median", "min", "max", "std", "top_k"]
_SPREAD: tuple[How, ...] = ("median", "min", "max", "std", "top_k")

PREFIX = "A photo depicts "
"""What Hessel et al. put before each caption."""

HESSEL_WEIGHT = 2.5
TOP_K = 5


def cosines(images: ArrayLike, texts: ArrayLike) -> Floats:
    """Cosine of each picture with each text (N,M), -1 to 1, from vectors (N,D) and (M,D).

    In double precision: each row is divided by its length, then rows are multiplied and summed;
    what rounding leaves beyond 1 is cut off. Rows need not be of unit length. A row with a NaN
    gives NaN.

    Raises:
        ValueError: not (N,D) and (M,D) of one width, an infinite or a zero row.
    """
    rows = unit_directions(images, "image vectors")
    columns = unit_directions(texts, "text vectors")
    if rows.shape[1] != columns.shape[1]:
        raise ValueError(
            f"image vectors are {rows.shape[1]} wide and text vectors {columns.shape[1]}; "
            "both must come from one model"
        )
    return np.clip(rows @ columns.T, -1.0, 1.0)


def raw_cosine(cos: ArrayLike) -> Floats:
    """The cosine itself, in any shape, -1 to 1.

    Source: Taited clip-score 0.2.1 (the PyPI wheel) prints its mean, as does the tool of seed 5.
    """
    return np.asarray(cos, np.float64)


def hundred_cosine(cos: ArrayLike) -> Floats:
    """``100 cos``, in any shape, -100 to 100; negative ones stay negative."""
    return 100 * raw_cosine(cos)


def hessel(cos: ArrayLike) -> Floats:
    """CLIPScore, ``2.5 max(cos, 0)`` pair by pair, in any shape, 0 to 2.5.

    First the negative ones become 0, then the weight, then (by the caller) the mean. As published
    the text carries the prefix "A photo depicts "; without it the formula is the same, of the
    cosine with the bare text.

    Source: Hessel et al., CLIPScore, EMNLP 2021, equation 1; jmhessel/clipscore 1036465.
    """
    return HESSEL_WEIGHT * np.maximum(raw_cosine(cos), 0)


def logit_scaled(cos: ArrayLike, logit_scale: float) -> Floats:
    """The model's own logit, ``logit_scale cos``, in any shape.

    Args:
        cos: cosines.
        logit_scale: the factor itself (100 for OpenAI's CLIP), not its logarithm as stored.

    Source: Radford et al. 2021, figure 3; Taited clip-score's snapshot dbfa0ca prints its mean.

    Raises:
        ValueError: a factor that is not above 0.
    """
    if not (np.isfinite(logit_scale) and logit_scale > 0):
        raise ValueError(f"logit_scale is {logit_scale}, it must be a number above 0")
    return logit_scale * raw_cosine(cos)


def torchmetrics_score(cos: ArrayLike) -> float | None:
    """``max(mean(100 cos), 0)`` of all pairs (N,), 0 to 100; None if none was measured.

    The mean comes first and what is negative becomes 0 after it, so single negative pairs still
    pull the mean down; its documentation says otherwise.

    Source: torchmetrics 1.9.0, ``torchmetrics.multimodal.CLIPScore.compute``.
    """
    mean = aggregate(hundred_cosine(cos), "mean")
    return None if mean is None else max(mean, 0.0)


def ref_clipscore(cos_image_text: ArrayLike, cos_text_refs: ArrayLike) -> Floats:
    """RefCLIPScore of each item (N,), 0 to 1.43: ``2 S R / (S + R)``.

    S is the CLIPScore with its weight, ``2.5 max(cos, 0)``; R is ``max(cos, 0)``, without weight,
    of the reference that is nearest to the text. Where S and R are both 0 it is 0 (the authors'
    program divides 0 by 0 and gives NaN). The largest below 0 counts as 0, as in the paper; the
    program keeps it negative.

    Args:
        cos_image_text: (N,) of each picture with its text.
        cos_text_refs: (N,R) of each text with its references; NaN where it has fewer than R. An
            item without any is NaN.

    Source: Hessel et al., CLIPScore, EMNLP 2021, equation 2; jmhessel/clipscore 1036465.

    Raises:
        ValueError: shapes that do not fit.
    """
    scores = hessel(cos_image_text)
    table = np.asarray(cos_text_refs, np.float64)
    if scores.ndim != 1 or table.ndim != 2 or len(table) != len(scores) or not table.shape[1]:
        raise ValueError(
            f"cos_image_text has shape {scores.shape} and cos_text_refs {table.shape}; "
            "(N,) and (N, R) with R of 1 or more are needed"
        )
    nearest = np.maximum(np.fmax.reduce(table, axis=1), 0)
    total = scores + nearest
    # Where the total is 0 so is the product.
    return np.asarray(2 * scores * nearest / np.where(total == 0, 1, total), np.float64)


def aggregate(cos: ArrayLike, how: How = "mean", *, k: int = TOP_K) -> float | None:
    """One number for the cosines of a video's frames (T,); None if no frame was measured.

    Args:
        cos: values of the frames; NaN ones are left out.
        how: mean, median (of an even number, the mean of the middle two), min, max, std
            (population: divided by the number of frames, as numpy does), or top_k (mean of the k
            highest, of all if there are fewer than k).
        k: of top_k.

    Raises:
        ValueError: not (T,), an unknown ``how``, or k below 1.
    """
    values = measured(cos)
    if k < 1:
        raise ValueError(f"k is {k}, it must be 1 or more")
    if how not in ("mean", *_SPREAD):
        raise ValueError(f"how is {how!r}, it must be one of mean, {', '.join(_SPREAD)}")
    if not len(values):
        return None
    if how == "top_k":
        return float(np.sort(values)[-k:].mean())
    if how == "median":
        return float(np.median(values))
    return float(getattr(values, how)())


def measured(cos: ArrayLike) -> Floats:
    """The values of a flat list (T,) that are not NaN.

    Raises:
        ValueError: not flat.
    """
    values = np.asarray(cos, np.float64)
    if values.ndim != 1:
        raise ValueError(f"values have shape {values.shape}, they must be (T,)")
    return values[~np.isnan(values)]


@dataclass(frozen=True, slots=True)
class Definition:
    """One formula over cosines, under a name of its own.

    Attributes:
        name: the key in results.
        title: the name for readers.
        formula: in one short line; ``mean`` is over frames or pairs.
        source: who defines it so.
        note: what to know when comparing numbers.
        needs: what must be given besides the cosines; empty if nothing.
    """

    name: str
    title: str
    formula: str
    source: str
    note: str = ""
    needs: str = ""


_HESSEL = "Hessel et al. 2021; jmhessel/clipscore"
_PREFIXED = f'a text with "{PREFIX.strip()}" before it'
_FRAMES = "two frames or more of a video, one after the other"

_ALL = (
    Definition(
        "raw_cosine",
        "Cosine, mean",
        "mean(cos)",
        "Taited clip-score 0.2.1 (PyPI)",
        "All others start from it; EvalCrafter's CLIP-Score and FETV's CLIPScore are this mean.",
    ),
    Definition(
        "median", "Cosine, median", "median(cos)", "-", "Of an even number, the middle of two."
    ),
    Definition("min", "Cosine, lowest", "min(cos)", "-"),
    Definition("max", "Cosine, highest", "max(cos)", "-"),
    Definition(
        "std", "Cosine, standard deviation", "std(cos)", "-", "Of a population (divided by N)."
    ),
    Definition(
        "top_k", "Cosine, mean of the k highest", f"mean({TOP_K} highest cos)", "-", "All if fewer."
    ),
    Definition(
        "hundred_cosine",
        "100 x cosine",
        "mean(100 cos)",
        "as papers print it",
        "Negative ones stay.",
    ),
    Definition(
        "hessel_prefixed",
        "CLIPScore (Hessel), as published",
        'mean(2.5 max(cos, 0)), text after "A photo depicts"',
        _HESSEL,
        "Below 0 is cut off pair by pair, before the mean.",
        _PREFIXED,
    ),
    Definition(
        "hessel",
        "CLIPScore (Hessel), without the prefix",
        "mean(2.5 max(cos, 0))",
        _HESSEL,
        "The published one has the prefix.",
    ),
    Definition(
        "logit_scaled",
        "Logit",
        "mean(logit_scale cos)",
        "Radford et al. 2021; Taited clip-score dbfa0ca (git)",
        "OpenAI's CLIP has a logit scale of 100.",
        "the model's logit scale",
    ),
    Definition(
        "torchmetrics",
        "CLIPScore (torchmetrics)",
        "max(mean(100 cos), 0)",
        "torchmetrics 1.9 CLIPScore",
        "Below 0 is cut off after the mean, no prefix; its default model is ViT-L/14.",
    ),
    Definition(
        "ref_clipscore_prefixed",
        "RefCLIPScore (Hessel), as published",
        "mean(2 S R / (S + R)), S = 2.5 max(cos, 0), R = best reference",
        _HESSEL,
        "Text and references both after the prefix; 0 where S and R are 0.",
        f'reference texts, all texts with "{PREFIX.strip()}" before them',
    ),
    Definition(
        "ref_clipscore",
        "RefCLIPScore (Hessel), without the prefix",
        "mean(2 S R / (S + R)), S = 2.5 max(cos, 0), R = best reference",
        _HESSEL,
        "The published one has the prefix.",
        "reference texts",
    ),
    Definition(
        "consecutive_consistency",
        "Consistency of neighbouring frames",
        "mean(cos(f[k-1], f[k]))",
        "-",
        "",
        _FRAMES,
    ),
    Definition(
        "first_frame_consistency",
        "Consistency with the first frame",
        "mean(cos(f[0], f[k]))",
        "-",
        "",
        _FRAMES,
    ),
    Definition(
        "vbench_background_consistency",
        "Background consistency (VBench)",
        "mean((max(0, cos(f[k-1], f[k])) + max(0, cos(f[0], f[k]))) / 2)",
        "VBench background_consistency",
        "Over many videos VBench weighs each by its number of frames.",
        _FRAMES,
    ),
    Definition(
        "evalcrafter_clip_temp",
        "CLIP-Temp (EvalCrafter)",
        "mean(cos(f[k-1], f[k]))",
        "EvalCrafter",
        "The original feeds pixels of 0 to 255 without CLIP's normalisation and prints x 100, so "
        "its numbers differ.",
        _FRAMES,
    ),
)

DEFINITIONS: Mapping[str, Definition] = MappingProxyType({one.name: one for one in _ALL})
"""Every definition by its name, in the order in which they are shown."""


def all_definitions(
    cosines: ArrayLike,
    *,
    prefixed: ArrayLike | None = None,
    logit_scale: float | None = None,
    references: ArrayLike | None = None,
    prefixed_references: ArrayLike | None = None,
    consistency: Consistency | None = None,
    top_k: int = TOP_K,
) -> dict[str, float | None]:
    """Every definition by name, from the same cosines; None where something it needs is not given.

    `DEFINITIONS` says under ``needs`` what that is. Without a single measured frame all are None.

    Args:
        cosines: (T,) of the frames, or of pairs, with the bare text; NaN is not measured.
        prefixed: (T,) with the text after `PREFIX`, NaN at the same places.
        logit_scale: the factor itself (100 for OpenAI's CLIP).
        references: cosines of the bare text with reference texts: (R,) where all T share one text,
            else (T,R), NaN where there are fewer than R.
        prefixed_references: the same with the prefix before both.
        consistency: how consistent the video is, as a `ConsistencyMeter` gives it.
        top_k: how many frames the mean of the highest takes.

    Raises:
        ValueError: shapes that do not fit, or references with the prefix but no such cosines.
    """
    bare = np.asarray(cosines, np.float64)
    values: dict[str, float | None] = dict.fromkeys(DEFINITIONS)
    values["raw_cosine"] = aggregate(raw_cosine(bare))
    for how in _SPREAD:
        values[how] = aggregate(bare, how, k=top_k)
    values["hundred_cosine"] = aggregate(hundred_cosine(bare))
    values["hessel"] = aggregate(hessel(bare))
    values["torchmetrics"] = torchmetrics_score(bare)
    if logit_scale is not None:
        values["logit_scaled"] = aggregate(logit_scaled(bare, logit_scale))
    if references is not None:
        values["ref_clipscore"] = _mean_ref(bare, references)
    if prefixed is not None:
        with_prefix = _same_places(np.asarray(prefixed, np.float64), bare)
        values["hessel_prefixed"] = aggregate(hessel(with_prefix))
        if prefixed_references is not None:
            values["ref_clipscore_prefixed"] = _mean_ref(with_prefix, prefixed_references)
    elif prefixed_references is not None:
        raise ValueError("prefixed_references need prefixed, the cosines with the prefixed text")
    if consistency is not None:
        values["consecutive_consistency"] = consistency.consecutive
        values["first_frame_consistency"] = consistency.first_frame
        values["vbench_background_consistency"] = consistency.vbench
        values["evalcrafter_clip_temp"] = consistency.evalcrafter
    return values


def _mean_ref(cos: Floats, references: ArrayLike) -> float | None:
    table = np.asarray(references, np.float64)
    if table.ndim == 1:
        table = np.broadcast_to(table, (len(cos), len(table)))
    scores = ref_clipscore(cos, table)
    bare = int((np.isnan(scores) & ~np.isnan(cos)).sum())
    if bare:
        raise ValueError(
            f"{bare} of {len(cos)} items have no reference; give one, or leave them out"
        )
    return aggregate(scores)


def _same_places(prefixed: Floats, bare: Floats) -> Floats:
    if prefixed.shape != bare.shape or not np.array_equal(np.isnan(prefixed), np.isnan(bare)):
        raise ValueError(
            f"prefixed has shape {prefixed.shape} and cosines {bare.shape}; they must be of the "
            "same frames, measured at the same places"
        )
    return prefixed
