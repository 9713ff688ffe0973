"""Nexar's dashcam collisions: when it happens and when it could be known, in seconds.

Kaggle's ``train.csv`` has ``id,time_of_event,time_of_alert,target``; ids are text with leading
zeros ("00822"), negatives have no times. The Hugging Face layout has
``train/positive/metadata.csv`` and ``train/negative/metadata.csv`` with ``file_name`` instead of
``id``; give one of them or the folder above. A collision is a moment, ``time_of_event``: it is kept
as the accident, and the span runs from the alert to it, the time during which there is something to
warn of. Positives without times are known as a whole only. Seconds are taken as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import check_columns, columns_of, csv_rows_of
from watchword.evaluation.datasets.fields import place, second_span, seconds, words
from watchword.evaluation.datasets.record import Record

LABEL = "collision"
EVENT, ALERT = "time_of_event", "time_of_alert"
_SIDES = {"positive": True, "negative": False}
_TARGETS = {"1": True, "1.0": True, "0": False, "0.0": False}


def sniff(path: Path) -> bool:
    """Whether it is such a table, or a folder with metadata.csv below positive or negative."""
    if path.is_dir():
        return any(sniff(file) for file in _files(path))
    return {EVENT, ALERT} <= set(columns_of(path))


def read(path: Path) -> tuple[Record, ...]:
    """A record a row, in order; positives before negatives where they lie in folders.

    Raises:
        DatasetError: a missing column, an event before its alert, or nothing that says which rows
            are positive.
    """
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise DatasetError(str(path), "holds no positive/metadata.csv or negative/metadata.csv")
    return tuple(record for file in files for record in _records(file))


def _files(folder: Path) -> list[Path]:
    below = [folder / side / "metadata.csv" for side in _SIDES]
    below += [f for side in _SIDES for f in sorted(folder.glob(f"*/{side}/metadata.csv"))]
    return [file for file in below if file.is_file()]


def _records(file: Path) -> list[Record]:
    check_columns(file, (EVENT, ALERT))
    columns = columns_of(file)
    name = next((column for column in ("id", "file_name") if column in columns), None)
    if name is None:
        raise DatasetError(str(file), f"needs a column id or file_name; it has {columns}")
    side = _SIDES.get(file.parent.name)
    if "target" not in columns and side is None:
        raise DatasetError(
            str(file),
            "does not say which videos are positive: it has no column target and does not lie in "
            "a folder positive or negative",
        )
    split = file.parent.parent.name or None if side is not None else _split_of(file)
    return [_record(file, row, cells, name, split) for row, cells in csv_rows_of(file)]


def _split_of(file: Path) -> str | None:
    return file.stem if file.stem in ("train", "test") else None


def _record(file: Path, row: int, cells: Mapping[str, str], name: str, split: str | None) -> Record:
    positive = _SIDES.get(file.parent.name)
    if "target" in cells:
        positive = _TARGETS.get(cells["target"])
        if positive is None:
            raise DatasetError(
                str(file), f"target must be 0 or 1, got {cells['target']!r}", row=row
            )
    event_s, alert_s = (
        seconds(cells[key], key, str(file), row) if cells[key] else None for key in (EVENT, ALERT)
    )
    if not positive and (event_s is not None or alert_s is not None):
        raise DatasetError(str(file), "has the time of an event but is negative", row=row)
    if event_s is not None and alert_s is not None and alert_s > event_s:
        raise DatasetError(
            str(file), f"has its alert at {alert_s:g} s, after its event at {event_s:g} s", row=row
        )
    timed = event_s is not None and alert_s is not None and alert_s < event_s
    video = words(cells[name], name, str(file), row)
    if name == "file_name" and "target" not in cells:
        video = f"{file.parent.name}/{video}"
    return Record(
        video=video,
        where=place(str(file), row),
        spans=(second_span(LABEL, alert_s or 0.0, event_s or 0.0, str(file), row),)
        if timed
        else (),
        labels=(LABEL,),
        anomalous=positive,
        split=split,
        accident=event_s,
    )
