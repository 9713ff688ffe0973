"""One stage of the work as plain arrays on disk, for whoever goes on with tools of their own.

Arrays are ``.npy`` files, float32 values and float64 times. Files that are there are not replaced
without being told to.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.predictions.matrix import read_matrix
from watchword.output.atomic import check_file, new_file
from watchword.output.series import read_cosines_parquet
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.run.manifest import Job
from watchword.types import Scores


def write_embeddings(
    videos: VideoEncoder,
    job: Job,
    folder: Path,
    *,
    overwrite: bool = False,
    listener: Listener | None = None,
) -> tuple[Path, ...]:
    """NAME.npy (T,D) float32 and NAME_edges_s.npy (T+1,) float64 of one video.

    Raises:
        VideoError: the video cannot be read.
        OutputError: a file is there already, or cannot be written.
    """
    paths = (folder / f"{job.name}.npy", folder / f"{job.name}_edges_s.npy")
    _check_free(paths, overwrite=overwrite)
    embeddings = videos.embed(job.source, listener=listener).embeddings
    _write_array(paths[0], embeddings.vectors, overwrite=overwrite)
    _write_array(paths[1], embeddings.edges_s, overwrite=overwrite)
    return paths


def write_prompt_scores(
    detector: Detector,
    job: Job,
    folder: Path,
    *,
    overwrite: bool = False,
    listener: Listener | None = None,
) -> tuple[Path, ...]:
    """Seed 1's layout for one video: NAME.npy (prompts, T) float32 cosines, NAME_prompts.json.

    NAME_edges_s.npy (T+1,) float64 adds the times that seed 1's layout lacks.

    Raises:
        VideoError: the video cannot be read.
        OutputError: a file is there already, or cannot be written.
    """
    stem = folder / job.name
    paths = tuple(Path(f"{stem}{end}") for end in (".npy", "_prompts.json", "_edges_s.npy"))
    _check_free(paths, overwrite=overwrite)
    embedded = detector.videos.embed(job.source, listener=listener)
    scores = detector.prompt_scores(embedded.embeddings)
    _write_array(paths[0], np.ascontiguousarray(scores.values.T), overwrite=overwrite)
    text = json.dumps({"prompts": list(scores.labels)}, ensure_ascii=False, indent=2)
    write_bytes(paths[1], text.encode(), overwrite=overwrite)
    _write_array(paths[2], scores.edges_s, overwrite=overwrite)
    return paths


def read_prompt_scores(path: Path, *, rate: float | None = None) -> Scores:
    """The cosines that ``score`` or a run folder holds, as Scores with one label a sentence.

    Args:
        path: a run folder, or the ``.npy`` file of ``score`` or of seed 1.
        rate: pictures a second, for seed 1's files, which hold no times.

    Raises:
        DatasetError: files are missing, or do not belong together.
    """
    if not path.is_dir():
        return _matrix(path, rate)
    try:
        found = read_cosines_parquet(path / "scores.parquet")
    except (OSError, ValueError) as exc:
        raise DatasetError(str(path), f"is no run folder: {exc}") from exc
    if found is None:
        raise DatasetError(str(path), "holds no cosines of sentences; its scores come from a head")
    return replace(found, video=path.stem, made_by=found.made_by.removesuffix(" words"))


def _matrix(path: Path, rate: float | None) -> Scores:
    scores = read_matrix(path, rate=rate).scores
    assert scores is not None
    return scores


def _check_free(paths: tuple[Path, ...], *, overwrite: bool) -> None:
    """Before an hour is spent on encoding: OutputError if a file may not be written."""
    for path in paths:
        check_file(path, overwrite=overwrite)


def write_bytes(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """A file of this content; OutputError if one is there already or it cannot be written."""
    with new_file(path, overwrite=overwrite) as made:
        made.write_bytes(content)


def _write_array(path: Path, array: NDArray[np.generic], *, overwrite: bool) -> None:
    with new_file(path, overwrite=overwrite) as made, made.open("wb") as file:
        np.save(file, array, allow_pickle=False)
