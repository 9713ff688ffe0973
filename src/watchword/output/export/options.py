"""Settings that exports share, whatever the format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a result is put into another program's format.

    Attributes:
        rate: frames a second, for formats that count frames; None counts the video's own frames.
        crf: quality of clips and annotated videos, 0 (lossless) to 51; smaller is better.
        bars: how many labels an annotated video shows at once, the strongest first.
        heat: whether an annotated video shows where in the picture it is, if that was measured.
    """

    rate: Fraction | float | None = None
    crf: int = 20
    bars: int = 4
    heat: bool = True

    def __post_init__(self) -> None:
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(
                f"rate is {self.rate}, it must be a positive number of frames a second"
            )
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf is {self.crf}, it must be 0 to 51")
        if self.bars < 1:
            raise ValueError(f"bars is {self.bars}, it must be at least 1")
