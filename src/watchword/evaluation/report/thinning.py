"""Curves and series with no more points than a picture can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchword.evaluation.result import Curve, Lane
from watchword.output.timeline import columns

_POINTS = 1000


def thin_curve(curve: Curve, *, points: int = _POINTS) -> Curve:
    """The curve with at most ``points`` points: first, last, and those evenly spread along it.

    Evenly by the distance travelled, so that a steep piece keeps its points as a flat one does.
    """
    there = np.isfinite(curve.x) & np.isfinite(curve.y)
    x, y = curve.x[there], curve.y[there]
    if len(x) > points:
        steps = np.abs(np.diff(x)) / (np.ptp(x) or 1.0) + np.abs(np.diff(y)) / (np.ptp(y) or 1.0)
        travelled = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0.0, travelled[-1], points)
        kept = np.unique(np.searchsorted(travelled, wanted).clip(0, len(x) - 1))
        x, y = x[kept], y[kept]
    return replace(curve, x=x, y=y)


def thin_lane(lane: Lane) -> Lane:
    """The series with at most 1,000 stretches, each with its highest score; NaN where none was."""
    if not len(lane.values):
        return lane
    thin = columns(lane.values, lane.edges_s)
    return replace(lane, edges_s=thin.edges_s, values=thin.high.astype(np.float32))
