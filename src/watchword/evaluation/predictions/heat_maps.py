"""Heat maps beside predictions: where in the picture something was found, as ``.npy`` (T,H,W).

One map a frame of the video, higher is more, of the size of the masks that they are judged with.
They are found by name, whoever wrote the scores:

* ``maps.npy`` in a run folder;
* ``maps/NAME.npy`` in the folder of the predictions (for a file: the folder it lies in), where NAME
  is the video's without its ending; ``maps/FOLDER/NAME.npy`` for those of a video in FOLDER;
* ``NAME_map.npy`` in the same place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.names import Key, name_key
from watchword.evaluation.predictions.prediction import Prediction

OF_RUN, FOLDER, ENDING = "maps.npy", "maps", "_map.npy"


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
