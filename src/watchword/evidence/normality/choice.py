"""Which parts of normality are looked at, how their cells are made, and how they are remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from watchword.evidence.normality.appearance import AppearanceOptions
from watchword.evidence.normality.memory import PartOptions
from watchword.evidence.normality.motion import MotionOptions

Part = Literal["motion", "appearance"]
PARTS: tuple[Part, ...] = ("motion", "appearance")

# How cells of each part are remembered and compared; chosen on training clips (docs/normality.md).
REMEMBERED: Mapping[Part, PartOptions] = {
    "motion": PartOptions(keep=0, reach=0, top=16, window_s=0.5, stirred=0.03),
    "appearance": PartOptions(),
}


@dataclass(frozen=True, slots=True)
class NormalityOptions:
    """What normality looks at.

    Attributes:
        parts: motion and appearance, one or both; an encoder that gives no maps of what it sees
            has motion alone.
        motion: how motion is measured.
        appearance: how appearance is measured.
        any_scene: use a memory though the scene looks like another than the memory's.
    """

    parts: tuple[Part, ...] = PARTS
    motion: MotionOptions = field(default_factory=MotionOptions)
    appearance: AppearanceOptions = field(default_factory=AppearanceOptions)
    any_scene: bool = False

    def __post_init__(self) -> None:
        if not self.parts or len(set(self.parts)) != len(self.parts):
            raise ValueError(f"parts is {self.parts}, it must name each part of normality once")
        if unknown := [part for part in self.parts if part not in PARTS]:
            raise ValueError(f"part {unknown[0]!r} is not known; {', '.join(PARTS)} are")
