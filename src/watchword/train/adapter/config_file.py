"""The YAML of an adapter: seed 3's keys for model and prompts, and what its data lie in.

One flat mapping for training and test; each command takes the keys that it needs::

    temporal_transformer_layers: 2
    clip_length: 16
    generic_prompts: {normal: a normal scene, abnormal: an abnormal event}
    semantic_prompts: [a person riding a bicycle]
    annotations: meta.json

Reading it needs no PyTorch, so that a test needs none.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from watchword.errors import ConfigError
from watchword.evidence.adapter import AdapterSpec
from watchword.evidence.words import WordKind
from watchword.train.adapter.options import AdapterOptions

TRAINING = tuple(one.name for one in fields(AdapterOptions))
# What a trained adapter says of itself, by the name that a config has for it.
_OF_SPEC = {
    "temporal_transformer_layers": "layers",
    "temporal_heads": "heads",
    "clip_length": "clip_length",
    "stride": "stride",
    "source": "source",
    "causal": "causal",
    "objective": "objective",
}


@dataclass(frozen=True, slots=True)
class GenericPrompts:
    """What training begins its normal and abnormal rows from.

    Attributes:
        normal: sentences (default one) for what is usual.
        abnormal: sentences (default one) for what is not.
    """

    normal: tuple[str, ...] = ("a normal scene",)
    abnormal: tuple[str, ...] = ("an abnormal event",)


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What a config says; whatever it leaves out is at its default.

    Attributes:
        training: fields of `AdapterOptions` that it names; without ``objective``, training learns
            from the most exact labels that there are.
        generic_prompts: what training begins from.
        semantic_prompts: sentences to watch for in a test (default none: the adapter speaks).
        normal_prompts: sentences that these compete with (default none: the generic normal ones).
        score: kind of score of the sentences: contrast (default), margin, probability, or cosine:
            the highest cosine alone, as seed 3 has it.
        threshold: score from which an event begins; needed for cosine (default: the balance).
        adapter: folder or file that a test uses; relative to the config's folder.
        annotations: the truth; relative likewise.
        format: of the truth; None tells it from the content.
        videos: folder of the videos; None is that of the truth.
        split: only this split of the truth; None is all of it.
        truth_rate: frames a second that the truth counts in; None is the videos' own times.
        model: encoder; None is the user's default.
        rate: pictures a second that are looked at; None is 10.
        out: folder of the results; relative to where the command runs.
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    generic_prompts: GenericPrompts = field(default_factory=GenericPrompts)
    semantic_prompts: tuple[str, ...] = ()
    normal_prompts: tuple[str, ...] = ()
    score: WordKind = "contrast"
    threshold: float | None = None
    adapter: Path | None = None
    annotations: Path | None = None
    format: str | None = None
    videos: Path | None = None
    split: str | None = None
    truth_rate: float | None = None
    model: str | None = None
    rate: float | None = None
    out: Path | None = None


_OWN = tuple(one.name for one in fields(AdapterConfig) if one.name != "training")
_PATHS = ("adapter", "annotations", "videos")


def read_config(path: Path) -> AdapterConfig:
    """What the file says; paths in it count from its folder.

    Raises:
        ConfigError: unreadable, an unknown key (the nearest known one is named), or a value that is
            not allowed.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path} is not YAML: {exc}") from exc
    if found is None:
        found = {}
    if not isinstance(found, Mapping):
        raise ConfigError(f"{path} must hold keys such as clip_length: 16, got {found!r}")
    config = apply_keys(AdapterConfig(), found, where=str(path))
    own = {name: getattr(config, name) for name in _PATHS}
    placed = {name: path.parent / value for name, value in own.items() if value is not None}
    return replace(config, **placed)


def apply_keys(config: AdapterConfig, keys: Mapping[Any, Any], *, where: str) -> AdapterConfig:
    """The config with some keys said anew; ``where`` opens an error's message.

    Raises:
        ConfigError: an unknown key, or a value that is not allowed.

    >>> apply_keys(AdapterConfig(), {"clip_length": 8}, where="here").training["clip_length"]
    8
    """
    hints = get_type_hints(AdapterConfig)
    training = dict(config.training)
    own: dict[str, Any] = {}
    for name, value in keys.items():
        if name in TRAINING:
            training[name] = value
        elif name == "generic_prompts":
            own[name] = _generic(value, where)
        elif name in _OWN:
            own[name] = _checked(hints[name], value, f"{where}: {name}")
        else:
            raise _unknown(name, (*TRAINING, *_OWN), f"{where}: key")
    return replace(config, training=training, **own)


def check_states(config: AdapterConfig, spec: AdapterSpec) -> None:
    """Nothing, if the adapter is what the config says of it.

    Raises:
        ConfigError: it was trained with another value.
    """
    for name, of_spec in _OF_SPEC.items():
        trained = getattr(spec, of_spec)
        if config.training.get(name, trained) != trained:
            raise ConfigError(
                f"{name} is {config.training[name]!r} in the config, the adapter was trained with "
                f"{trained!r}; leave it out of the config of the test, or train anew"
            )


def _generic(value: Any, where: str) -> GenericPrompts:
    known = ("normal", "abnormal")
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{where}: generic_prompts is {value!r}, it must map normal and abnormal to sentences"
        )
    for name in value:
        if name not in known:
            raise _unknown(name, known, f"{where}: generic_prompts")
    found = {
        name: _checked(tuple[str, ...], said, f"{where}: generic_prompts.{name}")
        for name, said in value.items()
    }
    for name, sentences in found.items():
        if not sentences:
            raise ConfigError(f"{where}: generic_prompts.{name} is empty; give a sentence")
    return GenericPrompts(**found)


def _checked(hint: Any, value: Any, where: str) -> Any:
    if hint == tuple[str, ...] and isinstance(value, str):
        value = [value]
    try:
        found = TypeAdapter(hint).validate_python(value)
    except ValidationError as exc:
        problems = "; ".join(dict.fromkeys(str(one["msg"]) for one in exc.errors()))
        raise ConfigError(f"{where} is {value!r}: {problems}") from exc
    if hint == tuple[str, ...] and not all(sentence.strip() for sentence in found):
        raise ConfigError(f"{where} holds an empty sentence; leave it out")
    return found


def _unknown(name: object, known: tuple[str, ...], what: str) -> ConfigError:
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(f"{what} {name!r} is not known; {hint}known are {', '.join(known)}")
