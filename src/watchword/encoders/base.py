"""What an encoder is: pictures and sentences in, unit vectors of one common space out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from watchword.errors import EncoderError


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """Where this encoder's cosines lie, for scores that need a scale.

    ``alpha`` and ``tau`` are those of the contrast score, ``temperature`` divides cosines before a
    softmax (CLIP: 0.01, its trained logit scale of 100).
    """

    alpha: float = 1.0
    tau: float = 0.03
    temperature: float = 0.01


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """Which model, where and how precisely it runs.

    Attributes:
        name: catalogue name, model directory or hf:OWNER/REPO; None is the user's default.
        device: cpu, cuda, tensorrt, openvino or coreml; asked for and absent is an error.
        precision: auto, float32, float16, int8 (ONNX) or bfloat16 (torch).
        backend: auto, onnx or torch.
        threads: of the model on a CPU; None is every core.
        offline: never fetch from a hub; None follows the environment.
    """

    name: str | None = None
    device: str = "cpu"
    precision: str = "auto"
    backend: str = "auto"
    threads: int | None = None
    offline: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an encoder makes of N pictures in one run.

    ``vectors`` (N,D) unit rows of the space of words. ``features`` (N,F) unit rows of what the
    picture network sees before it is brought there, ``maps`` (N,C,h,w) what it sees place by place;
    None where the encoder has none, and maps where none were asked for.
    """

    vectors: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    maps: NDArray[np.float32] | None = None


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures and sentences into unit vectors of one common space.

    Work is split so that a pipeline can prepare on one thread while the model runs on others:
    ``prepare`` is pure, ``see`` runs the model, and both may be called from several threads at
    once. Implementations promise: unit rows, order kept, batch of 1 equal to batch of n, the same
    answer every time.
    """

    @property
    def name(self) -> str:
        """Name as the catalogue or the user knows it."""
        ...

    @property
    def dim(self) -> int:
        """D, the width of the space."""
        ...

    @property
    def feature_dim(self) -> int | None:
        """F, the width of features beside the vectors; None if there are none."""
        ...

    @property
    def map_shape(self) -> tuple[int, int, int] | None:
        """(C,h,w) of what is seen place by place; None if there is nothing of the kind."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash over weights, preprocessing and precision: equal means interchangeable vectors."""
        ...

    @property
    def notice(self) -> str:
        """What a reader must know before trusting results; empty if there is nothing to say."""
        ...

    @property
    def scale(self) -> ScoreScale:
        """Where this encoder's cosines lie."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, as it would be asked for (``cpu``, ``cuda``, ...)."""
        ...

    @property
    def batch_size(self) -> int:
        """The batch it runs best at; ``see`` accepts any."""
        ...

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """(width, height) at which a video reader may deliver pictures directly, or None.

        Only an encoder that squashes its pictures and whose fingerprint covers the reader's
        scaler gives one: the reader then never makes the full-size picture.
        """
        ...

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Model input (N,3,S,S) float32 of pictures (N,H,W,3) uint8 RGB."""
        ...

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        """All that the encoder makes of prepared pictures, in one run of the model.

        Args:
            prepared: what ``prepare`` gave, any number.
            maps: whether maps are wanted too; they are large.

        Raises:
            EncoderError: the model gives NaN or infinity.
        """
        ...

    def embed_images(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,D) float32 of prepared pictures; EncoderError if the model gives NaN."""
        ...

    def encode_texts(self, texts: Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """Unit rows (N,D) float32 of sentences.

        A sentence longer than the model's context is a PromptError unless ``truncate``, which
        keeps the end token.
        """
        ...

    def count_tokens(self, text: str) -> tuple[int, int]:
        """(tokens of the sentence including start and end, tokens the model can take)."""
        ...


def unit_rows(vectors: NDArray[np.floating], what: str) -> NDArray[np.float32]:
    """Rows scaled to unit length as float32 (N,D); EncoderError if a row is NaN, infinite or 0."""
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2:
        raise EncoderError(f"{what} gave an array of shape {rows.shape}; (batch, width) is needed")
    norms = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    bad = ~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)
    if bad.any():
        raise EncoderError(
            f"{what} gave NaN, infinity or a zero vector for {int(bad.sum())} of {len(rows)} "
            "inputs; the model file may be damaged or its precision too low for this device"
        )
    return np.asarray(rows / norms, dtype=np.float32)


def nothing_seen(encoder: Encoder, *, maps: bool) -> Seen:
    """What an encoder makes of no picture at all."""
    width, shape = encoder.feature_dim, encoder.map_shape
    return Seen(
        np.zeros((0, encoder.dim), np.float32),
        None if width is None else np.zeros((0, width), np.float32),
        np.zeros((0, *shape), np.float32) if maps and shape is not None else None,
    )


def finite_maps(maps: NDArray[np.floating], what: str) -> NDArray[np.float32]:
    """Maps as float32 (N,C,h,w); EncoderError if one holds NaN or infinity."""
    found = np.asarray(maps, np.float32)
    if not np.isfinite(found).all():
        raise EncoderError(
            f"{what} gave NaN or infinity; the model file may be damaged or its precision too low "
            "for this device"
        )
    return found


def encode_images(encoder: Encoder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unit rows (N,D) of pictures (N,H,W,3): prepare and embed in one call, in best batches."""
    size = encoder.batch_size
    parts = [
        encoder.embed_images(encoder.prepare(pixels[at : at + size]))
        for at in range(0, len(pixels), size)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, encoder.dim), np.float32)
