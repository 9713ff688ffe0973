"""Whether predictions can be what they are taken for: one kind of score, measured, in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchword.errors import DatasetError, KindMismatch
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.predictions.prediction import Prediction
from watchword.types import Annotation


def refuse_mixture(predictions: Sequence[Prediction]) -> None:
    """Nothing, if all scores are of one kind.

    Raises:
        KindMismatch: they are not; kinds and places are told.
    """
    first: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.scores is not None:
            first.setdefault(prediction.scores.kind, prediction)
    if len(first) > 1:
        named = ", ".join(f"{kind} ({p.where})" for kind, p in first.items())
        raise KindMismatch(
            f"predictions hold different kinds of score: {named}; evaluate each kind by itself"
        )


def length_notes(
    name: str, prediction: Prediction, truth: Annotation, tolerance: float
) -> tuple[str, ...]:
    """A sentence if annotation and scores disagree on the length a little; an error if a lot."""
    scores, length_s = prediction.scores, truth.duration_s
    if length_s is None:
        return ()
    if scores is None or not len(scores):
        _refuse_late_events(prediction, length_s, tolerance)
        return ()
    end_s = float(scores.edges_s[-1])
    # Scores are as coarse as their windows.
    window_s = float(np.diff(scores.edges_s).max())
    gap_s = abs(end_s - length_s)
    if gap_s > max(tolerance * length_s, window_s):
        raise DatasetError(
            prediction.where,
            f"scores of {prediction.video!r} end at {end_s:.2f} s and the annotation says the "
            f"video has {length_s:.2f} s (a factor of {end_s / length_s:.3g}): this looks like a "
            "wrong frame rate or unit; give the right --rate, or name the videos (--videos)",
        )
    if gap_s <= min(0.01 * length_s, window_s):
        return ()
    return (f"{name}: scores end at {end_s:.2f} s, the annotation says {length_s:.2f} s.",)


def _refuse_late_events(prediction: Prediction, length_s: float, tolerance: float) -> None:
    """DatasetError if an event lies well past the end of its video."""
    end_s = max((event.end_s for event in prediction.events or ()), default=0.0)
    if end_s > (1 + tolerance) * length_s + 1.0:
        raise DatasetError(
            prediction.where,
            f"an event of {prediction.video!r} ends at {end_s:.2f} s and the annotation says the "
            f"video has {length_s:.2f} s: this looks like a wrong unit; times are seconds",
        )


def refuse_unmeasured(predictions: Sequence[Prediction]) -> None:
    """DatasetError if there are scores over time and not one of them is a number."""
    scored = [p for p in predictions if p.scores is not None]
    if scored and all(np.isnan(p.scores.values).all() for p in scored if p.scores is not None):
        raise DatasetError(
            scored[0].where,
            f"holds no score that was measured, nor do the other {len(scored) - 1}: all are NaN or "
            "empty",
        )


def unit_notes(pairs: Sequence[tuple[Prediction, Record]], rate: float | None) -> tuple[str, ...]:
    """Sentences on rates that contradict each other and on cosines that are none."""
    notes = []
    stated = {r.rate for _, r in pairs if r.rate is not None}
    other = sorted(own for own in stated if rate is not None and abs(own / rate - 1) > 0.01)
    if other:
        told = ", ".join(f"{own:g}" for own in other[:3])
        notes.append(f"The truth states {told} frames a second; {rate:g} was asked for and used.")
    cosines = [p.scores for p, _ in pairs if p.scores is not None and p.scores.kind == "cosine"]
    top = max((float(np.nanmax(np.abs(s.values), initial=0.0)) for s in cosines), default=0.0)
    if top > 1.001:
        notes.append(f"Scores reach {top:.4g}, which no cosine does; say what they are (--kind).")
    return tuple(notes)
