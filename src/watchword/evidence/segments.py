"""Windows joined to longer ones: sliding clips, fixed segments, and what segments say together."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.types import Embeddings, Scores

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How long a window is and how often one begins.

    Attributes:
        length: pictures that a window averages; 1 keeps each picture by itself.
        stride: pictures from one window to the next (16 and 8 are usual for temporal models).
    """

    length: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        _count("length", self.length)
        _count("stride", self.stride)


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """How a video is cut into segments that are judged as one.

    Attributes:
        frames: windows in a segment; the last one may be shorter.
        seconds: length of a segment in seconds; if given, it is used instead of ``frames``.
        mean: "embedding" averages a segment's pictures and scores the average (seed 2's way);
            "score" scores each picture and averages those.
        top_k: with mean "score", how many of a label's highest windows are averaged; None is all.
    """

    frames: int = 16
    seconds: float | None = None
    mean: Literal["embedding", "score"] = "embedding"
    top_k: int | None = None

    def __post_init__(self) -> None:
        _count("frames", self.frames)
        if self.mean not in ("embedding", "score"):
            raise ValueError(f"mean is {self.mean!r}, it must be embedding or score")
        if self.top_k is not None:
            _count("top_k", self.top_k)
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ValueError(f"seconds is {self.seconds}, it must be a positive number or None")


def windowed(embeddings: Embeddings, *, length: int, stride: int) -> Embeddings:
    """Sliding windows: the mean direction of ``length`` pictures, a new one every ``stride``.

    The window that ends with picture i holds from the start of picture i until the next window's
    last picture starts: causal, so files and cameras agree, and gapless. Windows end with pictures
    ``length - 1 + k * stride``, and before those with the pictures a whole number of strides
    earlier and the very first one; these early windows average the pictures there are. Pictures
    that were not measured are left out; a window of nothing else is NaN.

    >>> import numpy as np
    >>> from watchword.types import Coverage
    >>> eye = Embeddings(np.eye(6, dtype="f4"), np.arange(7.0), "e", None, Coverage(6))
    >>> windowed(eye, length=4, stride=2).edges_s.tolist()
    [0.0, 1.0, 3.0, 5.0, 6.0]
    """
    _count("length", length)
    _count("stride", stride)
    ends = np.arange((length - 1) % stride, len(embeddings), stride)
    if len(embeddings) and (not len(ends) or ends[0] > 0):
        ends = np.insert(ends, 0, 0)
    starts = np.maximum(ends + 1 - length, 0)
    return _joined(embeddings, starts, ends + 1, np.append(ends, len(embeddings)))


def segments(embeddings: Embeddings, options: SegmentOptions | None = None) -> Embeddings:
    """Consecutive segments without overlap, each the mean direction of its windows.

    Windows that were not measured are left out; a segment of nothing else is NaN.
    """
    cuts = _cuts(embeddings.edges_s, options or SegmentOptions())
    return _joined(embeddings, cuts[:-1], cuts[1:], cuts)


def segment_scores(scores: Scores, options: SegmentOptions | None = None) -> Scores:
    """Scores of consecutive segments: the mean over each one's windows, or over its best ones.

    Windows that were not measured are left out; a segment of nothing else is NaN.

    Args:
        scores: T windows.
        options: how long a segment is, and how many of its windows are averaged.
    """
    options = options or SegmentOptions()
    cuts = _cuts(scores.edges_s, options)
    parts = [_mean_of_best(scores.values[a:b], options.top_k) for a, b in pairwise(cuts)]
    values = np.array(parts, np.float32).reshape(len(parts), len(scores.labels))
    return replace(scores, values=values, edges_s=scores.edges_s[cuts])


def vote(scores: Scores, *, top_k: int = 5) -> dict[str, int]:
    """How many of the ``top_k`` strongest segments each label wins, most first.

    A segment is as strong as its highest label, which it votes for. Equal counts are ordered by the
    strength of their segments. Empty if nothing was measured.

    >>> vote(Scores([[0.9, 0.1], [0.2, 0.8], [0.3, 0.6]], [0, 1, 2, 3], ("a", "b"), "cosine"))
    {'b': 2, 'a': 1}
    """
    _count("top_k", top_k)
    filled = np.where(np.isnan(scores.values), -np.inf, scores.values)
    strength = filled.max(axis=1, initial=-np.inf)
    order = np.argsort(-strength, kind="stable")[:top_k]
    winners = [scores.labels[filled[i].argmax()] for i in order if np.isfinite(strength[i])]
    votes = Counter(winners)
    return dict(votes.most_common())


def _joined(embeddings: Embeddings, starts: Index, stops: Index, holds: Index) -> Embeddings:
    """Mean direction over windows ``starts[j]:stops[j]``, holding from edge ``holds[j]``."""
    # A row of nothing at the end, because `reduceat` takes no index past the last row.
    rows = np.zeros((len(embeddings) + 1, embeddings.vectors.shape[1]), np.float32)
    np.copyto(rows[:-1], embeddings.vectors, where=~np.isnan(embeddings.vectors))
    sums = np.add.reduceat(rows, np.column_stack([starts, stops]).ravel(), axis=0)[::2]
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    # Nothing measured, or vectors that cancel: there is no direction to give.
    norms[norms < 1e-6] = np.nan
    return replace(
        embeddings,
        vectors=np.asarray(sums / norms, np.float32),
        edges_s=embeddings.edges_s[holds],
    )


def _cuts(edges_s: NDArray[np.float64], options: SegmentOptions) -> Index:
    """Indices of the windows at which segments begin, and T."""
    windows = len(edges_s) - 1
    if options.seconds is None or not windows:
        return np.append(np.arange(0, windows, options.frames), windows)
    # A window belongs to the segment that its middle lies in.
    middles = (edges_s[:-1] + edges_s[1:]) / 2 - edges_s[0]
    number = np.floor(middles / options.seconds)
    return np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [windows]]).astype(np.intp)


def _mean_of_best(values: NDArray[np.float32], top_k: int | None) -> NDArray[np.float64]:
    """(K,) mean of each label's ``top_k`` highest measured values, NaN where there is none."""
    ordered = np.sort(-values.astype(np.float64), axis=0)[:top_k]  # highest first, NaN last
    count = (~np.isnan(ordered)).sum(axis=0)
    total = -np.where(np.isnan(ordered), 0.0, ordered).sum(axis=0)
    mean = np.full(len(count), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}, it must be a whole number from 1")
