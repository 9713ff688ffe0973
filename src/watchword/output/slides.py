"""Plays a folder of pictures at a constant rate, from any moment on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from watchword.errors import VideoError
from watchword.output.shown import Shown
from watchword.types import VideoInfo

_PICTURES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"))
_SEGMENT = re.compile(r"seg_\d+", re.IGNORECASE)


class FolderPlayer:
    """Plays a folder of pictures, or of folders of pictures that follow each other."""

    def __init__(self, info: VideoInfo) -> None:
        if info.rate is None:
            raise VideoError(info.source, "is a folder of pictures without a rate")
        self.tick = 1 / info.rate
        self._files = picture_files(Path(info.source))

    def play(self, from_s: float = 0.0) -> Iterator[Shown]:
        """Pictures in order, the first being the one on screen at ``from_s``.

        Files that are no readable picture are passed over, as they were when the video was read.
        """
        first = max(0, math.floor(from_s / self.tick + 1e-6))
        first = min(first, len(self._files) - 1)
        for number, file in enumerate(self._files[first:], start=first):
            picture = _read_picture(file)
            if picture is not None:
                yield Shown(float(number * self.tick), float(self.tick), _shrinker(picture))


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, or else of its ``seg_0000`` folders, 2.jpg before 10.jpg."""
    try:
        files = _pictures_in(folder)
        if not files:
            segments = (f for f in folder.iterdir() if f.is_dir() and _SEGMENT.fullmatch(f.name))
            files = [
                file for segment in sorted(segments, key=_natural) for file in _pictures_in(segment)
            ]
    except OSError as exc:
        raise VideoError(str(folder), f"cannot be read again: {exc.strerror or exc}") from exc
    if not files:
        raise VideoError(str(folder), "holds no pictures any more")
    return files


def _pictures_in(folder: Path) -> list[Path]:
    files = (
        file
        for file in folder.iterdir()
        if file.suffix.lower() in _PICTURES and not file.name.startswith(".") and file.is_file()
    )
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p]


def _read_picture(file: Path) -> Image.Image | None:
    """The upright picture of a file; None if it cannot be read."""
    try:
        with Image.open(file) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.mode.startswith("I;16"):
                # Pillow would cut such a picture off at 255 rather than scale it.
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            return upright.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # Pillow promises no single type of error for a damaged picture.
        return None


def _shrinker(picture: Image.Image) -> Callable[[int | None], Image.Image]:
    def draw(width: int | None) -> Image.Image:
        if width is None or width >= picture.width:
            return picture.copy()
        return picture.resize((width, max(1, round(picture.height * width / picture.width))))

    return draw
