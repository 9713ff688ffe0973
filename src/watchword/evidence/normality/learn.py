"""Learns what is normal from footage as it comes, in memory that does not grow with it.

Footage is taken in by stretches, 16 at most, which grow longer as footage does. Each keeps cells
that cover all it showed, so that no part of the footage weighs more than another. What is usual,
and how far normal footage strays from it, comes of pictures spread over the footage, each measured
by all clips but its own (of a single clip, all stretches but its own and those beside it): nobody
is his own witness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import NormalityError
from watchword.evidence.normality.folds import Span, spans_of
from watchword.evidence.normality.held_out import HeldOut, held_out
from watchword.evidence.normality.memory import (
    Footage,
    NormalMemory,
    PartMemory,
    PartOptions,
    Setting,
    check_memory,
)
from watchword.evidence.normality.meter import union
from watchword.evidence.normality.sample import Held, Sample
from watchword.evidence.normality.scene import SIZE, Scene, SceneBuilder, merged
from watchword.evidence.normality.stretches import MOST_STRETCHES, PartStretches
from watchword.evidence.normality.units import in_units, in_unseen_units, units, unseen_units
from watchword.evidence.normality.worth import joined, tail_values, tail_worth
from watchword.evidence.surprise import Tail

# Less footage than this shows no usual day, and leaves too little to be measured against the rest.
FEWEST_PICTURES = 50
SHORTEST_S = 10.0
# Pictures taken in at once: of a fixed number, so that it does not matter how footage is cut up.
BUFFER = 64
# Seconds of the first stretches.
FIRST_STRETCH_S = 1.0
# Mean change of brightness (of 255) under which nothing at all changes, noise of a sensor included.
FROZEN = 0.005
# Brightness (of 255) up to which a picture is black.
BLACK = 20.0
# Of clips that a memory did not know, nine in ten pictures were more surprising to its appearance
# than nine in ten of its own clip, where that was the only one; with two clips and more it was one.
ONE_CLIP = (
    "It was learned from a single clip: it does not know how far one day differs from another, so "
    "that what merely stands elsewhere, or another light, can seem unusual. Add footage of other "
    "times (--extend)."
)

# Independent looks below which a memory is told to be unsure.
FEW_LOOKS = 100

Floats = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(slots=True)
class _Clip:
    """A video that is being taken in, from ``offset_s`` to ``end_s`` on the footage's clock."""

    video: str
    fingerprint: str | None
    offset_s: float
    end_s: float
    seconds: float = 0.0
    pictures: int = 0


class MemoryBuilder:
    """Makes a memory of footage given bit by bit: `begin` each video, `update`, `finish`."""

    def __init__(
        self,
        setting: Setting,
        options: Mapping[str, PartOptions],
        *,
        extend: NormalMemory | None = None,
        keep_stretches: bool = False,
        scene: SceneBuilder | None = None,
    ) -> None:
        """Begins a memory.

        Args:
            setting: what it is made with.
            options: of each part, by name.
            extend: a memory that the footage is added to; its parts, options and units stay.
            keep_stretches: so that the footage itself can be measured, see `NormalMeter`.
            scene: of pictures that were seen already, where none are given with the cells.

        Raises:
            ValueError: no part, or a memory to extend that has other parts or options.
        """
        if not options:
            raise ValueError("a memory needs a part")
        if extend is not None and dict(options) != {n: p.options for n, p in extend.parts.items()}:
            raise ValueError("a memory is extended with its own parts and options")
        self._setting = setting
        self._base = extend
        self._keep_stretches = keep_stretches
        self._parts = {
            name: PartStretches(one, None if extend is None else extend.parts[name].scale)
            for name, one in options.items()
        }
        self._options = dict(options)
        self._sample = Sample()
        self._scene = scene or SceneBuilder()
        self._clips: list[_Clip] = []
        self._stretch_s = FIRST_STRETCH_S
        self._buffer: list[Mapping[str, Floats]] = []
        self._stretch = 0
        self._end_s = 0.0
        self._steps: list[float] = [0.0, 0.0]
        self._last_s: float | None = None
        self._skipped = 0

    def begin(self, video: str, fingerprint: str | None = None) -> None:
        """Says that what comes next is another video.

        Args:
            video: its name.
            fingerprint: of its content; None where that is not known.
        """
        self._clips.append(_Clip(video, fingerprint, self._end_s, self._end_s))
        self._last_s = None
        self._sample.part()

    def update(
        self,
        cells: Mapping[str, Floats],
        pts_s: Times,
        duration_s: Times,
        pixels: NDArray[np.uint8] | None = None,
    ) -> None:
        """Takes in the next pictures of the video.

        Args:
            cells: by part (n,h,w,C); pictures of which no part measured a cell are skipped.
            pts_s: (n,) when each is first shown, from the start of the video.
            duration_s: (n,) for how long.
            pixels: (n,H,W,3) the pictures, for the scene.

        Raises:
            ValueError: no video was begun, or parts other than the memory's.
        """
        if not self._clips:
            raise ValueError("begin a video before giving its pictures")
        if set(cells) != set(self._parts):
            raise ValueError(
                f"cells are given of {', '.join(sorted(cells)) or 'no part'}; the memory has "
                f"{', '.join(self._parts)}"
            )
        if pixels is not None and len(pixels):
            self._scene.update(pixels)
        for i, (start, length) in enumerate(zip(pts_s, duration_s, strict=True)):
            own = {name: cells[name][i] for name in self._parts}
            self._take(own, float(start), float(length))

    def _take(self, own: Mapping[str, Floats], start_s: float, length_s: float) -> None:
        clip = self._clips[-1]
        self._end_s = clip.end_s = max(self._end_s, clip.offset_s + start_s + length_s)
        if self._last_s is not None:
            self._steps[0] += start_s - self._last_s
            self._steps[1] += 1
        self._last_s = start_s
        if all(np.isnan(one).all() for one in own.values()):
            self._skipped += 1
            self._sample.part()
            return
        clip.seconds += length_s
        clip.pictures += 1
        at_s = clip.offset_s + start_s
        self._enter(at_s)
        self._buffer.append({name: np.array(one, np.float32) for name, one in own.items()})
        self._sample.add(Held(at_s, length_s, self._buffer[-1], len(self._clips) - 1))
        if len(self._buffer) == BUFFER:
            self._flush()

    def _enter(self, at_s: float) -> None:
        """Closes the stretch before, if the picture is in another; makes room for that one."""
        if int(at_s // self._stretch_s) == self._stretch:
            return
        self._flush()
        while at_s // self._stretch_s >= MOST_STRETCHES:
            self._stretch_s *= 2
            for part in self._parts.values():
                part.pair_up()
        self._stretch = int(at_s // self._stretch_s)

    def _flush(self) -> None:
        if self._buffer:
            for name, part in self._parts.items():
                part.add(self._stretch, np.stack([one[name] for one in self._buffer]))
        self._buffer = []

    def finish(self) -> NormalMemory:
        """The memory of all that was given.

        Raises:
            NormalityError: too little footage, nothing in it but black or a frozen picture, or
                another scene or rate than those of the memory that is extended.
        """
        self._flush()
        self._check()
        base = self._base
        footage = tuple(
            Footage(clip.video, clip.fingerprint, clip.seconds, clip.pictures)
            for clip in self._clips
            if clip.pictures
        )
        scene = self._scene.scene() if self._scene.count else None
        rate = self._steps[1] / self._steps[0]
        if base is not None:
            check_memory(base, self._setting, rate=rate, scene=scene)
        parts = {name: self._part(name) for name in self._parts}
        known = (*(() if base is None else base.footage), *footage)
        return NormalMemory(
            parts,
            self._setting,
            _scene_of(base, scene),
            rate if base is None else base.rate,
            known,
            skipped=self._skipped + (0 if base is None else base.skipped),
            stretch_s=self._stretch_s if self._keep_stretches else None,
            notes=() if self._keep_stretches else _notes(parts, len(known)),
        )

    def _check(self) -> None:
        pictures = sum(clip.pictures for clip in self._clips)
        seconds = sum(clip.seconds for clip in self._clips)
        if pictures < FEWEST_PICTURES or seconds < SHORTEST_S:
            raise NormalityError(
                f"{pictures} pictures over {seconds:.1f} s of footage could be measured "
                f"({self._skipped} not); at least {FEWEST_PICTURES} over {SHORTEST_S:.0f} s are "
                "needed to see what is usual: give more footage, or look at more pictures a second"
            )
        if not self._scene.count:
            return
        if self._scene.moved < FROZEN:
            raise NormalityError(
                "the picture of the footage is frozen: nothing changes in it, not even by noise; "
                "check the camera, and give footage of a usual day"
            )
        if float(self._scene.scene().picture.max()) <= BLACK:
            raise NormalityError(
                "the footage is black throughout; check the camera, and give footage in which "
                "something can be seen"
            )

    def _part(self, name: str) -> PartMemory:
        own, options = self._parts[name], self._options[name]
        base = None if self._base is None else self._base.parts[name]
        runs, spans = self._sample.of(name), self._spans()
        unseen: dict[Span, Floats] = {}
        if base is None:
            each = self._sample.every
            scale = units(runs, own.spread, options, each)
            unseen = unseen_units(runs, own.spread, options, each, spans=spans)
            runs = in_unseen_units(runs, scale, unseen, spans)
        else:
            scale, runs = base.scale, in_units(runs, base.scale)
        stretches: Floats = own.stretches / scale[:, :, None]
        known = None if base is None else base.entries
        held = held_out(runs, stretches, self._stretch_s, options, spans=spans, known=known)
        usual, tail, cell_tail = held.usual, self._tail(held), Tail.fit(held.excess)
        every = stretches if known is None else np.concatenate([known[None], stretches])
        if base is not None and self._base is not None:
            share = self._base.seconds / (self._base.seconds + self._end_s)
            usual = share * base.usual + (1 - share) * usual
            tail = joined(base.tail, tail)
            cell_tail = Tail.fit(np.concatenate([tail_values(base.cell_tail), held.excess]))
        return PartMemory(
            union(every, options.keep),
            scale,
            usual,
            tail,
            cell_tail,
            options,
            stretches if self._keep_stretches else None,
            unseen if self._keep_stretches else {},
        )

    def _tail(self, held: HeldOut) -> Tail:
        # A clip that is its own measure is no other day than itself: all its pictures count.
        if self._keep_stretches:
            return Tail.fit(held.scores)
        seconds = sum(clip.seconds for clip in self._clips)
        return tail_worth(held.scores.astype(np.float64), held.groups, seconds)

    def _spans(self) -> dict[int, Span]:
        known_s = 0.0 if self._base is None else self._base.seconds
        return spans_of([(clip.offset_s, clip.end_s) for clip in self._clips], known_s)


def _notes(parts: Mapping[str, PartMemory], clips: int) -> tuple[str, ...]:
    if clips == 1:
        return (ONE_CLIP,)
    name, looks = min(
        ((name, part.tail.count) for name, part in parts.items()), key=lambda pair: pair[1]
    )
    if looks >= FEW_LOOKS:
        return ()
    return (
        f"Its clips differ so much among themselves that, of {name}, they say no more than {looks} "
        "independent looks would: it is slow to call something unusual. Add footage of other times "
        "(--extend), or ask for less (--set events.enter=2).",
    )


def _scene_of(base: NormalMemory | None, scene: Scene | None) -> Scene:
    if base is None or scene is None:
        if base is not None:
            return base.scene
        if scene is None:
            # Unknown: compared with nothing.
            return Scene(np.zeros(SIZE, np.float32), 0, 0.0)
        return scene
    return merged(base.scene, scene)
