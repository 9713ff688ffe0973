"""Average precision of scored intervals over many videos, matched as ActivityNet does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.overlap import checked_tiou, reaches, tiou_matrix
from watchword.types import Event, Span


@dataclass(frozen=True, slots=True, eq=False)
class RankedHits:
    """The found events of one label, from the highest score down, matched at one tIoU.

    Attributes:
        scores: (D,) falling.
        hits: (D,) whether each took a true event.
        video: (D,) which video each is of, as the place of its name in ``videos``.
        truths: (V,) true events of each video.
        videos: names of the videos.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    video: NDArray[np.intp]
    truths: NDArray[np.int64]
    videos: tuple[str, ...]

    def average_precision(self, weights: NDArray[np.int64] | None = None) -> float | None:
        """Area under precision over recall; None if no video holds an event of the label.

        Precision is made non-increasing from the right first (VOC 2011). Events of equal score are
        one step, so their order does not matter.

        Args:
            weights: (V,) how often each video counts, for resampling; once each if not given.
        """
        times = np.ones(len(self.videos), np.int64) if weights is None else weights
        total = float(self.truths @ times)
        if not total:
            return None
        if not len(self.scores):
            return 0.0
        last = np.append(self.scores[1:] != self.scores[:-1], True)
        each = times[self.video]
        tp = np.cumsum(each * self.hits)[last]
        every = np.cumsum(each)[last]
        precision = np.divide(tp, every, out=np.zeros(len(tp)), where=every > 0)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.dot(np.diff(tp, prepend=0), envelope) / total)


def ranked_hits(
    truth_by_video: Mapping[str, Sequence[Span]],
    found_by_video: Mapping[str, Sequence[Event]],
    tiou: float,
    *,
    label: str,
) -> RankedHits:
    """The found events of one label, each matched within its video.

    From the highest score down each takes the free true event of its video with the highest
    temporal IoU, if that is ``tiou`` or more; else it is a false alarm. Of equal scores the earlier
    event goes first.

    Raises:
        ValueError: tiou is not in (0, 1], a found event has no score, or it is of a video that has
            no entry in the truth (a video without events has an empty one).
    """
    checked_tiou(tiou)
    unknown = [video for video in found_by_video if video not in truth_by_video]
    if unknown:
        raise ValueError(f"events were found in {unknown[0]!r}, whose truth is not given")
    videos = tuple(truth_by_video)
    scores: list[float] = []
    hits: list[bool] = []
    places: list[int] = []
    truths = np.zeros(len(videos), np.int64)
    for place, video in enumerate(videos):
        true = [span for span in truth_by_video[video] if span.label == label]
        found = [event for event in found_by_video.get(video, ()) if event.label == label]
        if any(math.isnan(event.score) for event in found):
            raise ValueError(f"an event found in {video!r} has no score, so it cannot be ranked")
        found.sort(key=lambda event: (-event.score, event.start_s, event.end_s))
        truths[place] = len(true)
        hits.extend(_taken(true, found, tiou))
        scores.extend(event.score for event in found)
        places.extend([place] * len(found))
    order = np.argsort(-np.array(scores, np.float64), kind="stable")
    return RankedHits(
        np.array(scores, np.float64)[order],
        np.array(hits, np.bool_)[order],
        np.array(places, np.intp)[order],
        truths,
        videos,
    )


def _taken(truth: Sequence[Span], ranked: Sequence[Event], tiou: float) -> list[bool]:
    """Whether each of the ranked events takes a true one."""
    if not truth:
        return [False] * len(ranked)
    overlap = tiou_matrix(truth, ranked)
    hits = []
    for column in range(len(ranked)):
        best = int(np.argmax(overlap[:, column]))
        hit = bool(reaches(overlap[best, column], tiou))
        if hit:
            overlap[best] = -1.0
        hits.append(hit)
    return hits


def labels_of(truth_by_video: Mapping[str, Sequence[Span]]) -> tuple[str, ...]:
    """The labels that some video holds an event of, in order of appearance."""
    return tuple(dict.fromkeys(span.label for spans in truth_by_video.values() for span in spans))
