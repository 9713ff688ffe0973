"""The report: one HTML file that shows what was found, on what it rests, and how to repeat it.

It loads nothing: pictures are data URIs, and its content policy forbids any request. Every name is
escaped by the template, and the policy lets no script run but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from watchword.output.cards import Shot, event_cards, miss_cards, picture_uri
from watchword.output.heat_scale import heat_scale
from watchword.output.meaning import MEANINGS, axis_title, raised_by, rarity
from watchword.output.overlay import css_ramp
from watchword.output.pictures import Pictures
from watchword.output.repeat import command, needs_files
from watchword.output.strips import overview_moments
from watchword.output.timecode import clock
from watchword.output.timeline import column_edges, cut_marks, lanes, part_lanes, ticks
from watchword.types import Annotation, Decision, Detection, Kind, PromptBank

_HERE = Path(__file__).parent
# More lanes than this push the events off the first screen; the rest is in scores.parquet.
_LANES = 12
# The sentence on top names as many labels.
_NAMED = 4


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
    parts = part_lanes(detection)
    text = page.render(
        detection=detection,
        name=Path(detection.info.source).name or detection.info.source,
        verdict=verdict(detection),
        reason=reason(detection.decision),
        lanes=drawn[:_LANES],
        lanes_left_out=len(drawn) - min(len(drawn), _LANES),
        parts=parts,
        cuts=cut_marks(detection),
        axis=axis_title(detection.scores.kind),
        meaning=MEANINGS[detection.scores.kind],
        heat=heat_scale(detection),
        ramp=css_ramp(),
        ticks=ticks(detection.scores),
        overview=[
            # No picture where nothing was measured: the last one seen would only seem to be there.
            Shot(at_s, picture_uri(pictures, at_s) if seen else "")
            for at_s, seen in overview_moments(detection.scores)
        ],
        series={
            "edges": column_edges(detection.scores),
            "lanes": [lane.readout for lane in (*drawn[:_LANES], *parts)],
        },
        cards=event_cards(detection, pictures, strips=strips),
        misses=miss_cards(detection, pictures),
        strips=strips,
        truth=annotation,
        unmeasured=int(np.isnan(detection.scores.values).any(axis=1).sum()),
        problem=pictures.problem,
        config=_yaml(detection.provenance.config),
        bank="" if detection.bank is None else _yaml(_bank(detection.bank)),
        command=command(detection),
        needs_files=needs_files(detection),
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
        return f"{decision.score:g} {'event' if decision.score == 1 else 'events'}, {needed}"
    score, threshold = figure(decision.score), figure(decision.threshold)
    compared = "reaches" if decision.positive else "stays below"
    return f"by the rule {decision.rule}, {score} {compared} {threshold}"


def figure(score: float, kind: Kind = "contrast") -> str:
    """A score to two decimals, or three where the third says something, as in no surprise.

    >>> figure(0.5), figure(0.4996), figure(0.243), figure(3.771, "surprise")
    ('0.50', '0.50', '0.243', '3.77')
    """
    return f"{score:.2f}" if kind == "surprise" else f"{score:.3f}".removesuffix("0")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clock": clock, "figure": figure, "rarity": rarity, "raised_by": raised_by}
    return made


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
