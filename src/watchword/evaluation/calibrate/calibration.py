"""What a calibration says: thresholds, what they were fitted on, and what they may be used with."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from watchword.errors import CalibrationError
from watchword.events.decide import DecisionRule
from watchword.events.tracker import EventRule
from watchword.evidence.segments import SegmentOptions, WindowOptions
from watchword.evidence.smooth import Smoothing
from watchword.evidence.words import ScoreOptions
from watchword.types import KINDS, Kind

Section = Mapping[str, Any]
# Sections that decide which pictures a score is made of. Their options stand above this room, so
# that a run's own check of its settings looks at the fields.
PICTURES = ("sampling", "stillness", "windows")
# Of the sampling what says how often is looked at; from when to when is a matter of each video.
SAMPLING = ("rate", "every", "region")
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


@dataclass(frozen=True, slots=True)
class FittedOn:
    """The data that a calibration was chosen on.

    Attributes:
        dataset: its name or the path of its annotations.
        split: the split it was chosen on; None if all of it was used.
        videos: names of the videos, as predictions and annotations give them.
        fingerprints: what identifies the content of those videos for which it is known.
        hours: measured footage.
        positives: number of videos that hold an event.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    dataset: str
    split: str | None
    videos: tuple[str, ...]
    fingerprints: tuple[str, ...] = ()
    hours: float = 0.0
    positives: int = 0

    def __post_init__(self) -> None:
        if not self.videos:
            raise ValueError("videos is empty; a calibration names what it was fitted on")
        if len(set(self.videos)) != len(self.videos):
            raise ValueError("videos must each stand once")
        if self.hours < 0 or not 0 <= self.positives <= len(self.videos):
            raise ValueError("hours start at 0 and positives lie between 0 and the videos")


@dataclass(frozen=True, slots=True)
class Reference:
    """What scores looked like on the footage that was calibrated on, for the drift check.

    Attributes:
        windows: number of windows that were measured.
        quantiles: 101 quantiles, 0 % to 100 %, of the highest score over labels of each window.
        block_s: seconds of a block.
        blocks: number of blocks.
        maxima: block maxima from lowest to highest; at most 1,000 evenly spaced ones of them.
        correlation: rank correlation of neighbouring blocks, 0 if there is none.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    windows: int
    quantiles: tuple[float, ...]
    block_s: float
    blocks: int
    maxima: tuple[float, ...]
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if len(self.quantiles) != 101:
            raise ValueError(f"quantiles are {len(self.quantiles)}, there must be 101")
        for name in ("quantiles", "maxima"):
            values = getattr(self, name)
            if any(later < earlier for earlier, later in pairwise(values)):
                raise ValueError(f"{name} must rise")
        if self.block_s <= 0 or not 0 < len(self.maxima) <= self.blocks or self.windows < 1:
            raise ValueError("block_s must be positive, and there must be windows and maxima")
        if not 0 <= self.correlation < 1:
            raise ValueError(f"correlation is {self.correlation}, it must lie in [0, 1)")


@dataclass(frozen=True, slots=True)
class Promise:
    """A budget of false alarms, and what it rests on.

    Attributes:
        alarms_per_day: at most so many events a day on footage like that which was calibrated on.
        alpha: chance of an alarm in one block that this allows.
        block_s: seconds of a block.
        blocks: blocks of event-free footage that it was made from.
        certified: whether the footage is long enough for the promise.
        achieved: alarms counted on held-out footage.
        achieved_hours: hours of that footage.
        achieved_low: lower end of the exact 95 % Poisson interval, alarms a day.
        achieved_high: upper end.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    alarms_per_day: float
    alpha: float
    block_s: float
    blocks: int
    certified: bool
    achieved: int
    achieved_hours: float
    achieved_low: float
    achieved_high: float

    def __post_init__(self) -> None:
        if not (self.alarms_per_day > 0 and 0 < self.alpha < 1 and self.block_s > 0):
            raise ValueError("alarms_per_day and block_s must be positive, alpha within (0, 1)")
        if self.blocks < 1 or self.achieved < 0 or self.achieved_hours < 0:
            raise ValueError("blocks start at 1, achieved and achieved_hours at 0")

    @property
    def achieved_per_day(self) -> float | None:
        """Alarms a day on held-out footage; None if there was none."""
        return self.achieved / self.achieved_hours * 24 if self.achieved_hours else None

    @property
    def words(self) -> str:
        """What is promised and what was counted, for people."""
        kept = "" if self.certified else ", which so little footage cannot promise"
        return (
            f"at most {self.alarms_per_day:g} false alarms a day{kept} ({self.achieved} counted in "
            f"{self.achieved_hours:.3g} held-out hours: {self.achieved_low:,.4g} to "
            f"{self.achieved_high:,.4g} a day)"
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds chosen on data, and everything that tells whether they may be used.

    The sections hold fields of the config sections of the same name; fields that are left out are
    at that option's own default, whatever the settings of a run say. None leaves a section as the
    run has it.

    Attributes:
        kind: the kind of score that the thresholds are for.
        objective: what was optimised, as "f1" or "budget".
        fitted_on: the data that it was chosen on.
        created: when, as ISO 8601 text.
        version: the Watchword that made it.
        encoder: name of the model; None if the scores came from elsewhere.
        encoder_fingerprint: what identifies the model; None likewise.
        bank: name of the prompt bank; None likewise.
        bank_fingerprint: what identifies the bank; None likewise.
        score: how sentences and pictures became scores.
        pictures: the sections sampling, stillness and windows that the scores were made with.
        smoothing: how scores are smoothed in time.
        events: when a score becomes an event, with its ``enter`` thresholds.
        segments: stretches that are judged together, where a decision was calibrated.
        decision: the verdict on a whole video.
        value: the objective on data that had no part in the choice; None where it is undefined.
        low: lower end of its 95 % bootstrap interval over videos; None if there is none.
        high: upper end, likewise.
        always: what calling everything an event reaches there; None where it is undefined.
        reported_on: in words where ``value`` was measured, as "leave one video out, 14 videos".
        camera: the camera (group) that it is for; None is any.
        reference: what scores looked like, for the drift check.
        promise: the budget of false alarms.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    kind: Kind
    objective: str
    fitted_on: FittedOn
    created: str
    version: str
    encoder: str | None = None
    encoder_fingerprint: str | None = None
    bank: str | None = None
    bank_fingerprint: str | None = None
    score: Section | None = None
    pictures: Mapping[str, Section] = field(default_factory=dict)
    smoothing: Section | None = None
    events: Section | None = None
    segments: Section | None = None
    decision: Section | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    always: float | None = None
    reported_on: str = ""
    camera: str | None = None
    reference: Reference | None = None
    promise: Promise | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, it must be one of {', '.join(KINDS)}")
        if not self.objective:
            raise ValueError("objective is empty; name what was optimised")
        strange = sorted(set(self.pictures) - set(PICTURES))
        if strange:
            raise ValueError(
                f"pictures holds {', '.join(strange)}; known are {', '.join(PICTURES)}"
            )
        for name in ("score", "smoothing", "events", "segments", "decision"):
            if getattr(self, name) is not None:
                _options(name, getattr(self, name))
        self._check_thresholds()

    def _check_thresholds(self) -> None:
        """ValueError unless there is a threshold to use, made for this kind of score."""
        if self.events is None and self.decision is None:
            raise ValueError("holds no threshold; give events, decision or both")
        if self.events is not None:
            if self.events.get("enter") is None:
                raise ValueError("events.enter is missing; a calibration is for its threshold")
            if self.events.get("kind", self.kind) != self.kind:
                raise ValueError(f"events.kind is {self.events['kind']!r}, kind is {self.kind!r}")
        if self.score is not None and self.score.get("kind", self.kind) != self.kind:
            raise ValueError(f"score.kind is {self.score['kind']!r}, kind is {self.kind!r}")

    def settings(self) -> dict[str, dict[str, Any]]:
        """The config sections that it sets, every field named, for ``config.apply``."""
        sections = {name: dict(fields) for name, fields in self.pictures.items()}
        for name in ("score", "smoothing", "events", "segments", "decision"):
            fields = getattr(self, name)
            if fields is not None:
                own = {"kind": self.kind} if name in ("score", "events") else {}
                sections[name] = dataclasses.asdict(_options(name, {**fields, **own}))
        return sections

    def as_fitted(self) -> dict[str, Any]:
        """What ``Provenance.fitted["calibration"]`` says of it: no thresholds, only where from."""
        return {
            "objective": self.objective,
            "dataset": self.fitted_on.dataset,
            "split": self.fitted_on.split,
            "videos": list(self.fitted_on.videos),
            "fingerprints": list(self.fitted_on.fingerprints),
            "camera": self.camera,
            "created": self.created,
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """What was chosen, on what, and what it is worth, for people."""
        one = self.fitted_on
        where = one.dataset if one.split is None else f"split {one.split} of {one.dataset}"
        number = f"{len(one.videos)} video" + ("s" if len(one.videos) > 1 else "")
        aim = self.objective if self.promise is None else self.promise.words
        said = f"Thresholds were calibrated on {where} ({number}) for {aim}"
        if self.value is not None:
            reached = f"{self.value:.3g}"
            if self.low is not None and self.high is not None:
                reached += f" [{self.low:.3g}, {self.high:.3g}]"
            said += f"; on held-out data ({self.reported_on}) they reach {reached}"
            if self.always is not None:
                said += f", an alarm that is always on {self.always:.3g}"
        return said + (f"; for camera {self.camera} only." if self.camera else ".")


def pictures_of(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What of a run's settings decides which pictures its scores are made of.

    Empty for imported scores, which know nothing of the sort.
    """
    found = {name: plain(config[name]) for name in PICTURES if config.get(name)}
    if "sampling" in found:
        found["sampling"] = {key: found["sampling"].get(key) for key in SAMPLING}
    return found


def check_fits(
    calibration: Calibration,
    *,
    kind: Kind,
    encoder_fingerprint: str | None,
    bank_fingerprint: str | None,
    score: Section | None = None,
    pictures: Mapping[str, Section] | None = None,
) -> None:
    """Nothing, if scores made so may be judged with the calibration.

    Args:
        calibration: what shall be used.
        kind: kind of the scores.
        encoder_fingerprint: the model that makes them; None is not known.
        bank_fingerprint: the bank they are made with; None is not known.
        score: the config section "score"; None leaves it unchecked.
        pictures: from `pictures_of`, likewise.

    Raises:
        CalibrationError: names what it was fitted for and what it met.
    """
    _same("score kind", calibration.kind, kind)
    for what, name, fitted, got in (
        ("encoder", calibration.encoder, calibration.encoder_fingerprint, encoder_fingerprint),
        ("prompt bank", calibration.bank, calibration.bank_fingerprint, bank_fingerprint),
    ):
        _same(f"{what} ({name or 'imported scores'})", fitted or "unknown", got or "unknown")
    for section, fields in (pictures or {}).items():
        wanted = calibration.pictures.get(section, {})
        for name in sorted({*fields} & {*wanted}):
            _same(f"{section}.{name}", wanted[name], plain(fields[name]))
    if calibration.score is None or score is None:
        return
    wanted = dataclasses.asdict(_options("score", {**calibration.score, "kind": calibration.kind}))
    for name, got in dataclasses.asdict(_options("score", {"kind": kind, **score})).items():
        _same(f"score.{name}", wanted[name], got)


def _same(what: str, fitted: Any, got: Any) -> None:
    if fitted != got:
        raise CalibrationError(
            f"the calibration's {what} is {fitted}, this one is {got}; use what it was fitted "
            "with, or calibrate anew"
        )


OPTIONS: Mapping[str, type[Any]] = {
    "score": ScoreOptions,
    "windows": WindowOptions,
    "smoothing": Smoothing,
    "events": EventRule,
    "segments": SegmentOptions,
    "decision": DecisionRule,
}


def _options(section: str, fields: Section) -> Any:
    """The options of a section, others at their defaults; ValueError names a field that is off."""
    options = OPTIONS[section]
    known = [one.name for one in dataclasses.fields(options)]
    for name in fields:
        if name not in known:
            raise ValueError(f"{section}.{name} is not known; known are {', '.join(known)}")
    for name, value in fields.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{section}.{name} is {value}, it must be finite")
    try:
        return TypeAdapter(options).validate_json(json.dumps(plain(fields)), strict=True)
    except ValidationError as exc:
        raise ValueError(described(exc, section)) from exc


def described(error: ValidationError, *where: str) -> str:
    """What a failed check found, each with the key that it found it at."""
    found = []
    for one in error.errors():
        key = ".".join([*where, *map(str, one["loc"])])
        message = one["msg"].removeprefix("Value error, ")
        missing = one["type"] in ("missing", "missing_argument")
        unknown = one["type"] in ("unexpected_keyword_argument", "extra_forbidden")
        if missing:
            found.append(f"{key} is missing")
        elif unknown:
            found.append(f"{key} is not known")
        else:
            found.append(f"{key}: {message}" if key else message)
    return "; ".join(found)


def plain(value: Any) -> Any:
    """Nested dicts, lists and numbers as a file holds them, whatever mappings they came in."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    # A numpy number is of a type that a file does not know.
    return value.item() if hasattr(value, "item") else value
