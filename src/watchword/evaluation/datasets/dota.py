"""DoTA, Detection of Traffic Anomaly: dashcam clips at 10 frames a second with one anomaly each.

Read from ``metadata_train.json`` and ``metadata_val.json`` (a file or the folder that holds them),
from ``annotations/ID.json`` of one clip, or from a folder of those. ``anomaly_start`` and
``anomaly_end`` count from the clip's first frame, 0; the end is the first frame after the anomaly,
as evaluation codes slice it. ``video_start`` and ``video_end`` place the clip in its source and are
not used. The label is ``anomaly_class`` ("ego: leave_to_right"), which the clip's own file gives in
two parts. The group is the source video, whose name the clip's begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.fields import an_object, frame_span, whole, words
from watchword.evaluation.datasets.json_head import json_head
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.datasets.text_file import json_of

RATE = 10.0
_TIMES = {"anomaly_start", "anomaly_end", "num_frames"}


def sniff(path: Path) -> bool:
    """Whether it is a metadata file, a clip's annotation, or a folder of either."""
    if path.is_dir():
        return any(_kind(file) is not None for file in _files(path)[:3])
    return _kind(path) is not None


def read(path: Path) -> tuple[Record, ...]:
    """A record a clip, in order of the files.

    Raises:
        DatasetError: a file that is neither, or an anomaly that is not in its clip.
    """
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise DatasetError(str(path), "holds no .json file")
    return tuple(record for file in files for record in _records(file))


def _files(folder: Path) -> list[Path]:
    metadata = sorted(folder.glob("metadata_*.json"))
    return metadata or sorted(p for p in folder.glob("*.json") if not p.name.startswith("."))


def _kind(path: Path) -> str | None:
    found = json_head(path)
    if not isinstance(found, dict) or not found:
        return None
    if {"video_name", "anomaly_start"} <= set(found):
        return "clip"
    first = next(iter(found.values()))
    return "metadata" if isinstance(first, dict) and set(first) >= _TIMES else None


def _records(file: Path) -> Iterator[Record]:
    found = an_object(json_of(file), "the file", str(file))
    if "video_name" in found:
        who = "ego" if found.get("ego_involve") else "other"
        label = f"{who}: {words(found.get('accident_name'), 'accident_name', str(file))}"
        name = words(found["video_name"], "video_name", str(file))
        yield _record(name, found, label, None, str(file))
        return
    for row, (name, clip) in enumerate(found.items(), start=1):
        where = f"{file}, entry {row}"
        clip = an_object(clip, name, where)
        label = words(clip.get("anomaly_class"), "anomaly_class", where)
        yield _record(name, clip, label, clip.get("subset"), where)


def _record(
    name: str, clip: Mapping[str, Any], label: str, subset: str | None, where: str
) -> Record:
    start, end, frames = (
        whole(clip.get(key), key, where) for key in ("anomaly_start", "anomaly_end", "num_frames")
    )
    if end > frames:
        raise DatasetError(where, f"anomaly ends at frame {end} of the {frames} of {name!r}")
    return Record(
        video=name,
        where=where,
        spans=(frame_span(label, start, end, where),),
        labels=(label,),
        anomalous=True,
        split=subset,
        group=name.rsplit("_", 1)[0],
        frame_count=frames,
        rate=RATE,
    )
