"""How unlike normal a video is, measured while it is read; and memories learned of footage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Encoder
from watchword.errors import NormalityError
from watchword.evidence.cuts import CutFinder, CutOptions
from watchword.evidence.normality.choice import REMEMBERED, NormalityOptions
from watchword.evidence.normality.memory import NormalMemory, PartOptions, check_memory
from watchword.evidence.normality.meter import UNIT, MeterPart, NormalMeter
from watchword.evidence.normality.own import SeenCells, learn_self
from watchword.evidence.normality.scene import SIZE, SceneBuilder, likeness
from watchword.evidence.past import PastOptions, settled
from watchword.pipeline.cells import CellMaker, Cells, parts_of, setting_of
from watchword.pipeline.embed import Watcher
from watchword.pipeline.spool import Spool
from watchword.pipeline.stream import Sight
from watchword.places import Heat
from watchword.types import Embeddings, Scores, VideoInfo

# Seconds of a video that are looked at before its scene is compared with that of a memory.
SCENE_S = 2.0

Times = NDArray[np.float64]
# Values, surprise and heat of pictures, as they are kept.
_Part = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float16]]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What normality says of a video's pictures.

    Attributes:
        values: (n,P) how far each part is from normal, NaN where not measured.
        surprise: (n,P) how rare that is in normal footage.
        heat: (n,h,w) where.
        memory: what it was measured against.
    """

    values: NDArray[np.float32]
    surprise: NDArray[np.float32]
    heat: NDArray[np.float16]
    memory: NormalMemory

    def scores(self, embeddings: Embeddings, past: PastOptions) -> tuple[Scores, tuple[str, ...]]:
        """Surprise (T,P) over the windows of the embeddings, and what has changed for good.

        Args:
            embeddings: of the same video, each window a picture.
            past: how long a new state must last to be what is usual.
        """
        values, surprise = _beside(self.values, embeddings), _beside(self.surprise, embeddings)
        edges, columns, notes = embeddings.edges_s, [], []
        for at, (name, part) in enumerate(self.memory.parts.items()):
            column, drift = settled(surprise[:, at], values[:, at], part.tail, edges, past)
            columns.append(column)
            notes += [f"{name}: {one.sentence}" for one in drift]
        scores = Scores(
            np.stack(columns, axis=1),
            edges,
            self.memory.names,
            "surprise",
            video=embeddings.video,
            made_by=f"normality {self.memory.fingerprint}",
        )
        return scores, tuple(notes)

    def heat_map(self, embeddings: Embeddings) -> Heat:
        """Where, over the same windows."""
        return Heat(_beside(self.heat, embeddings), embeddings.edges_s, UNIT, "normality")


def _beside(rows: NDArray[np.floating], embeddings: Embeddings) -> NDArray[np.floating]:
    """The rows with NaN for each stretch of the video that could not be decoded."""
    seen = ~np.isnan(embeddings.vectors[:, 0])
    if seen.all():
        return rows
    whole = np.full((len(seen), *rows.shape[1:]), np.nan, rows.dtype)
    whole[seen] = rows
    return whole


class Watch(Watcher, Protocol):
    """Watches a video while it is read, and says afterwards how unlike normal it was."""

    def measured(self) -> Measured:
        """What was measured, when all pictures have been taken in."""
        ...


class WatchedCells:
    """Cells of a video's pictures, begun anew behind holes and cuts.

    Raises:
        NormalityError: the encoder does not give what is to be looked at.
    """

    def __init__(
        self, options: NormalityOptions, encoder: Encoder, cuts: CutOptions, info: VideoInfo
    ) -> None:
        parts = parts_of(options, encoder)
        self.remembered: dict[str, PartOptions] = {part: REMEMBERED[part] for part in parts}
        self.setting = setting_of(options, parts, encoder, info)
        self._maker = CellMaker(options, parts, info)
        self._cuts = CutFinder(cuts)
        self._least = tuple(max(size, options.motion.cells) for size in SIZE)

    def of(self, sight: Sight) -> Cells:
        """The cells of the next pictures.

        Raises:
            NormalityError: they are too small.
        """
        height, width = sight.pixels.shape[1:3]
        if height < self._least[0] or width < self._least[1]:
            raise NormalityError(
                f"pictures of {width}x{height} are too small to tell places in them apart; from "
                f"{self._least[1]}x{self._least[0]} on normality can be looked at"
            )
        cut = self._cuts.update(sight.features, sight.pts_s)
        return self._maker.update(sight, begins=cut)


class MemoryWatch:
    """Measures a video against that of several memories which knows its camera.

    Raises:
        NormalityError: while it is read, when no memory fits.
    """

    def __init__(
        self,
        memories: Sequence[NormalMemory],
        begun: Callable[[VideoInfo], WatchedCells],
        *,
        any_scene: bool,
    ) -> None:
        self._memories = tuple(memories)
        self._begun = begun
        self._any_scene = any_scene
        self._scene = SceneBuilder()
        self._waiting: list[tuple[Cells, Times, Times]] = []
        self._memory: NormalMemory | None = None
        self._meter: NormalMeter | None = None
        self._parts: list[_Part] = []

    def begin(self, info: VideoInfo) -> None:
        """Says which video comes."""
        self._cells = self._begun(info)

    def __call__(self, sight: Sight) -> None:
        """Takes in the next pictures."""
        cells = self._cells.of(sight)
        if self._meter is not None:
            self._parts.append(_kept(self._meter.update(cells, sight.pts_s, sight.duration_s)))
            return
        self._scene.update(sight.pixels)
        self._waiting.append((cells, sight.pts_s, sight.duration_s))
        if sight.pts_s[-1] - self._waiting[0][1][0] >= SCENE_S:
            self._choose()

    def measured(self) -> Measured:
        """What was measured, when all pictures have been taken in."""
        if self._meter is None:
            self._choose()
        assert self._memory is not None
        return _measured(self._parts, self._memory)

    def _choose(self) -> None:
        """Takes the memory that fits best, and measures what has been waiting for it."""
        memory = self._fitting()
        self._memory, self._meter = memory, NormalMeter(memory)
        self._parts = [_kept(self._meter.update(*waiting)) for waiting in self._waiting]
        self._waiting = []

    def _fitting(self) -> NormalMemory:
        """Of the memories that fit, the one whose scene is most like the video's."""
        # Durations and not steps, in which seconds that could not be decoded would count.
        length_s = np.concatenate([lengths for _, _, lengths in self._waiting])
        rate = len(length_s) / length_s.sum() if len(length_s) > 1 else None
        scene = self._scene.scene()
        fitting, reasons = [], []
        for memory in self._memories:
            try:
                compared = None if self._any_scene else scene
                check_memory(memory, self._cells.setting, rate=rate, scene=compared)
                fitting.append(memory)
            except NormalityError as exc:
                reasons.append(str(exc))
        if fitting:
            return max(fitting, key=lambda memory: likeness(memory.scene, scene))
        if len(reasons) == 1:
            raise NormalityError(reasons[0])
        listed = "; ".join(f"{i}. {reason}" for i, reason in enumerate(reasons, 1))
        raise NormalityError(f"none of {len(reasons)} memories fits: {listed}")


class OwnWatch:
    """Measures a video against its own calm pictures, which are known when it has been read."""

    def __init__(self, begun: Callable[[VideoInfo], WatchedCells]) -> None:
        self._begun = begun
        self._spool = Spool()
        self._scene = SceneBuilder()
        self._refused: NormalityError | None = None

    def begin(self, info: VideoInfo) -> None:
        """Says which video comes."""
        self._info = info
        self._cells = self._begun(info)

    def __call__(self, sight: Sight) -> None:
        """Takes in the next pictures; what is wrong with them is said by `measured`."""
        try:
            cells = self._cells.of(sight)
        except NormalityError as exc:
            # Other evidence may still tell of the video.
            self._refused = exc
            return
        self._scene.update(sight.pixels)
        self._spool.put(cells, sight.pts_s, sight.duration_s)

    def measured(self) -> Measured:
        """What was measured, when all pictures have been taken in.

        Raises:
            NormalityError: too short or small a video to have a usual state, a black or a frozen
                one.
        """
        if self._refused is not None:
            raise self._refused
        with self._spool as spool:
            memory = learn_self(
                lambda: (SeenCells(*batch) for batch in spool),
                self._cells.setting,
                self._cells.remembered,
                video=self._info.source,
                fingerprint=self._info.fingerprint,
                scene=self._scene,
            )
            meter = NormalMeter(memory)
            return _measured([_kept(meter.update(*batch)) for batch in spool], memory)


def _kept(part: MeterPart) -> _Part:
    """What is kept of pictures that were measured: heat is most of it."""
    return part.values, part.surprise, part.heat.astype(np.float16)


def _measured(parts: Sequence[_Part], memory: NormalMemory) -> Measured:
    values, surprise, heat = zip(*parts, strict=True)
    return Measured(np.concatenate(values), np.concatenate(surprise), np.concatenate(heat), memory)
