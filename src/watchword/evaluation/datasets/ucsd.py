"""UCSD Ped1 and Ped2: ``UCSDped2.m``, with the folders of frames and of pixel masks beside it.

``TestVideoFile{end+1}.gt_frame = [5:90, 140:200];`` on a line; the n-th is about ``Test00n``.
Ranges are MATLAB's: frames count from 1 and the last one belongs to the event, so that ``61:180``
is ``[60, 180)`` here. Videos run at 10 frames a second. ``Test001_gt`` holds the masks of
``Test001`` where there are any (Ped1 has them for some videos only). In the whole data set's
folder, ``Train`` holds normal videos.
"""

from __future__ import annotations

import re
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.masks import mask_count, numbered_pictures
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import head_of, rows_of

RATE = 10.0
LABEL = "anomaly"
_BEGIN = re.compile(r"TestVideoFile\s*=\s*\{\s*\}\s*;?")
_LINE = re.compile(r"TestVideoFile\s*\{\s*end\s*\+\s*1\s*\}\.gt_frame\s*=\s*(\[.*\])\s*;?")
_RANGE = re.compile(r"([0-9]+)(?:\s*:\s*([0-9]+))?")
_FRAMES = (".tif", ".tiff", ".bmp", ".png", ".jpg")


def sniff(path: Path) -> bool:
    """Whether it is such a ``.m`` file, or a folder with one in it or in its ``Test``."""
    found = _script(path)
    return found is not None and ".gt_frame" in head_of(found)


def read(path: Path) -> tuple[Record, ...]:
    """The records of the test videos, and of the normal ones if the whole data set is given.

    Raises:
        DatasetError: a line of another form, a range that ends before it starts or past the last
            frame, or masks that are not one a frame.
    """
    script = _script(path)
    if script is None:
        raise DatasetError(str(path), "holds no UCSDped1.m or UCSDped2.m, nor does its Test folder")
    records = tuple(
        _test_record(script, row, f"Test{number:03d}", ranges)
        for number, (row, ranges) in enumerate(_lines(script), start=1)
    )
    if not records:
        raise DatasetError(str(script), "holds no gt_frame line")
    beyond = script.parent / f"Test{len(records) + 1:03d}"
    if beyond.is_dir():
        raise DatasetError(str(script), f"has {len(records)} lines, but there is {beyond.name}")
    return records + _train_records(path)


def matlab_ranges(text: str, file: str, row: int) -> tuple[FrameSpan, ...]:
    """``[5:90, 140:200]`` as spans counted from 0, without their last frame: [4, 90), [139, 200).

    Raises:
        DatasetError: another form, or a range that ends before it starts.
    """
    parts = [
        part for part in re.split(r"\s*,\s*|(?<=[0-9])\s+(?=[0-9])", text[1:-1].strip()) if part
    ]
    spans = []
    for part in parts:
        found = _RANGE.fullmatch(part)
        if found is None:
            raise DatasetError(file, f"{part!r} is no range of frames, as 61:180", row=row)
        first, last = int(found.group(1)), int(found.group(2) or found.group(1))
        if not 1 <= first <= last:
            raise DatasetError(
                file, f"{part!r} must start at 1 or later and not end before it starts", row=row
            )
        spans.append(FrameSpan(LABEL, first - 1, last))
    return tuple(spans)


def _script(path: Path) -> Path | None:
    if not path.is_dir():
        return path if path.suffix.lower() == ".m" else None
    found = [
        file
        for folder in (path, path / "Test")
        for file in sorted(folder.glob("UCSDped*.m"))
        if not file.name.startswith(".")
    ]
    return found[0] if found else None


def _lines(script: Path) -> list[tuple[int, tuple[FrameSpan, ...]]]:
    lines = []
    for row, line in rows_of(script):
        code = line.split("%", 1)[0].strip()
        if not code or _BEGIN.fullmatch(code):
            continue
        found = _LINE.fullmatch(code)
        if found is None:
            raise DatasetError(
                str(script), f"{line!r} must be TestVideoFile{{end+1}}.gt_frame = [a:b];", row=row
            )
        lines.append((row, matlab_ranges(found.group(1), str(script), row)))
    return lines


def _test_record(script: Path, row: int, name: str, spans: tuple[FrameSpan, ...]) -> Record:
    frames = _frame_count(script.parent / name)
    masks: Path | None = script.parent / f"{name}_gt"
    if masks is not None and masks.is_dir():
        count = mask_count(masks)
        if frames is not None and count != frames:
            raise DatasetError(str(masks), f"holds {count} masks for the {frames} frames of {name}")
        frames = count
    else:
        masks = None
    last = max((span.end for span in spans), default=0)
    if frames is not None and last > frames:
        raise DatasetError(
            str(script), f"marks frame {last} of {name}, which has {frames}", row=row
        )
    return Record(
        video=name,
        where=f"{script}, row {row}",
        spans=spans,
        labels=(LABEL,),
        anomalous=bool(spans),
        split="test",
        frame_count=frames,
        rate=RATE,
        masks=masks,
    )


def _train_records(path: Path) -> tuple[Record, ...]:
    folders = sorted(
        folder
        for folder in (path / "Train").glob("Train[0-9]*")
        if folder.is_dir() and not folder.name.endswith("_gt")
    )
    return tuple(
        Record(
            video=folder.name,
            where=str(folder),
            anomalous=False,
            split="train",
            frame_count=_frame_count(folder),
            rate=RATE,
        )
        for folder in folders
    )


def _frame_count(folder: Path) -> int | None:
    return (len(numbered_pictures(folder, _FRAMES)) or None) if folder.is_dir() else None
