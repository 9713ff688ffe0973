"""Series of scores on disk: Parquet for analysis, and seed 1's matrix of prompts x frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from watchword.types import Kind, Scores

_SCORE = "score: "
_RAW = "raw: "
_COSINE = "cosine: "
_PART = "part: "


def write_matrix(prompt_scores: Scores, folder: Path) -> None:
    """``scores.npy`` (prompts x frames, float32) and ``prompts.json`` with its rows' sentences."""
    np.save(folder / "scores.npy", np.ascontiguousarray(prompt_scores.values.T))
    text = json.dumps({"prompts": list(prompt_scores.labels)}, ensure_ascii=False, indent=2)
    (folder / "prompts.json").write_text(text + "\n", encoding="utf-8")


def write_parquet(
    scores: Scores,
    path: Path,
    *,
    raw_scores: Scores | None = None,
    prompt_scores: Scores | None = None,
    parts: Scores | None = None,
) -> None:
    """A row a window: ``start_s``, ``end_s`` and columns ``score: LABEL``.

    Likewise ``raw: LABEL`` before smoothing, ``cosine: SENTENCE`` and ``part: NAME``, if they are
    given. What was not measured is null. Kind, maker and video stand in the file's metadata.

    Raises:
        ValueError: the parts are of other windows than the scores.
    """
    columns = {"start_s": pa.array(scores.edges_s[:-1]), "end_s": pa.array(scores.edges_s[1:])}
    columns |= _columns(_SCORE, scores)
    if raw_scores is not None:
        columns |= _columns(_RAW, raw_scores)
    if prompt_scores is not None:
        columns |= _columns(_COSINE, prompt_scores)
    about: dict[str, Any] = {
        "kind": scores.kind,
        "made_by": scores.made_by,
        "video": scores.video,
        "start_s": float(scores.edges_s[0]),
    }
    if parts is not None:
        if not np.array_equal(parts.edges_s, scores.edges_s):
            raise ValueError("the parts must have the windows of the scores: their edges differ")
        columns |= _columns(_PART, parts)
        about["parts"] = {"kind": parts.kind, "made_by": parts.made_by, "video": parts.video}
    table = pa.table(columns).replace_schema_metadata({"watchword": json.dumps(about)})
    pq.write_table(table, path)


def read_parquet(path: Path) -> Scores:
    """The scores of the labels, as ``write_parquet`` left them.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is no such table (pyarrow's errors are ValueErrors too).
    """
    return _read(path, _SCORE)


def read_raw_parquet(path: Path) -> Scores | None:
    """The scores before smoothing; None if the file holds none, as where nothing was smoothed.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is no such table.
    """
    raw = _read(path, _RAW)
    return raw if raw.labels else None


def read_cosines_parquet(path: Path) -> Scores | None:
    """The cosine of every sentence; None if the file holds none, as where a head gave the scores.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is no such table.
    """
    cosines = _read(path, _COSINE, kind="cosine")
    return cosines if cosines.labels else None


def read_parts_parquet(path: Path) -> Scores | None:
    """What each part of the evidence says; None if the file holds none.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is no such table.
    """
    parts = _read(path, _PART, of="parts")
    return parts if parts.labels else None


def _read(path: Path, prefix: str, *, kind: Kind | None = None, of: str = "") -> Scores:
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    if b"watchword" not in metadata:
        raise ValueError("it was not written by Watchword")
    about = json.loads(metadata[b"watchword"])
    about |= about.get(of, {})
    named = [name for name in table.column_names if name.startswith(prefix)]
    values = [_measured(table, name) for name in named]
    return Scores(
        values=np.array(values, np.float32).reshape(len(named), table.num_rows).T,
        edges_s=np.append(about["start_s"], table["end_s"].to_numpy()),
        labels=tuple(name.removeprefix(prefix) for name in named),
        kind=kind or cast("Kind", about["kind"]),
        video=about["video"],
        made_by=about["made_by"],
    )


def _columns(prefix: str, scores: Scores) -> dict[str, Any]:
    return {
        prefix + label: pa.array(scores.values[:, k], from_pandas=True)
        for k, label in enumerate(scores.labels)
    }


def _measured(table: Any, name: str) -> Any:
    return table[name].to_numpy(zero_copy_only=False).astype(np.float32)
