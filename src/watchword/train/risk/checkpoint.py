"""A training that can be taken up again after any step: safetensors and JSON.

The folder ``checkpoint`` holds ``state.safetensors`` (what is trained, what the optimiser remembers
and the log-odds of the epoch so far) and ``state.json``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from watchword.errors import CalibrationError

FOLDER = "checkpoint"
FORMAT = "watchword risk training 1"
_STATE, _TOLD = "state.safetensors", "state.json"
# Until the new one is whole, the old one stays.
_NEW, _OLD = f"{FOLDER}.new", f"{FOLDER}.old"
FOLDERS = (FOLDER, _NEW, _OLD)


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
    new, old, place = run / _NEW, run / _OLD, run / FOLDER
    if old.exists() and not place.exists():
        old.rename(place)
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    new.mkdir(parents=True)
    held = {f"model.{name}": one for name, one in state.weights.items()}
    held |= {f"optimizer.{name}": one for name, one in state.optimizer.items()}
    held["odds"] = state.odds
    save_file(
        {name: one.detach().cpu().contiguous().clone() for name, one in held.items()}, new / _STATE
    )
    told = {
        "format": FORMAT,
        "key": state.key,
        "steps": state.steps,
        "history": state.history,
    }
    (new / _TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def has_state(run: Path) -> bool:
    """Whether a run's folder holds a checkpoint, of whatever worth."""
    return (run / FOLDER).is_dir() or (run / _OLD).is_dir()


def load_state(run: Path) -> RiskState:
    """The checkpoint of a run's folder.

    Raises:
        CalibrationError: there is none, or it is damaged.
    """
    place = run / FOLDER if (run / FOLDER).is_dir() else run / _OLD
    try:
        told = json.loads((place / _TOLD).read_text(encoding="utf-8"))
        if told.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT!r}")
        held = load_file(place / _STATE)
        return RiskState(
            key=told["key"],
            weights=_below(held, "model."),
            optimizer=_below(held, "optimizer."),
            odds=held["odds"],
            steps=int(told["steps"]),
            history=tuple(told["history"]),
        )
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CalibrationError(
            f"{place} cannot be taken up again: {exc}. Train anew with --overwrite"
        ) from exc


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): one for n, one in tensors.items() if n.startswith(prefix)}
