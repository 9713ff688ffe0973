"""A picture file into upright RGB pixels, whatever way its camera was held."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageOps

from watchword.errors import VideoError
from watchword.video.container import check_file, is_url, too_large
from watchword.video.upright import Orientation, PictureMaker

# What Pillow raises for a damaged picture, by format: it promises no single type.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError)

# Formats whose files may move; elsewhere a second picture is a thumbnail or a page.
_MOVING = ("GIF", "WEBP", "PNG")


def read_picture(
    path: str | Path, *, size: tuple[int, int] | None = None, max_pixels: int = 8192 * 8192
) -> NDArray[np.uint8]:
    """The upright picture (H,W,3) uint8 RGB of a file.

    Args:
        path: of the file.
        size: (width, height) to scale to, by the scaler of video frames; None keeps its own.
        max_pixels: width times height above which it is refused on its header alone.

    Raises:
        VideoError: absent, damaged, too large, or no single picture.
    """
    source = str(path)
    if is_url(source):
        raise VideoError(source, "pictures are read from files; save it first")
    # A name longer than the system takes is no folder either; `check_file` says what is wrong.
    if os.path.isdir(source):  # noqa: PTH112
        raise VideoError(source, "is a folder; give a picture file")
    check_file(source)
    try:
        with opened(Path(path)) as image:
            _refuse(image, source, max_pixels)
            pixels = upright_pixels(image)
    except Image.DecompressionBombError as exc:
        raise VideoError(source, f"is refused: {exc}") from exc
    except UNREADABLE as exc:
        raise VideoError(
            source, f"cannot be read as a picture: {exc}; give a JPEG, PNG or the like"
        ) from exc
    if size is None:
        return pixels
    maker = PictureMaker(region=None, size=size, source=source)
    return maker.make(VideoFrame.from_ndarray(pixels, format="rgb24"), Orientation())


def opened(path: Path) -> Image.Image:
    """The picture file with its header read; its size is the caller's to check."""
    with warnings.catch_warnings():
        # The size is checked against max_pixels, which is the user's to choose.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def upright_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels (H,W,3) uint8 RGB of an open picture, turned as its EXIF says."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        # Pillow would cut such a picture off at 255 rather than scale it.
        grey = (np.asarray(upright) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.array(upright.convert("RGB"))


def _refuse(image: Image.Image, source: str, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise VideoError(source, too_large(*image.size, max_pixels))
    count = getattr(image, "n_frames", 1)
    if image.format in _MOVING and count > 1:
        raise VideoError(source, f"holds {count} pictures; give it as a video")
