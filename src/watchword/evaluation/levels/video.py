"""Video level: does a whole video hold an event, and do those that do score higher."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.baselines import coin, shorter
from watchword.evaluation.bootstrap import FrameBootstrap, Weights
from watchword.evaluation.cases import Case
from watchword.evaluation.levels.part import (
    Part,
    Replicates,
    absent,
    count_ratios,
    value_of,
    with_interval,
)
from watchword.evaluation.metrics.frame import average_precision, roc_auc
from watchword.evaluation.result import Figure
from watchword.evaluation.settling import Settled

TITLES = {
    "video_auc": "AUC of videos",
    "video_ap": "Average precision of videos",
    "video_precision": "Precision of videos",
    "video_recall": "Recall of videos",
    "video_f1": "F1 of videos",
    "video_accuracy": "Accuracy of videos",
}
_RANKING = ("video_auc", "video_ap")
_ONE_CLASS = "all videos are of one class"
_NO_DECISION = "no decision was saved and there is no threshold (--threshold)"


@dataclass(frozen=True, slots=True, eq=False)
class Videos:
    """Each of V videos as one score and one decision.

    Attributes:
        truth: (V,) whether it holds an event.
        scores: (V,) higher is more.
        hits: (V,) whether it was called an event; None if nobody said.
        lengths_s: length of each; None if not known.
        words: where scores and decisions came from.
    """

    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]
    hits: NDArray[np.bool_] | None
    lengths_s: list[float | None]
    words: str


def videos_of(cases: Sequence[Case], settled: Settled) -> tuple[Videos | None, list[int], str]:
    """The videos with a score, their places in ``cases``, and how many have none in words.

    A verdict counts where every video has one that says more than how many events were found; else
    the highest score of each video.
    """
    verdicts = [_verdict(case) for case in cases]
    by_verdict = all(not math.isnan(verdict) for verdict in verdicts)
    scores = verdicts if by_verdict else [_highest(case) for case in cases]
    kept = [i for i, score in enumerate(scores) if not math.isnan(score)]
    if not kept:
        return None, [], "no video has a verdict or scores"
    chosen = [cases[i] for i in kept]
    values = np.array([scores[i] for i in kept])
    hits, decided = _decisions(chosen, values, settled, by_verdict=by_verdict)
    words = "the saved verdict" if by_verdict else "the highest score of the video"
    lengths = [_length_s(case) for case in chosen]
    truth = np.array([case.annotation.positive for case in chosen])
    left_out = len(cases) - len(kept)
    sentence = f"{left_out} videos have no measured score and no verdict." if left_out else ""
    return Videos(truth, values, hits, lengths, f"{words}; {decided}"), kept, sentence


def _verdict(case: Case) -> float:
    decision = case.prediction.made.config.get("decision")
    rule = decision.get("rule") if isinstance(decision, Mapping) else None
    verdict = case.prediction.verdict
    # A number of events ranks videos worse than the scores that the events were found in.
    if verdict is None or (rule == "any_event" and case.scores is not None):
        return math.nan
    return float(verdict)


def _highest(case: Case) -> float:
    if case.scores is None or not len(case.scores):
        events = case.prediction.events
        if events is None:
            return math.nan
        # Nothing found is the lowest that a video can be.
        return max((event.score for event in events), default=-math.inf)
    return float(np.fmax.reduce(case.series, initial=np.nan))


def _length_s(case: Case) -> float | None:
    if case.scores is not None and len(case.scores):
        return float(case.scores.edges_s[-1] - case.scores.edges_s[0])
    return case.annotation.duration_s


def _decisions(
    cases: Sequence[Case], values: NDArray[np.float64], settled: Settled, *, by_verdict: bool
) -> tuple[NDArray[np.bool_] | None, str]:
    saved = [case.prediction.positive for case in cases]
    if all(positive is not None for positive in saved) and (settled.saved or by_verdict):
        return np.array(saved, bool), "the saved decisions"
    if settled.threshold is None:
        return None, "no decision"
    # As windows are compared: in the precision of the scores.
    at = float(np.float32(settled.threshold))
    return values >= at, f"positive from {settled.threshold:.4g}"


def video_level(videos: Videos | None, weights: Weights, *, why: str) -> Part:
    """The video level's figures and confusion matrix.

    Args:
        videos: V videos, or None.
        weights: (B,V) how often each is in each bootstrap resample.
        why: what to say if there is none.
    """
    if videos is None:
        return Part(figures=absent(TITLES, "video", why))
    truth, scores = videos.truth, _finite(videos.scores)
    areas = FrameBootstrap([t[None] for t in truth], [s[None] for s in scores]).areas(weights)
    own: dict[str, float | None] = {
        "video_auc": roc_auc(truth, scores),
        "video_ap": average_precision(truth, scores),
    }
    again: dict[str, Replicates] = dict(zip(_RANKING, areas, strict=True))
    confusions: dict[str, tuple[int, int, int, int]] = {}
    if videos.hits is not None:
        counts = _counts(truth, videos.hits)
        own |= _ratios(counts.sum(axis=0))
        again |= _named(count_ratios(*(weights @ counts).astype(np.float64).T))
        tn, fp, fn, tp = (int(count) for count in counts.sum(axis=0))
        confusions["video"] = (tn, fp, fn, tp)
    beside = _baselines(videos)
    figures = []
    for name, title in TITLES.items():
        value = own.get(name)
        why = _ONE_CLASS if name in _RANKING else "nothing to divide by"
        why = _NO_DECISION if name not in own else why
        made = Figure(
            name,
            "video",
            title,
            value,
            "" if value is not None else why,
            note=videos.words if name in ("video_auc", "video_f1") else "",
            baselines={key: found.get(name) for key, found in beside.items()},
        )
        figures.append(with_interval(made, again.get(name)))
    return Part(figures=tuple(figures), confusions=confusions, replicates=again)


def _finite(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Only the order counts: minus infinity becomes less than every score there is."""
    known = scores[np.isfinite(scores)]
    return np.where(np.isfinite(scores), scores, (known.min() if len(known) else 0.0) - 1.0)


def _counts(truth: NDArray[np.bool_], hits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(V,4): in which of tn, fp, fn, tp each video is."""
    return np.eye(4, dtype=np.int64)[2 * truth.astype(np.intp) + hits]


def _ratios(counts: NDArray[np.int64] | NDArray[np.float64]) -> dict[str, float | None]:
    found = _named(count_ratios(*np.asarray(counts, np.float64)))
    return {name: value_of(value) for name, value in found.items()}


def _named(found: Mapping[str, Replicates]) -> dict[str, Replicates]:
    return {f"video_{name}": value for name, value in found.items()}


def _baselines(videos: Videos) -> dict[str, dict[str, float | None]]:
    truth = videos.truth
    size, positives = len(truth), int(truth.sum())
    both = 0 < positives < size
    chance = {"video_auc": 0.5 if both else None, "video_ap": positives / size if both else None}
    beside: dict[str, dict[str, float | None]] = {
        "always": chance | _ratios(_counts(truth, np.ones(size, bool)).sum(axis=0)),
        "never": chance | _ratios(_counts(truth, np.zeros(size, bool)).sum(axis=0)),
        "random": chance | _ratios(coin(positives, size - positives)),
        # The middle of a video says nothing about the whole of it.
        "centre": dict.fromkeys(TITLES),
        "shorter": dict.fromkeys(TITLES),
    }
    if all(length is not None and length > 0 for length in videos.lengths_s):
        short = np.array([shorter(length) for length in videos.lengths_s if length is not None])
        ranked = {"video_auc": roc_auc(truth, short), "video_ap": average_precision(truth, short)}
        beside["shorter"] |= ranked
        if videos.hits is not None:
            flagged = np.zeros(size, bool)
            flagged[np.argsort(-short, kind="stable")[: int(videos.hits.sum())]] = True
            beside["shorter"] |= _ratios(_counts(truth, flagged).sum(axis=0))
    perfect: dict[str, float | None] = dict.fromkeys(TITLES, 1.0 if both else None)
    beside["oracle"] = perfect
    return beside
