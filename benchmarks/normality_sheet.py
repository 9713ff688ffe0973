"""The worst misses and false alarms of a set as one picture, to look at and not to keep."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from watchword.evaluation.cases import Case
from watchword.evaluation.matching import Cases
from watchword.output.folder import read_run
from watchword.output.heat_scale import heat_scale, map_at
from watchword.output.overlay import lay_heat
from watchword.output.pictures import pictures_at

WIDTH = 320
LINES = 46
EACH = 4
APART_S = 2.0


@dataclass(frozen=True)
class Moment:
    """A picture of a clip, and the score that it was given."""

    case: Case
    at_s: float
    score: float


def draw_sheet(cases: Cases, path: Path) -> Path:
    """Above what scored highest without being an event, below the events that scored lowest."""
    alarms, misses = worst(cases, events=False), worst(cases, events=True)
    rows = [[tile(one) for one in chosen] for chosen in (alarms, misses) if chosen]
    heights = [max(one.height for one in row) for row in rows]
    sheet = Image.new("RGB", (EACH * WIDTH, sum(heights)), "white")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for i, one in enumerate(row):
            sheet.paste(one, (i * WIDTH, top))
        top += height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def worst(cases: Cases, *, events: bool) -> list[Moment]:
    """The events that scored lowest, or the other pictures that scored highest.

    Moments of a clip lie apart, so that one moment does not fill the sheet.
    """
    found = []
    for case in (case for case in cases.cases if case.annotation.localised):
        assert case.scores is not None
        middles = (case.scores.edges_s[:-1] + case.scores.edges_s[1:]) / 2
        asked = (case.truth == events) & ~np.isnan(case.series)
        found += [
            Moment(case, float(at), float(score))
            for at, score in zip(middles[asked], case.series[asked], strict=True)
        ]
    chosen: list[Moment] = []
    for one in sorted(found, key=lambda moment: moment.score, reverse=not events):
        near = (m for m in chosen if m.case is one.case and abs(m.at_s - one.at_s) < APART_S)
        if next(near, None) is None:
            chosen.append(one)
        if len(chosen) == EACH:
            break
    return chosen


def tile(moment: Moment) -> Image.Image:
    """The picture with its heat, and beneath it what its parts say."""
    detection = read_run(moment.case.prediction.where)
    jpeg = pictures_at(detection.info, [moment.at_s], width=WIDTH).jpegs[moment.at_s]
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    scale = heat_scale(detection)
    found = None if detection.heat is None else map_at(detection.heat, moment.at_s)
    if scale is not None and found is not None:
        picture = lay_heat(picture, found, scale)
    made = Image.new("RGB", (WIDTH, picture.height + LINES), "white")
    made.paste(picture, (0, 0))
    words = f"{moment.case.name} at {moment.at_s:.1f} s: {moment.score:.2f}\n{parts(moment)}"
    ImageDraw.Draw(made).multiline_text((4, picture.height + 4), words, fill="black", spacing=6)
    return made


def parts(moment: Moment) -> str:
    """What each kind of evidence says at the moment."""
    series = moment.case.parts
    if series is None:
        return ""
    at = int(np.searchsorted(series.edges_s, moment.at_s, side="right")) - 1
    pairs = zip(series.labels, series.values[at], strict=True)
    return "  ".join(f"{label} {value:.2f}" for label, value in pairs)
