"""CMX 3600 edit decision list: events as cuts of the video in an editing program."""

from __future__ import annotations

from pathlib import Path

from watchword.errors import OutputError
from watchword.output.export.numbering import constant_rate, number_frames
from watchword.output.export.options import ExportOptions
from watchword.output.export.wording import one_line, title
from watchword.output.timecode import frame_code
from watchword.types import Detection

# The format numbers its events with three digits.
_MOST = 999


def write_edl(detection: Detection, path: Path, options: ExportOptions) -> None:
    """A cut an event, in and out as non-drop timecode, out exclusive.

    Raises:
        OutputError: more than 999 events, or frames that are not evenly spaced and no rate given.
    """
    if len(detection.events) > _MOST:
        raise OutputError(
            f"an EDL holds at most {_MOST} events, got {len(detection.events)}; raise the "
            "threshold or merge events, or choose another format"
        )
    numbering = number_frames(detection.info, rate=options.rate)
    rate = constant_rate(numbering, "an EDL")
    nominal = max(1, round(rate))
    name = one_line(Path(detection.info.source).name)
    lines = [f"TITLE: {name}", "FCM: NON-DROP FRAME", ""]
    if rate != nominal:
        lines.append(
            f"* {float(rate):.3f} frames a second are counted as {nominal}: "
            "the timecode runs slower than the clock"
        )
    for number, event in enumerate(detection.events, start=1):
        first, end = (frame_code(n, nominal=nominal) for n in numbering.frames(event))
        lines.append(f"{number:03d}  AX       V     C        {first} {end} {first} {end}")
        lines += [f"* FROM CLIP NAME: {name}", f"* COMMENT: {title(event, detection)}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
