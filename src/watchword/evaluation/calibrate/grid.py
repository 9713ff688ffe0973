"""Two thresholds at once, as in seed 2: of a segment, and of the share of segments in a video.

A segment is anomalous when its highest label reaches the segment threshold, a video is when the
share of anomalous among its measured segments reaches the share threshold: the decision rule
"balanced" of ``events.decide``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.bootstrap import bootstrap_weights, interval
from watchword.evaluation.calibrate.blocks import strongest
from watchword.evaluation.calibrate.choose import by_group, group_names
from watchword.evaluation.calibrate.held_out import check_groups, leave_one_out, pick
from watchword.evaluation.calibrate.objectives import Objective, Values
from watchword.evaluation.calibrate.thresholds import EQUAL, threshold_range
from watchword.evaluation.cases import Case
from watchword.evaluation.result import Table
from watchword.evidence.segments import SegmentOptions, segment_scores
from watchword.types import Scores

# Of these objectives the counts of videos are enough.
VIDEO_OBJECTIVES = ("f1", "f_beta", "youden", "iou", "recall_at_precision", "cost")
SHARES = threshold_range(0.05, 1.0, 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """What each pair of thresholds gives, and the best pair.

    Attributes:
        objective: what was optimised, of videos.
        segment_thresholds: (N,) as tried.
        share_thresholds: (M,) as tried.
        values: (N,M) the objective on all videos; NaN where undefined.
        best: (row, column) of the pair chosen on all videos: of equally good pairs the one that is
            furthest from any worse one.
        confusion: (true negative, false positive, false negative, true positive) videos there.
        value: the objective by leaving one video (or group) out; None where undefined.
        low: lower end of its 95 % bootstrap interval over videos (groups); None if undefined.
        high: upper end, likewise.
        always: the objective of calling every video anomalous.
        never: of calling none so.
        reported_on: in words what ``value`` was measured on.
        fold_thresholds: (segment, share) thresholds that the others chose, for each left out.
        notes: sentences that a reader must know.
    """

    objective: Objective
    segment_thresholds: Values
    share_thresholds: Values
    values: Values
    best: tuple[int, int]
    confusion: tuple[int, int, int, int]
    value: float | None
    low: float | None
    high: float | None
    always: float | None
    never: float | None
    reported_on: str
    fold_thresholds: tuple[tuple[float, float], ...]
    notes: tuple[str, ...] = ()

    @property
    def segment_threshold(self) -> float:
        """The chosen threshold of a segment."""
        return float(self.segment_thresholds[self.best[0]])

    @property
    def share_threshold(self) -> float:
        """The chosen threshold of the share of segments."""
        return float(self.share_thresholds[self.best[1]])

    @property
    def apparent(self) -> float:
        """The objective on the data it was chosen on."""
        return float(self.values[self.best])

    def decision(self) -> dict[str, object]:
        """The config section "decision"."""
        return {
            "rule": "balanced",
            "segment_threshold": self.segment_threshold,
            "share_threshold": self.share_threshold,
        }

    def table(self) -> Table:
        """What was chosen and what it is worth."""
        segments, shares = zip(*self.fold_thresholds, strict=True)
        spread = [
            (f"{name} threshold of folds: lowest, median, highest", _spread(chosen))
            for name, chosen in (("segment", segments), ("share", shares))
        ]
        rows: list[tuple[str, str | float | None]] = [
            ("segment threshold", self.segment_threshold),
            ("share threshold", self.share_threshold),
            ("value on held-out videos", self.value),
            ("95 % interval from", self.low),
            ("95 % interval to", self.high),
            ("value on the data it was chosen on", self.apparent),
            ("every video anomalous", self.always),
            ("no video anomalous", self.never),
            *spread,
        ]
        title = f"Chosen for {self.objective.words.replace('windows', 'videos')}"
        note = f"held-out videos: {self.reported_on}"
        return Table("grid", title, ("", "value"), tuple(rows), note=note)


def grid(
    cases: Sequence[Case],
    segment_thresholds: Values,
    share_thresholds: Values = SHARES,
    objective: Objective | None = None,
    *,
    segments: SegmentOptions | None = None,
    leave_out: str = "video",
    seed: int = 0,
) -> Grid:
    """The best pair of segment and share threshold, with its worth by leaving one video out.

    Args:
        cases: videos with segment scores as saved, or scores over time; and a verdict as truth.
        segment_thresholds: (N,) in the unit of the scores.
        share_thresholds: (M,) within (0, 1].
        objective: of videos; F1 if not given.
        segments: how scores over time are cut into segments, where none were saved.
        leave_out: "video" or "group".
        seed: of the bootstrap.

    Raises:
        CalibrationError: one class only, fewer than three videos (groups) or fewer than two of a
            class, a video without any score, or no pair that may be chosen.
    """
    objective = objective or Objective()
    if objective.name not in VIDEO_OBJECTIVES or objective.by_video:
        raise ValueError(
            f"a grid counts videos; {objective.words} cannot be had from that. Choose one of "
            f"{', '.join(VIDEO_OBJECTIVES)}"
        )
    if not ((share_thresholds > 0) & (share_thresholds <= 1)).all():
        raise ValueError("share_thresholds must lie in (0, 1]")
    truth = np.array([case.annotation.positive for case in cases], bool)
    groups = group_names(cases, leave_out)
    _check(truth, groups, leave_out)
    shares = np.stack([_shares(case, segment_thresholds, segments) for case in cases])
    hits = shares[:, :, None] >= share_thresholds
    shape = hits.shape[1:]
    sums = by_group(_counts(truth, hits.reshape(len(cases), -1)), groups)

    def best(values: Values, allowed: NDArray[np.bool_]) -> int | None:
        cell = best_cell(values.reshape(shape), allowed.reshape(shape))
        return None if cell is None else int(np.ravel_multi_index(cell, shape))

    place = pick({"": sums}, objective, best).place
    folds, kept = leave_one_out({"": sums}, objective, best)
    weights = bootstrap_weights(len(kept), 1000, seed)
    between = interval(objective.value(weights @ kept))
    total = sums.sum(axis=0)
    baselines = _counts(truth, np.tile([True, False], (len(truth), 1))).sum(axis=0)
    always, never = map(_number, objective.value(baselines))
    row, column = map(int, np.unravel_index(place, shape))
    tn, fp, fn, tp = map(int, total[place])
    names = len(set(groups))
    cells = [np.unravel_index(one.place, shape) for one in folds]
    return Grid(
        objective=objective,
        segment_thresholds=segment_thresholds,
        share_thresholds=share_thresholds,
        values=objective.value(total).reshape(shape),
        best=(row, column),
        confusion=(tn, fp, fn, tp),
        value=_number(objective.value(kept.sum(axis=0))),
        low=between.low,
        high=between.high,
        always=always,
        never=never,
        reported_on=f"leave one {leave_out} out, {names} {leave_out}s",
        fold_thresholds=tuple(
            (float(segment_thresholds[a]), float(share_thresholds[b])) for a, b in cells
        ),
        notes=_notes(objective, _number(objective.value(kept.sum(axis=0))), always),
    )


def best_cell(values: Values, allowed: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The best cell of (N,M) that is furthest, in steps, from any worse one or the border.

    On a plateau of equally good cells this is its middle. Of cells equally far the one nearest to
    their common middle is taken, then the first.
    """
    from scipy.ndimage import distance_transform_cdt

    fine = allowed & ~np.isnan(values)
    if not fine.any():
        return None
    best = fine & (np.where(fine, values, -np.inf) >= values[fine].max() - EQUAL)
    depth = distance_transform_cdt(np.pad(best, 1), metric="taxicab")[1:-1, 1:-1]
    cells = np.argwhere(depth == depth.max())
    nearest = ((cells - cells.mean(axis=0)) ** 2).sum(axis=1).argmin()
    row, column = cells[nearest].tolist()
    return row, column


def segments_of(case: Case, options: SegmentOptions | None = None) -> Scores:
    """The scores of a case's segments: as saved, or cut from its scores over time.

    Raises:
        CalibrationError: it has neither.
    """
    if case.prediction.segments is not None:
        return case.prediction.segments
    if case.scores is None:
        raise CalibrationError(
            f"{case.name} has neither segment scores nor scores over time; a grid needs one of them"
        )
    return segment_scores(case.scores, options)


def _shares(case: Case, thresholds: Values, options: SegmentOptions | None) -> Values:
    """(N,) share of the measured segments that reach each threshold."""
    series = strongest(segments_of(case, options))
    known = np.sort(series[~np.isnan(series)])
    if not len(known):
        raise CalibrationError(f"no segment of {case.name} was measured; leave the video out")
    # Compared as a detector compares them: in the precision of the scores.
    below = np.searchsorted(known, thresholds.astype(known.dtype), side="left")
    return np.asarray((len(known) - below) / len(known))


def _counts(truth: NDArray[np.bool_], hits: NDArray[np.bool_]) -> Values:
    """(V,N,4) tn, fp, fn, tp of each video, one of them 1, from (V,) and (V,N)."""
    true = truth[:, None]
    return np.stack([~true & ~hits, ~true & hits, true & ~hits, true & hits], -1).astype(float)


def _check(truth: NDArray[np.bool_], groups: Sequence[str], leave_out: str) -> None:
    if truth.all() or not truth.any():
        which = "holds an event" if len(truth) and truth.all() else "holds no event"
        raise CalibrationError(
            f"each of the {len(truth)} videos {which}, so there is nothing to tell apart; give "
            "videos of both kinds"
        )
    check_groups(
        groups,
        [group for group, own in zip(groups, truth, strict=True) if own],
        [group for group, own in zip(groups, truth, strict=True) if not own],
        what=leave_out,
    )


def _notes(objective: Objective, value: float | None, always: float | None) -> tuple[str, ...]:
    if value is None or always is None or objective.name == "recall_at_precision":
        return ()
    worse = value >= always if objective.lower_is_better else value <= always
    return (
        ("calling every video anomalous does as well or better on the same videos",)
        if worse
        else ()
    )


def _spread(chosen: Sequence[float]) -> str:
    return f"{min(chosen):g}, {median(chosen):g}, {max(chosen):g}"


def _number(value: float | Values) -> float | None:
    return None if np.isnan(value) else float(value)
