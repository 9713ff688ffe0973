"""What tensors a model's safetensors files hold, by their headers, and whether they are whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.errors import ModelFileError
from watchword.evidence.answers.files import read_json

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_LARGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Weights:
    """What tensors a model's files hold: ``shapes`` by name, ``dtypes`` they are stored as."""

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: frozenset[str]
    files: int

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_weights(directory: Path) -> Weights:
    """What the weight files of a directory hold, by their headers.

    Raises:
        ModelFileError: there are none, a shard is absent or cut short, or a tensor is in no shard.
    """
    wanted: dict[str, str] = {}
    if (directory / INDEX).is_file():
        wanted = _index(directory / INDEX)
        names = sorted(set(wanted.values()))
    elif (directory / SINGLE).is_file():
        names = [SINGLE]
    else:
        raise ModelFileError(_none_there(directory))
    absent = [name for name in names if not (directory / name).is_file()]
    if absent:
        raise ModelFileError(
            f"{directory} lacks {len(absent)} of {len(names)} weight files: {', '.join(absent[:5])}"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    dtypes: set[str] = set()
    for name in names:
        header = _header(directory / name)
        shapes |= {key: tuple(told["shape"]) for key, told in header.items()}
        dtypes |= {str(told["dtype"]) for told in header.values()}
    lost = sorted(set(wanted) - set(shapes))
    if lost:
        raise ModelFileError(f"{directory}: no weight file holds {', '.join(lost[:5])}")
    return Weights(shapes, frozenset(dtypes), len(names))


def _index(path: Path) -> dict[str, str]:
    told = read_json(path).get("weight_map")
    names = told.values() if isinstance(told, dict) else ()
    if not isinstance(told, dict) or not all(Path(str(name)).name == name for name in names):
        raise ModelFileError(f"{path} does not say which file holds which tensor; fetch it again")
    return {str(key): str(name) for key, name in told.items()}


def _none_there(directory: Path) -> str:
    old = sorted(file.name for file in directory.glob("*.bin"))
    said = f"{directory} holds no {SINGLE} nor {INDEX}"
    if old:
        return f"{said}; {old[0]} is a pickle, which could run code and is never read"
    return f"{said}; fetch the whole model directory"


def _header(path: Path) -> dict[str, dict[str, Any]]:
    """What a safetensors file says it holds; ModelFileError if it is cut short or none."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(size, _LARGEST_HEADER):
                raise ValueError("its header has an impossible length")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max((told["data_offsets"][1] for told in header.values()), default=0)
        _ = [(tuple(told["shape"]), told["dtype"]) for told in header.values()]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as exc:
        raise ModelFileError(f"{path} is no safetensors file: {exc}; fetch it again") from exc
    if size != 8 + length + end:
        raise ModelFileError(
            f"{path} is {size:,} bytes and should be {8 + length + end:,}: fetch it again"
        )
    return dict(header)
