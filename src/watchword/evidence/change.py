"""Change: how fast the scene moves away from where it was heading, without a word.

Most accidents are sudden. The scene's vector is compared with the straight continuation of the two
before it: what a steady pan or drive explains is taken off, what turns, jumps or appears is left.
Differences are averaged over the dimensions, so that a change counts which many of them carry, and
over the moment before, so that the noise of single pictures does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.cuts import AT_ONCE, TOLERANCE_S, CutFinder, CutOptions
from watchword.features import Features
from watchword.types import Scores

LABEL = "change"

# Rows worked on at a time, so that they stay in the processor's cache.
BLOCK = 256

Floats = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How change is measured.

    Attributes:
        step_s: seconds between the pictures that are compared; nearest pictures are taken, and
            where pictures are further apart than that, pictures that follow each other.
        memory_s: seconds after which what moved counts for a third (1 / e) in the average.
        cuts: what counts as a cut, which is no change and behind which nothing is looked at.
    """

    step_s: float = 0.1
    memory_s: float = 0.5
    cuts: CutOptions = field(default_factory=CutOptions)

    def __post_init__(self) -> None:
        for name in ("step_s", "memory_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}, it must be a positive number of seconds")


@dataclass(frozen=True, slots=True, eq=False)
class ChangePart:
    """Change of pictures that follow each other: ``values`` (n,), NaN where not measured.

    ``cuts`` (n,) says which of them are the first after a cut.
    """

    values: NDArray[np.float32]
    cuts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """Pictures that are still needed; ``begins`` marks those without a past."""

    rows: NDArray[np.float32]
    starts: Floats
    begins: NDArray[np.bool_]


class ChangeMeter:
    """Measures change of a video as it comes, in memory that does not grow with it.

    Cut up in any way, a video has the same values, to the bit. A beginning (of the video, after a
    cut, after a stretch that was not measured) is quiet: it knows no past, and the seconds before
    it count as unchanged, so that no alarm rests on a pair of pictures.
    """

    def __init__(self, options: ChangeOptions | None = None) -> None:
        self._options = options or ChangeOptions()
        self._cuts = CutFinder(self._options.cuts)
        self._past: _Past | None = None
        self._level = 0.0

    def update(
        self, vectors: NDArray[np.float32], starts_s: Floats, lengths_s: Floats
    ) -> ChangePart:
        """Change of the next pictures of the video.

        Args:
            vectors: (n,D) unit rows; a row of NaN was not measured.
            starts_s: (n,) when each is first shown, rising from one call to the next.
            lengths_s: (n,) seconds that each is shown.

        Raises:
            ValueError: pictures not in order, or of another width than those before.
        """
        self._check(vectors, starts_s, lengths_s)
        if not len(vectors):
            return ChangePart(np.zeros(0, np.float32), np.zeros(0, bool))
        cut = self._cuts.update(vectors, starts_s)
        whole = self._joined(vectors, starts_s, cut)
        old = len(whole.starts) - len(starts_s)
        begun = np.maximum.accumulate(np.where(whole.begins, np.arange(len(whole.begins)), -1))
        moved = self._moved(whole, begun, old)
        values = self._mean(moved, lengths_s, whole.begins[old:])
        values[np.isnan(vectors[:, 0])] = np.nan
        self._past = self._kept(whole)
        return ChangePart(values.astype(np.float32), cut)

    def _check(self, vectors: NDArray[np.float32], starts: Floats, lengths: Floats) -> None:
        if vectors.ndim != 2 or starts.shape != (len(vectors),) or lengths.shape != starts.shape:
            raise ValueError(
                f"vectors have shape {vectors.shape}, starts_s {starts.shape}, lengths_s "
                f"{lengths.shape}; they must be (n, width), (n,) and (n,)"
            )
        past = self._past
        if past is not None and len(vectors) and past.rows.shape[1] != vectors.shape[1]:
            raise ValueError(
                f"vectors are {vectors.shape[1]} wide, those before {past.rows.shape[1]}; "
                "a video must be encoded by one encoder throughout"
            )
        last = -math.inf if past is None else past.starts[-1]
        if (np.diff(starts, prepend=last) <= 0).any():
            raise ValueError(f"starts_s must rise, from {last:.3f} s on")

    def _joined(
        self, vectors: NDArray[np.float32], starts: Floats, cut: NDArray[np.bool_]
    ) -> _Past:
        """The pictures behind those that are still needed."""
        past = self._past
        hole = np.isnan(vectors[:, 0])
        after = np.concatenate([[past is None or bool(np.isnan(past.rows[-1, 0]))], hole[:-1]])
        begins = cut | hole | after
        if past is None:
            return _Past(vectors, starts, begins)
        return _Past(
            np.concatenate([past.rows, vectors]),
            np.concatenate([past.starts, starts]),
            np.concatenate([past.begins, begins]),
        )

    def _moved(self, whole: _Past, begun: Index, old: int) -> Floats:
        """(n,) how far each picture from ``old`` on lies from where the scene was heading."""
        step = self._options.step_s
        starts = whole.starts
        own = np.arange(old, len(starts))
        known = own > begun[old:]
        before = np.maximum(_nearest(starts, starts[own] - step, own - 1), begun[old:])
        earlier = np.maximum(_nearest(starts, starts[before] - step, before - 1), begun[old:])
        heading = known & (before > earlier)
        lag = np.where(known, starts[own] - starts[before], step)
        # Never further ahead than the scene was seen to move: a long gap would blow noise up.
        gap = np.where(heading, starts[before] - starts[earlier], 1.0)
        ahead = np.where(heading, np.minimum(lag / gap, 1.0), 0.0)
        far = _distance(whole.rows, (own, before, earlier), ahead)
        # Scenes wander: twice the time is about 1.4 times the way, and a coarser sampling is no
        # livelier scene.
        return np.where(known, far * np.sqrt(step / lag), 0.0)

    def _mean(self, moved: Floats, lengths: Floats, begins: NDArray[np.bool_]) -> Floats:
        """(n,) what moved, averaged with what moved before, which fades; 0 at a beginning."""
        news = -np.expm1(-lengths / self._options.memory_s)
        out = np.empty(len(moved))
        level = self._level
        for i, (far, new, begin) in enumerate(zip(moved, news, begins, strict=True)):
            level = 0.0 if begin else level + new * (far - level)
            out[i] = level
        self._level = level
        return out

    def _kept(self, whole: _Past) -> _Past:
        """What a later picture may still be compared with."""
        starts, step = whole.starts, self._options.step_s
        before = max(int(np.searchsorted(starts, starts[-1] - step)) - 1, 0)
        earlier = int(np.searchsorted(starts, starts[before] - step)) - 1
        keep = slice(max(earlier, 0), None)
        return _Past(whole.rows[keep].copy(), starts[keep].copy(), whole.begins[keep].copy())


def change(features: Features, options: ChangeOptions | None = None) -> Scores:
    """How suddenly the scene changes in each window: Scores (T,1) of kind distance.

    Causal: a window's value comes of it and of what lies before it. 0 is a scene that stands still
    or goes on as it went. A cut, and a window that follows a stretch which was not measured, begin
    anew at 0; a window of NaN stays NaN. Values hardly depend on the sampling as long as pictures
    follow each other within some tenths of a second (on real clips, the median at 5 pictures a
    second is 0.84 to 0.99 of that at 10).

    Args:
        features: of T pictures.
        options: how change is measured.
    """
    meter, edges = ChangeMeter(options), features.edges_s
    values = [np.zeros(0, np.float32)]
    for at in range(0, len(features), AT_ONCE):
        part = slice(at, min(at + AT_ONCE, len(features)))
        starts, ends = edges[:-1][part], edges[1:][part]
        values.append(meter.update(features.rows(part), starts, ends - starts).values)
    return Scores(
        np.concatenate(values)[:, None],
        edges,
        (LABEL,),
        "distance",
        video=features.video,
        made_by=f"change {features.encoder}",
    )


def _nearest(starts: Floats, wanted: Floats, last: Index) -> Index:
    """The picture that starts nearest to each wanted time, none later than ``last``; 0 at least."""
    right = np.minimum(np.searchsorted(starts, wanted), len(starts) - 1)
    left = np.maximum(right - 1, 0)
    later = np.abs(starts[right] - wanted) <= np.abs(wanted - starts[left]) + TOLERANCE_S
    return np.maximum(np.minimum(np.where(later, right, left), last), 0)


def _distance(
    rows: NDArray[np.float32], places: tuple[Index, Index, Index], ahead: Floats
) -> Floats:
    """(n,) mean absolute difference between pictures and the continuation of two before each.

    Times the root of the width, so that it is the Euclidean distance where all dimensions share a
    change alike, and less where few carry it.
    """
    out = np.empty(len(ahead))
    factors = ahead.astype(np.float32)[:, None]
    for at in range(0, len(out), BLOCK):
        part = slice(at, at + BLOCK)
        own, before, earlier = (_rows(rows, place[part]) for place in places)
        heading = np.subtract(before, earlier)
        heading *= factors[part]
        left = np.subtract(own, before)
        left -= heading
        out[part] = np.abs(left, out=left).mean(axis=1)
    return out * math.sqrt(rows.shape[1])


def _rows(rows: NDArray[np.float32], places: Index) -> NDArray[np.float32]:
    """Rows at the places: a view where they follow each other, which is several times as fast."""
    first, last = int(places[0]), int(places[-1])
    if last - first == len(places) - 1 and (np.diff(places) == 1).all():
        return rows[first : last + 1]
    return rows[places]
