"""Every setting of a run, one options object a stage, under the same names everywhere.

A YAML file, ``--set events.min_s=0.5`` on the command line and ``Config(...)`` in Python all speak
of ``section.field``. Unknown keys are errors that name the nearest known one. The objects stand
beside the stages that read them; this file only gathers and checks.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from watchword.encoders.base import EncoderOptions
from watchword.errors import ConfigError
from watchword.events.decide import DecisionRule
from watchword.events.tracker import EventRule
from watchword.evidence.change import ChangeOptions
from watchword.evidence.choice import EvidenceOptions
from watchword.evidence.normality.choice import NormalityOptions
from watchword.evidence.past import PastOptions
from watchword.evidence.segments import SegmentOptions, WindowOptions
from watchword.evidence.smooth import Smoothing
from watchword.evidence.words import ScoreOptions
from watchword.output.folder import OutputOptions
from watchword.video.reader import ReadOptions
from watchword.video.sampling import Sampling
from watchword.video.stillness import Stillness


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Where embeddings are kept.

    Attributes:
        enabled: whether to keep and use embeddings of earlier runs.
        folder: where; None is the user's cache folder.
    """

    enabled: bool = True
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run; every section has defaults that work at once.

    Smoothing and event rule begin where a person would: flicker of a few pictures is no event, and
    one that pauses for less than a second is one event. By themselves those stages change nothing.

    Attributes:
        encoder: which model, where and how precisely it runs.
        sampling: which pictures of the video are looked at.
        read: how pictures are decoded.
        stillness: whether and when a picture counts as unchanged, so that its embedding is reused.
        windows: length and stride of windows, in pictures.
        evidence: which evidence is weighed: words, change, normality.
        score: how sentences and pictures become scores.
        change: how change is measured, and what is a cut.
        past: how a video's own past is weighed against what is usual elsewhere.
        normality: what is compared with normal footage.
        smoothing: how scores are smoothed in time.
        events: when a score becomes an event.
        segments: stretches judged together, for the decision and seed-style tables.
        decision: the verdict on a whole video.
        cache: where embeddings are kept.
        output: what a run folder holds.
    """

    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    sampling: Sampling = field(default_factory=Sampling)
    read: ReadOptions = field(default_factory=ReadOptions)
    stillness: Stillness = field(default_factory=Stillness)
    windows: WindowOptions = field(default_factory=WindowOptions)
    evidence: EvidenceOptions = field(default_factory=EvidenceOptions)
    score: ScoreOptions = field(default_factory=ScoreOptions)
    change: ChangeOptions = field(default_factory=ChangeOptions)
    past: PastOptions = field(default_factory=PastOptions)
    normality: NormalityOptions = field(default_factory=NormalityOptions)
    smoothing: Smoothing = field(default_factory=lambda: Smoothing(method="gaussian", width_s=0.3))
    events: EventRule = field(default_factory=lambda: EventRule(min_s=0.5, merge_gap_s=1.0))
    segments: SegmentOptions = field(default_factory=SegmentOptions)
    decision: DecisionRule = field(default_factory=DecisionRule)
    cache: CacheOptions = field(default_factory=CacheOptions)
    output: OutputOptions = field(default_factory=OutputOptions)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dicts of JSON values, as a config file would hold them."""
        plain: dict[str, Any] = to_jsonable_python(dataclasses.asdict(self))
        return plain

    @property
    def fingerprint(self) -> str:
        """Short hash over every setting."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_config(
    path: str | Path | None = None, *, overrides: Sequence[str] = (), base: Config | None = None
) -> Config:
    """Settings from a YAML file, then ``section.field=value`` overrides, over defaults.

    Args:
        path: YAML file with a mapping of sections, or None.
        overrides: strings such as ``events.min_s=0.5`` or ``change.cuts.below=0.3``; values are
            read as YAML.
        base: what the file and the overrides change; None is ``Config()``.

    Raises:
        ConfigError: an unreadable file, an unknown key, or a value that is not allowed.
    """
    config = base or Config()
    if path is not None:
        config = apply(config, _read_yaml(Path(path)), where=str(path))
    # In one step: thresholds that only hold together may come in any order.
    together: dict[str, Any] = {}
    for override in overrides:
        names, value = _parse_override(override)
        fields = together
        for name in names[:-1]:
            fields = fields.setdefault(name, {})
            if not isinstance(fields, dict):
                raise ConfigError(f"--set {override!r}: {name} was set to {fields!r} as a whole")
        fields[names[-1]] = value
    return apply(config, together, where="--set")


def apply(config: Config, changes: Mapping[str, Any], *, where: str = "settings") -> Config:
    """The config with some sections' fields replaced; ``where`` opens an error's message.

    >>> apply(Config(), {"events": {"min_s": 2}}).events.min_s
    2.0
    """
    replaced: dict[str, Any] = {}
    hints = get_type_hints(Config)
    for section, fields in changes.items():
        _known(section, hints, f"{where}: section")
        current = getattr(config, section)
        if not isinstance(fields, Mapping):
            raise ConfigError(f"{where}: section {section!r} must hold fields, got {fields!r}")
        replaced[section] = _replace_fields(current, fields, f"{where}: {section}")
    return dataclasses.replace(config, **replaced)


def _replace_fields(options: Any, fields: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(type(options))
    values: dict[str, Any] = {}
    for name, value in fields.items():
        _known(name, hints, f"{where}: field")
        current = getattr(options, name)
        if dataclasses.is_dataclass(current) and isinstance(value, Mapping):
            values[name] = _replace_fields(current, value, f"{where}.{name}")
        else:
            values[name] = _checked(hints[name], value, f"{where}.{name}")
    try:
        return dataclasses.replace(options, **values)
    except ValueError as exc:
        raise ConfigError(f"{where}: {exc}") from exc


def _checked(hint: Any, value: Any, where: str) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as exc:
        problems = "; ".join(dict.fromkeys(_problem(error, hint) for error in exc.errors()))
        raise ConfigError(f"{where} is {value!r}: {problems}") from exc


def _problem(error: Mapping[str, Any], hint: Any) -> str:
    if error["type"] != "unexpected_keyword_argument":
        return str(error["msg"])
    inner = next(part for part in get_args(hint) if dataclasses.is_dataclass(part))
    return f"field {_unknown(error['loc'][-1], [f.name for f in dataclasses.fields(inner)])}"


def _known(name: object, known: Mapping[str, Any], what: str) -> None:
    if name not in known:
        raise ConfigError(f"{what} {_unknown(name, list(known))}")


def _unknown(name: object, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{name!r} is not known; {hint}known are {', '.join(known)}"


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path} is not YAML: {exc}") from exc
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ConfigError(
            f"{path} must hold sections such as 'events:', got {type(found).__name__}"
        )
    return found


def _parse_override(text: str) -> tuple[list[str], Any]:
    name, equals, value = text.partition("=")
    names = name.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        raise ConfigError(f"--set {text!r} must look like section.field=value, as events.min_s=0.5")
    try:
        return names, yaml.safe_load(value)
    except yaml.YAMLError as exc:
        raise ConfigError(f"--set {text!r}: {value!r} is not a YAML value") from exc
