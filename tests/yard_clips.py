"""A camera over a yard where something sways, and what may suddenly happen there.

Made for the fake encoder, which knows colours: an event tints every second picture red.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthetic import Painter, make_video
from watchword.config import Config, apply
from watchword.encoders.base import Encoder
from watchword.encoders.fake import FakeEncoder
from watchword.evidence.normality.memory import NormalMemory
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import VideoEncoder
from watchword.pipeline.learning import NormalLearner

RATE = 5.0
SECONDS = 16.0
# A coarse grid and no cache: what is tested here is how parts play together.
QUICK: dict[str, Any] = {
    "sampling": {"rate": RATE},
    "normality": {"motion": {"cells": 8}},
    "cache": {"enabled": False},
}


def yard(
    *,
    size: tuple[int, int] = (160, 120),
    event: tuple[float, float] | None = None,
    scene: int = 0,
    seed: int = 0,
) -> Painter:
    """Pictures of a yard: ``scene`` says which, ``seed`` which day."""
    width, height = size
    tile = 10 + 3 * scene
    tiles = np.random.default_rng(100 + scene).integers(
        40, 160, (height // tile + 1, width // tile + 1, 3)
    )
    ground = np.kron(tiles, np.ones((tile, tile, 1)))[:height, :width]

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        noise = np.random.default_rng((seed, index)).integers(-3, 4, (height, width, 1))
        picture = ground + noise
        left = width // 4 + round(width / 16 * np.sin(np.pi * at_s))
        picture[height // 2 : height * 5 // 8, left : left + width // 12] = (60, 160, 60)
        if event is not None and event[0] <= at_s < event[1] and index % 2:
            picture = 0.55 * picture + 0.45 * np.array((255, 0, 0))
        return np.clip(picture, 0, 255).astype(np.uint8)

    return paint


def yard_clip(
    path: Path,
    *,
    event: tuple[float, float] | None = None,
    scene: int = 0,
    seed: int = 0,
    size: tuple[int, int] = (160, 120),
    **options: Any,
) -> Path:
    """A video of the yard, of 16 s at 5 pictures a second unless ``options`` say otherwise."""
    painter = yard(size=size, event=event, scene=scene, seed=seed)
    how = {"seconds": SECONDS, "rate": int(RATE), "painter": painter, **options}
    make_video(path, size=size, **how)
    return path


def quick(**sections: Any) -> Config:
    """The settings of these tests, and others."""
    return apply(apply(Config(), QUICK), sections)


def watching(
    prompts: Sequence[str] | None = None,
    *,
    memory: Any = None,
    encoder: Encoder | None = None,
    **sections: Any,
) -> Detector:
    """A detector of prompts against blue, or without words."""
    return Detector(
        prompts,
        normal=["blue"] if prompts else (),
        config=quick(**sections),
        encoder=encoder or FakeEncoder(),
        memory=memory,
    )


def encoding(encoder: Encoder | None = None, **sections: Any) -> VideoEncoder:
    """What reads the videos that a memory is learned from."""
    return VideoEncoder(quick(**sections), encoder=encoder or FakeEncoder())


def learned(*videos: Path, extend: NormalMemory | None = None, **sections: Any) -> NormalMemory:
    """What the videos teach."""
    learner = NormalLearner(encoding(**sections), extend=extend)
    for video in videos:
        learner.learn(video)
    return learner.finish()
