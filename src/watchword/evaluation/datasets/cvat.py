"""CVAT's XML: tracks of "CVAT for video 1.1", tags and shapes of "CVAT for images 1.1".

Frames count from 0. A track holds from its first box that is not outside to the frame before one
with ``outside="1"``, or to the last frame of the task (``size``) if there is none; key frames
between make no difference. In the form for images each picture is a frame, numbered by ``id``; a
label holds over each run of pictures that have it. No rate is stated. A document type is refused:
it is how XML makes a reader fetch files or fill the memory, and CVAT writes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers import expat

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.datasets.fields import frame_span, whole
from watchword.evaluation.datasets.frame_labels import spans_of
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import head_of

_LARGEST = 10_000_000


def sniff(path: Path) -> bool:
    """Whether it is XML that begins with annotations."""
    head = head_of(path)
    return head.lstrip().startswith("<") and "<annotations" in head


def read(path: Path) -> tuple[Record, ...]:
    """The record of the one video of an export.

    Raises:
        DatasetError: not such XML, several tasks in one file, or a task of a part of a video.
    """
    root = _parsed(path)
    if root.tag != "annotations":
        raise DatasetError(str(path), f"must hold annotations, got {root.tag}")
    task = _task(root, str(path))
    size = _text(task, "size")
    frames = None if size is None else whole(size, "size", str(path))
    tracks, images = root.findall("track"), root.findall("image")
    if images and tracks:
        raise DatasetError(str(path), "holds both tracks and images; export one of the two formats")
    if images:
        spans = tuple(_of_images(images, str(path)))
        frames = frames if frames is not None else len(images)
    else:
        spans = tuple(
            span
            for row, track in enumerate(tracks, start=1)
            for span in _of_track(track, frames, str(path), row)
        )
    name = _text(task, "source") or _text(task, "name") or path.stem
    labels = [label.text for label in task.iterfind("labels/label/name") if label.text]
    return (
        Record(
            video=name,
            where=str(path),
            spans=spans,
            labels=tuple(dict.fromkeys([*labels, *(span.label for span in spans)])),
            anomalous=bool(spans),
            frame_count=frames,
        ),
    )


def _parsed(path: Path) -> ET.Element:
    def refuse(*_: object) -> None:
        raise DatasetError(
            str(path), "has a document type (<!DOCTYPE ...>), which is refused; export it again"
        )

    try:
        data = path.read_bytes()
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        parser.Parse(data, True)  # noqa: FBT003 - takes no keywords
        return ET.fromstring(data)
    except OSError as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc
    except (expat.ExpatError, ET.ParseError, ValueError) as exc:
        raise DatasetError(str(path), f"is not XML: {exc}") from exc


def _task(root: ET.Element, file: str) -> ET.Element:
    tasks = [*root.iterfind("meta/task"), *root.iterfind("meta/job")]
    tasks += root.iterfind("meta/project/tasks/task")
    if len(tasks) > 1:
        raise DatasetError(file, f"holds {len(tasks)} tasks; export each task by itself")
    task = tasks[0] if tasks else ET.Element("task")
    start, step = _text(task, "start_frame"), _text(task, "frame_filter")
    if step or start not in (None, "0"):
        raise DatasetError(
            file,
            f"is of a part of the video (start_frame {start or 0}, frame_filter {step or 'none'}): "
            "its numbers are not those of the video's frames; make the task of all frames",
        )
    return task


def _text(task: ET.Element, name: str) -> str | None:
    found = task.findtext(name)
    return found.strip() or None if found else None


def _of_track(track: ET.Element, frames: int | None, file: str, row: int) -> Iterator[FrameSpan]:
    label = _label(track, file, row)
    boxes = sorted(
        (whole(shape.get("frame"), "frame", file, row), shape.get("outside") == "1")
        for shape in track
        if shape.get("frame") is not None
    )
    if not boxes:
        raise DatasetError(file, f"track {track.get('id')} of {label!r} has no box", row=row)
    start: int | None = None
    for frame, outside in boxes:
        if outside and start is not None:
            yield frame_span(label, start, frame, file, row)
        if outside or start is None:
            start = None if outside else frame
    if start is not None:
        end = boxes[-1][0] + 1 if frames is None else frames
        if end <= boxes[-1][0]:
            raise DatasetError(
                file, f"has a box at frame {boxes[-1][0]} of a task of {end} frames", row=row
            )
        yield frame_span(label, start, end, file, row)


def _of_images(images: list[ET.Element], file: str) -> Iterator[FrameSpan]:
    marked: dict[str, set[int]] = {}
    for row, image in enumerate(images, start=1):
        number = whole(image.get("id"), "id of an image", file, row)
        if number > _LARGEST:
            raise DatasetError(file, f"image id {number} is no frame number", row=row)
        for mark in image:
            marked.setdefault(_label(mark, file, row), set()).add(number)
    for label, numbers in marked.items():
        marks = np.zeros(max(numbers) + 1, bool)
        marks[list(numbers)] = True
        yield from spans_of(marks, label)


def _label(element: ET.Element, file: str, row: int) -> str:
    label = (element.get("label") or "").strip()
    if not label:
        raise DatasetError(file, f"a {element.tag} has no label", row=row)
    return label
