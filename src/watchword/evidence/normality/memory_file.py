"""A memory as a file: safetensors, so nothing in it is ever executed, with its facts in the header.

Files are by custom named ``*.normal``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from watchword.errors import NormalityError, OutputError
from watchword.evidence.normality.memory import (
    Footage,
    NormalMemory,
    PartMemory,
    PartOptions,
    Setting,
)
from watchword.evidence.normality.scene import Scene
from watchword.evidence.surprise import Tail

FORMAT = "watchword normal 1"
# One key for everything: the library writes several in an order that changes from run to run.
KEY = "normal"
ARRAYS = ("entries", "scale", "usual")
SCENE, VECTORS = "scene", "vectors"


def memory_bytes(memory: NormalMemory) -> bytes:
    """The file's content; the same memory gives the same bytes.

    Stretches of the footage are left out: they serve the clip itself, while it is at hand.
    """
    arrays = {SCENE: memory.scene.picture}
    if memory.vectors is not None:
        arrays[VECTORS] = memory.vectors
    for name, part in memory.parts.items():
        arrays |= {f"{name}/{one}": getattr(part, one) for one in ARRAYS}
    told = {
        "format": FORMAT,
        "setting": asdict(memory.setting),
        "scene": {"pictures": memory.scene.pictures, "kept": memory.scene.kept},
        "rate": memory.rate,
        "footage": [asdict(one) for one in memory.footage],
        "change": None if memory.change is None else memory.change.to_dict(),
        "skipped": memory.skipped,
        "notes": memory.notes,
        # In a list, since the order of parts is that of the columns of scores.
        "parts": [
            {
                "name": name,
                "options": asdict(part.options),
                "tail": part.tail.to_dict(),
                "cell_tail": part.cell_tail.to_dict(),
            }
            for name, part in memory.parts.items()
        ],
    }
    sealed = {**told, "checksum": _checksum(arrays, told)}
    return bytes(save(arrays, {KEY: json.dumps(sealed, sort_keys=True)}))


def write_memory(memory: NormalMemory, path: str | Path, *, overwrite: bool = False) -> Path:
    """Where the memory was written: whole or not at all.

    Raises:
        OutputError: something is there already and may not be replaced; no space, no permission.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the path of a file")
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path} is there already; choose another path, extend it, or replace it with "
            "--overwrite (overwrite=True in Python)"
        )
    made: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(prefix=".watchword-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(memory_bytes(memory))
        Path(made).chmod(0o644)
        Path(made).replace(path)
        made = None
    except OSError as exc:
        raise OutputError(
            f"{path} cannot be written: {exc.strerror or exc}; choose another place"
        ) from exc
    finally:
        if made is not None:
            Path(made).unlink(missing_ok=True)
    return path


def read_memory(path: str | Path) -> NormalMemory:
    """The memory that a file holds.

    Raises:
        NormalityError: the file is absent, damaged, or no memory of a version that is known.
    """
    try:
        with safe_open(path, framework="np") as file:
            told = json.loads((file.metadata() or {}).get(KEY, "{}"))
            if not isinstance(told, dict) or told.get("format") != FORMAT:
                raise ValueError(f"it is no file of the format {FORMAT!r}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if told.pop("checksum", None) != _checksum(arrays, told):
            raise ValueError("its checksum does not match")
        return _memory(arrays, told)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise NormalityError(
            f"{path} cannot be used as a memory of normal footage: {exc}. Memories are made with: "
            "watchword normal learn"
        ) from exc


def _memory(arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> NormalMemory:
    wanted = {SCENE, *(f"{part['name']}/{one}" for part in told["parts"] for one in ARRAYS)}
    if set(arrays) - {VECTORS} != wanted:
        raise ValueError(f"it holds {sorted(arrays)}, it must hold {sorted(wanted)}")
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise ValueError(f"{name} is {array.dtype}, it must be float32")
    return NormalMemory(
        {part["name"]: _part(arrays, part) for part in told["parts"]},
        Setting(**told["setting"]),
        Scene(arrays[SCENE], int(told["scene"]["pictures"]), float(told["scene"]["kept"])),
        float(told["rate"]),
        tuple(_footage(one) for one in told["footage"]),
        None if told["change"] is None else Tail.from_dict(told["change"]),
        arrays.get(VECTORS),
        int(told["skipped"]),
        notes=tuple(told["notes"]),
    )


def _footage(told: Mapping[str, Any]) -> Footage:
    footage = Footage(**told)
    if not (math.isfinite(footage.seconds) and footage.seconds > 0):
        raise ValueError(f"footage {footage.video} has {footage.seconds} seconds")
    return footage


def _part(arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> PartMemory:
    entries, scale, usual = (arrays[f"{told['name']}/{one}"] for one in ARRAYS)
    return PartMemory(
        entries,
        scale,
        usual,
        tail=Tail.from_dict(told["tail"]),
        cell_tail=Tail.from_dict(told["cell_tail"]),
        options=PartOptions(**told["options"]),
    )


def _checksum(arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> str:
    """Finds damage; it vouches for nothing, since whoever changes a file can change it too."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode())
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]
