"""Drives whose accidents announce themselves: yellow for a second, then red; and what answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic import coloured, make_video
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.question import Question
from watchword.evidence.light import Light
from watchword.pipeline.embed import VideoEncoder
from watchword.train.head import FitOptions
from watchword.train.light import Footage, LightOptions, fit_light
from watchword.types import Annotation, Span

YELLOW, RED = (250, 240, 20), (230, 20, 20)
LABEL = "accident"


def drive(path: Path, accident_s: float | None, *, seconds: float = 6.0) -> Path:
    """A blue drive; with an accident it is yellow the second before, and red from then on."""
    spans: tuple[tuple[float, float, tuple[int, int, int]], ...] = ()
    if accident_s is not None:
        spans = ((accident_s - 1, accident_s, YELLOW), (accident_s, seconds, RED))
    # No two drives are the same file.
    number = sum(map(ord, path.stem)) % 16
    shade = (0, 4 * number, 250 - 4 * number)
    make_video(
        path,
        seconds=seconds,
        rate=10,
        size=(64, 48),
        painter=coloured(*spans, size=(64, 48), background=shade),
    )
    return path


def truth(path: Path, accident_s: float | None, *, seconds: float = 6.0) -> Annotation:
    """What is true of such a drive."""
    spans = () if accident_s is None else (Span(LABEL, accident_s, seconds),)
    return Annotation(
        path.name, spans, (LABEL,), seconds, anomalous=bool(spans), accident_s=accident_s
    )


def plain() -> Config:
    """Settings without smoothing and cache."""
    said = {"smoothing": {"method": "none"}, "cache": {"enabled": False}}
    return apply(Config(), {**said, "events": {"min_s": 0.0, "merge_gap_s": 0.0}})


def footage(folder: Path, *, crashes: int = 5, calm: int = 3) -> list[Footage]:
    """Drives as the fake encoder sees them, accidents at different times."""
    encoder = VideoEncoder(plain(), encoder=FakeEncoder())
    times = [2.3 + 0.5 * i for i in range(crashes)] + [None] * calm
    made = []
    for number, at_s in enumerate(times):
        path = drive(folder / f"drive{number}.mp4", at_s)
        seen = encoder.embed(path)
        made.append(Footage(truth(path, at_s), seen.embeddings, seen.features))
    return made


def light(folder: Path) -> Light:
    """A light model that was fitted on them."""
    how = FitOptions(window_s=1.0, every_s=0.3, sizes=(), samples=20, folds=4, whole=True)
    options = LightOptions(fit=how)
    return fit_light(footage(folder), options, encoder_name="fake").light


class Painter:
    """Answers by colour: certain of yellow or red in the last picture; remembers what it saw."""

    name = "painter"
    fingerprint = "painter-1"
    pictures = 4

    def __init__(self, batch_size: int = 3) -> None:
        self.batch_size = batch_size
        self.clips: list[Clip] = []
        self.batches: list[int] = []

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        self.clips += clips
        self.batches.append(len(clips))
        red = [float(clip.pictures[-1, ..., 0].mean()) / 255 for clip in clips]
        return np.array([0.95 if value > 0.5 else 0.05 for value in red], np.float32)
