"""Whether new footage still looks like the footage that was calibrated on.

Block maxima of both are compared by the largest distance between their distributions (two-sample
Kolmogorov-Smirnov). That is the same as asking whether the new blocks' p-values are uniform, and
besides knows that the footage calibrated on was finite. Blocks that resemble their neighbours tell
less than their number, which is discounted: ``n (1 - r) / (1 + r)`` for a rank correlation r of
neighbours, so that slow change of a scene by itself does not cry wolf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.blocks import FEWEST, block_maxima
from watchword.evaluation.calibrate.calibration import Calibration, Reference
from watchword.types import Scores

# Chance of crying wolf that is accepted, if nobody says another.
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether scores have changed since they were calibrated.

    Attributes:
        distance: largest difference between the shares of blocks below any score, 0 to 1; None if
            there is too little footage.
        p: chance of such a distance without any change; None likewise.
        drifted: whether that is less than the level; None likewise.
        sentence: what it means for the reader.
        blocks: blocks that were compared.
    """

    distance: float | None
    p: float | None
    drifted: bool | None
    sentence: str
    blocks: int = 0


def drift(
    calibration: Calibration | Reference, timelines: Sequence[Scores], *, level: float = LEVEL
) -> Drift:
    """Whether new scores still look like those that were calibrated on.

    Args:
        calibration: what was calibrated, or its reference.
        timelines: new scores, one video or stretch of a camera each, made and smoothed alike.
        level: chance of crying wolf that is accepted.

    Raises:
        CalibrationError: the calibration holds no reference, or is for another kind of score.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, it must lie between 0 and 1")
    reference = _reference(calibration, timelines)
    blocks = block_maxima(timelines, reference.block_s)
    found = np.sort(blocks.pooled)
    known = np.array(reference.maxima)
    if len(found) < FEWEST:
        needed_s = FEWEST * reference.block_s
        return Drift(
            None,
            None,
            None,
            f"too little footage to tell: {len(found)} whole blocks of {reference.block_s:g} s, "
            f"at least {FEWEST} ({needed_s / 60:.1f} minutes) are needed",
            len(found),
        )
    own = blocks.correlation
    effective_found = _effective(len(found), own or 0.0)
    effective_known = _effective(reference.blocks, reference.correlation)
    distance, higher = _distance(known, found)
    p = _p_value(distance, effective_known, effective_found)
    return Drift(distance, p, p < level, _sentence(distance, p, level, higher=higher), len(found))


def _reference(calibration: Calibration | Reference, timelines: Sequence[Scores]) -> Reference:
    if isinstance(calibration, Reference):
        return calibration
    if calibration.reference is None:
        raise CalibrationError(
            "the calibration was chosen on too little footage to compare later footage with "
            f"({FEWEST} pairs of neighbouring blocks of 2 s are needed); calibrate on more"
        )
    for scores in timelines:
        if scores.kind != calibration.kind:
            raise CalibrationError(
                f"the calibration is for {calibration.kind} scores, these are {scores.kind}"
            )
    return calibration.reference


def _effective(blocks: int, correlation: float) -> float:
    """How many independent blocks tell as much as so many that resemble their neighbours."""
    likeness = min(max(correlation, 0.0), 0.95)
    return max(1.0, blocks * (1 - likeness) / (1 + likeness))


def _distance(known: NDArray[np.float64], found: NDArray[np.float64]) -> tuple[float, bool]:
    """Largest distance between two sorted samples' distributions, and whether the new is higher.

    Scores are compared with six digits, which is what a file of the reference holds.
    """
    rounded = np.array([float(f"{value:.6g}") for value in found])
    places = np.concatenate([known, rounded])
    below_known = np.searchsorted(known, places, side="right") / len(known)
    below_found = np.searchsorted(rounded, places, side="right") / len(rounded)
    gap = below_known - below_found
    widest = int(np.abs(gap).argmax())
    return float(abs(gap[widest])), bool(gap[widest] > 0)


def _p_value(distance: float, first: float, second: float) -> float:
    """Chance of such a distance between equal distributions (Stephens 1970)."""
    from scipy.special import kolmogorov

    size = math.sqrt(first * second / (first + second))
    return float(kolmogorov((size + 0.12 + 0.11 / size) * distance))


def _sentence(distance: float, p: float, level: float, *, higher: bool) -> str:
    measured = f"largest distance {distance:.2f}, p = {p:.2g}"
    if p >= level:
        return f"scores look as they did when this was calibrated ({measured})"
    if higher:
        return (
            f"scores are higher than when this was calibrated ({measured}): expect more false "
            "alarms than promised; calibrate anew"
        )
    return (
        f"scores are lower than when this was calibrated ({measured}): expect missed events; "
        "calibrate anew"
    )
