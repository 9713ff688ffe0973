"""Heat maps on disk: ``maps.npy`` (T,h,w) float16, and the times of its rows beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from watchword.places import Heat

MAPS, EDGES = "maps.npy", "maps_edges.npy"


def write_maps(heat: Heat, folder: Path) -> None:
    """``maps.npy``, and ``maps_edges.npy`` (T+1,) float64: map i is of [edge i, edge i+1) seconds.

    Where the edges are those of the scores, map i is of row i of ``scores.parquet``.
    """
    np.save(folder / MAPS, heat.values)
    np.save(folder / EDGES, heat.edges_s)


def read_maps(folder: Path, unit: str, made_by: str) -> Heat:
    """The heat maps of a run.

    Raises:
        OSError: a file is not there or cannot be read.
        ValueError: the files are no such arrays, or not of one length.
    """
    values, edges_s = (np.load(folder / name, allow_pickle=False) for name in (MAPS, EDGES))
    if values.dtype != np.float16 or values.ndim != 3:
        raise ValueError(f"{MAPS} holds {values.dtype} {values.shape}, not float16 (T,h,w)")
    return Heat(values, edges_s, unit, made_by)
