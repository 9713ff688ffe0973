"""How an adapter is trained, and where what it is trained on comes from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.adapter import SOURCES, Objective, Source

_COUNTS = (
    *("temporal_transformer_layers", "temporal_heads", "clip_length", "stride", "epochs"),
    *("batch", "inner", "patience"),
)
_RANGES: tuple[tuple[tuple[str, ...], Callable[[float], bool], str], ...] = (
    (_COUNTS, lambda n: n >= 1, "at least 1"),
    (("lr", "temperature"), lambda n: n > 0, "a positive number"),
    (
        ("weight_decay", "gamma", "smooth", "sparse", "anchor", "context"),
        lambda n: n >= 0,
        "0 or more",
    ),
    (("dropout",), lambda n: 0 <= n < 1, "from 0 to less than 1"),
    (("validation",), lambda n: 0 <= n <= 0.5, "between 0 and 0.5"),
)


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """How an adapter is trained. Names are those of seed 3's configs where it has them.

    Attributes:
        temporal_transformer_layers: blocks of attention (default 2).
        temporal_heads: heads of each (default 8); they divide ``inner``.
        clip_length: pictures of a window (default 16).
        stride: pictures from one window to the next (default 8).
        source: "vectors" (default), with which sentences can be compared, "features", what the
            picture network sees, or "motion", how that differs from the pictures before, which
            carries over best to other cameras.
        objective: what is learned from: "frame" (default), labels of pictures; "video", labels of
            videos; "normal", normal footage alone.
        epochs: at most (default 30).
        batch: windows a step (default 256).
        lr: size of a step (default 0.001).
        weight_decay: of AdamW (default 0.01).
        gamma: of the focal loss (default 2): how much less counts what is right already.
        smooth: weight of squared steps between neighbours (default 0.01).
        sparse: weight of the mean probability (default 0).
        anchor: weight of the distance from the embeddings (default 0.1).
        dropout: share of numbers left out (default 0.1).
        causal: whether a picture sees only those before it (default no).
        inner: numbers of a picture that attention works with (default 64).
        temperature: cosine that makes one unit of the logits (default 0.07).
        context: learned vectors before each generic prompt (default 12) where the encoder is a CLIP
            in PyTorch, through whose text tower they learn; 0 learns the two rows directly, as for
            all other encoders.
        validation: share of videos held out to tell when to stop (default 0.2); 0 holds out none.
        patience: epochs without a better validation after which it stops (default 5).
        seed: of all draws (default 0).
        threads: of PyTorch; None (default) leaves them as they are. Another number of threads may
            give other last digits.
        device: "cpu" (default), where the same seed gives the same bits, or "cuda".
    """

    temporal_transformer_layers: int = 2
    temporal_heads: int = 8
    clip_length: int = 16
    stride: int = 8
    source: Source = "vectors"
    objective: Objective = "frame"
    epochs: int = 30
    batch: int = 256
    lr: float = 1e-3
    weight_decay: float = 1e-2
    gamma: float = 2.0
    smooth: float = 1e-2
    sparse: float = 0.0
    anchor: float = 0.1
    dropout: float = 0.1
    causal: bool = False
    inner: int = 64
    temperature: float = 0.07
    context: int = 12
    validation: float = 0.2
    patience: int = 5
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        for names, fits, wanted in _RANGES:
            for name in names:
                value = getattr(self, name)
                if not (math.isfinite(value) and fits(value)):
                    raise ValueError(f"{name} is {value}, it must be {wanted}")
        if self.stride > self.clip_length:
            raise ValueError(f"stride is {self.stride}, it must be at most {self.clip_length}")
        if self.inner % self.temporal_heads:
            raise ValueError(
                f"temporal_heads is {self.temporal_heads}, it must divide inner, {self.inner}"
            )
        if self.source not in SOURCES:
            raise ValueError(f"source is {self.source!r}, it must be one of {', '.join(SOURCES)}")
        if self.objective not in ("frame", "video", "normal"):
            raise ValueError(f"objective is {self.objective!r}, it must be frame, video or normal")


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where the embeddings come from.

    Attributes:
        encoder: fingerprint of the encoder.
        encoder_name: its name.
        prompts: (2,D) unit rows of the generic prompts, normal then abnormal, that the learned ones
            start as; None starts them at random, as features must.
        soft: makes the module that gives them through the encoder's text tower; None learns
            ``prompts`` directly.
    """

    encoder: str
    encoder_name: str
    prompts: NDArray[np.float32] | None = None
    soft: Callable[[], Any] | None = None
