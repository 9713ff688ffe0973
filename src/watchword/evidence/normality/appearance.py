"""What is to be seen at each place: the part of normality called appearance.

The maps of the picture network, place by place, turned into few numbers whose distances are those
of the maps, and averaged over the last second. So it tells of what stands, is too large, or does
not belong there; what moves in an unusual way is told by motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6
# Any number would do; another one is another space, which no memory made before it shares.
SEED = 2026

Floats = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AppearanceOptions:
    """How appearance is measured.

    Attributes:
        numbers: of each place that are kept (default 32); more tell things better apart, and take
            memory and time.
        mean_s: seconds in which the weight of a picture in its place's mean falls to 37 % (1/e,
            default 1.0); 0 looks at each picture by itself.
    """

    numbers: int = 32
    mean_s: float = 1.0

    def __post_init__(self) -> None:
        if self.numbers < 1:
            raise ValueError(f"numbers is {self.numbers}, it must be 1 or more")
        if not (math.isfinite(self.mean_s) and self.mean_s >= 0):
            raise ValueError(f"mean_s is {self.mean_s}, it must be 0 or a number of seconds")


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """The mean so far, since when it is one, and when the last picture was shown."""

    mean: Floats
    since_s: float
    start_s: float
    end_s: float


class AppearanceCells:
    """Measures appearance of a video as it comes, in memory that does not grow with it.

    Causal; cut up in any way, a video has the same values to the bit.
    """

    def __init__(self, options: AppearanceOptions | None = None) -> None:
        self._options = options or AppearanceOptions()
        self._past: _Past | None = None

    def update(
        self,
        maps: NDArray[np.floating],
        pts_s: Times,
        duration_s: Times,
        *,
        begins: NDArray[np.bool_] | None = None,
    ) -> Floats:
        """(n,h,w,numbers) what each place looks like; NaN where a picture's map is not a number.

        Lengths of maps are set to 1 first, so that light and contrast count little.

        Args:
            maps: (n,C,h,w) of the next pictures, as the picture network gives them.
            pts_s: (n,) when each is first shown, rising from one call to the next.
            duration_s: (n,) for how long; behind a hole the mean begins anew.
            begins: (n,) which pictures are the first behind a cut or a hole; None: none is.

        Raises:
            ValueError: arrays that do not belong together, maps of another shape than those
                before, or not in order.
        """
        starts = np.zeros(len(maps), bool) if begins is None else begins
        self._check(maps, pts_s, duration_s, starts)
        out = np.empty((len(maps), *maps.shape[2:], self._options.numbers), np.float32)
        for i, one in enumerate(maps):
            own = _numbers(one, self._options.numbers)
            start = float(pts_s[i])
            if starts[i] or (self._past and start > self._past.end_s + TOLERANCE_S):
                self._past = None
            out[i] = self._mean(own, start, start + float(duration_s[i]))
        return out

    def _mean(self, own: Floats, start: float, end: float) -> Floats:
        """The mean up to a picture (h,w,numbers), which is kept for the next one."""
        if np.isnan(own).any():
            self._past = None
            return np.full_like(own, np.nan)
        mean, since, mean_s = own, start, self._options.mean_s
        if self._past is not None and mean_s:
            since = self._past.since_s
            step = start - self._past.start_s
            # At first all pictures count alike: the first one alone would weigh on for long.
            share = max(-math.expm1(-step / mean_s), step / (start - since + step))
            mean = self._past.mean + np.float32(share) * (own - self._past.mean)
        self._past = _Past(mean, since, start, end)
        return mean

    def _check(
        self, maps: NDArray[np.floating], pts: Times, duration: Times, begins: NDArray[np.bool_]
    ) -> None:
        if maps.ndim != 4 or not pts.shape == duration.shape == begins.shape == maps.shape[:1]:
            raise ValueError(
                f"maps have shape {maps.shape}, pts_s {pts.shape}, duration_s {duration.shape}, "
                f"begins {begins.shape}; they must be (n,C,h,w), (n,), (n,) and (n,)"
            )
        past = self._past
        if past is not None and len(maps) and past.mean.shape[:2] != maps.shape[2:]:
            raise ValueError(
                f"maps have {maps.shape[2:]} places, those before {past.mean.shape[:2]}; "
                "a video must be encoded by one encoder throughout"
            )
        last = -math.inf if past is None else past.start_s
        if (np.diff(pts, prepend=last) <= 0).any():
            raise ValueError(f"pts_s must rise, from {last:.3f} s on")


def _numbers(one: NDArray[np.floating], numbers: int) -> Floats:
    """(h,w,numbers) of a map (C,h,w); a place where nothing is active gives zeros."""
    places = np.asarray(one, np.float32).transpose(1, 2, 0)
    lengths = np.linalg.norm(places, axis=-1, keepdims=True)
    units = np.divide(places, lengths, out=np.zeros_like(places), where=lengths != 0)
    return np.asarray(units @ _signs(places.shape[-1], numbers), np.float32)


@cache
def _signs(channels: int, numbers: int) -> Floats:
    """(channels,numbers) random signs that keep distances, the same on every machine.

    D. Achlioptas, "Database-friendly random projections", 2003. Raw bits of the generator are
    promised to stay; its normal numbers are not.
    """
    raw = np.random.PCG64(SEED).random_raw(channels * numbers)
    signs = np.where(raw >> np.uint64(63), np.float32(1), np.float32(-1))
    return np.asarray(signs.reshape(channels, numbers) / np.float32(math.sqrt(numbers)))
