"""A training that can be taken up again: safetensors and JSON, so nothing in it is ever executed.

The folder ``checkpoint`` holds ``weights.safetensors`` (the best model so far),
``state.safetensors`` (the latest model and what its optimiser remembers) and ``state.json``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from watchword.errors import CalibrationError

FOLDER = "checkpoint"
FORMAT = "watchword adapter training 1"
_WEIGHTS, _STATE, _TOLD = "weights.safetensors", "state.safetensors", "state.json"
# Until the new one is whole, the old one stays.
_NEW, _OLD = f"{FOLDER}.new", f"{FOLDER}.old"
FOLDERS = (FOLDER, _NEW, _OLD)


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
    new, old, place = run / _NEW, run / _OLD, run / FOLDER
    if old.exists() and not place.exists():
        old.rename(place)
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    new.mkdir(parents=True)
    save_file(_own(checkpoint.best), new / _WEIGHTS)
    state = {f"model.{name}": one for name, one in checkpoint.latest.items()}
    state |= {f"optimizer.{name}": one for name, one in checkpoint.optimizer.items()}
    save_file(_own(state), new / _STATE)
    told = {"format": FORMAT, "key": checkpoint.key, "history": checkpoint.history}
    (new / _TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def has_checkpoint(run: Path) -> bool:
    """Whether a run's folder holds a checkpoint, of whatever worth."""
    return (run / FOLDER).is_dir() or (run / _OLD).is_dir()


def load_checkpoint(run: Path) -> Checkpoint:
    """The checkpoint of a run's folder.

    Raises:
        CalibrationError: there is none, or it is damaged.
    """
    place = run / FOLDER if (run / FOLDER).is_dir() else run / _OLD
    try:
        told = json.loads((place / _TOLD).read_text(encoding="utf-8"))
        if told.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT!r}")
        state = load_file(place / _STATE)
        return Checkpoint(
            key=told["key"],
            best=load_file(place / _WEIGHTS),
            latest=_below(state, "model."),
            optimizer=_below(state, "optimizer."),
            history=tuple(told["history"]),
        )
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CalibrationError(
            f"{place} cannot be taken up again: {exc}. Train anew with --overwrite"
        ) from exc


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers of each parameter, by "number.name"."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": one for i, kept in state.items() for name, one in kept.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Gives an optimiser back what it remembered."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, own = name.partition(".")
        state.setdefault(int(number), {})[own] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _own(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): one for n, one in tensors.items() if n.startswith(prefix)}
