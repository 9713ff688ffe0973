"""One picture of a video that plays, and what everything that plays one can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from PIL import Image


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture, when it comes on screen and for how long by itself (None: nobody said).

    ``draw`` makes it, at most ``width`` pixels wide.
    """

    time_s: float
    own_s: float | None
    draw: Callable[[int | None], Image.Image]


class Player(Protocol):
    """An open video; ``tick`` is the unit in which it counts time."""

    @property
    def tick(self) -> Fraction:
        """Seconds a tick."""
        ...

    def play(self, from_s: float = 0.0) -> Iterator[Shown]:
        """Pictures in order, the first being the one on screen at ``from_s``."""
        ...
