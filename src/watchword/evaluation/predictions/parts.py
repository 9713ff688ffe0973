"""Parts of the evidence: what each kind says by itself, beside the score combined of them."""

from __future__ import annotations

from dataclasses import replace

from watchword.errors import DatasetError
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evidence.smooth import Smoothing, smooth
from watchword.types import Scores


def of_part(prediction: Prediction, name: str, smoothing: Smoothing) -> Prediction:
    """The prediction with one part of its evidence for its score.

    Events, verdict, heat maps and threshold belong to the combined score and are left out.

    Args:
        prediction: scores that were combined of several parts.
        name: the part.
        smoothing: what will be done to the scores.

    Raises:
        DatasetError: it has no parts, or none of that name (tells those that it has), or the part
            was saved smoothed and shall be smoothed otherwise.
    """
    parts = prediction.parts
    if parts is None:
        raise DatasetError(
            prediction.where,
            f"holds no parts of the evidence, so none called {name!r}: its score is of one kind",
        )
    if name not in parts.labels:
        raise DatasetError(
            prediction.where,
            f"has no part {name!r} of the evidence; parts are {', '.join(parts.labels)}",
        )
    saved = prediction.made.smoothing if _smoothed(prediction, name) else None
    if saved is not None and smoothing.method != "none":
        raise DatasetError(
            prediction.where,
            f"holds the part {name!r} smoothed, and not what it was before; leave the smoothing "
            "as it is",
        )
    return replace(
        prediction,
        scores=replace(parts, values=parts[name][:, None], labels=(name,)),
        raw=None,
        events=None,
        verdict=None,
        positive=None,
        segments=None,
        maps=None,
        parts=None,
        made=replace(prediction.made, smoothing=saved, rule=None),
    )


def smoothed_parts(prediction: Prediction, smoothing: Smoothing) -> Scores | None:
    """The parts to compare with the scores, smoothed as these are.

    None where there are none, or where they were saved smoothed and the scores are smoothed anew.
    """
    parts = prediction.parts
    if parts is None or smoothing.method == "none":
        return parts
    if any(_smoothed(prediction, name) for name in parts.labels):
        return None
    return smooth(parts, smoothing)


def _smoothed(prediction: Prediction, name: str) -> bool:
    """Whether a part was smoothed before it was saved: only words are, ahead of the combining."""
    saved = prediction.made.smoothing or {}
    return name.startswith("words") and saved.get("method", "none") != "none"
