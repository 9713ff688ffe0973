"""What every backend gives the reader: pictures one by one, and a tally of what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from watchword.types import VideoInfo


@dataclass(frozen=True, slots=True)
class Shown:
    """One decoded picture and when it is shown.

    ``pts_s`` is None if no time is stored, ``own_s`` the duration stored with it or None.
    ``near_loss`` says that something just before could not be decoded. ``make`` gives the upright
    picture (H,W,3) uint8 RGB, cut and scaled as asked, or None if that fails: it is called for
    pictures that are looked at only, because it costs more than decoding does.
    """

    pts_s: float | None
    own_s: float | None
    near_loss: bool
    make: Callable[[], NDArray[np.uint8] | None]


class Tally:
    """What was lost on the way and what a reader of the result should know, as sentences."""

    def __init__(self) -> None:
        self._lost: Counter[str] = Counter()
        self._said: dict[str, None] = {}

    def lose(self, why: str, count: int = 1) -> None:
        """Count pictures that are lost; ``why`` completes "3 pictures lost: ..."."""
        if count:
            self._lost[why] += count

    def say(self, sentence: str) -> None:
        """Keep a sentence, once."""
        self._said[sentence] = None

    @property
    def failed(self) -> int:
        """Pictures lost in all."""
        return self._lost.total()

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each reason pictures were lost for, then those that were said."""
        lost = (f"{n} picture{'s' * (n > 1)} lost: {why}" for why, n in self._lost.items())
        return (*lost, *self._said)


class Backend(Protocol):
    """An open video: what it says of itself, its pictures in order, and what got lost so far."""

    @property
    def info(self) -> VideoInfo:
        """What the video says of itself."""
        ...

    @property
    def tally(self) -> Tally:
        """What got lost so far."""
        ...

    def pictures(self) -> Iterator[Shown]:
        """Every decodable picture in the order shown; may begin before the range asked for."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
