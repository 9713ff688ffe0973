"""Settings: the same names everywhere, and errors that help."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from watchword.config import Config, apply, load_config
from watchword.errors import ConfigError


def test_file_then_overrides_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("events: {min_s: 2, enter: 0.7}\nsampling:\n  rate: 5\n")
    config = load_config(path, overrides=["events.min_s=0.5", "smoothing.method=none"])
    assert (config.events.min_s, config.events.enter) == (0.5, 0.7)
    assert config.sampling.rate == 5
    assert config.smoothing.method == "none"
    assert config.cache == Config().cache


def test_what_to_dict_writes_loads_back_the_same(tmp_path: Path) -> None:
    config = load_config(overrides=["sampling.region=[1, 2, 30, 40]", "score.kind=margin"])
    assert apply(Config(), config.to_dict()) == config


def test_a_setting_is_not_set_as_a_whole_and_in_part() -> None:
    with pytest.raises(ConfigError, match="cuts was set to 'x' as a whole"):
        load_config(overrides=["change.cuts=x", "change.cuts.below=0.3"])


def test_settings_within_a_setting_are_reached_one_by_one() -> None:
    config = load_config(
        overrides=["change.cuts.below=0.3", "normality.motion.cells=8", "change.memory_s=2"]
    )
    cuts = Config().change.cuts
    assert config.change.cuts == dataclasses.replace(cuts, below=0.3)
    assert config.change.memory_s == 2
    assert config.normality.motion.cells == 8
    assert apply(Config(), config.to_dict()) == config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("events.min=1", r"field 'min' is not known; did you mean 'min_s'\?"),
        ("event.min_s=1", r"section 'event' is not known; did you mean 'events'\?"),
        (
            "events.per_label={bike: {enter: 0.9, exti: 0.2}}",
            r"events\.per_label is .*field 'exti' is not known; did you mean 'exit'\?",
        ),
        ("events.min_s=soon", r"events\.min_s is 'soon': .*number"),
        ("change.cuts.belo=1", r"change\.cuts: field 'belo' is not known; did you mean 'below'\?"),
        ("change.cuts.below=x", r"change\.cuts\.below is 'x'"),
        ("change.memory_s.x=1", r"change\.memory_s is \{'x': 1\}"),
        ("change..x=1", r"must look like section\.field=value"),
        ("events.min_s", r"must look like section\.field=value"),
        ("min_s=1", r"must look like section\.field=value"),
        ("score.kind=best", r"score\.kind is 'best'"),
        ("sampling.rate=-1", r"rate"),
        ("events.exit=[", r"is not a YAML value"),
    ],
)
def test_a_bad_override_says_what_and_what_is_allowed(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(overrides=[override])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "must hold sections"),
        ("events: [", "is not YAML"),
        ("events: 3\n", "section 'events' must hold fields, got 3"),
        ("evnts: {}\n", "did you mean 'events'"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_the_fingerprint_changes_with_any_setting() -> None:
    base = Config()
    assert base.fingerprint == Config().fingerprint
    assert load_config(overrides=["events.min_s=9"]).fingerprint != base.fingerprint
