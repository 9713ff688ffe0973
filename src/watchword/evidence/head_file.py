"""A head as a file: safetensors, so nothing in it is ever executed, with its facts in the header.

Files are by custom named ``*.head.safetensors``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from watchword.errors import CalibrationError
from watchword.evidence.head import FitFacts, Head
from watchword.evidence.pooled import PoolOptions

FORMAT = "watchword head 1"
ARRAYS = ("weights", "bias", "mean", "scale")

# One key for everything: the library writes several in an order that changes from run to run.
KEY = "head"
_TOLD = {"format", "labels", "encoder", "encoder_name", "pool", "steps_s", "facts"}


def head_bytes(head: Head) -> bytes:
    """The file's content; the same head gives the same bytes."""
    arrays, told = head_arrays(head), head_told(head)
    sealed = {**told, "checksum": head_checksum(arrays, told)}
    return bytes(save(arrays, {KEY: json.dumps(sealed, sort_keys=True)}))


def head_arrays(head: Head) -> dict[str, NDArray[Any]]:
    """Its numbers, by name of ``ARRAYS``."""
    return {name: np.ascontiguousarray(getattr(head, name)) for name in ARRAYS}


def head_told(head: Head) -> dict[str, Any]:
    """All else that is known of it, for JSON."""
    return {
        "format": FORMAT,
        "labels": head.labels,
        "encoder": head.encoder,
        "encoder_name": head.encoder_name,
        "pool": asdict(head.pool),
        "steps_s": head.steps_s,
        "facts": asdict(head.facts),
    }


def read_head(path: str | Path) -> Head:
    """The head that a file holds.

    Raises:
        CalibrationError: the file is absent, damaged, or no head of a version that is known.
    """
    try:
        with safe_open(path, framework="np") as file:
            told = json.loads((file.metadata() or {}).get(KEY, "{}"))
            if not isinstance(told, dict) or told.get("format") != FORMAT:
                raise ValueError(f"it is no file of the format {FORMAT!r}")
            if set(file.keys()) != set(ARRAYS):
                raise ValueError(f"it holds {sorted(file.keys())}, it must hold {sorted(ARRAYS)}")
            arrays = {name: file.get_tensor(name) for name in ARRAYS}
        if told.pop("checksum", None) != head_checksum(arrays, told):
            raise ValueError("its checksum does not match")
        return head_of(arrays, told)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise CalibrationError(
            f"{path} cannot be used as a head: {exc}. Heads are made with: watchword fit"
        ) from exc


def head_of(arrays: dict[str, NDArray[Any]], told: dict[str, Any]) -> Head:
    """The head of such numbers and such a description; ValueError if they are none."""
    if set(told) != _TOLD:
        raise ValueError(f"its description must have exactly {', '.join(sorted(_TOLD))}")
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise ValueError(f"{name} is {array.dtype}, it must be float64")
    facts = told["facts"]
    listed = {name: tuple(facts[name]) for name in ("videos", "fingerprints")}
    low, high = told["steps_s"]
    return Head(
        **arrays,
        labels=tuple(told["labels"]),
        encoder=told["encoder"],
        encoder_name=told["encoder_name"],
        pool=PoolOptions(**told["pool"]),
        steps_s=(float(low), float(high)),
        facts=FitFacts(**{**facts, **listed}),
    )


def head_checksum(arrays: dict[str, NDArray[Any]], told: dict[str, Any]) -> str:
    """Finds damage; it vouches for nothing, since whoever changes a file can change it too."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode())
    for name in ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]
