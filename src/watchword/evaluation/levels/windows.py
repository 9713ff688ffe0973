"""The measured windows of a video with their truth: what the frame level counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.baselines import centre, shorter
from watchword.evaluation.cases import Case
from watchword.evaluation.settling import Settled
from watchword.types import Scores

Unit = Literal["window", "second"]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The measured windows of one video.

    Attributes:
        case: the video.
        truth: (N,) whether an event covers the middle of the window.
        values: (N,) the highest score over labels.
        hits: (N,) whether the threshold is reached; None without a threshold.
        position: (N,) middle of the window as a share of the video's length.
        duration_s: length of the video.
        unmeasured: windows that were not measured and are left out.
    """

    case: Case
    truth: NDArray[np.bool_]
    values: NDArray[np.float32]
    hits: NDArray[np.bool_] | None
    position: NDArray[np.float64]
    duration_s: float
    unmeasured: int

    @property
    def both(self) -> bool:
        """Whether the video holds windows of both classes."""
        return bool(self.truth.any() and not self.truth.all())

    def prior(self, name: str) -> NDArray[np.float64]:
        """(N,) what a baseline that looks at no picture gives these windows.

        In double precision: near the middle of a long video the centre prior hardly falls.
        """
        level = {
            "shorter": shorter(self.duration_s),
            "oracle": float(self.case.annotation.positive),
        }
        if name == "centre":
            return centre(self.position)
        if name == "later":
            return self.position * self.duration_s
        if name == "centre x shorter":
            return centre(self.position) * shorter(self.duration_s)
        return np.full(len(self.truth), level[name])


def windows_of(cases: Sequence[Case], settled: Settled, *, unit: Unit) -> tuple[Windows, ...]:
    """The windows of every video whose truth says when and that has scores."""
    chosen = (case for case in cases if case.annotation.localised and case.scores is not None)
    found = (_windows(case, settled, unit) for case in chosen)
    return tuple(windows for windows in found if len(windows.truth))


def _windows(case: Case, settled: Settled, unit: Unit) -> Windows:
    assert case.scores is not None
    scores = seconds_of(case.scores) if unit == "second" else case.scores
    judged = replace(case, scores=scores)
    values = judged.series
    measured = ~np.isnan(values)
    hits = settled.hits(scores)
    end_s = float(scores.edges_s[-1])
    duration_s = end_s - float(scores.edges_s[0])
    middle = (scores.edges_s[:-1] + scores.edges_s[1:]) / 2
    position = (middle - scores.edges_s[0]) / duration_s if len(scores) else middle
    return Windows(
        case=case,
        truth=judged.truth[measured],
        values=values[measured],
        hits=None if hits is None else hits[measured],
        position=position[measured],
        duration_s=duration_s,
        unmeasured=int((~measured).sum()),
    )


def seconds_of(scores: Scores) -> Scores:
    """The scores averaged over whole seconds, each label by itself; NaN where none was measured.

    Every second then counts alike, however densely a video was sampled. The last one may be short.
    """
    if not len(scores):
        return scores
    start_s, end_s = float(scores.edges_s[0]), float(scores.edges_s[-1])
    inner = np.arange(np.floor(start_s) + 1, end_s)
    edges = np.concatenate([[start_s], inner, [end_s]])
    lengths = np.diff(scores.edges_s)[:, None]
    measured = ~np.isnan(scores.values)
    values = np.where(measured, scores.values, 0.0).astype(np.float64)
    total = _between(scores.edges_s, values * lengths, edges)
    seen_s = _between(scores.edges_s, measured * lengths, edges)
    mean = np.full(total.shape, np.nan)
    np.divide(total, seen_s, out=mean, where=seen_s > 1e-9)
    # Rounding must not push a mean past what it is the mean of: contrast ends at 1.
    if measured.any():
        np.clip(mean, values[measured].min(), values[measured].max(), out=mean)
    return replace(scores, values=mean.astype(np.float32), edges_s=edges)


def _between(
    edges: NDArray[np.float64], amounts: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Amounts of windows, spread evenly over each, summed between other edges; a label a column."""
    so_far = np.vstack([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])
    columns = [np.interp(wanted, edges, so_far[:, k]) for k in range(amounts.shape[1])]
    return np.diff(np.stack(columns, axis=1), axis=0)
