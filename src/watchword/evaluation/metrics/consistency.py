"""How much a video stays like itself, from the vectors of its frames.

A frame that was not decoded is a row of NaN. It is left out and counted, and so is the step into it
and the step out of it: two frames with a hole between them are no neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Consistency:
    """How alike the frames of one video are; a mean over nothing is None.

    Attributes:
        frames: frames that were measured.
        left_out: frames that were not (NaN).
        pairs: steps between neighbours that were both measured.
        consecutive: mean cosine of neighbours.
        first_frame: mean cosine of the first measured frame with each later one.
        vbench: VBench's background consistency.
    """

    frames: int
    left_out: int
    pairs: int
    consecutive: float | None
    first_frame: float | None
    vbench: float | None

    @property
    def evalcrafter(self) -> float | None:
        """EvalCrafter's CLIP-Temp: the formula of ``consecutive``."""
        return self.consecutive


class ConsistencyMeter:
    """Measures a video's consistency batch by batch: two vectors and three sums are all it holds.

    How the frames are cut into batches changes the result by rounding only.
    """

    def __init__(self) -> None:
        self._first: Floats | None = None
        self._previous: Floats | None = None
        self._frames = self._left_out = self._pairs = 0
        self._consecutive = self._to_first = self._vbench = 0.0

    def update(self, vectors: ArrayLike) -> None:
        """Take the next frames' vectors (B,D), in the order of the video, of any length but 0.

        Raises:
            ValueError: not (B,D), another width than before, an infinite or a zero vector.
        """
        rows = unit_directions(vectors, "frame vectors")
        if not len(rows):
            return
        measured = ~np.isnan(rows[:, 0])
        self._left_out += int((~measured).sum())
        if self._previous is None:
            self._previous = np.full(rows.shape[1], np.nan)
        if rows.shape[1] != len(self._previous):
            raise ValueError(
                f"frame vectors are {rows.shape[1]} wide, those before were {len(self._previous)}"
            )
        before = np.concatenate([self._previous[None], rows[:-1]])
        self._previous = rows[-1].copy()
        if not measured.any():
            return
        start = 0
        if self._first is None:
            start = int(np.flatnonzero(measured)[0]) + 1
            self._first = rows[start - 1].copy()
        # Row by row, not as one matrix product, whose rounding would depend on the batch.
        to_first = _clipped(np.einsum("nd,d->n", rows, self._first))
        to_previous = _clipped(np.einsum("nd,nd->n", rows, before))
        stepped = ~np.isnan(to_previous)
        both = np.maximum(to_previous[stepped], 0) + np.maximum(to_first[stepped], 0)
        self._frames += int(measured.sum())
        self._pairs += int(stepped.sum())
        self._consecutive += float(to_previous[stepped].sum())
        self._to_first += float(to_first[start:][measured[start:]].sum())
        self._vbench += float(both.sum()) / 2

    def compute(self) -> Consistency:
        """What the frames so far gave."""
        return Consistency(
            frames=self._frames,
            left_out=self._left_out,
            pairs=self._pairs,
            consecutive=_mean(self._consecutive, self._pairs),
            first_frame=_mean(self._to_first, self._frames - 1),
            vbench=_mean(self._vbench, self._pairs),
        )


def consistency(vectors: ArrayLike) -> Consistency:
    """All consistencies of a video at once, from its frames' vectors (T,D) in order.

    Raises:
        ValueError: as for `ConsistencyMeter.update`.
    """
    meter = ConsistencyMeter()
    meter.update(vectors)
    return meter.compute()


def consecutive_consistency(vectors: ArrayLike) -> float | None:
    """Mean cosine of neighbouring frames (T,D), -1 to 1; None if no two neighbours were measured.

    Each row is divided by its length, rows k-1 and k are multiplied, and the mean taken over k.
    """
    return consistency(vectors).consecutive


def first_frame_consistency(vectors: ArrayLike) -> float | None:
    """Mean cosine of the first measured frame with each later one (T,D); None for one frame."""
    return consistency(vectors).first_frame


def vbench_background_consistency(vectors: ArrayLike) -> float | None:
    """VBench's background consistency of a video (T,D), 0 to 1; None for a single frame.

    For each frame after the first: half of ``max(0, cos)`` with the frame before and half of
    ``max(0, cos)`` with the first frame; the mean over these T - 1. Over a data set VBench divides
    the sum of all frames by their number, so that long videos count for more.

    Source: VBench, ``vbench/background_consistency.py`` (CLIP ViT-B/32 there); its subject
    consistency is the same with DINO's vectors.
    """
    return consistency(vectors).vbench


def evalcrafter_clip_temp(vectors: ArrayLike) -> float | None:
    """EvalCrafter's CLIP-Temp of a video (T,D): the mean cosine of neighbours, before its x100.

    The formula is `consecutive_consistency`. The original feeds its CLIP pixels of 0 to 255,
    squashed to a square and without CLIP's mean and deviation; from vectors of correctly prepared
    frames comes the number that was meant, not the one that it prints.
    """
    return consistency(vectors).evalcrafter


def unit_directions(vectors: ArrayLike, what: str) -> Floats:
    """Rows (N,D) divided by their lengths, in double precision; a row with a NaN is all NaN.

    Raises:
        ValueError: not (N,D), an infinite or a zero row.
    """
    rows = np.asarray(vectors, np.float64)
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"{what} have shape {rows.shape}, they must be (N, D)")
    # Scaled by the largest entry first, so that squares of very large or small ones stay in range.
    sizes = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    bad = np.flatnonzero(np.isinf(rows).any(axis=1) | (sizes[:, 0] == 0))
    if len(bad):
        raise ValueError(
            f"{what}: row {bad[0]} is infinite or all 0 and has no direction; a frame that was not "
            "measured is a row of NaN"
        )
    rows = rows / sizes
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float64)


def _clipped(cosines: Floats) -> Floats:
    """Cosines within -1 to 1, which rounding may pass by a last digit."""
    return np.clip(cosines, -1.0, 1.0)


def _mean(total: float, count: int) -> float | None:
    return total / count if count > 0 else None
