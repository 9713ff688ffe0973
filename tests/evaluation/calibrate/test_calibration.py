from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from watchword.config import Config, apply
from watchword.errors import CalibrationError, OutputError
from watchword.evaluation.calibrate.calibration import (
    Calibration,
    FittedOn,
    Promise,
    Reference,
    check_fits,
)
from watchword.evaluation.calibrate.calibration_file import read_calibration, write_calibration

DATA = FittedOn("scenes", "train", ("v1", "v2"), ("f1",), 0.5, 1)


def full(**changes) -> Calibration:
    made = Calibration(
        kind="contrast",
        objective="f1",
        fitted_on=DATA,
        created="2026-11-21T08:00:00Z",
        version="0.1.0",
        encoder="mini",
        encoder_fingerprint="e1",
        bank="road: a bank",
        bank_fingerprint="b1",
        score={"kind": "contrast", "top_share": 0.5},
        pictures={"sampling": {"rate": 10.0}, "windows": {"length": 1, "stride": 1}},
        smoothing={"method": "mean", "width_s": 0.5},
        events={"enter": 0.30000001192092896, "per_label": {"fire": {"enter": 1e-7}}},
        decision={"rule": "balanced", "segment_threshold": 0.3, "share_threshold": 0.1},
        value=0.5,
        reported_on="leave one video out, 2 videos",
        reference=Reference(9, tuple(np.linspace(0, 1, 101)), 10.0, 5, (0.1, 0.2, 0.3), 0.1),
        promise=Promise(2, 0.01, 10.0, 5, True, 0, 1.0, 0.0, 1.0),
    )
    return dataclasses.replace(made, **changes)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    calibration = full(events={"enter": np.float64(1 / 3)})
    write_calibration(calibration, tmp_path / "c.yaml")
    read = read_calibration(tmp_path / "c.yaml")
    assert read == full(events={"enter": 1 / 3})
    assert read.settings() == calibration.settings()


def test_the_file_has_remarks_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    write_calibration(full(), tmp_path / "c.yaml")
    text = (tmp_path / "c.yaml").read_text()
    assert "# never evaluate on these videos" in text
    assert text.count("\n") < 70
    with pytest.raises(OutputError, match="--overwrite"):
        write_calibration(full(), tmp_path / "c.yaml")
    write_calibration(full(value=0.25), tmp_path / "c.yaml", overwrite=True)
    assert read_calibration(tmp_path / "c.yaml").value == 0.25


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("enter: 0.30000001192092896", "enter: .nan", "events.enter"),
        ("enter: 0.30000001192092896", "entr: 0.3", "events.entr is not known"),
        ("enter: 0.30000001192092896", "enter: '0.3'", "events.enter"),
        ("enter: 0.30000001192092896", "enter: true", "events.enter"),
        ("enter: 0.30000001192092896", "min_s: 1.0", "events.enter is missing"),
        ("{enter: 1.0e-07}", "{entr: 1.0}", "per_label.fire.entr"),
        ("{enter: 1.0e-07}", "{enter: .inf}", "events"),
        ("value: 0.5", "value: .inf", "value"),
        ("value: 0.5", "value: half", "value"),
        ("hours: 0.5", "hours: yes", "fitted_on.hours"),
        ("hours: 0.5", "hours: -1.0", "hours"),
        ("objective: f1\n", "", "objective is missing"),
        ("hours: 0.5", "hours: 0.5\n  hours: 0.7", "'hours' stands twice"),
        ("version:", "colour: red\nversion:", "colour is not known"),
        ("1\nkind: contrast", "1\nkind: blob", "kind"),
        ("1\nkind: contrast", "1\nkind: margin", "score.kind"),
        ("method: mean", "method: meen", "smoothing.method"),
        ("[v1, v2]", "[v1, v1]", "fitted_on"),
        ("[v1, v2]", "[]", "fitted_on"),
        ("blocks: 5,", "blocks: 0,", "promise"),
        ("[0.1, 0.2, 0.3]", "[0.1, 0.3, 0.2]", "maxima must rise"),
        ("share_threshold: 0.1", "share_threshold: 1.5", "decision"),
        ("sampling:", "reading:", "reading"),
        ("watchword_calibration: 1", "watchword_calibration: 2", "this Watchword reads 1"),
        ("watchword_calibration: 1", "something: 1", "no calibration"),
        ("1\nkind: contrast", "1\nkind: [", "not YAML"),
    ],
)
def test_a_damaged_file_is_refused_with_its_key(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    write_calibration(full(), tmp_path / "c.yaml")
    text = (tmp_path / "c.yaml").read_text()
    assert text.count(old) >= 1
    (tmp_path / "c.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(CalibrationError, match=named) as caught:
        read_calibration(tmp_path / "c.yaml")
    assert "c.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_a_calibration_error(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_calibration(tmp_path / "none.yaml")


def test_settings_name_every_field_so_that_nothing_of_a_run_leaks_in() -> None:
    other = apply(
        Config(),
        {
            "events": {"enter": 0.9, "exit": 0.8, "min_s": 4.0, "union": True},
            "smoothing": {"causal": True},
        },
    )
    settled = apply(other, full().settings())
    assert settled.events.exit is None
    assert settled.events.min_s == 0.0
    assert not settled.events.union
    assert settled.events.kind == "contrast"
    assert settled.events.limits("fire").enter == 1e-7
    assert not settled.smoothing.causal
    assert settled.decision.segment_threshold == 0.3
    # What it does not speak of stays.
    assert apply(other, full(decision=None).settings()).decision == other.decision


def test_it_names_what_it_was_fitted_on_and_no_threshold() -> None:
    fitted = full().as_fitted()
    assert fitted["videos"] == ["v1", "v2"]
    assert fitted["fingerprints"] == ["f1"]
    assert "2 videos" in fitted["sentence"]
    assert "enter" not in str(fitted)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "margin"}, ("contrast", "margin")),
        ({"encoder_fingerprint": "e2"}, ("mini", "e1", "e2")),
        ({"encoder_fingerprint": None}, ("e1", "unknown")),
        ({"bank_fingerprint": "b2"}, ("road: a bank", "b1", "b2")),
        ({"score": {"top_share": 0.25}}, ("0.5", "0.25")),
        ({"score": {"tau": 0.1}}, ("None", "0.1")),
    ],
)
def test_other_scores_are_refused_with_both_sides_named(changes, named) -> None:
    fits = {
        "kind": "contrast",
        "encoder_fingerprint": "e1",
        "bank_fingerprint": "b1",
        "score": {"pool": "top_share"},
    }
    check_fits(full(), **fits)
    with pytest.raises(CalibrationError) as caught:
        check_fits(full(), **{**fits, **changes})
    for part in named:
        assert part in str(caught.value)


def test_imported_scores_do_not_vouch_for_a_model() -> None:
    imported = full(encoder=None, encoder_fingerprint=None, bank=None, bank_fingerprint=None)
    check_fits(imported, kind="contrast", encoder_fingerprint=None, bank_fingerprint=None)
    with pytest.raises(CalibrationError, match="imported"):
        check_fits(imported, kind="contrast", encoder_fingerprint="e1", bank_fingerprint="b1")


def test_a_calibration_needs_a_threshold() -> None:
    with pytest.raises(ValueError, match="no threshold"):
        full(events=None, decision=None)
    with pytest.raises(ValueError, match="missing"):
        full(events={"min_s": 1.0})
