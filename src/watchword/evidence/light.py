"""Crash risk from what an encoder has already seen: a head on features, that runs anywhere.

It says how probable an accident within ``lead_s`` seconds is, from the mean, the spread and the
change of the last seconds' features. `train/light.py` fits it in a minute on a CPU.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from watchword.errors import CalibrationError
from watchword.evidence.head import Head, score_head
from watchword.evidence.platt import Platt
from watchword.evidence.pooled import looks_whole
from watchword.features import Features
from watchword.types import Embeddings, Scores

Source = Literal["vectors", "features"]
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """A fitted light model of one kind of accident.

    Attributes:
        head: what weighs the features; of one label.
        lead_s: seconds before the accident that it learned to call positive.
        source: "features", what the picture network sees, or "vectors", of the space of words.
        calibration: fitted on held-out examples; its probabilities are those of the footage it was
            fitted on, whose share of positives is seldom that of the road.
    """

    head: Head
    lead_s: float
    source: Source = "features"
    calibration: Platt = field(default_factory=Platt)

    def __post_init__(self) -> None:
        if len(self.head.labels) != 1:
            raise ValueError(f"labels are {self.head.labels}, it must be one")
        if not (math.isfinite(self.lead_s) and self.lead_s > 0):
            raise ValueError(f"lead_s is {self.lead_s}, it must be a positive number of seconds")
        if self.source not in SOURCES:
            raise ValueError(f"source is {self.source!r}, it must be one of {', '.join(SOURCES)}")

    @property
    def label(self) -> str:
        """What it gives the probability of."""
        return self.head.labels[0]

    @property
    def fingerprint(self) -> str:
        """16 hex digits: equal means the same scores."""
        told = (self.head.fingerprint, self.lead_s, self.source, asdict(self.calibration))
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of it: its fingerprint, what it was fitted on, and a sentence."""
        return {
            **self.head.as_fitted(),
            "fingerprint": self.fingerprint,
            "lead_s": self.lead_s,
            "source": self.source,
        }

    def __repr__(self) -> str:
        return f"Light({self.label!r} within {self.lead_s:g} s, {self.source}, {self.head!r})"


def seen_by(embeddings: Embeddings, features: Features, source: Source) -> Embeddings:
    """The T windows as the head reads them: rows (T,F) of features, or the vectors as they are.

    Raises:
        CalibrationError: the features are of other windows, as where windows average pictures.
    """
    if source == "vectors":
        return embeddings
    if not np.array_equal(features.edges_s, embeddings.edges_s):
        raise CalibrationError(
            "the light model reads features, a row a picture, and these embeddings average "
            "several; look at single pictures (windows.length and windows.stride of 1)"
        )
    return replace(embeddings, vectors=features.rows(slice(None)))


def score_light(embeddings: Embeddings, features: Features, light: Light) -> Scores:
    """Probability of the accident within the lead, at each picture: Scores (T,1).

    Causal. NaN for what was not measured, and where less of the past has been seen than the head
    looks at: how little would tell it that the video has just begun.

    Args:
        embeddings: T pictures.
        features: of the same pictures.
        light: the model.

    Raises:
        CalibrationError: it was fitted on another encoder, or at another rate of pictures.
    """
    scores = score_head(seen_by(embeddings, features, light.source), light.head)
    values = light.calibration(scores.values).astype(np.float32)
    values[~looks_whole(embeddings.edges_s, light.head.pool.window_s)] = np.nan
    made_by = f"light {light.fingerprint} {embeddings.encoder}"
    return replace(scores, values=values, made_by=made_by)
