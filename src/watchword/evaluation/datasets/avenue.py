"""CUHK Avenue: ``testing_label_mask/1_label.mat``, the pixel masks of ``testing_videos/01.avi``.

A frame belongs to an event if any pixel of its mask is set; there is one mask a frame, the first
for frame 0. Videos run at 25 frames a second. Frame labels that others publish (``avenue.mat`` and
the like) differ from the masks at some borders of events. In the whole data set's folder,
``training_videos`` holds normal videos. Names are given with their folder, since there is a
``01.avi`` in both.
"""

from __future__ import annotations

import re
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.frame_labels import spans_of
from watchword.evaluation.datasets.masks import marked_frames
from watchword.evaluation.datasets.record import Record

RATE = 25.0
LABEL = "anomaly"
_NAME = re.compile(r"([0-9]+)_label\.mat")
_PLACES = (".", "testing_label_mask", "ground_truth_demo/testing_label_mask")


def sniff(path: Path) -> bool:
    """Whether it is a ``1_label.mat``, or a folder that holds them where Avenue does."""
    return bool(_files(path))


def read(path: Path) -> tuple[Record, ...]:
    """The records of the test videos, and of the normal ones if the whole data set is given.

    Raises:
        DatasetError: no such file, or one that cannot be read as masks.
    """
    files = _files(path)
    if not files:
        raise DatasetError(str(path), "holds no 1_label.mat, nor does its testing_label_mask")
    return tuple(_record(number, file) for number, file in sorted(files.items())) + tuple(
        Record(
            video=f"{file.parent.name}/{file.name}",
            where=str(file),
            anomalous=False,
            split="train",
            rate=RATE,
        )
        for file in sorted((path / "training_videos").glob("[0-9]*.avi"))
    )


def _files(path: Path) -> dict[int, Path]:
    """The mask files by the number of their video."""
    if path.is_dir():
        places = (path / place for place in _PLACES)
        found = next((files for place in places if (files := [*place.glob("*_label.mat")])), [])
    else:
        found = [path] if path.is_file() else []
    named = ((_NAME.fullmatch(file.name), file) for file in found)
    return {int(name.group(1)): file for name, file in named if name}


def _record(number: int, file: Path) -> Record:
    marks = marked_frames(file)
    return Record(
        video=f"testing_videos/{number:02d}.avi",
        where=str(file),
        spans=spans_of(marks, LABEL),
        labels=(LABEL,),
        anomalous=bool(marks.any()),
        split="test",
        frame_count=len(marks),
        rate=RATE,
        masks=file,
    )
