"""Scores from a head: a logistic model of a few labelled windows or clips, on an encoder's vectors.

Each label has its own model (one against the rest): p = sigmoid(w · (x − mean) / scale + b), where
x is what `pooled` sees of the last seconds. `train/head.py` fits heads, `head_file` reads them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evidence.pooled import PoolOptions, pool_windows
from watchword.types import Embeddings, Scores

Unit = Literal["clip", "window"]

# By how much pictures may lie nearer or farther apart than those the head was fitted on: how much
# a picture changes until the next depends on the time between them.
STEP_SLACK = 1.25


@dataclass(frozen=True, slots=True)
class FitFacts:
    """What a head was fitted on and how well it did on what it had not seen.

    Attributes:
        unit: whether it learned from whole clips or from windows.
        videos: names of the videos it learned from.
        fingerprints: of their content, in the same order; empty for one that is not known.
        groups: cameras, scenes or subjects among them.
        examples: windows or clips it learned from.
        positives: how many of them hold each label.
        strengths: of the penalty, by label (C of scikit-learn: higher is weaker).
        figures: cross-validated figures by name; empty if nothing was validated.
        sentence: what there is to say of it, for people.
        split: name of the split that all videos belong to; None if there is no such one.
    """

    unit: Unit
    videos: tuple[str, ...]
    fingerprints: tuple[str, ...]
    groups: int
    examples: int
    positives: Mapping[str, int]
    strengths: Mapping[str, float]
    figures: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""
    split: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A fitted head: K labels, F numbers seen of each window.

    Attributes:
        weights: (K,F) on standardised numbers.
        bias: (K,).
        mean: (F,) subtracted from what is seen.
        scale: (F,) that it is then divided by, positive.
        labels: K names.
        encoder: fingerprint of the encoder whose vectors it reads.
        encoder_name: its name.
        pool: what is seen of a window.
        steps_s: shortest and longest mean time between pictures among the videos it was fitted on.
        facts: what it was fitted on.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    labels: tuple[str, ...]
    encoder: str
    encoder_name: str
    pool: PoolOptions
    steps_s: tuple[float, float]
    facts: FitFacts

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels) or not all(self.labels):
            raise ValueError(f"labels are {self.labels}, they must be one or more different names")
        count, width = len(self.labels), np.size(self.mean)
        shapes = {"weights": (count, width), "bias": (count,), "mean": (width,), "scale": (width,)}
        for name, shape in shapes.items():
            array = np.array(getattr(self, name), np.float64)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, it must be {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if (self.scale <= 0).any():
            raise ValueError("scale must be positive")
        low, high = self.steps_s
        if not 0 < low <= high < math.inf:
            raise ValueError(f"steps_s is {self.steps_s}, it must be two positive times that rise")

    @property
    def fingerprint(self) -> str:
        """16 hex digits: equal means the same scores."""
        told = (self.labels, self.encoder, asdict(self.pool), self.steps_s)
        digest = hashlib.sha256(json.dumps(told).encode())
        for array in (self.weights, self.bias, self.mean, self.scale):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of it: its fingerprint, what it was fitted on, and a sentence.

        The videos' fingerprints are those that are known.
        """
        facts = asdict(self.facts)
        known = [one for one in self.facts.fingerprints if one]
        listed = {"videos": list(self.facts.videos), "fingerprints": known}
        return {"fingerprint": self.fingerprint, **facts, **listed}

    def __repr__(self) -> str:
        return f"Head(labels={self.labels!r}, encoder={self.encoder_name!r}, {self.pool})"


def check_head(head: Head, *, encoder: str, encoder_name: str) -> None:
    """Nothing, if the head reads vectors of this encoder.

    Args:
        head: the head.
        encoder: fingerprint of the encoder at hand.
        encoder_name: its name.

    Raises:
        CalibrationError: it was fitted on another encoder's vectors; names both.
    """
    if head.encoder != encoder:
        raise CalibrationError(
            f"the head was fitted on the encoder {head.encoder_name} ({head.encoder}), not on "
            f"{encoder_name} ({encoder}); choose that model, or fit a head for this one"
        )


def score_head(embeddings: Embeddings, head: Head) -> Scores:
    """Probability of each label in each window: Scores (T,K) of kind "probability".

    Causal, in blocks: files and cameras agree, and memory stays flat. NaN for windows that were not
    measured, and where change is looked at also for those with no measured picture before them.

    Raises:
        CalibrationError: the vectors come from another encoder than those the head was fitted on,
            or the pictures lie nearer together or farther apart.
    """
    check_head(head, encoder=embeddings.encoder, encoder_name="the one of these embeddings")
    width = embeddings.vectors.shape[1]
    if head.pool.width(width) != head.weights.shape[1]:
        raise CalibrationError(
            f"the head weighs {head.weights.shape[1]} numbers, embeddings that are {width} wide "
            f"give {head.pool.width(width)}; fit a head for this encoder"
        )
    _check_steps(embeddings, head)
    # One multiplication per number less: standardising is part of the weights.
    weights = head.weights / head.scale
    bias = head.bias - weights @ head.mean
    values = np.full((len(embeddings), len(head.labels)), np.nan, np.float32)
    for at, rows in pool_windows(embeddings, head.pool):
        # tanh neither overflows nor leaves [0, 1].
        values[at : at + len(rows)] = 0.5 * (1 + np.tanh(0.5 * (rows @ weights.T + bias)))
    return Scores(
        values,
        embeddings.edges_s,
        head.labels,
        "probability",
        video=embeddings.video,
        made_by=f"head {head.fingerprint} {embeddings.encoder}",
    )


def mean_step_s(embeddings: Embeddings) -> float | None:
    """Mean time between pictures in seconds; None for fewer than two."""
    if len(embeddings) < 2:
        return None
    return float(embeddings.edges_s[-2] - embeddings.edges_s[0]) / (len(embeddings) - 1)


def _check_steps(embeddings: Embeddings, head: Head) -> None:
    step = mean_step_s(embeddings)
    if step is None or head.pool.pooling == "mean":
        return
    low, high = head.steps_s
    if not low / STEP_SLACK <= step <= high * STEP_SLACK:
        raise CalibrationError(
            f"the head was fitted on pictures {low:.3g} to {high:.3g} s apart, these are "
            f"{step:.3g} s apart, and how much a picture changes until the next depends on that; "
            f"look at {1 / high:.3g} pictures a second (--rate), or fit a head for this rate"
        )
