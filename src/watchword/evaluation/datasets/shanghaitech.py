"""ShanghaiTech Campus: ``testing/test_frame_mask/01_0014.npy``, 0 or 1 for each frame.

The first number is for frame 0; videos run at 24 frames a second. ``testing/test_pixel_mask`` holds
the pixel masks of the same videos. In the whole data set's folder, ``training/videos`` (or
``training/frames``) holds normal videos. What stands before the underscore of a name is the camera,
and is given as the group; mind that the official split has the same cameras on both sides.
"""

from __future__ import annotations

from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.frame_labels import checked_marks, spans_of
from watchword.evaluation.datasets.masks import mask_count
from watchword.evaluation.datasets.numpy_file import npy_array
from watchword.evaluation.datasets.record import Record

RATE = 24.0
LABEL = "anomaly"
_FRAME_MASKS = "test_frame_mask"
_PIXEL_MASKS = "test_pixel_mask"


def sniff(path: Path) -> bool:
    """Whether it is the data set's folder, its ``testing``, or its ``test_frame_mask``."""
    return _folder(path) is not None


def read(path: Path) -> tuple[Record, ...]:
    """The records of the test videos, and of the normal ones if the whole data set is given.

    Raises:
        DatasetError: an array that is not one 0 or 1 a frame, or pixel masks of another length.
    """
    folder = _folder(path)
    if folder is None:
        raise DatasetError(str(path), f"holds no {_FRAME_MASKS} with .npy files")
    return tuple(map(_test_record, _files(folder))) + tuple(map(_train_record, _train_files(path)))


def _folder(path: Path) -> Path | None:
    places = (path / "testing" / _FRAME_MASKS, path / _FRAME_MASKS, path)
    return next((p for p in places if p.name == _FRAME_MASKS and _files(p)), None)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.npy") if not file.name.startswith("."))


def _train_files(path: Path) -> list[Path]:
    videos = sorted((path / "training" / "videos").glob("[0-9]*.avi"))
    return videos or sorted((path / "training" / "frames").glob("[0-9]*_[0-9]*"))


def _test_record(file: Path) -> Record:
    marks = checked_marks(npy_array(file), str(file))
    masks: Path | None = file.parent.parent / _PIXEL_MASKS / file.name
    if masks is not None and masks.is_file():
        count = mask_count(masks)
        if count != len(marks):
            raise DatasetError(
                str(masks), f"holds {count} masks for the {len(marks)} frames of {file.stem}"
            )
    else:
        masks = None
    return Record(
        video=file.stem,
        where=str(file),
        spans=spans_of(marks, LABEL),
        labels=(LABEL,),
        anomalous=bool(marks.any()),
        split="test",
        group=_camera(file),
        frame_count=len(marks),
        rate=RATE,
        masks=masks,
    )


def _train_record(file: Path) -> Record:
    return Record(
        video=file.name,
        where=str(file),
        anomalous=False,
        split="train",
        group=_camera(file),
        rate=RATE,
    )


def _camera(file: Path) -> str | None:
    camera, underscore, _ = file.stem.partition("_")
    return f"camera {camera}" if underscore else None
