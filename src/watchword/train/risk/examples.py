"""What a model of risk learns from: stretches of video, a question about each, and the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class RiskExample:
    """A stretch of a video and whether the answer to a question about it is yes.

    Attributes:
        video: file, or folder of pictures.
        start_s: first second of the stretch; None is the beginning.
        end_s: second at which it ends, not itself included; None is the end.
        text: the question, which is all of the text that the model is given.
        label: 1 for yes, 0 for no.
        group: camera, drive or scene: what must not be in two splits.
        lead_s: seconds from the end of the stretch to the event; None where none is known.
        cut_from: the video it was cut from; None where ``video`` is that, or nobody said.
        cut_fingerprint: of that video's content.
    """

    video: Path
    start_s: float | None
    end_s: float | None
    text: str
    label: int
    group: str
    lead_s: float | None = None
    cut_from: str | None = None
    cut_fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.label not in (0, 1):
            raise ValueError(f"label is {self.label!r}, it must be 0 (no) or 1 (yes)")
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise ValueError(f"end_s is {self.end_s}, it must lie after start_s, {self.start_s}")

    @property
    def name(self) -> str:
        """The stretch as errors and tables call it."""
        if self.start_s is None and self.end_s is None:
            return str(self.video)
        end = "end" if self.end_s is None else f"{self.end_s:g}"
        return f"{self.video} [{self.start_s or 0.0:g}, {end}) s"


@dataclass(frozen=True, slots=True)
class RiskDataset:
    """Examples by split; sentences in ``notes`` are what a reader should know."""

    folder: Path
    train: tuple[RiskExample, ...]
    val: tuple[RiskExample, ...] = ()
    test: tuple[RiskExample, ...] = ()
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[Split, RiskExample]]:
        for split in SPLITS:
            for example in self.of(split):
                yield split, example

    def of(self, split: Split) -> tuple[RiskExample, ...]:
        """The examples of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many examples of each answer, and groups, a split has."""
        return {
            split: {
                "yes": sum(one.label for one in self.of(split)),
                "no": sum(1 - one.label for one in self.of(split)),
                "groups": len({one.group for one in self.of(split)}),
            }
            for split in SPLITS
        }
