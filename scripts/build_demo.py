"""Build the demo clip that Watchword carries, from CC0 photographs in the scikit-image wheel.

    python scripts/build_demo.py --work build-mini

needs av, numpy, pillow and PyYAML, and writes ``src/watchword/demo``: a 24 second "camera walk"
over walls, grass and gravel in which a cat and, later, a cup of coffee come into view.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from mini.sources import SCIKIT_IMAGE, fetch, read_member

WIDTH, HEIGHT = 640, 360
RATE = 25
FADE_SECONDS = 0.4
NOISE = 1.2
SEED = 7
DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "src/watchword/demo"
ENCODER_OPTIONS = {"crf": "25", "preset": "slow", "threads": "1"}


@dataclass(frozen=True)
class View:
    """Where the camera looks: centre as a share of the photograph, width as a share of its own."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Scene:
    """One photograph, for how long, from which view to which; ``label`` marks an event."""

    photograph: str
    seconds: float
    start: View
    end: View
    label: str | None = None


SCENES = (
    Scene("brick.png", 5.0, View(0.48, 0.40, 0.90), View(0.52, 0.58, 0.84)),
    Scene("chelsea.png", 4.4, View(0.55, 0.50, 0.94), View(0.47, 0.48, 0.78), "cat"),
    Scene("grass.png", 4.2, View(0.47, 0.42, 0.88), View(0.53, 0.60, 0.80)),
    Scene("coffee.png", 4.8, View(0.54, 0.55, 0.80), View(0.48, 0.47, 0.94), "coffee"),
    Scene("gravel.png", 5.6, View(0.52, 0.60, 0.82), View(0.48, 0.40, 0.90)),
)
PROMPTS = {
    "name": "demo",
    "labels": {"cat": {"event": ["a cat"]}, "coffee": {"event": ["a cup of coffee"]}},
    "normal": ["a brick wall", "grass", "gravel"],
}


def cuts() -> list[float]:
    """When each scene begins, and when the last one ends."""
    return [sum(scene.seconds for scene in SCENES[:index]) for index in range(len(SCENES) + 1)]


def look(photograph: Image.Image, scene: Scene, share: float, second: float) -> NDArray[np.float32]:
    """What a slightly unsteady hand sees at ``share`` of the way through the scene."""
    eased = (1.0 - math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2.0
    width = photograph.width * (scene.start.width + eased * (scene.end.width - scene.start.width))
    height = width * HEIGHT / WIDTH
    sway = 0.004 * photograph.width
    x = photograph.width * (scene.start.x + eased * (scene.end.x - scene.start.x))
    y = photograph.height * (scene.start.y + eased * (scene.end.y - scene.start.y))
    x += sway * (math.sin(2.1 * second) + 0.5 * math.sin(5.3 * second + 1.0))
    y += sway * (math.sin(1.7 * second + 2.0) + 0.5 * math.sin(4.4 * second))
    left = min(max(x - width / 2.0, 0.0), photograph.width - width)
    top = min(max(y - height / 2.0, 0.0), photograph.height - height)
    step = width / WIDTH
    picture = photograph.transform(
        (WIDTH, HEIGHT),
        Image.Transform.AFFINE,
        (step, 0.0, left, 0.0, step, top),
        resample=Image.Resampling.BICUBIC,
    )
    return np.asarray(picture, dtype=np.float32)


def frames(photographs: list[Image.Image]) -> Iterator[NDArray[np.uint8]]:
    """Every picture of the clip, with short dissolves centred on the cuts."""
    random = np.random.default_rng(SEED)
    begins = cuts()
    for number in range(round(begins[-1] * RATE)):
        second = number / RATE
        total = np.zeros((HEIGHT, WIDTH, 3), dtype=np.float32)
        for scene, photograph, begin in zip(SCENES, photographs, begins, strict=False):
            weight = _weight(second, begin, begin + scene.seconds, begins[-1])
            if weight > 0.0:
                share = (second - begin) / scene.seconds
                total += weight * look(photograph, scene, share, second)
        light = 1.0 + 0.03 * math.sin(0.9 * second)
        noise = random.normal(0.0, NOISE, total.shape).astype(np.float32)
        yield np.clip(np.rint(total * light + noise), 0, 255).astype(np.uint8)


def _weight(second: float, begin: float, end: float, last: float) -> float:
    """How much of a scene shows: 1 inside, a ramp across its cuts, 0 outside."""
    into = 1.0 if begin == 0.0 else (second - begin) / FADE_SECONDS + 0.5
    out = 1.0 if end == last else (end - second) / FADE_SECONDS + 0.5
    return min(max(min(into, out), 0.0), 1.0)


def encode(pictures: Iterator[NDArray[np.uint8]], path: Path) -> None:
    """Write H.264 in an MP4 that starts playing before it is all there."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options=ENCODER_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def truth() -> dict[str, object]:
    """The labelled spans: from the middle of one dissolve to the middle of the next."""
    begins = cuts()
    spans = [
        {"label": scene.label, "start_s": round(begin, 3), "end_s": round(end, 3)}
        for scene, begin, end in zip(SCENES, begins, begins[1:], strict=False)
        if scene.label is not None
    ]
    return {"video": "demo.mp4", "duration_s": round(begins[-1], 3), "spans": spans}


def main() -> None:
    """Write the clip, its truth and its prompts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the wheel")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()
    wheel = fetch(SCIKIT_IMAGE, options.work)
    photographs = [
        Image.open(BytesIO(read_member(wheel, f"skimage/data/{scene.photograph}"))).convert("RGB")
        for scene in SCENES
    ]
    options.output.mkdir(parents=True, exist_ok=True)
    encode(frames(photographs), options.output / "demo.mp4")
    (options.output / "truth.json").write_text(
        json.dumps(truth(), indent=2) + "\n", encoding="utf-8"
    )
    (options.output / "prompts.yaml").write_text(
        yaml.safe_dump(PROMPTS, sort_keys=False), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
