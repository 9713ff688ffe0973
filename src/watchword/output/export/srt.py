"""SubRip: events as subtitles for any player."""

from __future__ import annotations

from pathlib import Path

from watchword.output.export.options import ExportOptions
from watchword.output.export.wording import cue_times, title
from watchword.output.timecode import stamp
from watchword.types import Detection

# SubRip has no escapes, and players read <...> and {...} as styling: look-alikes are written.
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def write_srt(detection: Detection, path: Path, options: ExportOptions) -> None:
    """A subtitle an event, with its label, model and peak score."""
    del options
    parts = []
    for number, event in enumerate(detection.events, start=1):
        start, end = (stamp(at_s, point=",") for at_s in cue_times(event))
        parts.append(
            f"{number}\n{start} --> {end}\n{title(event, detection).translate(_LOOKALIKES)}\n"
        )
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")
