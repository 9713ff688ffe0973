"""The events as the report shows them: their strips of pictures, with the heat of each moment."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from watchword.output.heat_scale import HeatScale, heat_scale, map_at
from watchword.output.hot_regions import boxes_at
from watchword.output.overlay import heat_png
from watchword.output.pictures import Pictures
from watchword.output.strips import nearest_misses, strip_moments, with_strips
from watchword.output.timeline import threshold_of
from watchword.places import Box
from watchword.types import Detection, Event


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a strip: ``uri`` is empty if it could not be taken, ``heat`` if it is calm."""

    at_s: float
    uri: str
    inside: bool = False
    peak: bool = False
    heat: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """An event as the page shows it; ``number`` counts from 1 by start."""

    number: int
    event: Event
    threshold: float | None
    strip: tuple[Shot, ...]


def event_cards(detection: Detection, pictures: Pictures, *, strips: int) -> list[Card]:
    """A card an event; the ``strips`` strongest have their strip."""
    return _cards(detection, detection.events, pictures, strips)


def miss_cards(detection: Detection, pictures: Pictures) -> list[Card]:
    """Cards of the highest scores of a video without events."""
    if detection.events:
        return []
    missed = nearest_misses(detection.scores)
    return _cards(detection, missed, pictures, len(missed))


def picture_uri(pictures: Pictures, at_s: float) -> str:
    """The picture of a moment as a data URI; empty if it could not be taken."""
    jpeg = pictures.jpegs.get(at_s)
    return "" if jpeg is None else _data_uri("jpeg", jpeg)


def _cards(
    detection: Detection, events: Sequence[Event], pictures: Pictures, strips: int
) -> list[Card]:
    chosen = with_strips(events, strips=strips)
    config = detection.provenance.config
    scale = heat_scale(detection)
    return [
        Card(
            number + 1,
            event,
            threshold_of(config, event.label),
            _strip(detection, event, pictures, scale) if number in chosen else (),
        )
        for number, event in enumerate(events)
    ]


def _strip(
    detection: Detection, event: Event, pictures: Pictures, scale: HeatScale | None
) -> tuple[Shot, ...]:
    shots = []
    for at_s in strip_moments(event, detection.scores):
        inside = event.start_s <= at_s < event.end_s
        shots.append(
            Shot(
                at_s,
                picture_uri(pictures, at_s),
                inside=inside,
                peak=at_s == event.peak_s,
                heat=_heat_uri(detection, at_s, scale),
                boxes=boxes_at(detection, at_s, scale) if inside else (),
            )
        )
    return tuple(shots)


def _heat_uri(detection: Detection, at_s: float, scale: HeatScale | None) -> str:
    if detection.heat is None or scale is None:
        return ""
    found = map_at(detection.heat, at_s)
    if found is None:
        return ""
    aspect = detection.info.width / detection.info.height
    png = heat_png(found, scale, aspect=aspect)
    return "" if png is None else _data_uri("png", png)


def _data_uri(form: str, content: bytes) -> str:
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"
