"""What a camera usually shows: cells of normal footage, and how far new ones lie from them.

A memory holds, for each part of normality (motion, appearance), entries that cover the cells seen
at each place, what distance to them is usual there, and how often normal footage that the memory
had not seen reached which score. `learn` makes memories, `meter` measures pictures against them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen
from watchword.errors import NormalityError
from watchword.evidence.normality.scene import SAME_SCENE, Scene, likeness
from watchword.evidence.surprise import Tail

# By how much pictures may follow each other faster or slower than those learned from: how far
# things move until the next picture, and how noisy a mean over time is, depend on it.
RATE_SLACK = 1.25
# Shares of width to height that differ by less are the same: sizes are rounded to even numbers.
ASPECT_SLACK = 0.02

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PartOptions:
    """How cells of a part are remembered and compared.

    Attributes:
        keep: entries a place, at most; 0 compares with rest (zeros): how large a cell's numbers
            are, for parts where more is more unusual.
        reach: places away in either direction up to which entries count; None is anywhere.
        blur: each cell's distance is averaged with those of the eight around it.
        top: cells whose mean is the picture's score: the highest.
        window_s: seconds, up to the picture, over which each cell's distance is averaged.
        local: how far what is usual at the very place counts against what is usual anywhere, 0 to
            1, where a place has been seen for long.
        equal: numbers of a cell count alike, each in units of its own spread; False keeps them in
            proportion.
        stirred: length of a cell, as it comes, from which it says what is usual of things that
            move at its place; cells are then measured in units of that, and ``equal`` and ``local``
            have no part. None: the same units everywhere.
    """

    keep: int = 24
    reach: int | None = 1
    blur: bool = True
    top: int = 8
    window_s: float = 0.4
    local: float = 0.5
    equal: bool = True
    stirred: float | None = None

    def __post_init__(self) -> None:
        if self.keep < 0 or self.top < 1:
            raise ValueError(f"keep is {self.keep}, from 0 on; top is {self.top}, from 1 on")
        if self.reach is not None and self.reach < 0:
            raise ValueError(f"reach is {self.reach}, it must be a whole number from 0, or None")
        if not (math.isfinite(self.window_s) and self.window_s >= 0):
            raise ValueError(f"window_s is {self.window_s}, it must be 0 or a number of seconds")
        if not 0 <= self.local <= 1:
            raise ValueError(f"local is {self.local}, it must be between 0 and 1")
        if self.stirred is not None and not (math.isfinite(self.stirred) and self.stirred >= 0):
            raise ValueError(f"stirred is {self.stirred}, it must be a length from 0, or None")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a memory was made with, and what it may be used with.

    Attributes:
        encoder: fingerprint of the encoder whose maps were looked at.
        encoder_name: its name.
        width: of the upright video as it was recorded, in pixels.
        height: likewise.
        cells: what made each part's cells, as plain options by name of the part.
    """

    encoder: str
    encoder_name: str
    width: int
    height: int
    cells: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Footage:
    """A video that a memory was learned from.

    Attributes:
        video: its name.
        fingerprint: of its content; None where that is not known.
        seconds: how much of it was looked at.
        pictures: how many.
    """

    video: str
    fingerprint: str | None
    seconds: float
    pictures: int


@dataclass(frozen=True, slots=True, eq=False)
class PartMemory:
    """What one part of normality remembers.

    Attributes:
        entries: (h,w,S,C) cells of each place in units of ``scale``; rows of NaN are empty.
        scale: (h,w,C) what cells are divided by.
        usual: (h,w) distance to the entries that is usual at each place, positive.
        tail: scores of pictures of normal footage that the entries did not know.
        cell_tail: likewise of single cells.
        options: how it is compared.
        stretches: (n,h,w,S,C) entries of each stretch of the footage, where the footage itself is
            to be measured without those of the moment; None otherwise.
        unseen: units learned without the footage from one second to another, to measure that
            footage itself with, in order of time; empty otherwise.
    """

    entries: Floats
    scale: Floats
    usual: Floats
    tail: Tail
    cell_tail: Tail
    options: PartOptions
    stretches: Floats | None = None
    unseen: Mapping[tuple[float, float], Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        entries = frozen(self.entries, np.float32, (None, None, None, None), "entries")
        height, width, _, numbers = entries.shape
        scale = frozen(self.scale, np.float32, (height, width, numbers), "scale")
        usual = frozen(self.usual, np.float32, (height, width), "usual")
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise ValueError("scale must be positive and finite")
        if not (np.isfinite(usual).all() and (usual > 0).all()):
            raise ValueError("usual must be positive and finite")
        if np.isinf(entries).any() or np.isnan(entries).all():
            raise ValueError("entries must hold finite numbers, and NaN only in empty rows")
        object.__setattr__(self, "entries", entries)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "usual", usual)
        if self.stretches is not None:
            shape = (None, height, width, None, numbers)
            stretches = frozen(self.stretches, np.float32, shape, "stretches")
            object.__setattr__(self, "stretches", stretches)

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) places."""
        return self.usual.shape[0], self.usual.shape[1]

    @property
    def count(self) -> int:
        """How many entries there are."""
        return int((~np.isnan(self.entries[..., 0])).sum())


@dataclass(frozen=True, slots=True, eq=False)
class NormalMemory:
    """A memory of normal footage.

    Attributes:
        parts: by name.
        setting: what it was made with.
        scene: what the camera shows when nothing happens.
        rate: pictures a second it was learned at.
        footage: what it was learned from.
        change: how suddenly the footage changes; None where that was not measured.
        vectors: (M,D) unit rows of pictures spread over it, so that any sentence can be compared
            with what it says of normal footage; None where none were kept.
        skipped: pictures that no part could measure (the first ones, after holes and cuts).
        stretch_s: seconds of a stretch, if ``parts`` hold stretches; None otherwise.
        notes: what there is to say of it, for people.
    """

    parts: Mapping[str, PartMemory]
    setting: Setting
    scene: Scene
    rate: float
    footage: tuple[Footage, ...]
    change: Tail | None = None
    vectors: Floats | None = None
    skipped: int = 0
    stretch_s: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parts or not self.footage:
            raise ValueError("a memory needs a part and the footage that it was learned from")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate is {self.rate}, it must be a positive number")
        if self.vectors is not None:
            vectors = frozen(self.vectors, np.float32, (None, None), "vectors")
            object.__setattr__(self, "vectors", vectors)

    @property
    def names(self) -> tuple[str, ...]:
        """The parts, in order."""
        return tuple(self.parts)

    @property
    def seconds(self) -> float:
        """Seconds of footage it rests on."""
        return sum(one.seconds for one in self.footage)

    @property
    def fingerprint(self) -> str:
        """16 hex digits: equal means the same scores."""
        digest = hashlib.sha256()
        for name, part in self.parts.items():
            own = (
                name,
                asdict(part.options),
                part.tail.to_dict(),
                part.cell_tail.to_dict(),
            )
            digest.update(json.dumps(own, sort_keys=True).encode())
            for array in (part.entries, part.scale, part.usual):
                digest.update(array.tobytes())
        if self.vectors is not None:
            digest.update(self.vectors.tobytes())
        sudden = None if self.change is None else self.change.to_dict()
        told = [asdict(self.setting), self.rate, sudden]
        digest.update(json.dumps(told, sort_keys=True).encode())
        return digest.hexdigest()[:16]

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of it: its fingerprint, what it was learned from, and a sentence.

        The videos' fingerprints are those that are known.
        """
        known = [one.fingerprint for one in self.footage if one.fingerprint]
        return {
            "fingerprint": self.fingerprint,
            "videos": [one.video for one in self.footage],
            "fingerprints": known,
            "seconds": self.seconds,
            "sentence": str(self),
        }

    def __str__(self) -> str:
        *others, last = self.parts
        known = f"{', '.join(others)} and {last}" if others else last
        videos = f"{len(self.footage)} video{'s' if len(self.footage) > 1 else ''}"
        return f"{known} in {self.seconds:.0f} s of {videos} at {self.rate:.3g} pictures a second"

    def __repr__(self) -> str:
        return f"NormalMemory({self}, encoder={self.setting.encoder_name!r})"


def check_memory(
    memory: NormalMemory, setting: Setting, *, rate: float | None = None, scene: Scene | None = None
) -> None:
    """Nothing, if the memory knows what a video shows; NormalityError with the reason otherwise.

    Args:
        memory: the memory.
        setting: encoder, size and cells of the video at hand.
        rate: pictures a second that are looked at; None leaves it unchecked.
        scene: what the video shows; None leaves it unchecked. Cameras that move are not compared.

    Raises:
        NormalityError: another encoder, other cells, another resolution or shape of the picture,
            another rate or another scene: says what was got and what to do.
    """
    _check_setting(memory.setting, setting)
    if rate is not None and not 1 / RATE_SLACK <= rate / memory.rate <= RATE_SLACK:
        raise NormalityError(
            f"the memory was learned at {memory.rate:.3g} pictures a second, these come at "
            f"{rate:.3g}, and how far things move until the next picture depends on that; look at "
            f"{memory.rate:.3g} pictures a second (--rate), or learn a memory at this rate"
        )
    if scene is None or scene.moving or memory.scene.moving:
        return
    alike = likeness(memory.scene, scene)
    if alike < SAME_SCENE:
        raise NormalityError(
            f"the memory knows another scene: its edges agree with these by {alike:.2f}, the same "
            f"camera reaches {SAME_SCENE} by day and night; choose the memory of this camera, "
            "learn one, or use this one nevertheless with --any-scene"
        )


def _check_setting(own: Setting, other: Setting) -> None:
    if own.encoder != other.encoder:
        raise NormalityError(
            f"the memory was learned with the encoder {own.encoder_name} ({own.encoder}), not with "
            f"{other.encoder_name} ({other.encoder}); choose that model, or learn a memory for "
            "this one"
        )
    if json.dumps(own.cells, sort_keys=True) != json.dumps(other.cells, sort_keys=True):
        raise NormalityError(
            f"the memory was learned from cells made as {own.cells}, these are made as "
            f"{other.cells}; use the same options, or learn a memory with these"
        )
    aspects = own.width * other.height, other.width * own.height
    if (own.width, own.height) != (other.width, other.height):
        shape = "" if abs(aspects[0] / aspects[1] - 1) <= ASPECT_SLACK else " and another shape"
        raise NormalityError(
            f"the memory was learned from pictures of {own.width}x{own.height}, these have "
            f"{other.width}x{other.height}: another size{shape}; learn a memory from footage of "
            "this size"
        )
