"""From a decoded picture to the pixels that are looked at: upright, cut to the region, scaled."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from watchword.errors import VideoError

Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture is turned to stand upright: swap axes first, then flip each.

    ``degrees`` is the counter-clockwise turn that amounts to (after a mirroring, if ``mirrored``).
    """

    swap: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the picture is also mirrored, which no turn can do."""
        return self.swap ^ self.flip_x ^ self.flip_y

    @property
    def degrees(self) -> int:
        """Degrees counter-clockwise: 0, 90, 180 or 270."""
        if self.swap:
            return 90 if self.flip_y else 270
        return 180 if self.flip_y else 0

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the upright picture of a stored one; its own inverse."""
        return (size[1], size[0]) if self.swap else size

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The upright picture (H,W,3), as a view."""
        if self.swap:
            pixels = pixels.transpose(1, 0, 2)
        return pixels[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def orientation_of(matrix: bytes) -> tuple[Orientation, bool]:
    """The orientation that a display matrix asks for, and whether it is exactly that.

    ``matrix`` is the ``tkhd`` matrix of ISO/IEC 14496-12, nine native int32: x' = a x + c y and
    y' = b x + d y with y down. Turns between right angles are rounded to the nearest.
    """
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    swap = max(abs(b), abs(c)) > max(abs(a), abs(d))
    across, along = (c, b) if swap else (a, d)
    minor = max(abs(a), abs(d)) if swap else max(abs(b), abs(c))
    exact = minor * 100 <= max(abs(across), abs(along))
    return Orientation(swap, flip_x=across < 0, flip_y=along < 0), exact


def check_region(region: Region | None, size: tuple[int, int], source: str) -> None:
    """Make sure that the region lies inside a picture of (width, height); VideoError if not."""
    if region is None:
        return
    x, y, width, height = region
    if x + width > size[0] or y + height > size[1]:
        raise VideoError(
            source,
            f"the region {x},{y},{width},{height} (x, y, width, height) reaches outside the "
            f"picture, which is {size[0]} x {size[1]}; choose one inside it",
        )


class PictureMaker:
    """Makes pixels of decoded frames; holds the scaler, which is slow to set up.

    A region is cut from the full picture before scaling, so no pixel from outside it bleeds in.
    """

    def __init__(self, *, region: Region | None, size: tuple[int, int] | None, source: str) -> None:
        self._region = region
        self._size = size
        self._source = source
        self._first = VideoReformatter()
        self._second = VideoReformatter()

    def make(self, frame: VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
        """The upright picture (H,W,3) uint8 RGB; VideoError if the region lies outside it."""
        if self._region is None:
            size = None if self._size is None else orientation.size(self._size)
            return orientation.apply(_rgb(self._first, frame, size))
        upright = orientation.apply(_rgb(self._first, frame, None))
        check_region(self._region, (upright.shape[1], upright.shape[0]), self._source)
        x, y, width, height = self._region
        cut = np.ascontiguousarray(upright[y : y + height, x : x + width])
        if self._size is None:
            return cut
        return _rgb(self._second, VideoFrame.from_ndarray(cut, format="rgb24"), self._size)


def _rgb(
    scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int] | None
) -> NDArray[np.uint8]:
    width, height = size or (frame.width, frame.height)
    # One thread: the scaler's own threads cost more than they save beside a running model.
    made = scaler.reformat(
        frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1
    )
    return np.asarray(made.to_ndarray(), dtype=np.uint8)
