"""Pictures into model input, in numpy and Pillow: resize, crop, scale to the model's numbers.

CLIP follows OpenAI's rule to the bit: short side to S, long side ``int()``, bicubic, crop offsets
``round((n - S) / 2)``. Models that squash take the whole picture, whatever its shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from watchword.errors import ModelFileError

# Part of every fingerprint: raised whenever the same picture would give another model input.
VERSION = "1"

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

Triple = tuple[float, float, float]
_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}
_FILTER_OF_NUMBER = {1: "lanczos", 2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a model wants its pictures.

    Attributes:
        image_size: S, side of the model's square input in pixels.
        resize: shortest_crop (short side to S, middle cut out) or squash (both sides to S).
        interpolation: bicubic, bilinear or lanczos.
        mean: subtracted from red, green, blue after division by 255.
        std: divides what is left.
    """

    image_size: int = 224
    resize: Literal["shortest_crop", "squash"] = "shortest_crop"
    interpolation: str = "bicubic"
    mean: Triple = CLIP_MEAN
    std: Triple = CLIP_STD

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f"image_size is {self.image_size}, it must be at least 1")
        if self.resize not in ("shortest_crop", "squash"):
            raise ValueError(f"resize is {self.resize!r}, it must be shortest_crop or squash")
        if self.interpolation not in _FILTERS:
            raise ValueError(
                f"interpolation is {self.interpolation!r}, it must be one of {', '.join(_FILTERS)}"
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std need three numbers each, those of std above 0")


def square(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Pictures (N,H,W,3) uint8 resized and cut to (N,S,S,3) uint8, before mean and std.

    Raises:
        ValueError: the array is not (N,H,W,3) uint8, or a picture is empty.
    """
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"pictures are {pixels.dtype} {pixels.shape}, uint8 (N,H,W,3) is needed")
    if 0 in pixels.shape[1:3]:
        raise ValueError(f"pictures of {pixels.shape[2]}x{pixels.shape[1]} pixels are empty")
    size = preprocessing.image_size
    if pixels.shape[1:3] == (size, size):
        return pixels
    result = np.empty((len(pixels), size, size, 3), np.uint8)
    for row, picture in zip(result, pixels, strict=True):
        row[...] = _square(picture, preprocessing)
    return result


def _square(picture: NDArray[np.uint8], how: Preprocessing) -> NDArray[np.uint8]:
    size, image = how.image_size, Image.fromarray(picture)
    scaler = _FILTERS[how.interpolation]
    if how.resize == "squash":
        return np.asarray(image.resize((size, size), scaler))
    short = min(image.size)
    width, height = (int(size * side / short) for side in image.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    scaled = np.asarray(image.resize((width, height), scaler))
    return scaled[top : top + size, left : left + size]


def normalise(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """(N,3,S,S) float32 ``(x / 255 - mean) / std`` of square pictures (N,S,S,3) uint8."""
    count, height, width, _ = pixels.shape
    result = np.empty((count, 3, height, width), np.float32)
    # One plane at a time stays in the processor's cache: an order faster than whole-array steps.
    for planes, picture in zip(result, pixels, strict=True):
        for channel, plane in enumerate(planes):
            np.divide(picture[..., channel], np.float32(255), out=plane, dtype=np.float32)
            np.subtract(plane, np.float32(preprocessing.mean[channel]), out=plane)
            np.divide(plane, np.float32(preprocessing.std[channel]), out=plane)
    return result


def prepare(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Model input (N,3,S,S) float32 of pictures (N,H,W,3) uint8 RGB."""
    return normalise(square(pixels, preprocessing), preprocessing)


def read_preprocessing(directory: Path) -> Preprocessing:
    """How the model in a directory wants its pictures, as its own files say.

    Read are ``preprocessor_config.json`` (transformers), ``visual/preprocess_cfg.json`` (open_clip)
    or the fields of :class:`Preprocessing` in ``config.json``, the first that is there.

    Raises:
        ModelFileError: no file says it, or asks for something that is not known here.
    """
    readers = {
        "preprocessor_config.json": _from_transformers,
        "visual/preprocess_cfg.json": _from_open_clip,
        "config.json": _from_plain,
    }
    for name, reader in readers.items():
        path = directory / name
        if path.is_file():
            try:
                return reader(json.loads(path.read_text("utf-8")))
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                raise ModelFileError(
                    f"{path} does not say how pictures are prepared ({exc!r}); needed are size, "
                    "resize rule, interpolation, mean and std"
                ) from exc
    raise ModelFileError(
        f"{directory} holds none of {', '.join(readers)}, so it is not known how its pictures are "
        "prepared; copy preprocessor_config.json from where the model came from"
    )


def _triple(values: Any) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _from_transformers(told: Mapping[str, Any]) -> Preprocessing:
    size, crop = told["size"], told.get("crop_size")
    crops = bool(told.get("do_center_crop", crop is not None))
    if isinstance(size, int):
        size = {"shortest_edge": size} if crops else {"height": size, "width": size}
    side = size["shortest_edge"] if crops else size["height"]
    edges = {side, *((crop.values() if isinstance(crop, dict) else (crop,)) if crops else ())}
    if len(edges - {None}) != 1 or (not crops and size["width"] != side):
        raise ValueError(f"size {size} with crop {crop} is not a square cut at one scale")
    plain = not told.get("do_normalize", True)
    return Preprocessing(
        image_size=side,
        resize="shortest_crop" if crops else "squash",
        interpolation=_FILTER_OF_NUMBER[told.get("resample", 3)],
        mean=(0.0, 0.0, 0.0) if plain else _triple(told["image_mean"]),
        std=(1.0, 1.0, 1.0) if plain else _triple(told["image_std"]),
    )


def _from_open_clip(told: Mapping[str, Any]) -> Preprocessing:
    size = told["size"] if isinstance(told["size"], int) else told["size"][0]
    modes: dict[str, Literal["shortest_crop", "squash"]] = {
        "shortest": "shortest_crop",
        "squash": "squash",
    }
    return Preprocessing(
        image_size=size,
        resize=modes[told.get("resize_mode", "shortest")],
        interpolation=told.get("interpolation", "bicubic"),
        mean=_triple(told["mean"]),
        std=_triple(told["std"]),
    )


def _from_plain(told: Mapping[str, Any]) -> Preprocessing:
    return Preprocessing(
        image_size=told["image_size"],
        resize=told["resize"],
        interpolation=told["interpolation"],
        mean=_triple(told["mean"]),
        std=_triple(told["std"]),
    )
