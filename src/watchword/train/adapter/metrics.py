"""How well an adapter tells what it was not trained on, and which videos those are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.frame import average_precision, roc_auc
from watchword.evidence.adapter_windows import Run, adapt_rows
from watchword.train.adapter.windows import TrainingVideo
from watchword.train.folds import grouped_folds

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """How scores put what is abnormal above what is not.

    Attributes:
        auc: over all pictures ("frame"), videos ("video"), or pictures of which some were displaced
            on purpose ("made"); None if only one class is there.
        average_precision: likewise.
        level: which of them.
    """

    auc: float | None
    average_precision: float | None
    level: Literal["frame", "video", "made"]


def judge(videos: Sequence[TrainingVideo], scores: Sequence[Floats], *, frames: bool) -> Judged:
    """How well scores (T,) of each video agree with its labels.

    Over pictures, all videos together and none of them scaled; or over videos, each with the mean
    of its highest sixteenth. What was not measured has no part in it.

    Args:
        videos: with their labels.
        scores: of each.
        frames: whether labels of pictures may be looked at; those of videos are where they may not,
            and where pictures are all of one class.
    """
    marked = [(one.frame_labels, own) for one, own in zip(videos, scores, strict=True)]
    truth, values = _joined([(t, s) for t, s in marked if t is not None and frames])
    if truth.any() and not truth.all():
        return Judged(roc_auc(truth, values), average_precision(truth, values), "frame")
    told = [(held, top_mean(own)) for own, held in zip(scores, map(holds, videos), strict=True)]
    known = [(held, score) for held, score in told if held is not None and not np.isnan(score)]
    if len({held for held, _ in known}) < 2:
        return Judged(None, None, "video")
    truth, tops = np.array([h for h, _ in known]), np.array([s for _, s in known])
    return Judged(roc_auc(truth, tops), average_precision(truth, tops), "video")


def score_videos(
    run: Run, videos: Sequence[TrainingVideo], *, length: int, stride: int, causal: bool
) -> list[Floats]:
    """Probability (T,) of each video's pictures, with windows merged as they are in use."""
    return [
        adapt_rows(run, one.rows, length=length, stride=stride, causal=causal)[1] for one in videos
    ]


def top_mean(scores: Floats) -> float:
    """Mean of the highest ⌊n/16⌋ + 1 of n scores; NaN if none was measured."""
    known = np.sort(scores[~np.isnan(scores)])
    return float(known[-(len(known) // 16 + 1) :].mean()) if len(known) else np.nan


def holds(video: TrainingVideo) -> bool | None:
    """Whether a video holds anything abnormal; None if nobody said."""
    if video.video_label is not None:
        return video.video_label
    return None if video.frame_labels is None else bool(video.frame_labels.any())


@dataclass(frozen=True, slots=True)
class Division:
    """Numbers of the videos to train on and to validate on, and what there is to say of it."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    note: str = ""


def divide(videos: Sequence[TrainingVideo], *, share: float, seed: int, frames: bool) -> Division:
    """Videos to train on, and about ``share`` of them to validate on; no group is on both sides.

    Both sides hold both classes wherever that can be had. Where there is but one group, whole
    videos are held out, and the note says so.

    Args:
        videos: all of them.
        share: of videos to validate on; 0 validates on none.
        seed: of the draw.
        frames: whether classes are those of pictures rather than of videos.
    """
    everything = tuple(range(len(videos)))
    if share == 0:
        return Division(everything, (), "nothing was validated: no share was set aside")
    if len(videos) < 2:
        return Division(everything, (), "nothing was validated: there is one video only")
    groups = [one.group for one in videos]
    note = ""
    if len(set(groups)) < 2:
        groups = [str(number) for number in everything]
        note = "all videos are of one group: validated on other videos of the same camera or scene"
    truth = np.array([bool(holds(one)) for one in videos])
    fold = grouped_folds(groups, truth, folds=max(2, round(1 / share)), seed=seed)
    sides = [(np.flatnonzero(fold != n), np.flatnonzero(fold == n)) for n in np.unique(fold)]
    both = [
        (kept, held)
        for kept, held in sides
        if _has_both(videos, held, frames=frames) and _has_both(videos, kept, frames=frames)
    ]
    if not both:
        lacking = "no share of the videos holds both classes and leaves both to learn from"
        note = f"{note}; {lacking}" if note else lacking
    kept, held = (both or sides)[0]
    return Division(tuple(kept.tolist()), tuple(held.tolist()), note)


def _has_both(videos: Sequence[TrainingVideo], numbers: NDArray[np.intp], *, frames: bool) -> bool:
    mine = [videos[number] for number in numbers]
    if not frames:
        return {False, True} <= {holds(one) for one in mine}
    truth, _ = _joined([(v.frame_labels, v.rows[:, 0]) for v in mine if v.frame_labels is not None])
    return bool(truth.any() and not truth.all())


def _joined(pairs: Sequence[tuple[Bools, Floats]]) -> tuple[Bools, Floats]:
    """Truth and scores of all that was measured, one after the other."""
    if not pairs:
        return np.zeros(0, bool), np.zeros(0, np.float32)
    truth, values = (np.concatenate(one) for one in zip(*pairs, strict=True))
    measured = ~np.isnan(values)
    return truth[measured], values[measured]
