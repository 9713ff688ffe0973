"""Runs without words, or with words beside other evidence: judged, calibrated and watched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from cli.test_judging import Asking, figures
from watchword.evaluation.calibrate.calibration_file import read_calibration
from watchword.output.folder import OutputOptions, write_run
from watchword.places import Heat
from watchword.types import (
    Coverage,
    Decision,
    Detection,
    Event,
    Provenance,
    Scores,
    VideoInfo,
)

QUICK = ("--samples", "50")
WINDOWS, STEP_S, VIDEOS = 240, 0.25, 6
PLAIN = OutputOptions(plot=False, report=False, pictures=False)
KINDS = ("change", "normality")
NONE = {"method": "none", "width_s": 1.0, "causal": False}
MEMORY = {
    "fingerprint": "m" * 16,
    "videos": ["yard.mp4"],
    "fingerprints": ["yard"],
    "seconds": 60.0,
    "sentence": "motion in 60 s of 1 video at 25 pictures a second",
}


def detection(number: int, *, normal: dict[str, object] | None = None) -> Detection:
    """Odd videos hold an event in [20, 30) s, in the upper left corner."""
    rng = np.random.default_rng(number)
    edges_s = np.arange(WINDOWS + 1) * STEP_S
    event = np.zeros(WINDOWS)
    event[80:120] = number % 2
    parts = rng.exponential(0.4, (WINDOWS, 2)) + event[:, None] * [1.0, 2.0]
    parts[0] = np.nan
    series = Scores(parts.astype(np.float32), edges_s, KINDS, "surprise", f"{number}", "parts")
    values = np.log10((10.0**parts).mean(axis=1))[:, None].astype(np.float32)
    heat = rng.random((WINDOWS, 4, 6)).astype(np.float16)
    heat[80:120, 0, 0] += 2 * (number % 2)
    heat[0] = np.nan
    found = (Event("unusual", 20.0, 30.0, 2.5, 21.0),) if number % 2 else ()
    return Detection(
        info=VideoInfo(f"v{number}.mp4", 60, 40, duration_s=60.0, fingerprint=f"{number}"),
        bank=None,
        scores=Scores(values, edges_s, ("unusual",), "surprise", f"{number}", "mean odds"),
        events=found,
        decision=Decision(f"v{number}.mp4", None, 2.5, 2.0, "any_event", found),
        coverage=Coverage(WINDOWS),
        provenance=Provenance(
            versions={"watchword": "0.1.0"},
            config={
                "evidence": {"kinds": list(KINDS)},
                "smoothing": NONE,
                "events": {"enter": 2.0},
                "score": {"kind": None},
            },
            encoder="e" * 16,
            encoder_name="mini",
            prompts="p" * 16,
            device="cpu",
            created="2026-01-02T03:04:05+00:00",
            fitted=MappingProxyType({"normal": MEMORY if normal is None else normal}),
        ),
        parts=series,
        heat=Heat(heat, edges_s, "surprise"),
    )


@pytest.fixture
def ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asking:
    """The command, in a folder with runs of six videos, two of another day, and their truth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    truth = []
    for number in range(VIDEOS):
        write_run(detection(number), tmp_path / f"runs/v{number}", options=PLAIN)
        spans = [{"label": "fall", "start_s": 20.0, "end_s": 30.0}] if number % 2 else []
        truth.append({"video": f"v{number}.mp4", "spans": spans, "rate": 10.0})
        if number % 2:
            masks = np.zeros((600, 40, 60), bool)
            masks[200:300, :10, :10] = True
            np.save(tmp_path / f"v{number}.npy", masks)
            truth[-1]["masks"] = f"v{number}.npy"
    Path("truth.json").write_text(json.dumps(truth))
    return Asking(monkeypatch, capsys)


def test_runs_without_words_are_judged_against_any_event(ask: Asking) -> None:
    card = ask("evaluate", "runs", "truth.json", "-o", "judged", *QUICK)
    told = " ".join(card.split())
    assert "Parts of the evidence" in told
    assert "its best part, normality" in told
    assert "maps of 4x6 cells, read between their middles for 40x60 pixels" in told
    assert "frames with pixel truth have no map that was measured" in told
    assert "none: the scores rest on no sentences" in told
    assert "serious" not in told
    assert "!!" not in told
    found = figures(ask("evaluate", "runs", "truth.json", "--json", *QUICK))
    assert found["auc_micro"] is not None
    assert found["event_f1"] == 1.0
    assert found["pixel_auc"] is not None
    assert found["pixel_auc"] > 0.9
    assert Path("judged/tables/parts.csv").is_file()


def test_one_part_is_judged_and_compared_with_another(ask: Asking) -> None:
    for name in KINDS:
        ask("evaluate", "runs", "truth.json", "--part", name, "-o", name, *QUICK)
    report = json.loads(ask("compare", *KINDS, "--json"))
    (auc,) = [one for one in report["differences"] if one["name"] == "auc_micro"]
    assert auc["difference"] > 0
    alone = figures(ask("evaluate", "runs", "truth.json", "--part", "change", "--json", *QUICK))
    assert alone["auc_micro"] == pytest.approx(auc["first"])
    assert (alone["f1"], alone["event_f1"], alone["pixel_auc"]) == (None, None, None)
    words = ask("evaluate", "runs", "truth.json", "--part", "words", code=2)
    assert "parts are change, normality" in words
    for more in (("--label", "fall"), ("--calibration", "c.yaml")):
        told = ask("evaluate", "runs", "truth.json", "--part", "change", *more, code=2)
        assert "leave" in told


def test_a_calibration_of_runs_without_words_judges_such_runs_only(ask: Asking) -> None:
    ask("calibrate", "runs", "truth.json", "-o", "chosen.yaml", *QUICK)
    chosen = read_calibration(Path("chosen.yaml"))
    assert (chosen.kind, chosen.bank, chosen.bank_fingerprint, chosen.score) == (
        "surprise",
        "change+normality",
        "p" * 16,
        None,
    )
    card = ask("evaluate", "runs", "truth.json", "--calibration", "chosen.yaml", *QUICK)
    assert "a calibration for f1" in card
    assert "scores look as they did" in ask("drift", "chosen.yaml", "runs")
    other = detection(0)
    origin = replace(other.provenance, prompts="q" * 16)
    write_run(replace(other, provenance=origin), Path("other/v0"), options=PLAIN)
    told = ask("drift", "chosen.yaml", "other", code=2)
    assert "prompt bank (change+normality)" in told
    smooth = ask("calibrate", "runs", "truth.json", "-o", "c.yaml", "--smooth", "1", code=2)
    assert "leave --smooth out" in smooth


def test_a_memory_of_tested_videos_is_named_and_stops_a_strict_evaluation(ask: Asking) -> None:
    for number in range(VIDEOS):
        known = {**MEMORY, "videos": ["elsewhere/renamed.mp4"], "fingerprints": ["3"]}
        write_run(detection(number, normal=known), Path(f"known/v{number}"), options=PLAIN)
        own = {**MEMORY, "videos": [f"v{number}.mp4"], "fingerprints": [], "itself": True}
        write_run(detection(number, normal=own), Path(f"own/v{number}"), options=PLAIN)
    told = ask("evaluate", "known", "truth.json", "--strict", *QUICK, code=2)
    assert "memory of normal footage was learned from videos that are evaluated: v3" in told
    assert "memory of normal" not in ask("evaluate", "own", "truth.json", "--strict", *QUICK)
