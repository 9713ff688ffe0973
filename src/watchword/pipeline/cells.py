"""From what was seen of a video to the cells of each part of normality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_jsonable_python

from watchword.encoders.base import Encoder
from watchword.errors import NormalityError
from watchword.evidence.normality.appearance import AppearanceCells
from watchword.evidence.normality.choice import NormalityOptions, Part
from watchword.evidence.normality.memory import Setting
from watchword.evidence.normality.motion import MotionCells
from watchword.pipeline.stream import Sight
from watchword.types import VideoInfo

Cells = Mapping[str, NDArray[np.float32]]


class CellMaker:
    """Makes the cells of a video's pictures as they come, of each part that is looked at."""

    def __init__(self, options: NormalityOptions, parts: tuple[Part, ...], info: VideoInfo) -> None:
        """Begins a video.

        Args:
            options: what is looked at and how.
            parts: which parts, as `parts_of` says.
            info: of the video.
        """
        self._motion = self._appearance = None
        if "motion" in parts:
            self._motion = MotionCells(options.motion, aspect=info.width / info.height)
        if "appearance" in parts:
            self._appearance = AppearanceCells(options.appearance)

    def update(self, sight: Sight, *, begins: NDArray[np.bool_]) -> Cells:
        """Cells (n,h,w,C) of the next pictures by part.

        Args:
            sight: the pictures.
            begins: (n,) which are the first behind a cut.
        """
        begins = begins | sight.after_hole
        found: dict[str, NDArray[np.float32]] = {}
        if self._motion is not None:
            found["motion"] = self._motion.update(
                sight.pixels, sight.pts_s, sight.duration_s, begins=begins
            )
        if self._appearance is not None and sight.maps is not None:
            found["appearance"] = self._appearance.update(
                sight.maps, sight.pts_s, sight.duration_s, begins=begins
            )
        return found


def parts_of(options: NormalityOptions, encoder: Encoder) -> tuple[Part, ...]:
    """The parts that are looked at with this encoder.

    Raises:
        NormalityError: appearance is asked for and the encoder gives no maps of what it sees.
    """
    if encoder.map_shape is not None:
        return options.parts
    if options.parts == ("appearance",):
        raise NormalityError(
            f"the encoder {encoder.name} gives no maps of what it sees, so that appearance cannot "
            "be looked at; choose the model mini, or normality.parts=[motion]"
        )
    return tuple(part for part in options.parts if part != "appearance")


def setting_of(
    options: NormalityOptions, parts: tuple[Part, ...], encoder: Encoder, info: VideoInfo
) -> Setting:
    """What a memory of such a video is made with."""
    cells: dict[str, Any] = {part: asdict(getattr(options, part)) for part in parts}
    return Setting(
        encoder.fingerprint, encoder.name, info.width, info.height, to_jsonable_python(cells)
    )
