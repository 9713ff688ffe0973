"""DAD, the Dashcam Accident Dataset: clips of 100 frames at 20 a second.

An accident begins at frame 90, counted from 0, in every positive clip; so says the data set, and
nothing in its files. Positive clips get the span [90, 100) and the accident at frame 90.

Box files (a file a clip, or a folder of them) hold on a line the picture's number, track, class,
four corners and whether the object is in an accident, 0 or 1, between commas, tabs or blanks; a
clip with a 1 is positive. The feature files that UString uses (``.npz``, or a folder of them below
``training`` and ``testing``) hold one or more clips: ``labels`` (2,) or (n,2), the second column
positive, and ``ID``. Clips of another length than 100 frames, such as those of CCD, are refused.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import first_line_of, rows_of

RATE = 20.0
FRAMES = 100
ACCIDENT = 90
LABEL = "accident"

_NUMBER = r"[-+]?[0-9]+(?:\.[0-9]+)?"
_BETWEEN = r"(?:\s*,\s*|\s+)"
_BOX = re.compile(
    rf"\S+?{_BETWEEN}{_NUMBER}{_BETWEEN}\S+?(?:{_BETWEEN}{_NUMBER}){{4}}{_BETWEEN}([01])"
)
_DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


def sniff(path: Path) -> bool:
    """Whether it is a box file, a feature file with labels, or a folder of either."""
    if path.is_dir():
        return any(_is_one(file) for file in _files(path)[:3])
    return _is_one(path)


def read(path: Path) -> tuple[Record, ...]:
    """A record a clip, in order of the files.

    Raises:
        DatasetError: a line that is no box, a damaged feature file, or clips that are not DAD's.
    """
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise DatasetError(str(path), "holds no .txt box file and no .npz feature file")
    return tuple(record for file in files for record in _records(file))


def _files(folder: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.suffix in (".txt", ".npz"))
    return sorted(p for p in found if not p.name.startswith("."))


def _is_one(path: Path) -> bool:
    if path.suffix != ".npz":
        return _BOX.fullmatch(first_line_of(path)) is not None
    try:
        with zipfile.ZipFile(path) as members:
            return {"labels.npy", "det.npy"} <= set(members.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _records(file: Path) -> Iterator[Record]:
    if file.suffix == ".npz":
        yield from _feature_records(file)
        return
    positive = False
    for row, line in rows_of(file):
        box = _BOX.fullmatch(line)
        if box is None:
            raise DatasetError(
                str(file),
                "must hold picture, track, class, x1, y1, x2, y2 and 0 or 1 on a line, "
                f"got {line[:80]!r}",
                row=row,
            )
        positive = positive or box[1] == "1"
    yield _record(file.stem, str(file), file, positive=positive)


def _feature_records(file: Path) -> Iterator[Record]:
    labels, names = _arrays(file)
    for row, (one_hot, name) in enumerate(zip(labels, names, strict=True), start=1):
        where = str(file) if len(labels) == 1 else f"{file}, entry {row}"
        if sorted(one_hot.tolist()) != [0, 1]:
            raise DatasetError(where, f"labels must be 0 1 or 1 0, got {one_hot.tolist()}")
        yield _record(str(name), where, file, positive=bool(one_hot[1]))


def _arrays(file: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """(n,2) labels and (n,) names of the clips; the features themselves are not read."""
    try:
        # Opened here because np.load leaves a damaged archive open.
        with file.open("rb") as data, np.load(data, allow_pickle=False) as opened:
            labels = np.atleast_2d(opened["labels"])
            names = np.atleast_1d(opened["ID"]) if "ID" in opened else np.array([file.stem])
            frames = opened["det"].shape[-3]
    except (*_DAMAGED, IndexError) as exc:
        raise DatasetError(
            str(file), f"cannot be read as features with labels, det and ID: {exc}"
        ) from exc
    if frames != FRAMES:
        raise DatasetError(
            str(file),
            f"holds clips of {frames} frames, DAD's have {FRAMES}; for CCD, whose accidents begin "
            "at different frames, give Crash-1500.txt",
        )
    if labels.ndim != 2 or labels.shape[1] != 2 or len(labels) != len(names):
        raise DatasetError(
            str(file), f"labels {labels.shape} must be (n,2) for the {len(names)} clips of ID"
        )
    return labels, names


def _record(name: str, where: str, file: Path, *, positive: bool) -> Record:
    folders = {part.lower() for part in file.parent.parts}
    split = next((s for s in ("training", "testing") if s in folders), None)
    return Record(
        video=name,
        where=where,
        spans=(FrameSpan(LABEL, ACCIDENT, FRAMES),) if positive else (),
        labels=(LABEL,),
        anomalous=positive,
        split=split,
        frame_count=FRAMES,
        rate=RATE,
        accident=ACCIDENT if positive else None,
    )
