"""Event clips: each event cut out of the video, starting and ending exactly where it does."""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from pathlib import Path

from watchword.errors import OutputError
from watchword.output.export.encoding import VideoWriter
from watchword.output.export.options import ExportOptions
from watchword.output.playback import open_player
from watchword.output.shown import Player, Shown
from watchword.output.tables import parts_cell
from watchword.types import Detection, Event

INDEX = "clips.csv"
_CLIP = re.compile(r"event-\d{3,}-[a-z0-9-]*\.mp4")


def write_clips(detection: Detection, folder: Path, options: ExportOptions) -> None:
    """A video an event, without sound, and ``clips.csv`` that says which is which.

    Clips are encoded anew, because a cut without that begins at a keyframe and not at the event.

    Raises:
        OutputError: an event lies behind the end of the video.
        VideoError: the video cannot be read any more.
    """
    names = []
    with open_player(detection.info) as player:
        for number, event in enumerate(detection.events, start=1):
            name = f"event-{number:03d}-{_plain(event.label)}.mp4"
            _cut(player, event, folder / name, options)
            names.append(name)
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "label", "start_s", "end_s", "score", "raised_by"))
        for name, event in zip(names, detection.events, strict=True):
            score = "" if math.isnan(event.score) else event.score
            row = (name, event.label, event.start_s, event.end_s, score, parts_cell(event))
            writer.writerow(row)


def is_clip(name: str) -> bool:
    """Whether a file of this name is one that ``write_clips`` makes."""
    return name == INDEX or _CLIP.fullmatch(name) is not None


def _plain(label: str) -> str:
    """A label as part of a file name that every system takes; ``event`` if nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:60] or "event"


def _cut(player: Player, event: Event, path: Path, options: ExportOptions) -> None:
    """The picture on screen at the start, and every one until the end."""
    with VideoWriter(path, tick=player.tick, crf=options.crf) as writer:
        held: Shown | None = None
        for shown in player.play(event.start_s):
            if held is not None:
                _write(writer, held, event, min(shown.time_s, event.end_s))
            held = shown
            if shown.time_s >= event.end_s - 1e-6:
                return
        if held is not None:
            _check_reached(held, event, path.name)
            _write(writer, held, event, event.end_s)


def _check_reached(last: Shown, event: Event, name: str) -> None:
    """OutputError if the last picture of the video is off screen before the event begins."""
    if last.own_s is not None and last.time_s + last.own_s <= event.start_s:
        raise OutputError(
            f"{name} would hold no picture: the event begins at {event.start_s:.2f} s and the "
            f"video ends at {last.time_s + last.own_s:.2f} s"
        )


def _write(writer: VideoWriter, shown: Shown, event: Event, until_s: float) -> None:
    from_s = max(shown.time_s, event.start_s)
    writer.write(shown.draw(None), time_s=from_s - event.start_s, duration_s=until_s - from_s)
