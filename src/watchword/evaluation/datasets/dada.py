"""DADA-2000 and MM-AU: their table of dashcam accidents, ``dada_text_annotations.xlsx``, as CSV.

Save the sheet as CSV (UTF-8) first; spreadsheets are not read. Columns are found by name: ``video``
and ``type`` number a clip (video 8 of type 1 is ``1_008``), then come "whether an accident occurred
(1/0)", "abnormal start frame", "accident frame", "abnormal end frame" and "total frames". Frames
count from 1 and the end is the last abnormal frame, so start and accident lose one and the end
stays. -1 or an empty cell is "there is none". The videos have 30 frames a second. Texts, causes and
measures tell the answer in words and are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import check_columns, columns_of, csv_rows_of
from watchword.evaluation.datasets.fields import frame_span, place, whole, words
from watchword.evaluation.datasets.record import FrameSpan, Record

RATE = 30.0
LABEL = "accident"
START, END = "abnormal start frame", "abnormal end frame"
MOMENT, TOTAL = "accident frame", "total frames"
COLUMNS = ("video", "type", START, MOMENT, END, TOTAL)


def sniff(path: Path) -> bool:
    """Whether its first line has the columns of frames."""
    return {START, MOMENT, END} <= set(columns_of(path))


def read(path: Path) -> tuple[Record, ...]:
    """A record a row, in order.

    Raises:
        DatasetError: a spreadsheet, a missing column, or frames that are not in the video.
    """
    if path.suffix.lower() in (".xlsx", ".xls"):
        raise DatasetError(
            str(path), "is a spreadsheet; open it and save the sheet with the clips as CSV (UTF-8)"
        )
    check_columns(path, COLUMNS)
    return tuple(_record(path, row, cells) for row, cells in csv_rows_of(path))


def _record(path: Path, row: int, cells: Mapping[str, str]) -> Record:
    file = str(path)
    start, end, moment, total = (
        _frame(cells, name, file, row) for name in (START, END, MOMENT, TOTAL)
    )
    if (start is None) != (end is None):
        raise DatasetError(file, f"gives only one of {START} and {END}", row=row)
    if total is not None and max(end or 0, moment or 0) > total:
        raise DatasetError(
            file, f"marks frame {max(end or 0, moment or 0)} of a video of {total} frames", row=row
        )
    spans: tuple[FrameSpan, ...] = ()
    if start is not None and end is not None:
        spans = (frame_span(LABEL, start - 1, end, file, row),)
    return Record(
        video=_name(cells, file, row),
        where=place(file, row),
        spans=spans,
        labels=(LABEL,),
        anomalous=bool(spans),
        frame_count=total,
        rate=RATE,
        accident=None if moment is None else moment - 1,
    )


def _name(cells: Mapping[str, str], file: str, row: int) -> str:
    """``1_008`` for video 8 of type 1; a name that has both is left as it is."""
    video = words(cells["video"], "video", file, row)
    if not video.replace(".0", "").isdecimal():
        return video
    return f"{whole(_digits(cells['type']), 'type', file, row)}_{int(float(video)):03d}"


def _frame(cells: Mapping[str, str], name: str, file: str, row: int) -> int | None:
    """A frame counted from 1, or None where there is none."""
    cell = _digits(cells[name])
    if cell in ("", "-1"):
        return None
    frame = whole(cell, name, file, row)
    if frame == 0:
        raise DatasetError(file, f"{name} is 0, but frames of this table count from 1", row=row)
    return frame


def _digits(cell: str) -> str:
    """Spreadsheets write whole numbers of a column with gaps as 75.0."""
    return cell.removesuffix(".0")
