"""Videos, detections and memories that several of the tests look at, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.evidence.normality.memory import NormalMemory
from watchword.types import Detection
from yard_clips import learned, watching, yard_clip

EVENT_S = (8.0, 9.0)


@pytest.fixture(scope="session")
def yards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with calm.mp4, another calm day.mp4, event.mp4, and other.mp4 of another yard."""
    folder = tmp_path_factory.mktemp("yards")
    yard_clip(folder / "calm.mp4")
    yard_clip(folder / "day.mp4", seed=1)
    yard_clip(folder / "event.mp4", seed=2, event=EVENT_S)
    yard_clip(folder / "other.mp4", scene=5, seed=3)
    return folder


@pytest.fixture(scope="session")
def eventful(yards: Path) -> Detection:
    """What is found in event.mp4 without words or memory."""
    return watching().detect(yards / "event.mp4")


@pytest.fixture(scope="session")
def memory(yards: Path) -> NormalMemory:
    """What calm.mp4 teaches."""
    return learned(yards / "calm.mp4")


@pytest.fixture(scope="session")
def other_memory(yards: Path) -> NormalMemory:
    """What other.mp4 teaches."""
    return learned(yards / "other.mp4")
