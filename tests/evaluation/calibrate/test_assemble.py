from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import watchword
from evaluation.calibrate.calibrate_cases import ar1, case, random_cases
from watchword.config import Config, apply
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.assemble import (
    calibration_of_budget,
    calibration_of_choice,
    calibration_of_grid,
    fitted_on,
    made_with,
)
from watchword.evaluation.calibrate.budget import BudgetOptions, budget
from watchword.evaluation.calibrate.calibration_file import read_calibration, write_calibration
from watchword.evaluation.calibrate.choose import choose
from watchword.evaluation.calibrate.grid import grid
from watchword.evaluation.calibrate.labels import choose_by_label
from watchword.evaluation.calibrate.thresholds import threshold_range
from watchword.evaluation.predictions.prediction import Made
from watchword.events.tracker import EventRule, detect_events
from watchword.evidence.smooth import Smoothing

CONFIG = Config().to_dict()
MADE = Made(
    encoder="mini",
    encoder_fingerprint="e1",
    bank_fingerprint="b1",
    smoothing=CONFIG["smoothing"],
    config={**CONFIG, "score": {**CONFIG["score"], "kind": "cosine"}},
)


def made_cases(**more):
    return [
        replace(c, prediction=replace(c.prediction, made=MADE, **more))
        for c in random_cases(np.random.default_rng(0))
    ]


def written(calibration, folder: Path):
    write_calibration(calibration, folder / "c.yaml")
    return read_calibration(folder / "c.yaml")


def test_a_choice_becomes_settings_that_find_the_same_events(tmp_path: Path) -> None:
    cases = made_cases()
    choice = choose(cases)
    data = fitted_on(cases, dataset="scenes", split="train")
    rule = EventRule(min_s=2.0, merge_gap_s=1.0, exit=9.0, enter=10.0)
    read = written(calibration_of_choice(choice, cases, data, rule=rule), tmp_path)
    assert (read.kind, read.encoder, read.objective) == ("cosine", "mini", "f1")
    assert read.value == choice.value
    assert read.version == watchword.__version__
    config = apply(Config(), read.settings())
    assert config.events.enter == choice.threshold
    assert config.events.exit == choice.threshold
    assert config.sampling.rate == CONFIG["sampling"]["rate"]
    assert config.smoothing == Config().smoothing
    wanted = replace(rule, enter=choice.threshold, exit=choice.threshold)
    for one in cases:
        assert detect_events(one.scores, config.events) == detect_events(one.scores, wanted)


def test_what_it_was_fitted_on_is_remembered() -> None:
    cases = made_cases(video_fingerprint="f")
    data = fitted_on(cases, dataset="scenes", split="train")
    assert data.videos == tuple(f"v{n}" for n in range(8))
    assert data.fingerprints == ("f",)
    assert data.hours == pytest.approx(8 * 60 / 3600, abs=1e-4)
    assert data.positives == 7


def test_labels_keep_their_own_thresholds(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cases = []
    for number in range(5):
        values = rng.random((30, 2))
        values[5:10, 0] += 1
        values[20:25, 1] += 3
        spans = [("a", 5, 10), ("b", 20, 25)]
        cases.append(case(f"v{number}", values, spans, labels=("a", "b")))
    choices = choose_by_label(cases, threshold_range(0, 4, 0.1))
    data = fitted_on(cases, dataset="d", split=None)
    read = written(calibration_of_choice(choices, cases, data), tmp_path)
    events = apply(Config(), read.settings()).events
    assert events.limits("a").enter == choices["a"].threshold
    assert events.limits("b").enter == choices["b"].threshold
    assert "mean over 2 labels" in read.reported_on
    # Imported scores name no model, so none may be taken for theirs.
    assert (read.encoder_fingerprint, read.score, read.pictures) == (None, None, {})


def test_a_grid_becomes_a_verdict(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    cases = [
        case(f"v{n}", rng.random(40) + n % 2, anomalous=bool(n % 2), made=MADE) for n in range(8)
    ]
    found = grid(cases, threshold_range(0.1, 1.9, 0.1))
    data = fitted_on(cases, dataset="d", split=None)
    segments = {"frames": 16, "mean": "score"}
    read = written(calibration_of_grid(found, cases, data, segments=segments), tmp_path)
    config = apply(Config(), read.settings())
    assert config.decision.rule == "balanced"
    assert config.decision.segment_threshold == found.segment_threshold
    assert config.decision.share_threshold == found.share_threshold
    assert config.segments.mean == "score"
    assert config.events == Config().events


def test_a_budget_keeps_its_threshold_to_the_last_digit(tmp_path: Path) -> None:
    cases = [case("v", ar1(np.random.default_rng(3), 4000, 0.3), made=MADE)]
    found = budget(cases, None, BudgetOptions(alarms=20, per="hour", block_s=10.0))
    data = fitted_on(cases, dataset="d", split=None)
    made = calibration_of_budget(found, cases, data, camera="door")
    read = written(made, tmp_path)
    assert read.events["enter"] == found.rule.enter
    assert read.promise == found.promise
    assert read.camera == "door"
    assert "at most 480 false alarms a day" in read.sentence
    assert "for camera door only" in read.sentence


def test_scores_made_in_two_ways_are_refused() -> None:
    cases = made_cases()
    other = replace(MADE, encoder_fingerprint="e2")
    mixed = [*cases[:-1], replace(cases[-1], prediction=replace(cases[-1].prediction, made=other))]
    with pytest.raises(CalibrationError, match="v0 has encoder_fingerprint e1 and v7 e2"):
        made_with(mixed)
    slower = {**MADE.config, "sampling": {**CONFIG["sampling"], "rate": 2.0}}
    other = replace(MADE, config=slower)
    mixed = [*cases[:-1], replace(cases[-1], prediction=replace(cases[-1].prediction, made=other))]
    with pytest.raises(CalibrationError, match="pictures"):
        made_with(mixed)
    with pytest.raises(CalibrationError, match="no video"):
        made_with([])


def test_smoothing_after_saving_is_what_counts() -> None:
    made = made_with(made_cases(), smoothing=Smoothing("median", 2.0))
    assert made["smoothing"] == {"method": "median", "width_s": 2.0, "causal": False}
