"""A case: one video with what was predicted and what is true, on the same windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.datasets.record import FrameClock
from watchword.evaluation.predictions.prediction import Prediction
from watchword.types import Annotation, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One video, predicted and annotated.

    Attributes:
        name: the shortest name that tells it from the others.
        prediction: what was predicted.
        annotation: what is true, in seconds.
        scores: scores over time, smoothed and normalised as the evaluation was told; None if only
            events or a verdict were saved.
        notes: what a reader must know, as lengths that disagree.
        parts: what each kind of evidence says, smoothed like the scores that were combined of them;
            None where there are none or they cannot be compared with the scores.
        clock: when its frames are shown; None is not known.
    """

    name: str
    prediction: Prediction
    annotation: Annotation
    scores: Scores | None = None
    notes: tuple[str, ...] = ()
    parts: Scores | None = None
    clock: FrameClock | None = None

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(T,) whether any event covers the middle of each window of the scores."""
        assert self.scores is not None
        mask = self.annotation.mask(self.scores.edges_s)
        return np.asarray(mask.any(axis=1))

    @property
    def series(self) -> NDArray[np.float32]:
        """(T,) the highest score over labels of each window; NaN where none was measured."""
        assert self.scores is not None
        return np.asarray(np.fmax.reduce(self.scores.values, axis=1, initial=np.nan), np.float32)

    @property
    def type(self) -> str:
        """The label of its longest event; "normal" if it has none."""
        spans = self.annotation.spans
        if not spans:
            return "anomalous" if self.annotation.positive else "normal"
        lengths: dict[str, float] = {}
        for span in spans:
            lengths[span.label] = lengths.get(span.label, 0.0) + span.duration_s
        return max(lengths, key=lambda label: lengths[label])
