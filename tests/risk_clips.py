"""Small clips for tests of risk: in those with the answer yes a red block runs over the picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic import Painter, make_video

SEED_4 = "Is a vehicle collision likely to happen within 1 to 2 seconds?(0: No, 1: Yes)"
SIZE = (64, 48)


def road(number: int, *, danger: bool) -> Painter:
    """Grey noise that differs from clip to clip, and the block."""
    noise = np.random.default_rng(number).integers(60, 120, (SIZE[1], SIZE[0], 1))
    ground = np.broadcast_to(noise, (SIZE[1], SIZE[0], 3)).astype(np.uint8)

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        picture = ground.copy()
        if danger:
            left = index * 3 % 40
            picture[8:40, left : left + 24] = (255, 0, 0)
        return picture

    return paint


def make_dataset(
    folder: Path, counts: Mapping[str, int], *, text: str = SEED_4, seconds: float = 1.0
) -> Path:
    """Seed 4's layout; of ``counts`` clips in each split every second has the label 1."""
    number = 0
    for split, count in counts.items():
        (folder / split).mkdir(parents=True)
        lines = []
        for at in range(count):
            number += 1
            path = folder / split / f"{split}{at}.mp4"
            paint = road(number, danger=at % 2 == 1)
            make_video(path, seconds=seconds, rate=10, size=SIZE, painter=paint)
            lines.append(json.dumps({"video": path.name, "text": text, "label": at % 2}))
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder
