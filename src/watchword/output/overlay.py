"""Heat laid over a picture: smooth, even to the eye, and clear where nothing is unusual."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from watchword.output.heat_scale import HeatScale
from watchword.places import Box

# Ends of the ramp as OKLab lightness, chroma and hue in degrees (Ottosson, "A perceptual color
# space for image processing", 2020): even steps between them look even, also to most who see
# colours differently, because they grow darker as they grow hotter.
_MILD, _HOT = (0.90, 0.17, 105.0), (0.58, 0.24, 27.0)
# What is hottest still lets through this much of the picture.
_MOST_ALPHA = 0.55
_PNG_WIDTH = 96
_OUTLINE = (255, 255, 255)


def lay_heat(picture: Image.Image, heat_map: NDArray[np.floating], scale: HeatScale) -> Image.Image:
    """The picture with the heat map (h,w) over it, as large as it was."""
    shares = _shares(heat_map, scale).resize(picture.size, Image.Resampling.BICUBIC)
    colours = shares.copy()
    colours.putpalette(ramp().tobytes())
    cover = shares.point(list(alphas()))
    return Image.composite(colours.convert("RGB"), picture, cover)


def draw_boxes(picture: Image.Image, boxes: tuple[Box, ...]) -> None:
    """Draws the outlines of boxes into the picture: white within black, seen on any ground."""
    draw = ImageDraw.Draw(picture)
    line = max(1, round(picture.height / 240))
    width, height = picture.size
    for box in boxes:
        left, right = round(box.left * width), round(box.right * width) - 1
        top, bottom = round(box.top * height), round(box.bottom * height) - 1
        outer, inner = (left, top, right, bottom), _inset((left, top, right, bottom), line)
        draw.rectangle(outer, outline=(0, 0, 0), width=line)
        if inner[2] > inner[0] and inner[3] > inner[1]:
            draw.rectangle(inner, outline=_OUTLINE, width=line)


def heat_png(heat_map: NDArray[np.floating], scale: HeatScale, *, aspect: float) -> bytes | None:
    """The heat alone as a small PNG to lay over a picture, clear where it is; None if all is.

    ``aspect`` is the width of the picture by its height.
    """
    coarse = _shares(heat_map, scale)
    if coarse.getextrema() == (0, 0):
        return None
    size = (_PNG_WIDTH, max(1, round(_PNG_WIDTH / aspect)))
    made = coarse.resize(size, Image.Resampling.BICUBIC)
    made.putpalette(ramp().tobytes())
    file = io.BytesIO()
    made.save(file, "PNG", transparency=alphas(), optimize=True)
    return file.getvalue()


@cache
def ramp() -> NDArray[np.uint8]:
    """(256,3) sRGB colours from mild to hot."""
    lightness, chroma, hue = np.linspace(_MILD, _HOT, 256).T
    angle = np.radians(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    made = np.rint(_srgb(lab).T * 255).astype(np.uint8)
    made.flags.writeable = False
    return made


def css_ramp() -> str:
    """The ramp as it looks over a picture, as stops of a CSS gradient."""
    stops = range(0, 256, 51)
    cover = alphas()
    colours = ramp().tolist()
    return ", ".join(f"rgb({' '.join(map(str, colours[n]))} / {cover[n] / 255:.2f})" for n in stops)


@cache
def alphas() -> bytes:
    """How much each of the 256 steps covers of the picture, 0 to 255; the first one nothing."""
    share = np.linspace(0, 1, 256)
    return np.rint(255 * _MOST_ALPHA * np.minimum(1, 2 * share) ** 0.8).astype(np.uint8).tobytes()


def _shares(heat_map: NDArray[np.floating], scale: HeatScale) -> Image.Image:
    """The map as a grey picture (h,w): 0 up to ``clear`` or where not measured, 255 from full."""
    share = (heat_map.astype(np.float32) - scale.clear) / (scale.full - scale.clear)
    steps = np.rint(255 * np.clip(np.nan_to_num(share, nan=0.0), 0, 1)).astype(np.uint8)
    return Image.fromarray(steps)


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab (3,n) as sRGB (3,n) in [0, 1]; colours a screen cannot show are clipped."""
    roots = (
        np.array(
            [
                [1.0, 0.3963377774, 0.2158037573],
                [1.0, -0.1055613458, -0.0638541728],
                [1.0, -0.0894841775, -1.2914855480],
            ]
        )
        @ lab
    )
    linear = (
        np.array(
            [
                [4.0767416621, -3.3077115913, 0.2309699292],
                [-1.2684380046, 2.6097574011, -0.3413193965],
                [-0.0041960863, -0.7034186147, 1.7076147010],
            ]
        )
        @ roots**3
    )
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _inset(box: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    return box[0] + by, box[1] + by, box[2] - by, box[3] - by
