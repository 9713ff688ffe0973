"""Videos that the fake encoder, which knows colours, can be asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic import make_video
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.pipeline.detector import Detector

RED, BLUE = (220, 20, 20), (20, 20, 220)


def coloured(path: Path, *, seconds: float = 6, red: tuple[float, float] = (2, 4)) -> Path:
    """A blue video that is red from one second to another."""

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        return np.full((120, 160, 3), RED if red[0] <= at_s < red[1] else BLUE, np.uint8)

    make_video(path, seconds=seconds, rate=25, size=(160, 120), painter=paint)
    return path


def detector(encoder: FakeEncoder | None = None, **sections: object) -> Detector:
    """A detector of red in blue, without smoothing."""
    plain = {"smoothing": {"method": "none"}, "events": {"merge_gap_s": 0.0}}
    config = apply(Config(), {**plain, **sections})
    return Detector(["red"], normal=["blue"], config=config, encoder=encoder or FakeEncoder())
