"""Arrays that others saved: seed 1's matrices, a file a video, seed 3's scores of a whole set.

None of them knows seconds (but for the ``_edges_s.npy`` that ``watchword score`` adds), so they
need the pictures a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.predictions.series import (
    LABEL,
    load_array,
    load_json,
    numeric,
    regular_edges,
    scores_of,
)
from watchword.types import Kind

PROMPTS = "_prompts.json"
EDGES = "_edges_s.npy"
LENGTHS = ("n_frames", "total_frames", "frames", "num_frames")


def is_matrix(path: Path) -> bool:
    """Whether a ``.npy`` has the sentences of its rows beside it."""
    return path.suffix == ".npy" and _beside(path, PROMPTS).is_file()


def read_matrix(path: Path, *, rate: float | None = None) -> Prediction:
    """Seed 1's cosines of one video: NAME.npy (prompts, T) and NAME_prompts.json.

    Times are those of NAME_edges_s.npy (T+1,), or ``rate``. A sentence that stands twice, as where
    seed 1's target repeats a prompt, is kept once if both rows say the same.

    Raises:
        DatasetError: the files do not belong together, or hold no times and there is no rate.
    """
    values = load_array(path)
    found = load_json(_beside(path, PROMPTS))
    texts = found.get("prompts") if isinstance(found, dict) else None
    if not (isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)):
        raise DatasetError(str(_beside(path, PROMPTS)), 'must hold {"prompts": [sentences]}')
    if values.ndim != 2 or len(values) != len(texts):
        raise DatasetError(
            str(path), f"has shape {values.shape}, its {len(texts)} sentences need as many rows"
        )
    rows = _distinct(values, texts, path)
    edges_s = _edges(path, values.shape[1], rate)
    return Prediction(
        video=path.stem,
        where=str(path),
        scores=scores_of(
            values[rows].T, edges_s, [texts[k] for k in rows], "cosine", where=str(path)
        ),
        rate=rate,
        made=Made(sentences=tuple(texts[k] for k in rows)),
    )


def read_series(path: Path, *, rate: float | None = None, kind: Kind = "cosine") -> Prediction:
    """One score a picture of one video: NAME.npy (T,), or (T,1)."""
    return _series(load_array(path), path.stem, str(path), path, rate=rate, kind=kind)


def read_npz(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """One score a picture of many videos: a ``.npz`` with an array (T,) for each, by name."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError) as exc:
        raise DatasetError(str(path), f"is no .npz of plain arrays: {exc}") from exc
    if not arrays:
        raise DatasetError(str(path), "holds no arrays")
    return tuple(
        _series(
            numeric(array, f"{path}[{name}]"), name, f"{path}[{name}]", None, rate=rate, kind=kind
        )
        for name, array in arrays.items()
    )


def read_by_meta(
    scores: Path, meta: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """Seed 3's ``frame_scores.npy`` of the videos that ``meta.json`` lists under ``test``.

    Either (videos, T), a row a video in the order listed, or (N,), all videos one after the other;
    several of those need each video's number of frames (``n_frames``) in ``meta.json``.

    Raises:
        DatasetError: rows, lengths and videos do not add up.
    """
    values = load_array(scores)
    videos = list(_test_videos(load_json(meta), meta))
    where = str(scores)
    if values.ndim == 2 and len(values) == len(videos):
        parts = list(values)
    elif values.ndim == 1:
        parts = _cut(values, [entry for _, entry in videos], where)
    else:
        raise DatasetError(where, f"has shape {values.shape}; {meta} lists {len(videos)} videos")
    named = zip(videos, parts, strict=True)
    return tuple(
        _series(part, name, f"{where}[{name}]", None, rate=rate, kind=kind)
        for (name, _), part in named
    )


def _series(
    values: NDArray[Any],
    video: str,
    where: str,
    path: Path | None,
    *,
    rate: float | None,
    kind: Kind,
) -> Prediction:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DatasetError(
            where,
            f"has shape {values.shape}; one score a picture is (T,), and a matrix of sentences "
            f"needs NAME{PROMPTS} beside it",
        )
    edges_s = (
        regular_edges(len(values), rate, where) if path is None else _edges(path, len(values), rate)
    )
    scores = scores_of(values[:, None], edges_s, (LABEL,), kind, where=where)
    return Prediction(video=video, where=where, scores=scores, rate=rate)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.stem + ending)


def _edges(path: Path, windows: int, rate: float | None) -> NDArray[np.float64]:
    beside = _beside(path, EDGES)
    if not beside.is_file():
        return regular_edges(windows, rate, str(path))
    edges_s = load_array(beside)
    if edges_s.shape != (windows + 1,):
        raise DatasetError(
            str(beside), f"has shape {edges_s.shape}, {windows} windows have {windows + 1} edges"
        )
    return np.asarray(edges_s, np.float64)


def _distinct(values: NDArray[Any], texts: list[str], path: Path) -> list[int]:
    """The first row of each sentence; DatasetError if rows of one sentence differ."""
    first: dict[str, int] = {}
    for k, text in enumerate(texts):
        kept = first.setdefault(text, k)
        # The same sentence encoded twice differs in the last digits of half precision.
        if not np.allclose(values[k], values[kept], atol=2e-3, equal_nan=True):
            raise DatasetError(
                str(path), f"rows {kept + 1} and {k + 1} are both {text!r} and differ"
            )
    return list(first.values())


def _test_videos(found: Any, meta: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    classes = found.get("test") if isinstance(found, dict) else None
    if not isinstance(classes, dict):
        raise DatasetError(str(meta), 'must hold {"test": {CLASS: [videos]}}')
    for entries in classes.values():
        for entry in entries if isinstance(entries, list) else [None]:
            if not (isinstance(entry, dict) and isinstance(entry.get("video_path"), str)):
                raise DatasetError(str(meta), f"a video must have a video_path, got {entry!r}")
            yield entry["video_path"], entry


def _cut(values: NDArray[Any], entries: list[Mapping[str, Any]], where: str) -> list[NDArray[Any]]:
    if len(entries) == 1:
        return [values]
    lengths = [next((e[name] for name in LENGTHS if name in e), None) for e in entries]
    known = [n for n in lengths if isinstance(n, int) and not isinstance(n, bool) and n > 0]
    if len(known) < len(entries):
        raise DatasetError(
            where,
            f"holds {len(values)} scores of {len(entries)} videos one after the other, and nothing "
            "says where one ends; save them by name (numpy.savez), or add n_frames to meta.json",
        )
    if sum(known) != len(values):
        raise DatasetError(where, f"holds {len(values)} scores, n_frames add up to {sum(known)}")
    return np.split(values, np.cumsum(known)[:-1])
