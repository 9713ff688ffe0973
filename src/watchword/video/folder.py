"""Pictures of a folder: ``2.jpg`` before ``10.jpg``, or the ``seg_0000`` folders of one video."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from watchword.errors import VideoError
from watchword.types import VideoInfo
from watchword.video.container import too_large
from watchword.video.decoded import Shown, Tally
from watchword.video.picture import UNREADABLE, opened, upright_pixels
from watchword.video.upright import Orientation, PictureMaker, Region, check_region

PICTURE_SUFFIXES = frozenset(
    (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)

_SEGMENT = re.compile(r"seg_\d+", re.IGNORECASE)


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key that reads the numbers in a name as numbers.

    >>> [p.name for p in sorted([Path("10.jpg"), Path("2.jpg")], key=natural_key)]
    ['2.jpg', '10.jpg']
    """
    parts = re.split(r"(\d+)", str(path))
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p)


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a video that is a folder, in order; empty if the folder is no such video.

    Pictures lie in the folder itself or, where it has ``seg_0000``, ``seg_0001``, ... inside, in
    those, one after the other. Hidden files are passed over.
    """
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    here = [entry for entry in entries if _is_picture(entry)]
    if here:
        return sorted(here, key=natural_key)
    segments = (entry for entry in entries if _SEGMENT.fullmatch(entry.name) and entry.is_dir())
    return [
        picture
        for segment in sorted(segments, key=natural_key)
        for picture in sorted(filter(_is_picture, segment.iterdir()), key=natural_key)
    ]


def _is_picture(path: Path) -> bool:
    return (
        path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


class FolderBackend:
    """Pictures that follow each other at a nominal rate, since files store no times.

    Args:
        folder: holds pictures, or ``seg_NNNN`` folders of pictures.
        frame_rate: nominal pictures a second.
        region: part of the upright picture to cut out, or None.
        size: (width, height) to scale to, or None.
        max_pixels: larger pictures are refused on their header alone.

    Raises:
        VideoError: no readable picture inside, the first is too large, or the region lies outside.
    """

    def __init__(
        self,
        folder: Path,
        *,
        frame_rate: float,
        region: Region | None,
        size: tuple[int, int] | None,
        max_pixels: int,
    ) -> None:
        self.tally = Tally()
        self._source = str(folder)
        self._max_pixels = max_pixels
        self._step = 1 / Fraction(frame_rate).limit_denominator(1_000_000)
        self._maker = PictureMaker(region=region, size=size, source=self._source)
        try:
            self._files = picture_files(folder)
        except OSError as exc:
            raise VideoError(self._source, f"the folder cannot be read: {exc.strerror}") from exc
        self.info = self._describe()
        check_region(region, (self.info.width, self.info.height), self._source)

    def close(self) -> None:
        """Nothing is held open between pictures."""

    def pictures(self) -> Iterator[Shown]:
        """Every picture in order; those that cannot be read show it when they are made."""
        for index, path in enumerate(self._files):
            yield Shown(
                float(index * self._step),
                float(self._step),
                near_loss=False,
                make=self._maker_of(path),
            )

    def _describe(self) -> VideoInfo:
        for path in self._files:
            try:
                with opened(path) as image:
                    self._refuse_too_large(image)
                    size, codec = _upright_size(image), (image.format or "").lower()
            except Image.DecompressionBombError as exc:
                raise VideoError(self._source, f"{path.name} is refused: {exc}") from exc
            except UNREADABLE:
                continue
            return VideoInfo(
                source=self._source,
                width=size[0],
                height=size[1],
                duration_s=float(len(self._files) * self._step),
                rate=1 / self._step,
                frame_count=len(self._files),
                codec=codec,
            )
        raise VideoError(
            self._source, f"none of its {len(self._files)} pictures can be read; they are damaged"
        )

    def _refuse_too_large(self, image: Image.Image) -> None:
        if image.width * image.height > self._max_pixels:
            raise VideoError(self._source, too_large(*image.size, self._max_pixels))

    def _maker_of(self, path: Path) -> Callable[[], NDArray[np.uint8] | None]:
        def make() -> NDArray[np.uint8] | None:
            try:
                pixels = self._read(path)
            except Image.DecompressionBombError:
                pixels = None
            except UNREADABLE:
                self.tally.lose("unreadable files of the folder")
                return None
            if pixels is None:
                self.tally.lose("larger than max_pixels allows")
                return None
            frame = VideoFrame.from_ndarray(pixels, format="rgb24")
            return self._maker.make(frame, Orientation())

        return make

    def _read(self, path: Path) -> NDArray[np.uint8] | None:
        """The upright picture, or None if it is larger than allowed."""
        with opened(path) as image:
            if image.width * image.height > self._max_pixels:
                return None
            return upright_pixels(image)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    # EXIF orientations 5 to 8 stand on their side.
    on_its_side = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (image.height, image.width) if on_its_side else image.size
