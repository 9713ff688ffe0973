"""A memory of a clip from the clip itself: of its least suspicious pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.normality.learn import MemoryBuilder
from watchword.evidence.normality.memory import NormalMemory, PartMemory, PartOptions, Setting
from watchword.evidence.normality.meter import NormalMeter
from watchword.evidence.normality.scene import SceneBuilder
from watchword.evidence.normality.worth import tail_values
from watchword.evidence.surprise import Tail

# Share of the pictures that are left out as suspicious, whether or not they show an event.
SUSPICIOUS = 0.2

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SeenCells:
    """Pictures of a clip that follow each other, as parts of normality see them.

    Attributes:
        cells: by part (n,h,w,C).
        pts_s: (n,) when each is first shown.
        duration_s: (n,) for how long.
    """

    cells: Mapping[str, Floats]
    pts_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]


def learn_self(
    clip: Callable[[], Iterable[SeenCells]],
    setting: Setting,
    options: Mapping[str, PartOptions],
    *,
    video: str,
    fingerprint: str | None = None,
    scene: SceneBuilder | None = None,
) -> NormalMemory:
    """The memory of a clip's own calm pictures, for `NormalMeter` to measure that clip against.

    The clip is learned, each picture measured against all but its own moment, and what is left
    without the most suspicious fifth learned again. That fifth may have been normal: how rare
    scores are is therefore taken from the calm pictures, continued as an exponential tail to the
    share that was left out. What goes on for more than a fifth of the clip counts as
    normal; of one that is an event from beginning to end, nothing of that can be told.

    Args:
        clip: gives the clip's pictures from its beginning, each time that it is called (thrice).
        setting: what the cells are made with.
        options: of each part, by name.
        video: the clip's name.
        fingerprint: of its content; None where that is not known.
        scene: made of its pictures; None leaves it unknown.

    Raises:
        NormalityError: as `MemoryBuilder.finish`.
    """
    first = MemoryBuilder(setting, options, keep_stretches=True, scene=scene)
    first.begin(video, fingerprint)
    for seen in clip():
        first.update(seen.cells, seen.pts_s, seen.duration_s)
    meter = NormalMeter(first.finish())
    measured = [meter.update(seen.cells, seen.pts_s, seen.duration_s).surprise for seen in clip()]
    suspicion = np.fmax.reduce(np.concatenate(measured), axis=1)
    calm = suspicion <= np.nanquantile(suspicion, 1 - SUSPICIOUS)
    second = MemoryBuilder(setting, options, keep_stretches=True, scene=scene)
    second.begin(video, fingerprint)
    at = 0
    for seen in clip():
        here = calm[at : at + len(seen.pts_s)]
        second.update(_only(seen.cells, here), seen.pts_s, seen.duration_s)
        at += len(here)
    memory = second.finish()
    parts = {name: _completed(part) for name, part in memory.parts.items()}
    return replace(memory, parts=parts, notes=_notes(memory))


def _only(cells: Mapping[str, Floats], here: NDArray[np.bool_]) -> dict[str, Floats]:
    """Cells with NaN for the pictures that are left out."""
    return {
        name: np.where(here[:, None, None, None], one, np.float32(np.nan))
        for name, one in cells.items()
    }


def _completed(part: PartMemory) -> PartMemory:
    return replace(part, tail=completed(tail_values(part.tail), SUSPICIOUS))


def completed(values: NDArray[np.float64], missing: float) -> Tail:
    """The tail of values of which the highest were left out.

    The highest ``missing`` share is taken to fall off exponentially, as fast as the values between
    the middle of all and the highest that are left do.

    Args:
        values: (n,) those that are left.
        missing: share of all that was left out, below a half.
    """
    seen = np.sort(values)
    total = len(seen) / (1 - missing)
    middle = float(np.quantile(seen, 0.5 / (1 - missing)))
    slope = (float(seen[-1]) - middle) / np.log(0.5 / missing)
    absent = np.arange(0.5, total - len(seen)) / total
    above = seen[-1] + slope * np.log(missing / absent)
    return Tail.fit(np.concatenate([seen, above]))


def _notes(memory: NormalMemory) -> tuple[str, ...]:
    # Of an event that lasts throughout nothing can be said: it is all there is to compare with.
    if not (memory.scene.pictures and memory.scene.moving):
        return ()
    return (
        "The camera moves: places of its picture have no usual look to compare with, so what "
        "stands out of the clip itself says little.",
    )
