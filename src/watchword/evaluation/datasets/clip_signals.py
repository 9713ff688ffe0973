"""Scene files of CLIP Signals for Hazardous Scenes: frame numbers of one hazard in a dashcam video.

``{"video": "video_001.mp4", "type": "animal", "total_frames": 192, "events": [{"start": 22,
"end": 150}], ...}``. Frames count from 0 and ``end`` is the first frame after the hazard: the files
mark a whole video as 0 to ``total_frames``. The label is ``type`` (in older files, which lack it,
"hazard"); ``description`` and ``target_hazard`` tell the answer in words and are not read, so that
they cannot reach a prompt. No rate is stated, and ``total_frames`` is off by one or more for many
videos.

The video's name is that of the file, ``scene_001.mp4`` of ``scene_001.mp4.json``: the scores beside
it are ``scene_001.npy``, while the text inside says ``video_001.mp4``. Only a lone file whose name
does not end as a video's before the ``.json`` is believed on ``video``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.text_file import head_of, json_of

NEEDED = ("video", "total_frames", "events")
FOLDER = "annotations"


def is_scene(found: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the keys of a scene file."""
    return "events" in found and "total_frames" in found


def sniff(path: Path) -> bool:
    """Whether it is a scene file, or a folder that holds one, itself or in ``annotations``."""
    if path.is_dir():
        return any(_looks_like_a_scene(file) for file in _files(path))
    return _looks_like_a_scene(path)


def read(path: Path) -> tuple[Record, ...]:
    """The records of one scene file, a folder of them, or one with ``annotations``, by name.

    The sentences of scores (``*_prompts.json``) may lie in the same folder and are passed over.

    Raises:
        DatasetError: a file that is no scene, or a hazard that is not in its video.
    """
    if not path.is_dir():
        return (_scene(path),)
    files = _files(path)
    if not files:
        raise DatasetError(str(path), "holds no scene file (.json)")
    return tuple(replace(_scene(file), video=file.stem) for file in files)


def scene_record(found: Mapping[str, Any], *, file: str) -> Record:
    """The truth of a scene file, in frames.

    Args:
        found: the file's JSON object.
        file: where it stands: gives the video's name, and errors name it.

    Raises:
        DatasetError: a missing key, or a frame that is not in the video.
    """
    for key in NEEDED:
        if key not in found:
            raise DatasetError(file, f"lacks {key!r}; a scene file holds {', '.join(NEEDED)}")
    frames, events = found["total_frames"], found["events"]
    if not _whole(frames) or frames < 1:
        raise DatasetError(file, f"total_frames must be a whole number, got {frames!r}")
    if not isinstance(events, list):
        raise DatasetError(file, f"events must be a list, got {events!r}")
    label = str(found.get("type") or "hazard")
    spans = tuple(_span(event, label, frames, file, row) for row, event in enumerate(events, 1))
    inside, name = str(found["video"]), Path(file).stem
    ending = Path(inside).suffix
    return Record(
        video=name if ending and name.endswith(ending) else inside,
        where=file,
        spans=spans,
        labels=(label,) if spans else (),
        anomalous=bool(spans),
        frame_count=frames,
    )


def _files(folder: Path) -> list[Path]:
    """The scene files of a folder, or else those of the ``annotations`` that seed 1 puts in it."""
    own = [
        file
        for file in sorted(folder.glob("*.json"))
        if not (file.name.startswith(".") or file.name.endswith("_prompts.json"))
    ]
    inside = folder / FOLDER
    return _files(inside) if not own and inside.is_dir() else own


def _looks_like_a_scene(path: Path) -> bool:
    head = head_of(path)
    return head.lstrip().startswith("{") and '"total_frames"' in head and '"events"' in head


def _scene(path: Path) -> Record:
    found = json_of(path)
    if not isinstance(found, dict) or not is_scene(found):
        raise DatasetError(str(path), f"is no scene file; one holds {', '.join(NEEDED)}")
    return scene_record(found, file=str(path))


def _span(event: Any, label: str, frames: int, file: str, row: int) -> FrameSpan:
    if not isinstance(event, dict) or not (_whole(event.get("start")) and _whole(event.get("end"))):
        raise DatasetError(file, f"an event must hold frames start and end, got {event!r}", row=row)
    start, end = event["start"], event["end"]
    if not 0 <= start < end <= frames:
        raise DatasetError(
            file,
            f"event [{start}, {end}) must lie within the {frames} frames of the video and "
            "end after it starts",
            row=row,
        )
    return FrameSpan(label, start, end)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
