"""What an encoder is that also says where: a vector of each place of a picture, in one space."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import unit_rows
from watchword.encoders.images import Preprocessing
from watchword.errors import EncoderError
from watchword.places import Part


@runtime_checkable
class PlaceEncoder(Protocol):
    """An encoder that may give vectors of places; they live in the space of its sentences."""

    @property
    def name(self) -> str:
        """Name as the catalogue or the user knows it."""
        ...

    @property
    def place_shape(self) -> tuple[int, int] | None:
        """(h,w) of the grid of places; None if this model gives whole pictures only."""
        ...

    def seen_part(self, width: int, height: int) -> Part:
        """The part of a picture of that size that the places cover."""
        ...

    def embed_places(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,h,w,D) of prepared pictures; EncoderError if the model gives NaN."""
        ...


def place_encoder(encoder: object) -> PlaceEncoder:
    """The encoder itself, known to give vectors of places.

    Raises:
        EncoderError: it gives vectors of whole pictures only.
    """
    if isinstance(encoder, PlaceEncoder) and encoder.place_shape is not None:
        return encoder
    raise EncoderError(
        f"{getattr(encoder, 'name', encoder)} gives vectors of whole pictures and none of places; "
        "use mini, a CLIP or SigLIP model with the torch backend, or graphs made from one by "
        "`watchword models export MODEL FOLDER --places`"
    )


def seen_part(preprocessing: Preprocessing, width: int, height: int) -> Part:
    """The part of a picture of ``width`` x ``height`` that is left after preparing.

    All of it where pictures are squashed, else the square in its middle.

    >>> seen_part(Preprocessing(), 640, 360)
    (0.21875, 0.0, 0.78125, 1.0)
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width}x{height} pixels is empty")
    if preprocessing.resize == "squash":
        return 0.0, 0.0, 1.0, 1.0
    short = min(width, height)
    aside, above = (1 - short / width) / 2, (1 - short / height) / 2
    return aside, above, 1 - aside, 1 - above


def unit_places(vectors: NDArray[np.floating], what: str) -> NDArray[np.float32]:
    """Vectors (N,h,w,D) scaled to unit length; EncoderError if one is NaN, infinite or 0."""
    if vectors.ndim != 4:
        raise EncoderError(f"{what} gave shape {vectors.shape}; (batch, h, w, width) is needed")
    rows = unit_rows(vectors.reshape(-1, vectors.shape[-1]), what)
    return rows.reshape(vectors.shape)
