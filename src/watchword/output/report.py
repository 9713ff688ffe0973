"""The report: one HTML file that shows what was found, on what it rests, and how to repeat it.

It loads nothing: pictures are data URIs, and its content policy forbids any request. Every name is
escaped by the template, and the policy lets no script run but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from watchword.output.pictures import Pictures
from watchword.output.strips import (
    nearest_misses,
    overview_moments,
    strip_moments,
    with_strips,
)
from watchword.output.timecode import clock
from watchword.output.timeline import column_edges, lanes, threshold_of, ticks
from watchword.types import Annotation, Decision, Detection, Event, PromptBank

_HERE = Path(__file__).parent
# More lanes than this push the events off the first screen; the rest is in scores.parquet.
_LANES = 12
# The sentence on top names as many labels.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a strip: ``uri`` is empty if it could not be taken."""

    at_s: float
    uri: str
    inside: bool
    peak: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An event as the page shows it; ``number`` counts from 1 by start."""

    number: int
    event: Event
    threshold: float | None
    strip: tuple[Shot, ...]


def write_report(
    detection: Detection,
    path: Path,
    *,
    pictures: Pictures,
    annotation: Annotation | None = None,
    strips: int = 24,
) -> None:
    """Writes the report of one detection; ``strips`` events get their film strip."""
    page = _environment().get_template("report.html.j2")
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    drawn = lanes(detection, annotation)
    text = page.render(
        detection=detection,
        name=Path(detection.info.source).name or detection.info.source,
        verdict=verdict(detection),
        reason=reason(detection.decision),
        lanes=drawn[:_LANES],
        lanes_left_out=len(drawn) - min(len(drawn), _LANES),
        ticks=ticks(detection.scores),
        overview=[
            # No picture where nothing was measured: the last one seen would only seem to be there.
            Shot(at_s, _uri(pictures, at_s) if seen else "", inside=False, peak=False)
            for at_s, seen in overview_moments(detection.scores)
        ],
        series={
            "edges": column_edges(detection.scores),
            "lanes": [lane.readout for lane in drawn[:_LANES]],
        },
        cards=_cards(detection, detection.events, pictures, strips),
        misses=_misses(detection, pictures),
        strips=strips,
        truth=annotation,
        unmeasured=int(np.isnan(detection.scores.values).any(axis=1).sum()),
        problem=pictures.problem,
        config=_yaml(detection.provenance.config),
        bank="" if detection.bank is None else _yaml(_bank(detection.bank)),
        source=shlex.quote(detection.info.source),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    path.write_text(text, encoding="utf-8")


def verdict(detection: Detection) -> str:
    """What was found, in one sentence."""
    count = len(detection.events)
    if np.isnan(detection.scores.values).all():
        return "Nothing could be measured in this video."
    if not count:
        return "No event was found."
    found = Counter(event.label for event in detection.events)
    parts = [
        f"{label} ({number} times)" if number > 1 and len(found) > 1 else label
        for label, number in found.most_common(_NAMED)
    ]
    if len(found) > _NAMED:
        parts.append(f"and {len(found) - _NAMED} more")
    return f"{count} {'event was' if count == 1 else 'events were'} found: {', '.join(parts)}."


def reason(decision: Decision) -> str:
    """Why a video as a whole was called what it was, in the words of the rule."""
    if decision.score is None:
        return "nothing was measured"
    if decision.rule == "any_event":
        needed = f"{decision.threshold:g} {'is' if decision.threshold == 1 else 'are'} enough"
        return f"{decision.score:g} events, {needed}"
    score, threshold = figure(decision.score), figure(decision.threshold)
    compared = "reaches" if decision.positive else "stays below"
    return f"by the rule {decision.rule}, {score} {compared} {threshold}"


def figure(score: float) -> str:
    """A score to two decimals, or three where the third says something.

    >>> figure(0.5), figure(0.4996), figure(0.243)
    ('0.50', '0.50', '0.243')
    """
    return f"{score:.3f}".removesuffix("0")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clock": clock, "figure": figure}
    return made


def _cards(
    detection: Detection, events: Sequence[Event], pictures: Pictures, strips: int
) -> list[Card]:
    chosen = with_strips(events, strips=strips)
    config = detection.provenance.config
    return [
        Card(
            number + 1,
            event,
            threshold_of(config, event.label),
            _strip(detection, event, pictures) if number in chosen else (),
        )
        for number, event in enumerate(events)
    ]


def _misses(detection: Detection, pictures: Pictures) -> list[Card]:
    if detection.events:
        return []
    missed = nearest_misses(detection.scores)
    return _cards(detection, missed, pictures, len(missed))


def _strip(detection: Detection, event: Event, pictures: Pictures) -> tuple[Shot, ...]:
    return tuple(
        Shot(
            at_s,
            _uri(pictures, at_s),
            inside=event.start_s <= at_s < event.end_s,
            peak=at_s == event.peak_s,
        )
        for at_s in strip_moments(event, detection.scores)
    )


def _uri(pictures: Pictures, at_s: float) -> str:
    jpeg = pictures.jpegs.get(at_s)
    return "" if jpeg is None else f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _yaml(values: Any) -> str:
    plain = values if isinstance(values, dict) else dict(values)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=96)


def _bank(bank: PromptBank) -> dict[str, Any]:
    """The bank as its YAML file would hold it."""

    def sentences(label: str, role: str) -> list[Any]:
        return [
            p.text if p.weight == 1 else {"text": p.text, "weight": p.weight}
            for p in bank.prompts
            if p.label == label and p.role == role
        ]

    return {
        "name": bank.name,
        "templates": list(bank.templates),
        "labels": {
            label: {
                role: found for role in ("event", "normal") if (found := sentences(label, role))
            }
            for label in bank.labels
        },
        "normal": sentences("", "normal"),
    }
