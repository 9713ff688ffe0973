"""A light model of crash risk as a file, ``NAME.risk``: its head, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from watchword.errors import CalibrationError
from watchword.evidence.head_file import ARRAYS, head_arrays, head_checksum, head_of, head_told
from watchword.evidence.light import Light
from watchword.evidence.platt import Platt

FORMAT = "watchword risk 1"
KEY = "risk"


def light_bytes(light: Light) -> bytes:
    """The file's content; the same model gives the same bytes."""
    arrays = head_arrays(light.head)
    told = {
        "format": FORMAT,
        "lead_s": light.lead_s,
        "source": light.source,
        "calibration": asdict(light.calibration),
        "head": head_told(light.head),
    }
    sealed = {**told, "checksum": head_checksum(arrays, told)}
    return bytes(save(arrays, {KEY: json.dumps(sealed, sort_keys=True)}))


def read_light(path: str | Path) -> Light:
    """The light model that a file holds.

    Raises:
        CalibrationError: the file is absent, damaged, or no such model of a version that is known.
    """
    try:
        with safe_open(path, framework="np") as file:
            told = json.loads((file.metadata() or {}).get(KEY, "{}"))
            if not isinstance(told, dict) or told.get("format") != FORMAT:
                raise ValueError(f"it is no file of the format {FORMAT!r}")
            if set(file.keys()) != set(ARRAYS):
                raise ValueError(f"it holds {sorted(file.keys())}, it must hold {sorted(ARRAYS)}")
            arrays = {name: np.asarray(file.get_tensor(name)) for name in ARRAYS}
        return _light(arrays, told)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise CalibrationError(
            f"{path} cannot be used as a light risk model: {exc}. They are made with: "
            "watchword risk fit"
        ) from exc


def _light(arrays: dict[str, Any], told: dict[str, Any]) -> Light:
    if told.pop("checksum", None) != head_checksum(arrays, told):
        raise ValueError("its checksum does not match")
    return Light(
        head=head_of(arrays, told["head"]),
        lead_s=float(told["lead_s"]),
        source=told["source"],
        calibration=Platt(**told["calibration"]),
    )
