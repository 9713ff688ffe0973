"""XD-Violence's ``annotations.txt``: when violence happens in its violent test videos.

``v=S-7rRLrxnVQ__#1_label_B4-0-0 0 1517 1970 3038`` on a line: a video and pairs of frames, taken
as ``[start, end)`` from 0 at 24 frames a second (as VadCLIP does). The end of a name tells what
happens somewhere in the video, as up to three codes; a pair is therefore labelled with all of them
joined ("fighting-riot"). The multi-class form of the file has a code before each pair,
``..._label_B4-0-0 B4 0 1517 B4 1970 3038``, and then each event has its own label.

The file leaves out the normal videos, without which little can be evaluated: add their names
(``..._label_A``) to it, one a line without frames, and they are read as normal.
"""

from __future__ import annotations

import re
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import first_line_of, rows_of, whole_number

RATE = 24.0
CODES = {
    "B1": "fighting",
    "B2": "shooting",
    "B4": "riot",
    "B5": "abuse",
    "B6": "car accident",
    "G": "explosion",
}
NORMAL = "A"
_NAME = re.compile(r".+_label_([A-Z0-9-]+)(\.\w+)?")
_FORMS = "pairs of frames, or a code and a pair of frames for each event"


def sniff(path: Path) -> bool:
    """Whether the first line begins with a name that ends in ``_label_`` and codes."""
    words = first_line_of(path).split()
    return bool(words) and _NAME.fullmatch(words[0]) is not None


def read(path: Path) -> tuple[Record, ...]:
    """A record a line, in order.

    Raises:
        DatasetError: an unknown code, a line that is cut off, or an event that ends before it
            starts.
    """
    return tuple(_record(path, row, line.split()) for row, line in rows_of(path))


def _record(path: Path, row: int, words: list[str]) -> Record:
    named = _NAME.fullmatch(words[0])
    if named is None:
        raise DatasetError(
            str(path), f"{words[0]!r} must end in _label_ and codes, as _label_B1-0-0", row=row
        )
    normal = _codes(named.group(1)) == [NORMAL]
    label = "" if normal else _label(path, row, named.group(1))
    spans = _spans(path, row, words[1:], label)
    if normal == bool(spans):
        problem = "is normal (A) but has events" if normal else "has no events; the line is cut off"
        raise DatasetError(str(path), f"{words[0]!r} {problem}", row=row)
    return Record(
        video=words[0],
        where=f"{path}, row {row}",
        spans=spans,
        labels=tuple(dict.fromkeys(span.label for span in spans)),
        anomalous=not normal,
        split="test",
        rate=RATE,
    )


def _codes(joined: str) -> list[str]:
    return [code for code in joined.split("-") if code != "0"]


def _label(path: Path, row: int, joined: str) -> str:
    codes = _codes(joined)
    for code in codes or ["0"]:
        if code not in CODES:
            known = ", ".join(f"{code} {name}" for code, name in CODES.items())
            raise DatasetError(
                str(path), f"code {code!r} is not known; known are {known}, A alone", row=row
            )
    return "-".join(CODES[code] for code in codes)


def _spans(path: Path, row: int, words: list[str], label: str) -> tuple[FrameSpan, ...]:
    coded = bool(words) and whole_number(words[0]) is None
    size = 3 if coded else 2
    if len(words) % size:
        raise DatasetError(
            str(path), f"must hold {_FORMS}, got {len(words)} words after the name", row=row
        )
    spans = []
    for at in range(0, len(words), size):
        *codes, first, last = words[at : at + size]
        start, end = whole_number(first), whole_number(last)
        if start is None or end is None:
            raise DatasetError(
                str(path), f"must hold {_FORMS}, got {' '.join(words[at : at + size])!r}", row=row
            )
        if not 0 <= start < end:
            raise DatasetError(
                str(path),
                f"an event must start at frame 0 or later and end after it starts, "
                f"got {start} {end}",
                row=row,
            )
        own = _label(path, row, codes[0]) if coded else label
        spans.append(FrameSpan(own, start, end))
    return tuple(spans)
