"""Annotated videos as examples to learn from: what is seen of a clip or window, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evidence.head import Unit
from watchword.evidence.pooled import PoolOptions, looks_whole, pool_clip, pool_windows
from watchword.types import Annotation, Embeddings, Scores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# More would not fit the matrices of a fit into a few hundred megabytes.
MOST = 20_000

# What an event is called in truth that only says that there is one.
UNNAMED = "event"


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVideo:
    """One video to learn from.

    Attributes:
        annotation: what is true of it.
        embeddings: its vectors, with the content's fingerprint.
        zero_shot: scores of the same windows from words, to compare with; None if there are none.
    """

    annotation: Annotation
    embeddings: Embeddings
    zero_shot: Scores | None = None

    @property
    def group(self) -> str:
        """Camera, scene or subject; the video by itself where nobody said."""
        return self.annotation.group or self.annotation.video


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """n examples of F numbers and K labels.

    Attributes:
        x: (n,F) what is seen.
        truth: (n,K) which label is held.
        labels: K names.
        groups: group of each example.
        videos: (n,) number of the video of each example.
        rivals: (n,) scores that learned nothing of these labels, by name: "zero-shot:LABEL",
            "centre", "shorter", "later", "change".
        left_out: how many examples could not be used, since too little of them was measured.
    """

    x: Floats
    truth: Bools
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    videos: NDArray[np.intp]
    rivals: dict[str, Floats] = field(default_factory=dict)
    left_out: int = 0


def find_labels(videos: Sequence[LabelledVideo]) -> tuple[str, ...]:
    """Every label that some video holds, in order of appearance."""
    found = [label for video in videos for label in _held(video.annotation)]
    return tuple(dict.fromkeys(found))


def make_examples(
    videos: Sequence[LabelledVideo],
    labels: Sequence[str],
    *,
    unit: Unit,
    pool: PoolOptions,
    every_s: float,
    merged: bool,
    whole: bool = False,
) -> Examples:
    """The examples that the videos give.

    A clip is one example. Of a longer video each picture that is the first after another
    ``every_s`` seconds gives one: what is seen up to its end, and whether an event covers its
    middle.

    Args:
        videos: annotated videos.
        labels: what to learn; one name if ``merged``.
        unit: clips or windows.
        pool: what is seen.
        every_s: seconds from one window to the next.
        merged: whether every event counts as the one label.
        whole: take only windows with all of the pool's seconds before them: at the start of a
            video there are fewer, which tells how late it is.

    Raises:
        CalibrationError: a video whose truth does not say when, where windows are to be learned
            from; too many examples.
    """
    parts = [
        _of_clip(video, labels, pool, merged=merged)
        if unit == "clip"
        else _of_windows(video, labels, pool, every_s, merged=merged, whole=whole)
        for video in videos
    ]
    x, truth = np.concatenate([p.x for p in parts]), np.concatenate([p.truth for p in parts])
    number = np.repeat(np.arange(len(parts)), [len(p.x) for p in parts])
    used = ~np.isnan(x).any(axis=1)
    if used.sum() > MOST:
        raise CalibrationError(
            f"{used.sum()} windows are more than the {MOST} that a head is fitted on; "
            "take fewer with a longer time between them (--every-s)"
        )
    names = set.intersection(*(set(part.rivals) for part in parts))
    rivals = {name: np.concatenate([p.rivals[name] for p in parts])[used] for name in sorted(names)}
    if pool.pooling != "mean":
        rivals["change"] = x[used, -(x.shape[1] // 3) :].mean(axis=1)
    return Examples(
        x=x[used],
        truth=truth[used],
        labels=tuple(labels),
        groups=tuple(videos[i].group for i in number[used]),
        videos=number[used],
        rivals=rivals,
        left_out=int((~used).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    x: Floats
    truth: Bools
    rivals: dict[str, Floats]


def _of_clip(
    video: LabelledVideo, labels: Sequence[str], pool: PoolOptions, *, merged: bool
) -> _Part:
    held = _held(video.annotation)
    truth = np.array([[bool(held) if merged else label in held for label in labels]])
    rivals = {"shorter": np.array([-_length_s(video.embeddings)])}
    if video.zero_shot is not None:
        for label in labels:
            series = _zero_shot(video.zero_shot, label)
            top = np.fmax.reduce(series, initial=np.nan)
            rivals[f"zero-shot:{label}"] = np.array([top], np.float64)
    return _Part(pool_clip(video.embeddings, pool.pooling)[None], truth, rivals)


def _of_windows(
    video: LabelledVideo,
    labels: Sequence[str],
    pool: PoolOptions,
    every_s: float,
    *,
    merged: bool,
    whole: bool,
) -> _Part:
    annotation, embeddings = video.annotation, video.embeddings
    if not annotation.localised:
        raise CalibrationError(
            f"{annotation.video} is only said to hold an event, not when; learn from whole clips "
            "(--clip), or give the times of its events"
        )
    edges = embeddings.edges_s
    spot = np.floor((edges[1:] - edges[0]) / every_s + 1e-9)
    picked = np.flatnonzero(np.diff(spot, prepend=0.0) > 0)
    if whole:
        picked = picked[looks_whole(edges, pool.window_s)[picked]]
    mask = annotation.mask(edges)[picked]
    columns = [
        mask.any(axis=1)
        if merged
        else mask[:, annotation.labels.index(label)]
        if label in annotation.labels
        else np.zeros(len(picked), bool)
        for label in labels
    ]
    blocks = []
    for at, rows in pool_windows(embeddings, pool):
        mine = picked[(picked >= at) & (picked < at + len(rows))]
        blocks.append(rows[mine - at])
    width = pool.width(embeddings.vectors.shape[1])
    length = _length_s(embeddings)
    middle = (edges[picked] + edges[picked + 1]) / 2 - edges[0]
    rivals = {
        "centre": -np.abs(middle / length - 0.5),
        "shorter": np.full(len(picked), -length),
        "later": middle,
    }
    if video.zero_shot is not None:
        for label in labels:
            series = _zero_shot(video.zero_shot, label)
            rivals[f"zero-shot:{label}"] = _lately(series, embeddings, pool.window_s)[picked]
    x = np.concatenate(blocks) if blocks else np.zeros((0, width))
    return _Part(x, np.stack(columns, axis=1), rivals)


def _held(annotation: Annotation) -> tuple[str, ...]:
    """Labels that the video holds somewhere."""
    if annotation.spans:
        return tuple(dict.fromkeys(span.label for span in annotation.spans))
    if not annotation.positive:
        return ()
    return annotation.labels[:1] if len(annotation.labels) == 1 else (UNNAMED,)


def _length_s(embeddings: Embeddings) -> float:
    return float(embeddings.edges_s[-1] - embeddings.edges_s[0])


def _zero_shot(scores: Scores, label: str) -> NDArray[np.float32]:
    """(T,) the label's own series; the highest of all where the bank has no such label."""
    if label in scores.labels:
        return scores[label]
    return np.asarray(np.fmax.reduce(scores.values, axis=1))


def _lately(series: NDArray[np.float32], embeddings: Embeddings, window_s: float) -> Floats:
    """(T,) mean of the measured scores over the same seconds that the head sees."""
    edges = embeddings.edges_s
    middles = (edges[:-1] + edges[1:]) / 2
    own = np.arange(len(series))
    starts = np.minimum(np.searchsorted(middles, edges[1:] - window_s), own)
    seen = ~np.isnan(series)
    total = np.concatenate([[0.0], np.cumsum(np.where(seen, series, 0), dtype=np.float64)])
    count = np.concatenate([[0], np.cumsum(seen)])
    with np.errstate(invalid="ignore"):  # nothing measured: 0 / 0 is NaN
        return np.asarray((total[own + 1] - total[starts]) / (count[own + 1] - count[starts]))
