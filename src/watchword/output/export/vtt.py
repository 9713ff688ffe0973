"""WebVTT: events as captions that browsers and players show (W3C WebVTT)."""

from __future__ import annotations

from pathlib import Path

from watchword.output.export.options import ExportOptions
from watchword.output.export.wording import cue_times, one_line, title
from watchword.output.timecode import stamp
from watchword.types import Detection

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_vtt(detection: Detection, path: Path, options: ExportOptions) -> None:
    """A cue an event, with label, model and peak score; the model's notice as a comment."""
    del options
    found_by = f"Found by {detection.provenance.encoder_name}. {detection.notice}"
    parts = ["WEBVTT\n", f"NOTE {one_line(found_by).translate(_ESCAPES)}\n"]
    for number, event in enumerate(detection.events, start=1):
        start, end = (stamp(at_s, point=".") for at_s in cue_times(event))
        parts.append(
            f"{number}\n{start} --> {end}\n{title(event, detection).translate(_ESCAPES)}\n"
        )
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")
