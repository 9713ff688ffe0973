"""The values that pass from stage to stage: what they hold, in which unit, and what they promise.

T windows, K labels, D embedding width, N frames. Times are float64 seconds from the start of the
video, intervals are half-open ``[start, end)``. A series of T values has T+1 edges: value ``i``
stands for ``[edges_s[i], edges_s[i+1])``. Arrays are read-only once they are inside one of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen, timeline_edges
from watchword.places import Heat

Role = Literal["event", "normal"]
Kind = Literal["cosine", "margin", "contrast", "probability", "distance", "surprise"]
KINDS: tuple[Kind, ...] = ("cosine", "margin", "contrast", "probability", "distance", "surprise")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video says of itself. Numbers come from the container; None is unknown, never a guess.

    ``rate`` is nominal frames a second, ``rotation`` the degrees (counter-clockwise) that were
    undone so that pictures are upright, ``width`` and ``height`` are those of the upright picture,
    ``fingerprint`` identifies the content (None for a URL, whose content cannot be vouched for).
    """

    source: str
    width: int
    height: int
    duration_s: float | None = None
    rate: Fraction | None = None
    frame_count: int | None = None
    codec: str = ""
    rotation: int = 0
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Pictures with the times they are shown: ``pixels`` (N,H,W,3) uint8 RGB, upright.

    ``pts_s`` (N,) is strictly rising; frame ``i`` is on screen for ``duration_s[i]`` seconds.
    """

    pixels: NDArray[np.uint8]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    info: VideoInfo

    def __post_init__(self) -> None:
        pixels = frozen(self.pixels, np.uint8, (None, None, None, 3), "pixels")
        pts = frozen(self.pts_s, np.float64, (len(pixels),), "pts_s")
        duration = frozen(self.duration_s, np.float64, (len(pixels),), "duration_s")
        if (np.diff(pts) <= 0).any() or (duration <= 0).any():
            raise ValueError("pts_s must rise strictly and duration_s must be positive")
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "pts_s", pts)
        object.__setattr__(self, "duration_s", duration)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice) -> Frames:
        return Frames(self.pixels[part], self.pts_s[part], self.duration_s[part], self.info)

    def __repr__(self) -> str:
        return f"Frames(pixels={self.pixels.shape}, source={self.info.source!r})"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a video its result rests on.

    ``frames`` pictures were used, ``failed`` could not be decoded, ``reused`` windows took the
    embedding before them because the picture had not changed. ``covered_s`` of ``expected_s``
    seconds (None if the container does not say) were seen. ``notes`` are sentences for people.
    """

    frames: int
    failed: int = 0
    reused: int = 0
    covered_s: float = 0.0
    expected_s: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of the expected seconds that were seen, 0 to 1; None if not known."""
        if not self.expected_s:
            return None
        return min(1.0, self.covered_s / self.expected_s)

    @property
    def reused_share(self) -> float:
        """Share of windows that reuse the embedding before them, 0 to 1."""
        return self.reused / self.frames if self.frames else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """One vector a window: ``vectors`` (T,D) float32 rows of unit length, ``edges_s`` (T+1,).

    A row of NaN is a stretch that could not be decoded. ``encoder`` and ``video`` are fingerprints.
    """

    vectors: NDArray[np.float32]
    edges_s: NDArray[np.float64]
    encoder: str
    video: str | None
    coverage: Coverage

    def __post_init__(self) -> None:
        vectors = frozen(self.vectors, np.float32, (None, None), "vectors")
        norms = np.sqrt(np.einsum("td,td->t", vectors, vectors))
        if not (np.isnan(norms) | (np.abs(norms - 1) < 1e-3)).all():
            raise ValueError("every row of vectors must have unit length, or be NaN throughout")
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "edges_s", timeline_edges(self.edges_s, len(vectors)))

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        return f"Embeddings(vectors={self.vectors.shape}, encoder={self.encoder!r})"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sentence: what label it speaks for, and whether it describes the event or the normal."""

    text: str
    label: str
    role: Role = "event"
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a prompt must not be empty")
        if self.role not in ("event", "normal"):
            raise ValueError(f"role is {self.role!r}, it must be event or normal")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise ValueError(f"weight is {self.weight}, it must be a positive number")


@dataclass(frozen=True, slots=True)
class PromptBank:
    """What to watch for: event sentences by label, and the normal sentences they compete with.

    A normal prompt with label ``""`` serves every label; one with a label serves that one only.
    ``templates`` each hold ``{}`` where a prompt goes. Texts are unique within label and role, and
    each label has an event prompt.
    """

    prompts: tuple[Prompt, ...]
    templates: tuple[str, ...] = ("{}",)
    name: str = "prompts"

    def __post_init__(self) -> None:
        seen: set[tuple[str, str, Role]] = set()
        for prompt in self.prompts:
            key = (prompt.text, prompt.label, prompt.role)
            if key in seen:
                raise ValueError(f"prompt {prompt.text!r} stands twice under {prompt.label!r}")
            seen.add(key)
        if not self.labels:
            raise ValueError("a bank needs at least one event prompt")
        spoken_for = {prompt.label for prompt in self.prompts if prompt.label}
        silent = sorted(spoken_for - set(self.labels))
        if silent:
            raise ValueError(f"labels without an event prompt: {', '.join(silent)}")
        if not self.templates or any(t.count("{}") != 1 for t in self.templates):
            raise ValueError("every template must hold {} exactly once, and there must be one")

    @property
    def labels(self) -> tuple[str, ...]:
        """The K labels, in order of their first event prompt."""
        return tuple(dict.fromkeys(p.label for p in self.prompts if p.role == "event"))

    def of(self, label: str, role: Role) -> tuple[Prompt, ...]:
        """The prompts of a label and role; normal ones include those that serve every label."""
        return tuple(
            p
            for p in self.prompts
            if p.role == role and (p.label == label or (role == "normal" and p.label == ""))
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """Every distinct sentence of the bank before templates, in order."""
        return tuple(dict.fromkeys(prompt.text for prompt in self.prompts))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How strongly each label speaks in each window: ``values`` (T,K) float32, higher is more.

    ``kind`` says what the numbers are; NaN is "not measured". ``made_by`` names encoder and method.
    """

    values: NDArray[np.float32]
    edges_s: NDArray[np.float64]
    labels: tuple[str, ...]
    kind: Kind
    video: str | None = None
    made_by: str = ""

    def __post_init__(self) -> None:
        values = frozen(self.values, np.float32, (None, len(self.labels)), "values")
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, it must be one of {', '.join(KINDS)}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be unique")
        if np.isinf(values).any():
            raise ValueError("values must be finite, or NaN where not measured")
        bounded = self.kind in ("contrast", "probability")
        if bounded and ((values < 0) | (values > 1)).any():
            raise ValueError(f"{self.kind} values must lie in [0, 1]")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "edges_s", timeline_edges(self.edges_s, len(values)))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, label: str) -> NDArray[np.float32]:
        """The (T,) series of one label; KeyError names the known ones."""
        if label not in self.labels:
            raise KeyError(f"no label {label!r}; known are {', '.join(self.labels)}")
        return self.values[:, self.labels.index(label)]

    def __repr__(self) -> str:
        return f"Scores(values={self.values.shape}, kind={self.kind!r}, labels={self.labels!r})"


@dataclass(frozen=True, slots=True)
class Span:
    """A label over ``[start_s, end_s)``."""

    label: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and self.start_s < self.end_s < math.inf):
            raise ValueError(f"a span must end after it starts, got [{self.start_s}, {self.end_s})")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def overlap_s(self, other: Span) -> float:
        """Seconds that both spans hold."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def iou(self, other: Span) -> float:
        """Intersection over union of the two intervals, 0 to 1 (labels are not compared).

        >>> Span("a", 0, 2).iou(Span("a", 1, 3))
        0.3333333333333333
        """
        shared = self.overlap_s(other)
        return shared / (self.duration_s + other.duration_s - shared)


@dataclass(frozen=True, slots=True)
class Event(Span):
    """A span that was found: ``score`` is its highest value, reached at ``peak_s``.

    ``raised_by`` tells what each part of the evidence says at the peak, strongest first; empty
    where there is but one kind of evidence.
    """

    score: float = math.nan
    peak_s: float = math.nan
    raised_by: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict on a whole video: positive when ``score >= threshold`` under ``rule``.

    ``label`` is the strongest label if positive; ``score`` is None if nothing was measured.
    """

    video: str
    label: str | None
    score: float | None
    threshold: float
    rule: str
    evidence: tuple[Event, ...] = ()

    @property
    def positive(self) -> bool:
        """Whether the video is called an event."""
        return self.score is not None and self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class Provenance:
    """Enough to repeat the run: versions, fingerprints, device, and seconds each stage took.

    ``fitted`` tells what was learned from annotated data (a calibration, a head) and which videos
    it was learned from, so that an evaluation can refuse to test on them. ``asked`` is the question
    that a video-language model answered, and of what; empty where none was asked.
    """

    versions: Mapping[str, str]
    config: Mapping[str, Any]
    encoder: str
    encoder_name: str
    prompts: str
    device: str
    created: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    cached: bool = False
    fitted: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detection:
    """What ``detect`` returns for one video, and every front door shows.

    ``bank`` is None where no sentence had a part in it. ``notice`` is what the reader must know of
    the encoder before trusting its results. ``parts`` holds what each kind of evidence says where
    ``scores`` were combined of several, ``heat`` where in the picture it lies, ``cuts_s`` when the
    picture jumps to another scene.
    """

    info: VideoInfo
    bank: PromptBank | None
    scores: Scores
    events: tuple[Event, ...]
    decision: Decision
    coverage: Coverage
    provenance: Provenance
    notice: str = ""
    parts: Scores | None = None
    heat: Heat | None = None
    cuts_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """The truth about one video, as people marked it. ``anomalous`` is None where nobody said.

    ``group`` is the camera, scene or subject it must share a split with, ``accident_s`` the moment
    of an impact, ``masks`` where the truth of single pixels lies, ``notes`` what was put right when
    it was read.
    """

    video: str
    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    duration_s: float | None = None
    split: str | None = None
    anomalous: bool | None = None
    group: str | None = None
    accident_s: float | None = None
    masks: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def localised(self) -> bool:
        """Whether it says when: not so for a video that is only called anomalous as a whole."""
        return bool(self.spans) or self.anomalous is not True

    @property
    def positive(self) -> bool:
        """Whether the video as a whole holds an event."""
        return bool(self.spans) if self.anomalous is None else self.anomalous

    def mask(self, edges_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(T,K) truth of each window: whether the window's middle lies in a span of the label."""
        middle = (np.asarray(edges_s)[:-1] + np.asarray(edges_s)[1:]) / 2
        truth = np.zeros((len(middle), len(self.labels)), bool)
        for span in self.spans:
            inside = (middle >= span.start_s) & (middle < span.end_s)
            truth[inside, self.labels.index(span.label)] = True
        return truth

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)
