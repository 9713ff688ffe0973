"""The pictures of an example, read from its video as they are read in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from watchword.errors import VideoError
from watchword.evidence.answers.base import Clip, look
from watchword.train.risk.examples import RiskExample
from watchword.video.reader import open_video
from watchword.video.sampling import Sampling

Kept = TypeVar("Kept")

# So many times the pictures of a clip are decoded and held, at most, to choose them from.
_AMONG = 16


def read_clip(example: RiskExample, *, pictures: int, rate: float) -> Clip:
    """The stretch of an example with at most that many pictures, evenly spread.

    Args:
        example: which stretch of which video.
        pictures: how many at most.
        rate: pictures a second that they are chosen among; fewer in a stretch so long that these
            would be more than 16 times as many.

    Raises:
        VideoError: it cannot be read, or has no picture in the stretch.
    """
    length_s = _length_s(example)
    if length_s is not None:
        # All are held until they are chosen from.
        rate = min(rate, _AMONG * pictures / length_s)
    sampling = Sampling(rate=rate, start_s=example.start_s, end_s=example.end_s)
    with open_video(example.video, sampling=sampling) as stream:
        read = list(stream)
    if len({frames.pixels.shape[1:] for frames in read}) > 1:
        raise VideoError(example.name, "its pictures change their size within the stretch")
    at_s = np.concatenate([frames.pts_s for frames in read])
    start_s = example.start_s or 0.0
    ends_s = float(read[-1].pts_s[-1] + read[-1].duration_s[-1])
    end_s = ends_s if example.end_s is None else example.end_s
    return look(Clip(np.concatenate([one.pixels for one in read]), at_s, start_s, end_s), pictures)


def _length_s(example: RiskExample) -> float | None:
    """Seconds of the stretch; None where the video does not say how long it is."""
    end_s = example.end_s
    if end_s is None:
        with open_video(example.video) as stream:
            end_s = stream.info.duration_s
    length_s = None if end_s is None else end_s - (example.start_s or 0.0)
    return length_s if length_s and length_s > 0 else None


class Shelf(Generic[Kept]):
    """What was made of each example, as long as there is room for it.

    When it is full, nothing gives way: examples come in another order each epoch, so that the one
    used longest ago is as likely to come next as any.

    Args:
        make: gives what belongs to the example of a number.
        size_of: bytes of it.
        room: bytes in all.
    """

    def __init__(
        self, make: Callable[[int], Kept], size_of: Callable[[Kept], int], room: int
    ) -> None:
        self._make, self._size_of, self._room = make, size_of, room
        self._held: dict[int, Kept] = {}

    def __getitem__(self, number: int) -> Kept:
        if number in self._held:
            return self._held[number]
        made = self._make(number)
        size = self._size_of(made)
        if size <= self._room:
            self._room -= size
            self._held[number] = made
        return made
