"""Models and clips that several tests here share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tiny_vlm import tiny_vlm
from watchword.evidence.answers.base import Clip

MakeClip = Callable[..., Clip]


@pytest.fixture(scope="session")
def smolvlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm(tmp_path_factory.mktemp("models") / "tiny-smolvlm")


@pytest.fixture
def make_clip() -> MakeClip:
    """Clips of noise: ``make_clip(pictures, start_s)``."""
    rng = np.random.default_rng(7)

    def make(count: int = 8, start_s: float = 0.0) -> Clip:
        pictures = rng.integers(0, 255, (count, 36, 64, 3), dtype=np.uint8)
        at_s = start_s + np.arange(count) * 0.5
        return Clip(pictures, at_s, start_s, start_s + max(4, count / 2))

    return make
