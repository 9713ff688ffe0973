"""Results in the formats of other programs, chosen by the ending of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from watchword.errors import OutputError
from watchword.output.atomic import new_file, new_folder
from watchword.output.export.annotated import write_annotated
from watchword.output.export.clips import INDEX, is_clip, write_clips
from watchword.output.export.cvat import write_cvat
from watchword.output.export.edl import write_edl
from watchword.output.export.fiftyone import write_fiftyone
from watchword.output.export.labelstudio import write_labelstudio
from watchword.output.export.options import ExportOptions
from watchword.output.export.plain import write_csv, write_json
from watchword.output.export.srt import write_srt
from watchword.output.export.vtt import write_vtt
from watchword.types import Detection


@dataclass(frozen=True, slots=True)
class Writer:
    """A format: its name, what it is for, and what writes its file, or fills its folder."""

    name: str
    about: str
    write: Callable[[Detection, Path, ExportOptions], None]
    folder: bool = False


WRITERS: dict[str, Writer] = {
    ".vtt": Writer("WebVTT", "captions for browsers and players", write_vtt),
    ".srt": Writer("SubRip", "subtitles for any player", write_srt),
    ".edl": Writer("EDL", "cuts for editing programs (CMX 3600)", write_edl),
    ".labelstudio.json": Writer(
        "Label Studio", "predictions on the timeline, to be corrected", write_labelstudio
    ),
    ".cvat.xml": Writer("CVAT", "tracks over the full picture (CVAT for video 1.1)", write_cvat),
    ".fiftyone.json": Writer("FiftyOne", "temporal detections", write_fiftyone),
    ".csv": Writer("CSV", "the table of events", write_csv),
    ".json": Writer("JSON", "the detection document", write_json),
    ".mp4": Writer("annotated video", "scores and events drawn into the picture", write_annotated),
    ".clips": Writer("clips", "a folder with each event cut out", write_clips, folder=True),
}


def find_writer(path: str | Path) -> Writer:
    """The format that a path's ending asks for; the longest ending that fits wins.

    Raises:
        OutputError: no format has that ending; the message lists those there are.

    >>> find_writer("events.cvat.xml").name
    'CVAT'
    """
    name = Path(path).name.lower()
    for ending in sorted(WRITERS, key=len, reverse=True):
        if name.endswith(ending) or name == ending.removeprefix("."):
            return WRITERS[ending]
    raise OutputError(
        f"no format goes by the ending of {str(path)!r}; known endings are {', '.join(WRITERS)}"
    )


def export(
    detection: Detection,
    path: str | Path,
    *,
    options: ExportOptions | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a detection in the format that the path's ending asks for; returns the path.

    Raises:
        OutputError: an unknown ending, something is there already, or the format cannot hold it.
        VideoError: clips or an annotated video are asked for and the video cannot be read.
    """
    path = Path(path)
    writer = find_writer(path)
    place = (
        new_folder(path, mark=INDEX, ours=is_clip, overwrite=overwrite)
        if writer.folder
        else new_file(path, overwrite=overwrite)
    )
    with place as made:
        try:
            writer.write(detection, made, options or ExportOptions())
        except av.FFmpegError as exc:
            if isinstance(exc, OSError):
                raise
            raise OutputError(f"{path} cannot be encoded: {exc}") from exc
    return path
