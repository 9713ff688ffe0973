"""How fast things move, place by place: the part of normality called motion.

A picture is compared with one shown a moment before it by dense optical flow (G. Farneback,
"Two-frame motion estimation based on polynomial expansion", 2003). Speeds count in heights of the
picture a second, whatever its size, the shape it was squashed to, and the pictures a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6
# Share of the step that is long enough to compare.
SHORTEST = 0.75
# Share by which most of a picture may grow brighter or darker and count as lit alike.
SAME_LIGHT = 0.01

Floats = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """How motion is measured.

    Attributes:
        step_s: seconds between the pictures that are compared (default 0.1), or as near to that
            as there are pictures; so one that is shown twice does not stop what moves.
        longest_s: seconds beyond which two pictures are too far apart to follow anything between
            them (default 0.5); motion is then not measured.
        cells: rows and columns of the grid (default 28).
        side: pixels a side of the square that pictures are brought to first (default 182), so that
            a step of the flow and its cost do not hang on their size.
        window: pixels of the neighbourhood that is taken to move alike (default 9).
        levels: halvings of the picture plus one, for things that move far (default 3).
        iterations: at each of them (default 2); one alone loses what moves fast.
    """

    step_s: float = 0.1
    longest_s: float = 0.5
    cells: int = 28
    side: int = 182
    window: int = 9
    levels: int = 3
    iterations: int = 2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step_s) and self.step_s > 0):
            raise ValueError(f"step_s is {self.step_s}, it must be a positive number of seconds")
        if not (math.isfinite(self.longest_s) and self.longest_s >= self.step_s):
            raise ValueError(
                f"longest_s is {self.longest_s}, it must be a number of seconds, step_s or more"
            )
        for name in ("cells", "window", "levels", "iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 1 or more")
        if self.side < self.cells:
            raise ValueError(f"side is {self.side}, it must be at least cells, {self.cells}")


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A picture without colour, shown from ``start_s`` to ``end_s``; ``light`` is its cells'."""

    start_s: float
    end_s: float
    grey: NDArray[np.uint8]
    light: Floats


class MotionCells:
    """Measures motion of a video as it comes, in memory that does not grow with it.

    Causal; cut up in any way, a video has the same values to the bit.
    """

    def __init__(self, options: MotionOptions | None = None, *, aspect: float) -> None:
        """Begins a video.

        Args:
            options: how motion is measured.
            aspect: width divided by height of the upright video as it was recorded, which the
                pictures given may have been squashed from.

        Raises:
            ValueError: an aspect that is no positive number.
        """
        if not (math.isfinite(aspect) and aspect > 0):
            raise ValueError(f"aspect is {aspect}, it must be a positive number")
        self._options = options or MotionOptions()
        self._aspect = aspect
        self._past: list[_Shown] = []

    def update(
        self,
        pixels: NDArray[np.uint8],
        pts_s: Times,
        duration_s: Times,
        *,
        begins: NDArray[np.bool_] | None = None,
    ) -> Floats:
        """(n,cells,cells,1) speeds in heights of the picture a second; 0 is at rest.

        NaN is not measured: the first pictures of the video and those behind a cut or a hole, until
        a step has passed, and pictures too far apart. Where the camera turns, what it passes
        is at rest.

        Args:
            pixels: (n,H,W,3) uint8 RGB, the next pictures.
            pts_s: (n,) when each is first shown, rising from one call to the next.
            duration_s: (n,) for how long; what lies between its end and the next is a hole.
            begins: (n,) which pictures are the first behind a cut or a hole; None: none is.

        Raises:
            ValueError: arrays that do not belong together, pictures smaller than the grid,
                or not in order.
        """
        starts = np.zeros(len(pixels), bool) if begins is None else begins
        self._check(pixels, pts_s, duration_s, starts)
        side = self._options.cells
        out = np.full((len(pixels), side, side, 1), np.nan, np.float32)
        for i, picture in enumerate(pixels):
            start = float(pts_s[i])
            grey = _grey(picture, self._options.side)
            light = _mean_cells(grey.astype(np.float32), side)
            own = _Shown(start, start + float(duration_s[i]), grey, light)
            if starts[i] or (self._past and start > self._past[-1].end_s + TOLERANCE_S):
                self._past = []
            before = self._before(start)
            if before is not None:
                out[i, ..., 0] = self._speed(before, own)
            self._past.append(own)
        return out

    def _check(
        self,
        pixels: NDArray[np.uint8],
        pts_s: Times,
        duration_s: Times,
        begins: NDArray[np.bool_],
    ) -> None:
        count = (len(pixels),)
        if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels are {pixels.dtype} of shape {pixels.shape}, they must be uint8 (n,H,W,3)"
            )
        if not pts_s.shape == duration_s.shape == begins.shape == count:
            raise ValueError(
                f"{len(pixels)} pictures came with pts_s {pts_s.shape}, duration_s "
                f"{duration_s.shape} and begins {begins.shape}; each must be {count}"
            )
        if len(pixels) and min(pixels.shape[1:3]) < self._options.cells:
            raise ValueError(
                f"pictures of {pixels.shape[1:3]} are smaller than {self._options.cells} cells"
            )
        last = self._past[-1].start_s if self._past else -math.inf
        if (np.diff(pts_s, prepend=last) <= 0).any():
            raise ValueError(f"pts_s must rise, from {last:.3f} s on")

    def _before(self, start_s: float) -> _Shown | None:
        """The picture to compare one of this start with; forgets those before it."""
        step = self._options.step_s
        wanted = start_s - step
        # Of two as near the older one, which moved further against the noise.
        while len(self._past) > 1 and (
            abs(self._past[1].start_s - wanted) + TOLERANCE_S < abs(self._past[0].start_s - wanted)
        ):
            self._past.pop(0)
        if not self._past:
            return None
        lag = start_s - self._past[0].start_s
        near = lag <= self._options.longest_s + TOLERANCE_S
        return self._past[0] if near and lag >= SHORTEST * step - TOLERANCE_S else None

    def _speed(self, before: _Shown, own: _Shown) -> Floats:
        """(cells,cells) mean speed of the pixels of each cell."""
        if np.array_equal(before.grey, own.grey):
            return np.zeros((self._options.cells, self._options.cells), np.float32)
        moved = self._flow(before, own)
        moved *= np.array([self._aspect, 1], np.float32) / np.float32(self._options.side)
        way = _length(moved)
        camera = np.median(moved[::4, ::4], axis=(0, 1))
        if camera.any():
            # A flat surface seems at rest before a camera that turns: only what moves against the
            # picture and against the camera moves.
            np.minimum(way, _length(moved - camera), out=way)
        way *= np.float32(1 / (own.start_s - before.start_s))
        return _mean_cells(way, self._options.cells)

    def _flow(self, before: _Shown, own: _Shown) -> Floats:
        """(H,W,2) pixels by which what is seen now has moved, backwards: where it came from."""
        import cv2

        flow = cv2.calcOpticalFlowFarneback(
            own.grey,
            _as_bright(before, own),
            np.zeros((*own.grey.shape, 2), np.float32),
            pyr_scale=0.5,
            levels=self._options.levels,
            winsize=self._options.window,
            iterations=self._options.iterations,
            poly_n=5,
            poly_sigma=1.1,
            flags=0,
        )
        return np.asarray(flow, np.float32)


def _as_bright(before: _Shown, own: _Shown) -> NDArray[np.uint8]:
    """The picture before, as bright as the later one in most of its cells.

    A camera that exposes anew changes all cells alike; what moves changes few of them.
    """
    import cv2

    gain = float(np.median((own.light + 1) / (before.light + 1)))
    if abs(gain - 1) < SAME_LIGHT:
        return before.grey
    return np.asarray(cv2.convertScaleAbs(before.grey, alpha=gain), np.uint8)


def _length(vectors: Floats) -> Floats:
    # Not by OpenCV, whose last bit hangs on where in memory the numbers lie.
    across, down = vectors[..., 0], vectors[..., 1]
    return np.asarray(np.sqrt(across * across + down * down), np.float32)


def _grey(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if grey.shape != (side, side):
        grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _mean_cells(values: Floats, cells: int) -> Floats:
    """(cells,cells) means over a grid of equal cells; a pixel across a border counts in shares."""
    import cv2

    return np.asarray(cv2.resize(values, (cells, cells), interpolation=cv2.INTER_AREA), np.float32)
