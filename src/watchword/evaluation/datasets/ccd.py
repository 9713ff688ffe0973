"""CCD, the Car Crash Dataset: ``Crash-1500.txt``, a mark for each of 50 frames at 10 a second.

``000001,[0, 0, ..., 1],285,082221,Day,Normal,No`` on a line: clip, marks, frame of the source where
the clip begins, source video, timing, weather, whether the own car is involved. The marks count
from 0; a run of 1 is a crash, and the first of them is the moment of the accident. The group is the
source video. A folder with the file and ``Normal/*.mp4`` gives the clips without a crash as well;
clips then go by folder and name, since both folders have a ``000001.mp4``.
"""

from __future__ import annotations

import re
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.frame_labels import spans_of
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.datasets.text_file import first_line_of, rows_of

FILE = "Crash-1500.txt"
RATE = 10.0
LABEL = "crash"
_LINE = re.compile(r"\s*([^,\s\[]+)\s*,\s*\[([01,\s]*)\]\s*,\s*([0-9]+)\s*,\s*([^,\s]+)\s*(,.*)?")


def sniff(path: Path) -> bool:
    """Whether it is such a file, or a folder that holds it under its own name."""
    file = path / FILE if path.is_dir() else path
    return _LINE.fullmatch(first_line_of(file)) is not None


def read(path: Path) -> tuple[Record, ...]:
    """A record a line, in order; then the normal clips, where their folder is there.

    Raises:
        DatasetError: a line of another form, or marks without a crash.
    """
    if not path.is_dir():
        return tuple(_record(path, row, line, "{}") for row, line in rows_of(path))
    file = path / FILE
    crashes = tuple(_record(file, row, line, "Crash-1500/{}.mp4") for row, line in rows_of(file))
    normal = (
        Record(video=f"Normal/{clip.name}", where=str(clip), labels=(LABEL,), anomalous=False)
        for clip in sorted((path / "Normal").glob("*.mp4"))
        if not clip.name.startswith(".")
    )
    return (*crashes, *normal)


def _record(path: Path, row: int, line: str, name: str) -> Record:
    found = _LINE.fullmatch(line)
    if found is None:
        raise DatasetError(
            str(path),
            f"must hold clip, [marks], start frame, source video, ..., got {line[:80]!r}",
            row=row,
        )
    marks = [int(mark) for mark in re.findall("[01]", found[2])]
    spans = spans_of(marks, LABEL)
    if not spans:
        raise DatasetError(str(path), f"marks no crash in {found[1]!r}", row=row)
    return Record(
        video=name.format(found[1]),
        where=f"{path}, row {row}",
        spans=spans,
        labels=(LABEL,),
        anomalous=True,
        group=found[4],
        frame_count=len(marks),
        rate=RATE,
        accident=spans[0].start,
    )
