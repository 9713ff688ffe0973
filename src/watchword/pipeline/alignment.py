"""Which picture of one video stands beside which of another: by number, by time, or the nearest."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from watchword.errors import VideoError
from watchword.evaluation.metrics.consistency import ConsistencyMeter, unit_directions
from watchword.pipeline.agreed import Series
from watchword.pipeline.embed import EmbeddedStream
from watchword.pipeline.stream import ROUNDING_S, EmbeddedBatch

Align = Literal["frame", "time", "best"]
ALIGN: tuple[Align, ...] = ("frame", "time", "best")


def compared(first: EmbeddedStream, second: EmbeddedStream, align: Align) -> Series:
    """Cosines (T,1) of one video's pictures with those that stand beside them in the other.

    Raises:
        VideoError: nothing stands beside any picture, or a video cannot be read.
    """
    partner = PARTNERS[align](second)
    values, times, matched = array("d"), array("d"), array("d")
    meter = ConsistencyMeter()
    ended_s, left_s = 0.0, None
    for batch in first:
        meter.update(batch.vectors)
        ended_s = _end(batch)
        asked = without_lost(batch) if align == "frame" else batch
        if not len(asked):
            continue
        found = partner.beside(asked)
        count = len(found.pts_s)
        values.frombytes(_pairwise(asked.vectors[:count], found.vectors).tobytes())
        times.frombytes(asked.pts_s[:count].tobytes())
        matched.frombytes(found.pts_s.tobytes())
        if count < len(asked):
            left_s = float(asked.pts_s[count])
            break
    if not values:
        raise VideoError(second.info.source, f"shows nothing while {first.info.source} does")
    other_left_s = partner.left_s(ended_s) if left_s is None else None
    notes = (
        f"aligned by {align}: {_HOW[align]}",
        *_left_out(first, left_s),
        *_left_out(second, other_left_s),
        *(f"{second.info.source}: {note}" for note in second.coverage.notes),
        *_doubts(first, second, align, partner, np.isnan(np.frombuffer(matched))),
    )
    return Series(
        np.frombuffer(values)[:, None],
        np.frombuffer(times),
        first.coverage,
        meter.compute(),
        np.frombuffer(matched),
        notes,
    )


_HOW: Mapping[Align, str] = {
    "frame": "the n-th picture of one beside the n-th of the other",
    "time": "each picture beside the one that the other video shows at that moment",
    "best": "each picture beside the most similar one of the other video",
}


def _pairwise(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine (n,) of each row with the row beside it."""
    if not len(second):
        return np.zeros(0)
    rows, others = unit_directions(first, "vectors"), unit_directions(second, "vectors")
    return np.asarray(np.clip(np.einsum("nd,nd->n", rows, others), -1.0, 1.0))


def _left_out(stream: EmbeddedStream, left_s: float | None) -> tuple[str, ...]:
    if left_s is None:
        return ()
    return (f"{stream.info.source} is longer: it was left out from {left_s:.2f} s on",)


def _doubts(
    first: EmbeddedStream,
    second: EmbeddedStream,
    align: Align,
    partner: Partner,
    alone: NDArray[np.bool_],
) -> tuple[str, ...]:
    """What else a reader should know of the pairs."""
    if isinstance(partner, BestMatch):
        return (f"{partner.held} of {second.info.source} were held for the best match",)
    if align == "frame":
        lost = first.coverage.failed + second.coverage.failed
        said = "pictures were lost, so later ones may stand beside their neighbours; use time"
        return (said,) if lost else ()
    if not alone.any():
        return ()
    return (f"beside {int(alone.sum())} of them {second.info.source} shows nothing measured",)


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The pictures of the second video that stand beside the first ``n`` of a batch.

    ``vectors`` (n,D) and ``pts_s`` (n,), NaN where nothing was measured. Fewer rows than the batch
    has mean that the second video has ended.
    """

    vectors: NDArray[np.float32]
    pts_s: NDArray[np.float64]


class Partner(Protocol):
    """The second video, asked batch by batch for what stands beside the first one's pictures."""

    def beside(self, batch: EmbeddedBatch) -> Beside:
        """What stands beside the pictures of the next batch."""
        ...

    def left_s(self, ended_s: float, /) -> float | None:
        """Where the second video goes on although the first ended; None if it was all used."""
        ...


def without_lost(batch: EmbeddedBatch) -> EmbeddedBatch:
    """The pictures of a batch, without the rows that stand for lost stretches."""
    seen = ~np.isnan(batch.vectors[:, 0])
    return EmbeddedBatch(batch.vectors[seen], batch.pts_s[seen], batch.duration_s[seen])


class ByFrame:
    """The first picture beside the first, the second beside the second, and so on."""

    def __init__(self, second: EmbeddedStream) -> None:
        self._line = _Line(second, lost=False)

    def beside(self, batch: EmbeddedBatch) -> Beside:
        """As many pictures as the batch has, or as there are left."""
        self._line.fill(lambda count, _: count >= len(batch))
        taken = self._line.take(min(len(batch), len(self._line.waiting)))
        return Beside(taken.vectors, taken.pts_s)

    def left_s(self, _ended_s: float, /) -> float | None:
        """When the next picture, beside which none stands, is shown."""
        self._line.fill(lambda count, _: count > 0)
        return float(self._line.waiting.pts_s[0]) if len(self._line.waiting) else None


class ByTime:
    """Beside each picture the one that the second video shows at that moment."""

    def __init__(self, second: EmbeddedStream) -> None:
        self._line = _Line(second, lost=True)

    def beside(self, batch: EmbeddedBatch) -> Beside:
        """The pictures on screen at the batch's times; NaN before the second video begins."""
        # Time stamps of the same moment may differ by the rounding of their containers.
        times = batch.pts_s + ROUNDING_S
        self._line.fill(lambda _, end_s: end_s > times[-1])
        waiting = self._line.waiting
        inside = int(np.searchsorted(times, _end(waiting))) if len(waiting) else 0
        at = np.searchsorted(waiting.pts_s, times[:inside], side="right") - 1
        vectors, pts = waiting.vectors[at], waiting.pts_s[at]
        vectors[at < 0], pts[at < 0] = np.nan, np.nan
        if inside:
            # The picture on screen stays: the next batch may begin while it is shown.
            self._line.take(max(0, int(at[-1])))
        return Beside(vectors, pts)

    def left_s(self, ended_s: float, /) -> float | None:
        """When the first picture after the first video's end is shown."""
        self._line.fill(lambda _, end_s: end_s > ended_s + ROUNDING_S)
        later = self._line.waiting.pts_s[self._line.waiting.pts_s > ended_s - ROUNDING_S]
        return float(later[0]) if len(later) else None


class BestMatch:
    """Beside each picture the one of the whole second video that is most like it.

    Holds all vectors of the second video.
    """

    def __init__(self, second: EmbeddedStream) -> None:
        self._line = _Line(second, lost=False)
        self._line.fill(lambda *_: False)

    def beside(self, batch: EmbeddedBatch) -> Beside:
        """The most similar pictures; the earliest of equals."""
        known = self._line.waiting
        lost = np.isnan(batch.vectors[:, 0])
        likeness = np.nan_to_num(batch.vectors) @ known.vectors.T
        best = likeness.argmax(axis=1)
        vectors, pts = known.vectors[best], known.pts_s[best]
        vectors[lost], pts[lost] = np.nan, np.nan
        return Beside(vectors, pts)

    def left_s(self, _ended_s: float, /) -> float | None:
        """None: every picture of the second video was looked at."""
        return None

    @property
    def held(self) -> str:
        """How much is held, in words."""
        known = self._line.waiting.vectors
        return f"{len(known)} vectors ({known.nbytes / 1e6:.1f} MB)"


PARTNERS: Mapping[Align, Callable[[EmbeddedStream], Partner]] = {
    "frame": ByFrame,
    "time": ByTime,
    "best": BestMatch,
}


class _Line:
    """Pictures of a stream that wait to be taken; ``lost`` keeps rows that stand for holes."""

    def __init__(self, stream: EmbeddedStream, *, lost: bool) -> None:
        self._stream = stream
        self._lost = lost
        nothing = np.zeros(0)
        self.waiting = EmbeddedBatch(np.zeros((0, 0), np.float32), nothing, nothing)

    def fill(self, enough: Callable[[int, float], bool]) -> None:
        """Reads on until that many, up to that second, are enough, or nothing is left."""
        parts = [self.waiting] if len(self.waiting) else []
        while not enough(sum(map(len, parts)), _end(parts[-1]) if parts else -math.inf):
            more = next(self._stream, None)
            if more is None:
                break
            more = more if self._lost else without_lost(more)
            if len(more):
                parts.append(more)
        if len(parts) > 1:
            self.waiting = EmbeddedBatch(
                np.concatenate([part.vectors for part in parts]),
                np.concatenate([part.pts_s for part in parts]),
                np.concatenate([part.duration_s for part in parts]),
            )
        elif parts:
            self.waiting = parts[0]

    def take(self, count: int) -> EmbeddedBatch:
        """The first ``count`` of those waiting, which wait no longer."""
        taken, self.waiting = _part(self.waiting, 0, count), _part(self.waiting, count, None)
        return taken


def _part(batch: EmbeddedBatch, start: int, stop: int | None) -> EmbeddedBatch:
    which = slice(start, stop)
    return EmbeddedBatch(batch.vectors[which], batch.pts_s[which], batch.duration_s[which])


def _end(batch: EmbeddedBatch) -> float:
    return float(batch.pts_s[-1] + batch.duration_s[-1])
