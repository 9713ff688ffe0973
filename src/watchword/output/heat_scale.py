"""How strong a place must speak to be coloured: one scale for all pictures of a detection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.output.timeline import threshold_of
from watchword.places import Heat
from watchword.types import Detection, Kind

# Kinds that begin at 0, so that half and twice a threshold mean something.
_FROM_ZERO: tuple[Kind, ...] = ("surprise", "distance", "contrast", "probability")
_BOUNDED: tuple[Kind, ...] = ("contrast", "probability")
# So many neighbouring places are taken to speak as one: things are larger than a cell, and heat is
# smooth. On held-out training clips of Ped2 (16 x 16 cells) the hottest cell of a picture is 1.6
# above the surprise of the picture, and log10(256 / 10) is 1.4.
_ALIKE = 10
# More values than this say nothing more of what is usual in a video.
_SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class HeatScale:
    """Places up to ``clear`` stay as they are, from ``full`` on they have the last colour.

    From ``mark`` on a place is outlined. ``reason`` says in words where the numbers come from.
    """

    clear: float
    mark: float
    full: float
    unit: str
    reason: str


def heat_scale(detection: Detection) -> HeatScale | None:
    """The scale of a detection's heat; None if it has none, or nothing of it was measured.

    Where the heat is of the kind of the scores, the threshold fixes the scale, and pictures of a
    calm video stay clean. A surprise is told of each place by itself: the rarest of many places is
    that much less rare, and the scale begins higher. Heat of another unit has no threshold: there
    it runs from the middle of all measured places to the strongest one in a thousand.
    """
    heat = detection.heat
    if heat is None or np.isnan(heat.values).all():
        return None
    threshold = _threshold(detection)
    if threshold is not None and heat.unit.split()[:1] == [detection.scores.kind]:
        return _threshold_scale(heat, detection.scores.kind, threshold)
    return _own_scale(heat)


def map_at(heat: Heat, at_s: float) -> NDArray[np.float16] | None:
    """The (h,w) map of the window that holds a moment; None where there is none."""
    window = int(np.searchsorted(heat.edges_s, at_s + 1e-6, side="right")) - 1
    if not 0 <= window < len(heat) or np.isnan(heat.values[window]).all():
        return None
    found: NDArray[np.float16] = heat.values[window]
    return found


def _threshold(detection: Detection) -> float | None:
    """The lowest threshold of the labels, if all are above 0 and of a kind that begins there."""
    scores = detection.scores
    known = [threshold_of(detection.provenance.config, label) for label in scores.labels]
    above = [value for value in known if value is not None and value > 0]
    if scores.kind not in _FROM_ZERO or not above or len(above) < len(known):
        return None
    return min(above)


def _threshold_scale(heat: Heat, kind: Kind, threshold: float) -> HeatScale:
    most = 1.0 if kind in _BOUNDED else np.inf
    places = heat.values.shape[1] * heat.values.shape[2]
    more = max(0.0, np.log10(places / _ALIKE)) if kind == "surprise" else 0.0
    reason = "half and twice the score from which an event begins"
    if more:
        reason += f", and {more:.2f} more because a picture has {places} places"
    return HeatScale(
        clear=threshold / 2 + more,
        mark=threshold + more,
        full=max(min(2 * threshold, most), threshold * (1 + 1e-3)) + more,
        unit=heat.unit,
        reason=reason,
    )


def _own_scale(heat: Heat) -> HeatScale:
    step = max(1, heat.values.size // _SAMPLE)
    sample = heat.values.ravel()[::step].astype(np.float32)
    clear, full = (float(value) for value in np.nanquantile(sample, (0.5, 0.999)))
    full = max(full, clear + 1e-3)
    reason = "the middle of all places of this video, and the strongest in a thousand"
    return HeatScale(clear, (clear + full) / 2, full, heat.unit, reason)
