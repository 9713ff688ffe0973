"""What a detection document holds: one description, from which the JSON Schema is made."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from watchword.types import Kind, Role

SCHEMA_VERSION: Literal["1"] = "1"


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class VideoPart(_Model):
    """What the video says of itself; null is unknown."""

    source: str
    """Path, folder or address as it was given."""
    width: int
    """Pixels across the upright picture."""
    height: int
    """Pixels down the upright picture."""
    duration_s: float | None
    """Length in seconds."""
    rate: float | None
    """Nominal frames a second."""
    rate_fraction: str | None
    """The same exactly, such as 30000/1001."""
    frame_count: int | None
    """Frames as the container counts them."""
    codec: str
    """How the pictures are coded."""
    rotation: int
    """Degrees counter-clockwise that were undone."""
    fingerprint: str | None
    """Hash of the content."""


class EvidencePart(_Model):
    """What one part of the evidence says at the peak of an event."""

    part: str
    """Name of the part, as in parts."""
    surprise: float | None
    """How rare that is where nothing happens: 3 is 1 in 1,000; null is not measured."""


class BoxPart(_Model):
    """A part of the picture, in shares of its width and height from the upper left corner."""

    left: float
    """Left edge, 0 to 1."""
    top: float
    """Upper edge, 0 to 1."""
    right: float
    """Right edge, 0 to 1."""
    bottom: float
    """Lower edge, 0 to 1."""
    score: float
    """Highest heat in it, in the unit of heat."""


class EventPart(_Model):
    """A stretch of time in which a label was found."""

    label: str
    """What was found."""
    start_s: float
    """First second."""
    end_s: float
    """Second it is over, exclusive."""
    duration_s: float
    """Length in seconds."""
    score: float | None
    """Highest score in it."""
    peak_s: float | None
    """Second at which the highest score is reached."""
    raised_by: list[EvidencePart] = []
    """What each part of the evidence says at the peak, strongest first; empty if there is one."""
    boxes: list[BoxPart] = []
    """The hottest regions of the picture at the peak, hottest first; empty without heat."""


class DecisionPart(_Model):
    """The verdict on the whole video: positive when score >= threshold."""

    video: str
    """The video it is about."""
    positive: bool
    """Whether the video is called an event."""
    label: str | None
    """The strongest label if positive."""
    score: float | None
    """What is compared with the threshold; null if nothing was measured."""
    threshold: float
    """From which score the verdict is positive."""
    rule: str
    """How the score was made."""
    evidence: list[EventPart]
    """The events it rests on."""


class PeakPart(_Model):
    """Where a label speaks loudest."""

    label: str
    """The label."""
    score: float | None
    """Highest score; null if nothing was measured."""
    at_s: float | None
    """Start of the window in which it is reached."""
    unmeasured: int
    """Windows that have no score."""


class ScoresPart(_Model):
    """What the numbers are; the series itself is in scores.parquet."""

    kind: Kind
    """What a number means."""
    made_by: str
    """Encoder and method."""
    video: str | None
    """Fingerprint of the video they were measured on."""
    windows: int
    """Length of the series."""
    start_s: float
    """Start of the first window."""
    end_s: float
    """End of the last window."""
    labels: list[PeakPart]
    """Every label with its peak, in the order of the columns."""


class HeatPart(_Model):
    """What the heat maps are; the maps themselves are in maps.npy, their times beside it."""

    unit: str
    """What a number means."""
    made_by: str
    """What made them."""
    windows: int
    """How many maps."""
    height: int
    """Cells down the picture."""
    width: int
    """Cells across the picture."""


class CoveragePart(_Model):
    """How much of the video the result rests on."""

    frames: int
    """Pictures that were used."""
    failed: int
    """Pictures that could not be decoded."""
    reused: int
    """Windows that reuse the embedding before them."""
    covered_s: float
    """Seconds that were seen."""
    expected_s: float | None
    """Seconds the container says there are."""
    share: float | None
    """Seen of expected, 0 to 1."""
    reused_share: float
    """Reused of all windows, 0 to 1."""
    notes: list[str]
    """What a reader should know, in sentences."""


class PromptPart(_Model):
    """One sentence."""

    text: str
    """The sentence."""
    label: str
    """The label it speaks for; empty is all of them."""
    role: Role
    """Whether it describes the event or the normal."""
    weight: float
    """Its share in the label's score."""


class BankPart(_Model):
    """What was watched for."""

    name: str
    """Name of the bank."""
    templates: list[str]
    """Sentences are put into each of these."""
    prompts: list[PromptPart]
    """All sentences."""


class ProvenancePart(_Model):
    """Enough to repeat the run."""

    versions: dict[str, str]
    """Of Watchword, Python and the libraries that matter."""
    config: dict[str, Any]
    """Every setting, as a config file would hold them."""
    encoder: str
    """Fingerprint of the model."""
    encoder_name: str
    """Name of the model."""
    prompts: str
    """Fingerprint of the bank."""
    device: str
    """Where the model ran."""
    created: str
    """When, as ISO 8601."""
    seconds: dict[str, float]
    """How long each stage took."""
    cached: bool
    """Whether embeddings were taken from the cache."""
    fitted: dict[str, Any] = {}
    """What was learned from annotated data, and from which videos."""
    asked: dict[str, Any] = {}
    """The question a video-language model answered, and of what; empty where none was asked."""


class Document(_Model):
    """What Watchword found in one video."""

    schema_version: Literal["1"]
    """Version of this description."""
    watchword: str | None
    """Version of Watchword that made it."""
    video: VideoPart
    """The video."""
    decision: DecisionPart
    """The verdict."""
    events: list[EventPart]
    """What was found, by start."""
    scores: ScoresPart
    """What the numbers mean and where they peak."""
    parts: ScoresPart | None = None
    """What each part of the evidence says by itself; null where the scores are of one part."""
    heat: HeatPart | None = None
    """Where in the picture it is; null if that was not asked."""
    cuts_s: list[float] = []
    """Seconds at which the picture jumps to another scene."""
    coverage: CoveragePart
    """How much was seen."""
    prompts: BankPart | None
    """What was watched for; null where no sentence had a part in it."""
    provenance: ProvenancePart
    """How to repeat it."""
    notice: str
    """What to know of the model before trusting the result."""
