"""How a model of risk is trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Part = Literal["vision", "connector", "text"]
Tuning = Literal["lora", "qlora", "full"]
Pooling = Literal["last", "mean"]

PARTS: tuple[Part, ...] = ("vision", "connector", "text")
_CHOICES = {
    "tuning": ("lora", "qlora", "full"),
    "pooling": ("last", "mean"),
    "dtype": ("auto", "float32", "bfloat16"),
    "device": ("cpu", "cuda"),
}
_RANGES: tuple[tuple[tuple[str, ...], Callable[[float], bool], str], ...] = (
    (("epochs", "batch", "accumulate", "pictures"), lambda n: n >= 1, "at least 1"),
    (("hidden", "lora_rank"), lambda n: n >= 1, "at least 1"),
    (("lr", "head_lr", "clip", "rate", "lora_alpha"), lambda n: n > 0, "a positive number"),
    (("weight_decay", "warmup", "keep_mib"), lambda n: n >= 0, "0 or more"),
    (("dropout", "lora_dropout"), lambda n: 0 <= n < 1, "from 0 to less than 1"),
)


@dataclass(frozen=True, slots=True)
class RiskTrainOptions:
    """How a video-language model is taught to answer one kind of question.

    Attributes:
        epochs: times that every example is seen (default 3).
        batch: examples at a time (default 1).
        accumulate: batches that one step of the optimiser is made of (default 8).
        lr: largest step of the model's own weights, or of LoRA's (default 1e-4).
        head_lr: largest step of the head (default 1e-3).
        warmup: steps over which both rise from nothing; after them they fall to nothing in a line
            (default 50, and never more than a tenth of all).
        weight_decay: of AdamW (default 0.01).
        clip: longest gradient that is followed (default 1).
        balance: whether yes and no weigh the same altogether (default yes): the loss of a yes is
            multiplied by the number of no over the number of yes in training.
        tuning: "lora" (default), small matrices beside those of the text model; "qlora", the same
            on weights of 4 bits, which needs bitsandbytes; "full", every weight that is not frozen.
        freeze: parts that are not trained: vision, connector, text (default vision, connector).
            While both of the first are frozen, each picture is looked at once and not every epoch.
        pooling: what the head sees: "last" (default), the state at the last token of the prompt, or
            "mean", the mean over all tokens of text and pictures without padding.
        hidden: numbers between the two layers of the head (default 256).
        dropout: share of them left out in training (default 0.3).
        lora_rank: rank of LoRA's matrices (default 8).
        lora_alpha: what they are scaled by, times 1 / rank (default 8).
        lora_dropout: share of their input left out in training (default 0.1).
        pictures: of a stretch that the model looks at (default 8).
        rate: pictures a second that they are chosen among (default 10).
        checkpointing: compute the inside of layers twice and save memory (default no).
        save_steps: steps of the optimiser between two checkpoints within an epoch; None (default)
            writes one after each epoch only.
        keep_mib: memory, for each of training, validation and test, in which pictures or what the
            model makes of them are kept, so that they are not read again (default 2048).
        dtype: "auto" (default), bfloat16 on a GPU that computes in it and float32 elsewhere;
            "float32"; "bfloat16".
        device: cpu (default), where the same seed gives the same bits, or cuda.
        threads: of PyTorch on a CPU; None (default) leaves them.
        seed: of all draws (default 0).
    """

    epochs: int = 3
    batch: int = 1
    accumulate: int = 8
    lr: float = 1e-4
    head_lr: float = 1e-3
    warmup: int = 50
    weight_decay: float = 0.01
    clip: float = 1.0
    balance: bool = True
    tuning: Tuning = "lora"
    freeze: tuple[Part, ...] = ("vision", "connector")
    pooling: Pooling = "last"
    hidden: int = 256
    dropout: float = 0.3
    lora_rank: int = 8
    lora_alpha: float = 8.0
    lora_dropout: float = 0.1
    pictures: int = 8
    rate: float = 10.0
    checkpointing: bool = False
    save_steps: int | None = None
    keep_mib: int = 2048
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for names, fits, wanted in _RANGES:
            for name in names:
                value = getattr(self, name)
                if not (math.isfinite(value) and fits(value)):
                    raise ValueError(f"{name} is {value}, it must be {wanted}")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, it must be one of {', '.join(known)}"
                )
        for name in ("save_steps", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, it must be at least 1, or None")
        strange = [part for part in self.freeze if part not in PARTS]
        if strange:
            raise ValueError(f"freeze names {strange[0]!r}, known parts are {', '.join(PARTS)}")
        if self.tuning != "full" and ("text" in self.freeze or not self.looks_once):
            raise ValueError(
                f"freeze is {self.freeze}, but {self.tuning} trains matrices in the text model and "
                "nothing else: leave freeze as vision and connector, or take tuning='full'"
            )

    @property
    def looks_once(self) -> bool:
        """Whether what the model makes of a picture stays the same all through training."""
        return {"vision", "connector"} <= set(self.freeze)
