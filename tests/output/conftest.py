"""A small real video whose pictures say their number, and detections about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthetic import make_video
from watchword.places import Heat
from watchword.types import (
    Coverage,
    Decision,
    Detection,
    Event,
    Prompt,
    PromptBank,
    Provenance,
    Scores,
    VideoInfo,
)

RATE = 10
SIZE = (160, 120)
SECONDS = 6


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds at ten pictures a second; picture n holds the number n."""
    path = tmp_path_factory.mktemp("video") / "drive.mp4"
    make_video(path, seconds=SECONDS, rate=RATE, size=SIZE, options={"g": "12", "bf": "2"})
    return path


BANK = PromptBank(
    (
        Prompt("a deer on the road", "deer"),
        Prompt("a deer crossing", "deer", weight=2.0),
        Prompt("debris on the road", "debris"),
        Prompt("an empty road", "", "normal"),
    ),
    name="driving",
)
EVENTS = (
    Event("deer", 1.0, 2.5, score=0.875, peak_s=1.5),
    Event("debris", 4.0, 4.4, score=0.75, peak_s=4.1),
)
CONFIG = {"events": {"enter": 0.5, "exit": 0.4, "per_label": {"debris": {"enter": 0.6}}}}


def series(
    events: tuple[Event, ...], labels: tuple[str, ...], *, windows: int
) -> NDArray[np.float32]:
    """Scores that are high in the events, wave outside, and are not measured in two windows."""
    at = np.arange(windows) / RATE
    values = 0.15 + 0.1 * np.sin(at[:, None] + np.arange(len(labels)))
    for event in events:
        inside = (at >= event.start_s - 1e-9) & (at < event.end_s - 1e-9)
        values[inside, labels.index(event.label)] = event.score - 0.1
        peak = np.abs(at - event.peak_s).argmin()
        values[peak, labels.index(event.label)] = event.score
    values[30:32] = np.nan
    return values.astype(np.float32)


def detect_on(
    source: Path | str,
    *,
    events: tuple[Event, ...] = EVENTS,
    bank: PromptBank = BANK,
    windows: int = SECONDS * RATE,
    size: tuple[int, int] = SIZE,
    rate: Fraction | None = Fraction(RATE),
    notice: str = "Good for large, plain scenes; a small thing far away is often missed.",
) -> Detection:
    """A detection as the pipeline would make it for a video at ten windows a second."""
    values = series(events, bank.labels, windows=windows)
    scores = Scores(
        values, np.arange(windows + 1) / RATE, bank.labels, "contrast", "abc123", "mini words"
    )
    best = max((event.score for event in events), default=float(np.nanmax(values, initial=0)))
    label = max(events, key=lambda event: event.score).label if events else None
    return Detection(
        info=VideoInfo(
            str(source),
            *size,
            duration_s=windows / RATE,
            rate=rate,
            codec="h264",
            fingerprint="abc123",
        ),
        bank=bank,
        scores=scores,
        events=events,
        decision=Decision(str(source), label, best, 0.5, "any_event", events[:1]),
        coverage=Coverage(
            windows - 2,
            failed=2,
            covered_s=windows / RATE - 0.2,
            expected_s=windows / RATE,
            notes=("2 pictures could not be decoded",),
        ),
        provenance=Provenance(
            versions={"watchword": "0.1.0", "python": "3.11"},
            config=CONFIG,
            encoder="f" * 16,
            encoder_name="mini",
            prompts="e" * 16,
            device="cpu",
            created="2026-01-02T03:04:05+00:00",
            seconds={"embed": 1.25, "score": 0.01},
        ),
        notice=notice,
    )


def unusual_on(source: Path | str, *, windows: int = SECONDS * RATE) -> Detection:
    """A detection without words: two parts of evidence, heat over two places, and a cut."""
    edges_s = np.arange(windows + 1) / RATE
    found = slice(int(1.0 * RATE), int(2.5 * RATE))
    parts = np.full((windows, 2), 0.3, np.float32)
    parts[found] = (3.6, 1.3)
    parts[0] = np.nan
    heat = np.full((windows, 6, 8), 0.4, np.float16)
    heat[found, 1:3, 5:7], heat[found, 5, 0] = 4.0, 3.0
    heat[0] = np.nan
    event = Event(
        "unusual", 1.0, 2.5, score=3.6, peak_s=1.5, raised_by=(("motion", 3.6), ("change", 1.3))
    )
    made = detect_on(source, events=(), windows=windows)
    provenance = replace(made.provenance, config={"events": {"enter": 2.0}})
    return replace(
        made,
        bank=None,
        scores=Scores(parts[:, :1], edges_s, ("unusual",), "surprise", "abc123", "combined"),
        events=(event,),
        decision=Decision(str(source), "unusual", 1.0, 1.0, "any_event", (event,)),
        provenance=provenance,
        parts=Scores(parts, edges_s, ("motion", "change"), "surprise", "abc123", "normal memory"),
        heat=Heat(heat, edges_s, "surprise (1 in 10^x)", "motion"),
        cuts_s=(4.5,),
    )


@pytest.fixture
def unusual(video: Path) -> Detection:
    """One event that needed no words, in the numbered video."""
    return unusual_on(video)


@pytest.fixture
def detection(video: Path) -> Detection:
    """Two events in the numbered video."""
    return detect_on(video)


@pytest.fixture(scope="session")
def make_detection() -> Callable[..., Detection]:
    """Makes a detection about any source."""
    return detect_on
