"""Heat maps beside predictions: where in the picture something was found, as ``.npy`` (T,H,W).

One map a frame of the video, higher is more, of the size of the masks that they are judged with;
or, with the T+1 times of its rows beside it (``maps_edges.npy`` for ``maps.npy``), one a window, on
any grid that covers the picture. They are found by name, whoever wrote the scores:

* ``maps.npy`` in a run folder;
* ``maps/NAME.npy`` in the folder of the predictions (for a file: the folder it lies in), where NAME
  is the video's without its ending; ``maps/FOLDER/NAME.npy`` for those of a video in FOLDER;
* ``NAME_map.npy`` in the same place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import timeline_edges
from watchword.errors import DatasetError
from watchword.evaluation.names import Key, name_key
from watchword.evaluation.predictions.prediction import Prediction

OF_RUN, FOLDER, ENDING = "maps.npy", "maps", "_map.npy"


@dataclass(frozen=True, slots=True, eq=False)
class SavedMaps:
    """Heat maps of one video as they lie on disk.

    Attributes:
        values: (T,h,w); NaN is not measured.
        edges_s: (T+1,) map i is of [edge i, edge i+1) seconds; None where there is one a frame.
    """

    values: NDArray[Any]
    edges_s: NDArray[np.float64] | None

    def at(self, moments_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """(N,) the map of each moment; -1 where there is none, or the moment is NaN."""
        assert self.edges_s is not None
        rows = np.searchsorted(self.edges_s, moments_s, side="right") - 1
        return np.where(rows < len(self.values), rows, -1)


def open_maps(path: str | Path) -> SavedMaps:
    """The maps of a file, read where they are used; with their times, if they lie beside it.

    Raises:
        DatasetError: a file cannot be read, is no such array, or is not of the other's length.
    """
    file = Path(path)
    times = file.with_name(f"{file.stem}_edges.npy")
    try:
        values = np.load(file, mmap_mode="r", allow_pickle=False)
        edges = np.load(times, allow_pickle=False) if times.is_file() else None
    except (OSError, ValueError, EOFError) as exc:
        raise DatasetError(str(file), f"no heat maps that can be read (.npy): {exc}") from exc
    if values.ndim != 3 or values.dtype.kind not in "biuf" or not values.size:
        raise DatasetError(
            str(file), f"heat maps must be numbers (T,H,W), got {values.dtype} {values.shape}"
        )
    if edges is None:
        return SavedMaps(values, None)
    if np.isinf(values).any():
        raise DatasetError(str(file), "heat maps must be finite, or NaN where not measured")
    try:
        return SavedMaps(values, timeline_edges(edges, len(values)))
    except (TypeError, ValueError) as exc:
        raise DatasetError(str(times), f"no times of {len(values)} heat maps: {exc}") from exc


def is_map(path: Path) -> bool:
    """Whether a file is called ``NAME_map.npy`` and holds one map a frame."""
    if not path.name.endswith(ENDING):
        return False
    try:
        return bool(np.load(path, mmap_mode="r", allow_pickle=False).ndim == 3)
    except (OSError, ValueError, EOFError):
        return False


def with_maps(predictions: Sequence[Prediction], path: Path) -> tuple[Prediction, ...]:
    """The predictions, each with its file of heat maps where there is one.

    Args:
        predictions: as they were read.
        path: file or folder that they were read from.

    Raises:
        DatasetError: a map that could be of several videos, or a folder ``maps`` with files none of
            which is named as a video.
    """
    keys = [name_key(prediction.video) for prediction in predictions]
    stems = Counter(key[-1] for key in keys)
    found = tuple(
        _with_map(prediction, key, path, alone=stems[key[-1]] == 1)
        for prediction, key in zip(predictions, keys, strict=True)
    )
    folder = _folder(path) / FOLDER
    if folder.is_dir() and not any(prediction.maps for prediction in found):
        lying = sorted(file.name for file in folder.rglob("*.npy"))
        if lying:
            raise DatasetError(
                str(folder),
                f"holds {len(lying)} heat maps, none named as a predicted video: {lying[0]!r} "
                f"stands there, {keys[0][-1] + '.npy'!r} would be found",
            )
    return found


def _with_map(prediction: Prediction, key: Key, path: Path, *, alone: bool) -> Prediction:
    if prediction.maps is not None:
        return prediction
    own = Path(prediction.where) / OF_RUN
    if own.is_file():
        return replace(prediction, maps=str(own))
    for folder in dict.fromkeys([_folder(path), _beside(prediction.where)]):
        for file, telling in _candidates(folder, key):
            if file.is_file():
                if not (alone or telling):
                    raise DatasetError(
                        str(file), f"could be of several videos named {key[-1]!r}; use folders"
                    )
                return replace(prediction, maps=str(file))
    return prediction


def _candidates(folder: Path, key: Key) -> Iterator[tuple[Path, bool]]:
    """Where the maps of a video may lie, and whether that names its folder too."""
    parts = [part for part in key if part not in ("..", "/")]
    for size in range(len(parts), 0, -1):
        yield folder.joinpath(FOLDER, *parts[-size:-1], f"{parts[-1]}.npy"), size > 1
    yield folder / f"{parts[-1]}{ENDING}", False


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _beside(where: str) -> Path:
    """The folder of the file that an entry stands in, whatever row or array it is."""
    return Path(re.sub(r"(, row \d+|\[[^\]]*\])$", "", where)).parent
