"""What was predicted about videos, whoever wrote it down, and what is known of how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.types import Event, PromptBank, Scores


@dataclass(frozen=True, slots=True)
class Made:
    """How a prediction was made, as far as its files say; None is not known.

    Attributes:
        encoder: the model's name.
        encoder_fingerprint: what identifies the model.
        bank: the sentences it was asked with.
        bank_fingerprint: what identifies the bank.
        sentences: every sentence that had a part in it, where there is no bank.
        smoothing: the fields of Smoothing that were used.
        rule: the fields of EventRule that were used, ``enter`` settled.
        normalised: how values were rescaled with the evaluated videos themselves, as "per video".
        fitted: what was learned from annotated data: Provenance's field of that name.
        config: every setting of the run.
    """

    encoder: str | None = None
    encoder_fingerprint: str | None = None
    bank: PromptBank | None = None
    bank_fingerprint: str | None = None
    sentences: tuple[str, ...] = ()
    smoothing: Mapping[str, Any] | None = None
    rule: Mapping[str, Any] | None = None
    normalised: str | None = None
    fitted: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of evidence that gave the scores, as ("change", "normality").

        Empty where that is not known, as of runs that only knew words.
        """
        return tuple((self.config.get("evidence") or {}).get("kinds") or ())

    @property
    def together(self) -> bool:
        """Whether the scores are of other evidence than words, or of words beside other."""
        return self.kinds not in ((), ("words",))


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What was predicted about one video.

    Attributes:
        video: its path or name, as the files give it; what annotations are matched with.
        where: the file or folder (and row) it stands in, which errors name.
        scores: scores over time; None if only events or a verdict were saved.
        raw: the same scores before they were smoothed, where they were saved.
        events: events as saved; None if only scores were (a threshold then makes them).
        verdict: score of the whole video as saved; None if it was not.
        positive: whether the whole video was called an event; None if nobody said.
        segments: scores of segments judged together (seed 2), where they were saved.
        maps: file of heat maps (T,H,W), where they were saved.
        parts: what each part of the evidence says, where scores were combined of several.
        path: where the video itself lay when it was looked at, if known.
        rate: frames a second of the video, if known.
        video_fingerprint: what identifies the video's content, if known.
        made: how.
    """

    video: str
    where: str
    scores: Scores | None = None
    raw: Scores | None = None
    events: tuple[Event, ...] | None = None
    verdict: float | None = None
    positive: bool | None = None
    segments: Scores | None = None
    maps: str | None = None
    parts: Scores | None = None
    path: str | None = None
    rate: float | None = None
    video_fingerprint: str | None = None
    made: Made = field(default_factory=Made)
