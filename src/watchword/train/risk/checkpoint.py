"""All that the training of a model's answer goes on from after any step, in a run's folder.

``state.safetensors`` is what is trained, what the optimiser remembers and the log-odds of the epoch
so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from watchword.train.checkpoint import above, below, read_checkpoint, write_checkpoint

FORMAT = "watchword risk training 1"


@dataclass(frozen=True, slots=True, eq=False)
class RiskState:
    """All that training goes on from; random draws follow from seed, epoch and step.

    Attributes:
        key: what is trained on what.
        weights: what is trained, by name.
        optimizer: what the optimiser remembers, by "number of the parameter.name".
        odds: (n,) log-odds of the training examples of this epoch so far; NaN where none yet.
        steps: steps of the optimiser in this epoch so far.
        history: what each epoch before came to, in order.
    """

    key: str
    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    odds: Tensor
    steps: int
    history: tuple[dict[str, Any], ...]


def save_state(state: RiskState, run: Path) -> None:
    """Replaces the checkpoint in a run's folder; at any moment one of both is whole."""
    held = above(state.weights, "model.") | above(state.optimizer, "optimizer.")
    told = {"key": state.key, "steps": state.steps, "history": state.history}
    write_checkpoint(run, FORMAT, {"state": held | {"odds": state.odds}}, told)


def load_state(run: Path) -> RiskState:
    """The checkpoint of a run's folder.

    Raises:
        CalibrationError: there is none, or it is damaged.
    """
    return read_checkpoint(
        run,
        FORMAT,
        lambda files, told: RiskState(
            key=told["key"],
            weights=below(files["state"], "model."),
            optimizer=below(files["state"], "optimizer."),
            odds=files["state"]["odds"],
            steps=int(told["steps"]),
            history=tuple(told["history"]),
        ),
    )
