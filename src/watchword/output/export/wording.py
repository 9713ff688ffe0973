"""How an event is named where a format has room for one line of text."""

from __future__ import annotations

import math

from watchword.types import Detection, Event


def one_line(text: str) -> str:
    """The text on one line, without characters that end or steer a line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def title(event: Event, detection: Detection) -> str:
    """Label, and the model with the peak score it gave: as "deer (mini 0.87)".

    With several parts of evidence also their share in it: "unusual (mini 3.60: motion 3.6)".
    """
    model = detection.provenance.encoder_name
    score = "" if math.isnan(event.score) else f" {event.score:.2f}"
    parts = ", ".join(f"{n} {value:.1f}" for n, value in event.raised_by if not math.isnan(value))
    return one_line(f"{event.label} ({model}{score}{': ' if parts else ''}{parts})")


def cue_times(event: Event) -> tuple[float, float]:
    """Start and end to the millisecond, and at least one apart, as captions need."""
    start_s = round(max(0.0, event.start_s), 3)
    return start_s, max(round(event.end_s, 3), start_s + 0.001)
