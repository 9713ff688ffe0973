"""What answers a question about a clip: its interface, its options, and the clip itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen
from watchword.errors import AnswerError
from watchword.evidence.answers.question import CRASH, Question

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The pictures one answer is about: ``pictures`` (n,H,W,3) uint8 RGB, oldest first.

    ``at_s`` (n,) rises within ``[start_s, end_s]``; all are seconds of the video.
    """

    pictures: NDArray[np.uint8]
    at_s: NDArray[np.float64]
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if np.asarray(self.pictures).dtype != np.uint8:
            raise TypeError(f"pictures are {np.asarray(self.pictures).dtype}, they must be uint8")
        pictures = frozen(self.pictures, np.uint8, (None, None, None, 3), "pictures")
        at_s = frozen(self.at_s, np.float64, (len(pictures),), "at_s")
        if not pictures.size:
            raise ValueError(f"pictures has shape {pictures.shape}, a clip needs one at least")
        if not (math.isfinite(self.start_s) and self.start_s < self.end_s < math.inf):
            raise ValueError(f"a clip must end after it starts, got {self.start_s}, {self.end_s}")
        inside = (at_s >= self.start_s - 1e-6) & (at_s <= self.end_s + 1e-6)
        if not inside.all() or (np.diff(at_s) <= 0).any():
            raise ValueError(
                f"at_s must rise strictly between {self.start_s} and {self.end_s}, got {at_s}"
            )
        object.__setattr__(self, "pictures", pictures)
        object.__setattr__(self, "at_s", at_s)

    def __len__(self) -> int:
        return len(self.pictures)

    def __repr__(self) -> str:
        return f"Clip(pictures={self.pictures.shape}, [{self.start_s}, {self.end_s}))"


def look(clip: Clip, pictures: int) -> Clip:
    """The clip with at most that many of its pictures, evenly spread, first and last among them.

    One picture is the last, which is nearest to what is asked about.
    """
    if pictures < 1:
        raise ValueError(f"pictures is {pictures}, it must be at least 1")
    if len(clip) <= pictures:
        return clip
    spread = np.linspace(len(clip) - 1, 0, pictures).round().astype(int)[::-1]
    return Clip(clip.pictures[spread], clip.at_s[spread], clip.start_s, clip.end_s)


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What is asked, of how much of the past, and how the model runs.

    Attributes:
        question: as a person writes it (default: seed 4's, of a vehicle collision).
        label: what the scores are called (default: collision).
        clip_s: seconds of the past that one answer is about (default: 4).
        stride_s: seconds from one answer to the next (default: 0.5).
        pictures: of a clip that the model looks at (default: 8).
        swap: ask with yes first and with no first, and average the two logits (default: yes).
        batch: clips at a time; None is 1 on a CPU and 8 on a GPU.
        device: cpu or cuda (default: cpu).
        dtype: auto (float32 on a CPU, bfloat16 on a GPU that computes in it), or one of them.
        threads: of torch on a CPU; None leaves torch's choice. It holds for the whole process.
    """

    question: str = CRASH.text
    label: str = CRASH.label
    clip_s: float = 4.0
    stride_s: float = 0.5
    pictures: int = 8
    swap: bool = True
    batch: int | None = None
    device: str = "cpu"
    dtype: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("clip_s", "stride_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} is {getattr(self, name)}, it must be a positive number")
        for name in ("pictures", "batch", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, it must be at least 1")
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device is {self.device!r}, it must be cpu or cuda")
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}, it must be one of {', '.join(DTYPES)}")


@runtime_checkable
class Responder(Protocol):
    """What answers questions about clips: a model on this machine, a server, a trained head.

    ``fingerprint`` differs whenever answers may differ. ``batch_size`` clips are worked on at a
    time, ``pictures`` of each clip are looked at.
    """

    name: str
    fingerprint: str
    batch_size: int
    pictures: int

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        """(N,) probability of yes, 0 to 1, never NaN.

        Raises:
            AnswerError: it cannot answer; a value is never made up.
            PromptError: the question does not fit the model.
        """
        ...


def as_probability(logit: NDArray[np.floating], who: str) -> NDArray[np.float32]:
    """(N,) probabilities of logits (N, orders) averaged over the orders; AnswerError at NaN."""
    mean = np.asarray(logit, np.float64).mean(axis=1)
    if np.isnan(mean).any():
        raise AnswerError(
            f"{who} gave {int(np.isnan(mean).sum())} of {len(mean)} answers that are no numbers; "
            "with float16 that happens: use dtype bfloat16 or float32"
        )
    return np.asarray(0.5 * (1 + np.tanh(mean / 2)), np.float32)
