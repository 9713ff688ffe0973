"""What comes of comparing two things: cosines over time, and every score that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.clipscore import DEFINITIONS
from watchword.evaluation.metrics.consistency import Consistency
from watchword.types import Coverage


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Cosines (T,M) of a video's pictures with M vectors, and what else was seen on the way.

    ``pts_s`` (T,) are the pictures' times, ``matched_s`` (T,) those of what they were compared
    with, in a second video.
    """

    cosines: NDArray[np.float64]
    pts_s: NDArray[np.float64]
    coverage: Coverage
    consistency: Consistency | None = None
    matched_s: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Agreed:
    """How well two things agree.

    Attributes:
        kind: what was compared, as ``video-to-text``.
        first: the video or picture that was looked at.
        second: the text, picture or video it was compared with.
        cosines: (T,) of each picture of ``first``; NaN is a stretch that could not be decoded.
        pts_s: (T,) when each of them is shown, in seconds; 0 for a picture file.
        matched_s: (T,) when the picture it was compared with is shown in the second video, or None.
        failed: pictures of ``first`` that could not be decoded.
        definitions: every definition by name; None where it is not defined.
        undefined: why, by the names of those that are None.
        model: name of the encoder.
        fingerprint: of the encoder: equal means comparable numbers.
        device: where it ran.
        notes: sentences for people: what was left out, cut, or lost.
        notice: what a reader must know of the model.
    """

    kind: str
    first: str
    second: str
    cosines: NDArray[np.float64]
    pts_s: NDArray[np.float64]
    matched_s: NDArray[np.float64] | None
    failed: int
    definitions: Mapping[str, float | None]
    undefined: Mapping[str, str]
    model: str
    fingerprint: str
    device: str
    notes: tuple[str, ...] = ()
    notice: str = ""

    @property
    def frames(self) -> int:
        """Pictures of ``first`` that were compared."""
        return int((~np.isnan(self.cosines)).sum())

    @property
    def mean(self) -> float | None:
        """Mean cosine over the pictures; None if none was measured."""
        return self.definitions["raw_cosine"]

    @property
    def median(self) -> float | None:
        """Median cosine over the pictures; None if none was measured."""
        return self.definitions["median"]

    def to_json(self, *, verbose: bool = False) -> dict[str, Any]:
        """Plain JSON values; ``verbose`` adds the cosine of every picture."""
        plain: dict[str, Any] = {
            "kind": self.kind,
            "first": self.first,
            "second": self.second,
            "frames": self.frames,
            "failed": self.failed,
            "definitions": {
                name: {
                    "value": value,
                    "title": DEFINITIONS[name].title,
                    "formula": DEFINITIONS[name].formula,
                    **({"undefined": self.undefined[name]} if name in self.undefined else {}),
                }
                for name, value in self.definitions.items()
            },
            "model": self.model,
            "encoder": self.fingerprint,
            "device": self.device,
            "notes": list(self.notes),
            "notice": self.notice,
        }
        if verbose:
            plain["pts_s"] = self.pts_s.tolist()
            plain["cosines"] = [None if np.isnan(value) else value for value in self.cosines]
            if self.matched_s is not None:
                matched = self.matched_s.tolist()
                plain["matched_s"] = [None if np.isnan(at) else at for at in matched]
        return plain
