"""The ``meta.json`` of Video Anomaly CLIP (seed 3): split, class, and a list of videos in each.

``{"test": {"pedestrian": [{"video_path": "Test/Test001.avi", "anomaly": 1, "gt_path":
"Test/Test001_gt.txt"}]}}``. Paths are relative to the folder of the file. A class is a scene
("pedestrian", "campus_scene"), not what happens: events are labelled "anomaly", and the class is
the group where a split has more than one. What is true of the frames is taken from ``gt_path``:

* ``.txt``, by its rows: a 0 or 1 for each frame (one a row, or all in one row), the first for frame
  0; or ``start end``, counted from 0 without the end; or MATLAB ranges as UCSD has them,
  ``[61:180]``, counted from 1 with the end;
* ``.npy``: (T,) a 0 or 1 for each frame, or masks (T,H,W);
* ``.npz``: packed masks (see ``masks.py``);
* ``.mat``: the cell ``volLabel`` of masks (Avenue), or one vector of 0 and 1;
* a folder of mask pictures, one a frame (see ``masks.py``);
* "": nothing is known of the frames. The video is normal, or something happens somewhere in it.

No rate is stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.frame_labels import checked_marks, spans_of
from watchword.evaluation.datasets.masks import marked_frames
from watchword.evaluation.datasets.matlab_file import mat_variables
from watchword.evaluation.datasets.numpy_file import npy_array
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import head_of, json_of, rows_of, whole_number
from watchword.evaluation.datasets.ucsd import matlab_ranges

LABEL = "anomaly"
_ENDINGS = (".txt", ".npy", ".npz", ".mat")


def sniff(path: Path) -> bool:
    """Whether a JSON file speaks of ``video_path`` and ``anomaly``, or a folder has such a one."""
    head = head_of(_file(path)).lstrip()
    return head.startswith("{") and '"video_path"' in head and '"anomaly"' in head


def read(path: Path) -> tuple[Record, ...]:
    """A record an entry, in order of the file.

    Raises:
        DatasetError: another structure, truth that is missing or unreadable, or that disagrees with
            ``anomaly``.
    """
    file = _file(path)
    records = tuple(_record(file, *entry) for entry in _entries(file))
    if not records:
        raise DatasetError(str(file), "holds no video")
    return records


def _file(path: Path) -> Path:
    return path / "meta.json" if path.is_dir() else path


def _entries(file: Path) -> Iterator[tuple[str, str | None, str, Any]]:
    """Split, group, where it stands, and what is said of each video."""
    found = json_of(file)
    for split, classes in _mapping(found, file, "splits").items():
        several = len(_mapping(classes, file, f"classes in {split!r}")) > 1
        for name, videos in classes.items():
            if not isinstance(videos, list):
                raise DatasetError(str(file), f"{split}, {name} must be a list, got {videos!r}")
            for number, video in enumerate(videos, start=1):
                where = f"{file} ({split}, {name}, entry {number})"
                yield split, name if several else None, where, video


def _mapping(found: Any, file: Path, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DatasetError(str(file), f"must map {what}, got {type(found).__name__}")
    return found


def _record(file: Path, split: str, group: str | None, where: str, video: Any) -> Record:
    if not isinstance(video, dict):
        raise DatasetError(where, f"must be an object with video_path and anomaly, got {video!r}")
    name, anomaly, gt_path = (video.get(key) for key in ("video_path", "anomaly", "gt_path"))
    if not isinstance(name, str) or not name:
        raise DatasetError(where, f"video_path must be text, got {name!r}")
    if anomaly not in (0, 1):
        raise DatasetError(where, f"anomaly must be 0 or 1, got {anomaly!r}")
    if not isinstance(gt_path, str | None):
        raise DatasetError(where, f"gt_path must be text, got {gt_path!r}")
    record = Record(
        video=name,
        where=where,
        labels=(LABEL,) if gt_path or anomaly else (),
        anomalous=bool(anomaly),
        split=split,
        group=group,
    )
    return _with_truth(record, file.parent, gt_path) if gt_path else record


def _with_truth(record: Record, folder: Path, gt_path: str) -> Record:
    truth = folder / PureWindowsPath(gt_path).as_posix()
    if not truth.exists():
        raise DatasetError(record.where, f"gt_path {gt_path!r} is not there ({truth})")
    if not truth.is_dir() and truth.suffix.lower() not in _ENDINGS:
        raise DatasetError(
            record.where, f"gt_path {gt_path!r} must be a folder or end in {', '.join(_ENDINGS)}"
        )
    spans, frames, masks = _truth(truth)
    if bool(spans) != record.anomalous:
        said = (
            "1, but its truth marks no frame" if record.anomalous else "0, but its truth marks some"
        )
        raise DatasetError(record.where, f"anomaly is {said} ({truth})")
    return replace(record, spans=spans, frame_count=frames, masks=masks)


def _truth(truth: Path) -> tuple[tuple[FrameSpan, ...], int | None, Path | None]:
    """Events, number of frames if the file tells, and the file again if it holds masks."""
    ending = "" if truth.is_dir() else truth.suffix.lower()
    if ending == ".txt":
        return *_text(truth), None
    if ending == ".npy" and (found := npy_array(truth)).ndim < 3:
        marks, masks = checked_marks(found, str(truth)), None
    elif ending == ".mat" and "volLabel" not in (variables := mat_variables(truth)):
        vectors = [value for value in variables.values() if value is not None]
        if len(vectors) != 1:
            raise DatasetError(
                str(truth),
                "must hold volLabel, or one vector of 0 and 1; "
                f"got {', '.join(sorted(variables)) or 'nothing'}",
            )
        marks, masks = checked_marks(vectors[0], str(truth)), None
    else:
        marks, masks = marked_frames(truth), truth
    return spans_of(marks, LABEL), len(marks), masks


def _text(truth: Path) -> tuple[tuple[FrameSpan, ...], int | None]:
    rows = list(rows_of(truth))
    if any("[" in line for _, line in rows):
        return tuple(span for row, line in rows for span in _ranges(truth, row, line)), None
    numbers = [(row, _numbers(truth, row, line)) for row, line in rows]
    widths = {len(found) for _, found in numbers}
    if widths == {2}:
        return tuple(_pair(truth, row, *found) for row, found in numbers), None
    if widths == {1} or len(numbers) == 1:
        marks = [value for _, found in numbers for value in found]
        wrong = next((row for row, found in numbers if not {0, 1}.issuperset(found)), None)
        if wrong is not None:
            raise DatasetError(str(truth), "must hold 0 or 1 for each frame", row=wrong)
        return spans_of(marks, LABEL), len(marks)
    raise DatasetError(
        str(truth), "must hold one number a row (0 or 1 for a frame) or two (start end), not both"
    )


def _ranges(truth: Path, row: int, line: str) -> tuple[FrameSpan, ...]:
    begin, end = line.find("["), line.rfind("]")
    if begin < 0 or end < begin:
        raise DatasetError(str(truth), f"{line!r} must be ranges as [61:180]", row=row)
    return matlab_ranges(line[begin : end + 1], str(truth), row)


def _numbers(truth: Path, row: int, line: str) -> list[int]:
    words = line.replace(",", " ").split()
    numbers = [number for word in words if (number := whole_number(word)) is not None]
    if len(numbers) != len(words):
        raise DatasetError(str(truth), f"must hold whole numbers, got {line!r}", row=row)
    return numbers


def _pair(truth: Path, row: int, start: int, end: int) -> FrameSpan:
    if not 0 <= start < end:
        raise DatasetError(
            str(truth),
            f"an event must start at frame 0 or later and end after it starts, got {start} {end}",
            row=row,
        )
    return FrameSpan(LABEL, start, end)
