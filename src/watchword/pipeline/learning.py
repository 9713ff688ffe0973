"""Learns what a camera usually shows from videos of it, each read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.errors import NormalityError
from watchword.evidence.change import ChangeMeter
from watchword.evidence.normality.learn import MemoryBuilder
from watchword.evidence.normality.memory import NormalMemory, check_memory
from watchword.evidence.normality.scene import SAME_SCENE, Scene, SceneBuilder, likeness
from watchword.evidence.normality.worth import tail_values
from watchword.evidence.surprise import FEWEST, Tail
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.pipeline.normality import WatchedCells
from watchword.types import VideoInfo

# Pictures whose vectors a memory keeps, at most.
MOST_VECTORS = 1024


class NormalLearner:
    """Makes a memory of videos given one after the other: `learn` each, then `finish`.

    Args:
        videos: reads and encodes; the sections change and normality of its settings are used.
        extend: a memory that the footage is added to.
    """

    def __init__(self, videos: VideoEncoder, *, extend: NormalMemory | None = None) -> None:
        self._videos = videos
        self._extend = extend
        self._builder: MemoryBuilder | None = None
        self._seen: list[tuple[VideoInfo, Scene]] = []
        self._vectors = _Thinned()
        self._change: list[NDArray[np.float32]] = []

    def learn(self, source: str | Path, *, listener: Listener | None = None) -> None:
        """Takes in a video of the camera on a usual day.

        Raises:
            VideoError: it cannot be read; nothing of it was taken in if that shows at once.
            NormalityError: it has another size than those before, shows another scene, or is one
                of them; or it does not fit the memory that is extended.
        """
        config = self._videos.config
        scene, looked_s, pictures = SceneBuilder(), 0.0, 0
        with self._videos.sights(source, listener=listener) as stream:
            self._check_new(stream.info)
            cells = WatchedCells(
                config.normality, self._videos.encoder, config.change.cuts, stream.info
            )
            builder = self._begun(cells)
            builder.begin(stream.info.source, stream.info.fingerprint)
            sudden = ChangeMeter(config.change)
            for sight in stream:
                found = cells.of(sight)
                builder.update(found, sight.pts_s, sight.duration_s, sight.pixels)
                rows = sight.gapless
                moved = sudden.update(rows.features, rows.pts_s, rows.duration_s)
                self._change.append(moved.values)
                self._vectors.add(sight.vectors)
                scene.update(sight.pixels)
                looked_s += float(sight.duration_s.sum())
                pictures += len(sight)
        if pictures:
            self._check_camera(cells, stream.info, pictures / looked_s, scene.scene())

    def finish(self) -> NormalMemory:
        """The memory of all that was given.

        Raises:
            NormalityError: too little footage, or nothing in it but black or a frozen picture.
        """
        if self._builder is None:
            raise NormalityError("no footage was given to learn what is normal from")
        memory = self._builder.finish()
        base = self._extend
        change = np.concatenate(self._change)
        vectors = self._vectors.rows
        if base is not None and base.change is not None:
            change = np.concatenate([tail_values(base.change), change])
        if base is not None and base.vectors is not None:
            vectors = np.concatenate([base.vectors, vectors])
            vectors = vectors[:: -(-len(vectors) // MOST_VECTORS)]
        moved = change[~np.isnan(change)]
        known = len(moved) >= FEWEST and float(np.ptp(moved)) > 0
        return replace(memory, change=Tail.fit(moved) if known else None, vectors=vectors)

    def _begun(self, cells: WatchedCells) -> MemoryBuilder:
        if self._builder is None:
            remembered = cells.remembered
            if self._extend is not None:
                check_memory(self._extend, cells.setting)
                remembered = {name: one.options for name, one in self._extend.parts.items()}
            self._builder = MemoryBuilder(cells.setting, remembered, extend=self._extend)
        return self._builder

    def _check_new(self, info: VideoInfo) -> None:
        """NormalityError for another size, and for a video that would be measured by itself."""
        known = () if self._extend is None else self._extend.footage
        before = {one.fingerprint: one.video for one in known}
        before |= {one.fingerprint: one.source for one, _ in self._seen}
        if info.fingerprint is not None and info.fingerprint in before:
            raise NormalityError(
                f"{info.source} was learned from already, as {before[info.fingerprint]}: measured "
                "against itself it would look more usual than any other day; leave it out"
            )
        if not self._seen:
            return
        first, _ = self._seen[0]
        if (first.width, first.height) != (info.width, info.height):
            raise NormalityError(
                f"{info.source} has pictures of {info.width}x{info.height}, {first.source} of "
                f"{first.width}x{first.height}; a memory is of one camera: learn one of each"
            )

    def _check_camera(
        self, cells: WatchedCells, info: VideoInfo, rate: float, scene: Scene
    ) -> None:
        """NormalityError for a video that shows another scene than those before it."""
        any_scene = self._videos.config.normality.any_scene
        if self._extend is not None:
            compared = None if any_scene else scene
            check_memory(self._extend, cells.setting, rate=rate, scene=compared)
        for other, own in self._seen[:1]:
            alike = likeness(own, scene)
            if not (any_scene or own.moving or scene.moving or alike >= SAME_SCENE):
                raise NormalityError(
                    f"{info.source} shows another scene than {other.source}: their edges agree by "
                    f"{alike:.2f}, those of one camera by {SAME_SCENE} or more; a memory is of one "
                    "camera: learn one of each, or take them nevertheless with "
                    "--set normality.any_scene=true"
                )
        self._seen.append((info, scene))


class _Thinned:
    """Keeps every row while they are few, then every second, every fourth, and so on."""

    def __init__(self) -> None:
        self._kept: list[NDArray[np.float32]] = []
        self._every = 1
        self._count = 0

    @property
    def rows(self) -> NDArray[np.float32]:
        """(M,D) what was kept."""
        return np.stack(self._kept)

    def add(self, rows: NDArray[np.float32]) -> None:
        """Adds rows (n,D)."""
        for row in rows:
            if self._count % self._every == 0:
                self._kept.append(row.copy())
            self._count += 1
            if len(self._kept) > MOST_VECTORS:
                self._kept = self._kept[::2]
                self._every *= 2
