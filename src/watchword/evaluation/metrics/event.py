"""How well found intervals agree with the true ones, one label at a time unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from watchword.evaluation.metrics.confusion import share
from watchword.evaluation.metrics.inputs import truth_of, weights_of
from watchword.evaluation.metrics.overlap import bounds, checked_tiou, reaches, tiou_matrix
from watchword.evaluation.metrics.ranked import labels_of, ranked_hits
from watchword.types import Event, Span


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events that were found, alarms without an event, and events that were missed.

    Attributes:
        tp: pairs of a true and a found event.
        fp: found events without a partner.
        fn: true events without a partner.
    """

    tp: int
    fp: int
    fn: int

    def __add__(self, other: EventCounts) -> EventCounts:
        return EventCounts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        """Share of found events that are true; None if none was found."""
        return share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of true events that were found; None if there is none."""
        return share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None if there is no event and none was found."""
        return share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def best_interval_iou(truth: Sequence[Span], found: Sequence[Span]) -> float | None:
    """Mean over true intervals of the IoU with the one found interval that fits each best.

    Seed 1's measure. It does not mind alarms elsewhere and one found interval may serve several
    true ones, so read it beside `mask_iou`. A true interval that nothing overlaps counts 0; None
    without a true interval (seed 1 counts such a video 0). Labels are not compared.
    """
    if not truth:
        return None
    if not found:
        return 0.0
    return float(tiou_matrix(truth, found).max(axis=1).mean())


def mask_iou(truth_mask: ArrayLike, hits: ArrayLike, lengths_s: ArrayLike) -> float | None:
    """Seconds both true and found, of the seconds that are either; None if none is.

    Args:
        truth_mask: (T,) whether each window holds an event.
        hits: (T,) whether each was called one.
        lengths_s: (T,) seconds each lasts.

    Raises:
        ValueError: empty, of different lengths, or neither 0 nor 1.
    """
    true, said = truth_of(truth_mask), truth_of(hits)
    if len(said) != len(true):
        raise ValueError(f"hits have shape {said.shape}, the truth has shape {true.shape}")
    length = weights_of(lengths_s, len(true))
    return share(float(length[true & said].sum()), float(length[true | said].sum()))


def match_events(truth: Sequence[Span], found: Sequence[Span], tiou: float) -> EventCounts:
    """How many events of one video were found, each by an interval of its own.

    Pairs are made from the highest temporal IoU down, while it is ``tiou`` or more; of equal ones
    the earlier goes first. Labels are not compared.

    Raises:
        ValueError: tiou is not in (0, 1].
    """
    checked_tiou(tiou)
    left, right = sorted(truth, key=_place), sorted(found, key=_place)
    overlap = tiou_matrix(left, right)
    taken_true = np.zeros(len(left), bool)
    taken_found = np.zeros(len(right), bool)
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = divmod(int(flat), len(right))
        if not reaches(overlap[row, column], tiou):
            break
        if not (taken_true[row] or taken_found[column]):
            taken_true[row] = taken_found[column] = True
    pairs = int(taken_true.sum())
    return EventCounts(pairs, len(right) - pairs, len(left) - pairs)


def _place(span: Span) -> tuple[float, float]:
    return span.start_s, span.end_s


def mean_average_precision(
    truth_by_video: Mapping[str, Sequence[Span]],
    found_by_video: Mapping[str, Sequence[Event]],
    tious: Sequence[float],
) -> dict[float, float | None]:
    """Average precision at each temporal IoU, mean over the labels that some video holds.

    ActivityNet's recipe (see `ranked_hits` and `RankedHits.average_precision`), in seconds. A label
    that was found but is nowhere true has no average precision and is not part of the mean; compare
    under one label to make such alarms count. None if no video holds an event.

    Raises:
        ValueError: as for `ranked_hits`.
    """
    labels = labels_of(truth_by_video)
    result: dict[float, float | None] = {}
    for tiou in tious:
        areas = [
            ranked_hits(truth_by_video, found_by_video, tiou, label=label).average_precision()
            for label in labels
        ]
        defined = [area for area in areas if area is not None]
        result[tiou] = float(np.mean(defined)) if defined else None
    return result


def false_alarms(truth: Sequence[Span], found: Sequence[Span], *, tolerance_s: float) -> int:
    """How many found events touch no true one, though each were ``tolerance_s`` longer each way.

    Labels are not compared.

    Raises:
        ValueError: the tolerance is negative or not finite.
    """
    if not (np.isfinite(tolerance_s) and tolerance_s >= 0):
        raise ValueError(f"tolerance_s is {tolerance_s}, it must be 0 or more seconds")
    starts, ends = bounds(truth)
    found_starts, found_ends = bounds(found)
    near = (found_starts[:, None] < ends + tolerance_s) & (
        found_ends[:, None] > starts - tolerance_s
    )
    return int((~near.any(axis=1)).sum())


def detection_delays(truth: Sequence[Span], found: Sequence[Span]) -> list[float | None]:
    """Seconds from the start of each true event until something found overlaps it.

    0 where a found event was on already; None for an event that was missed. Labels are not
    compared, and a system that is always on has no delay: read it beside its false alarms.
    """
    delays: list[float | None] = []
    for event in truth:
        overlapping = [other.start_s for other in found if event.overlap_s(other) > 0]
        delays.append(max(0.0, min(overlapping) - event.start_s) if overlapping else None)
    return delays


def poisson_interval(
    count: int, exposure: float, *, confidence: float = 0.95, one_sided: bool = False
) -> tuple[float, float]:
    """``(low, high)`` of the rate behind ``count`` events in ``exposure`` hours, exactly.

    ``low = chi2(a/2, 2n) / 2h`` and ``high = chi2(1 - a/2, 2n + 2) / 2h`` (Garwood 1936). With
    ``one_sided`` low is 0 and the whole error is above: no alarm in one hour then means at most
    3.00 an hour with 95 % confidence, and 3.69 as a two-sided interval.

    Raises:
        ValueError: a negative count, no exposure, or a confidence outside (0, 1).
    """
    from scipy.special import chdtri

    if count < 0 or count != int(count):
        raise ValueError(f"count is {count}, it must be a whole number, 0 or more")
    if not (np.isfinite(exposure) and exposure > 0):
        raise ValueError(f"exposure is {exposure}, it must be positive")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, it must be between 0 and 1")
    tail = (1 - confidence) if one_sided else (1 - confidence) / 2
    # chdtri takes the probability that is left above the value.
    low = 0.0 if one_sided or not count else float(chdtri(2 * count, 1 - tail)) / 2
    high = float(chdtri(2 * count + 2, tail)) / 2
    return low / exposure, high / exposure
