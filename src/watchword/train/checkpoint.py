"""A training that can be taken up again: safetensors and JSON, so nothing in it is ever executed.

The folder ``checkpoint`` of a run holds tensors in files of their own and ``state.json``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from watchword.errors import CalibrationError

FOLDER = "checkpoint"
_TOLD, _ENDING = "state.json", ".safetensors"
# Until the new one is whole, the old one stays.
_NEW, _OLD = f"{FOLDER}.new", f"{FOLDER}.old"
FOLDERS = (FOLDER, _NEW, _OLD)

Tensors = Mapping[str, Tensor]
Made = TypeVar("Made")


def write_checkpoint(
    run: Path, kind: str, files: Mapping[str, Tensors], told: Mapping[str, Any]
) -> None:
    """Replaces the checkpoint in a run's folder; at any moment one of both is whole.

    Args:
        run: the folder.
        kind: name and number of the format.
        files: tensors by name, for each file by its name without an ending.
        told: what JSON holds beside them.
    """
    new, old, place = run / _NEW, run / _OLD, run / FOLDER
    if old.exists() and not place.exists():
        old.rename(place)
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    new.mkdir(parents=True)
    for name, tensors in files.items():
        own = {key: one.detach().cpu().contiguous().clone() for key, one in tensors.items()}
        save_file(own, new / f"{name}{_ENDING}")
    (new / _TOLD).write_text(json.dumps({"format": kind, **told}, indent=1), encoding="utf-8")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def has_checkpoint(run: Path) -> bool:
    """Whether a run's folder holds a checkpoint, of whatever worth."""
    return (run / FOLDER).is_dir() or (run / _OLD).is_dir()


def read_checkpoint(
    run: Path, kind: str, make: Callable[[Mapping[str, Tensors], Mapping[str, Any]], Made]
) -> Made:
    """What ``make`` makes of the files of a run's checkpoint and of what JSON holds beside them.

    Raises:
        CalibrationError: there is none, or it is damaged or of another kind.
    """
    place = run / FOLDER if (run / FOLDER).is_dir() else run / _OLD
    try:
        told = json.loads((place / _TOLD).read_text(encoding="utf-8"))
        if told.get("format") != kind:
            raise ValueError(f"it is not of the format {kind!r}")
        files = {path.stem: load_file(path) for path in sorted(place.glob(f"*{_ENDING}"))}
        return make(files, told)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CalibrationError(
            f"{place} cannot be taken up again: {exc}. Train anew with --overwrite"
        ) from exc


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers of each parameter, by "number.name"."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": one for i, kept in state.items() for name, one in kept.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Gives an optimiser back what it remembered."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, own = name.partition(".")
        state.setdefault(int(number), {})[own] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def above(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """The tensors with a prefix before their names."""
    return {f"{prefix}{name}": one for name, one in tensors.items()}


def below(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """Those tensors whose names have the prefix, without it."""
    return {n.removeprefix(prefix): one for n, one in tensors.items() if n.startswith(prefix)}
