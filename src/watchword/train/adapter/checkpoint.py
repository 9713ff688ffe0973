"""All that the training of an adapter goes on from, in a run's folder.

``weights.safetensors`` is the best model so far; ``state.safetensors`` the latest, and what its
optimiser remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from watchword.train.checkpoint import above, below, read_checkpoint, write_checkpoint

FORMAT = "watchword adapter training 1"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that training goes on from after an epoch; random draws follow from seed and epoch.

    Attributes:
        key: what is trained on what: another training has another key.
        best: weights of the best epoch, by name.
        latest: weights after the last epoch.
        optimizer: what the optimiser remembers, by "number of the parameter.name".
        history: what each epoch came to, in order.
    """

    key: str
    best: Mapping[str, Tensor]
    latest: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    history: tuple[dict[str, Any], ...]


def save_checkpoint(checkpoint: Checkpoint, run: Path) -> None:
    """Replaces the checkpoint in a run's folder; at any moment one of both is whole."""
    state = above(checkpoint.latest, "model.") | above(checkpoint.optimizer, "optimizer.")
    told = {"key": checkpoint.key, "history": checkpoint.history}
    write_checkpoint(run, FORMAT, {"weights": checkpoint.best, "state": state}, told)


def load_checkpoint(run: Path) -> Checkpoint:
    """The checkpoint of a run's folder.

    Raises:
        CalibrationError: there is none, or it is damaged.
    """
    return read_checkpoint(
        run,
        FORMAT,
        lambda files, told: Checkpoint(
            key=told["key"],
            best=files["weights"],
            latest=below(files["state"], "model."),
            optimizer=below(files["state"], "optimizer."),
            history=tuple(told["history"]),
        ),
    )
