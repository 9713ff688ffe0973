"""The pictures of the page as geometry: figures beside baselines, curves, timelines with truth.

Shares of the width are percent; curves are SVG paths, so that the page's own colours, light or
dark, apply to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.report.cells import decimals_for, number, plain
from watchword.evaluation.report.standing import MEANINGS, Standing
from watchword.evaluation.report.thinning import thin_curve, thin_lane
from watchword.evaluation.result import BASELINES, Curve, Lane

# A panel's plot, in the units of its SVG: left, top, right, bottom.
LEFT, TOP, RIGHT, BOTTOM = 44.0, 10.0, 310.0, 205.0
_TICKS = 5
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_POINTS = 400
_HEIGHT = 100.0
# So many figures are taken in at a glance; of more, these.
_GAUGES = 12
_SUMMING_UP = (
    "auc_micro", "auc_macro", "ap", "f1", "iou_best_interval", "iou_mask", "event_f1", "map_mean",
    "video_auc", "video_f1", "pixel_auc", "aupro", "anticipation_ap",
)  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tick:
    """A baseline on the axis of a figure: its place in percent."""

    name: str
    text: str
    left: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure on an axis from 0 to 1, in percent, beside its baselines.

    ``guess`` is where the best of those ends that know nothing of the picture.
    """

    standing: Standing
    left: float
    low: float | None
    high: float | None
    guess: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A curve as an SVG path in its frame; ticks and marks have their place and text."""

    curve: Curve
    line: str
    chance: tuple[float, float, float, float] | None
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, float, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """One video: its scores as paths in a box of 1000 x 100, stretches as (left, width) percent."""

    video: str
    seconds: float
    line: str
    area: str
    truth: tuple[tuple[float, float], ...]
    found: tuple[tuple[float, float], ...]
    gaps: tuple[tuple[float, float], ...]


def gauges(standings: Iterable[Standing]) -> tuple[Gauge, ...]:
    """Those figures that lie between 0 and 1 and have something to be compared with.

    Where they are too many to be grasped, the ones that sum up the others are kept.
    """
    found = [
        each
        for each in standings
        if each.verdict in MEANINGS
        and each.figure.unit == ""
        and 0 <= (each.figure.value or 0.0) <= 1
    ]
    if len(found) > _GAUGES:
        found = [each for each in found if each.figure.name in _SUMMING_UP] or found
    return tuple(_gauge(each) for each in found[:_GAUGES])


def panels(curves: Iterable[Curve]) -> tuple[Panel, ...]:
    """Every curve that has at least two points to draw."""
    thin = (thin_curve(curve, points=_POINTS) for curve in curves)
    return tuple(_panel(curve) for curve in thin if len(curve.x) > 1)


def strips(lanes: Iterable[Lane], threshold: float | None) -> tuple[tuple[Strip, ...], Floats]:
    """Every video on one common scale of scores, and that scale's (lowest, highest) value."""
    there = [thin_lane(lane) for lane in lanes if len(lane.values)]
    values = [lane.values[np.isfinite(lane.values)].astype(np.float64) for lane in there]
    marks = [] if threshold is None or not np.isfinite(threshold) else [np.array([threshold])]
    known = np.concatenate([*values, *marks, np.zeros(0)])
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    margin = 0.05 * (high - low or 1.0)
    scale = np.array([low - margin, high + margin])
    return tuple(_strip(lane, scale) for lane in there), scale


def height_of(value: float, scale: Floats) -> float:
    """Place of a score in a strip, from the top: 0 to 100."""
    return float(_HEIGHT * (scale[1] - value) / (scale[1] - scale[0]))


def _gauge(each: Standing) -> Gauge:
    figure = each.figure
    assert figure.value is not None
    assert each.best is not None
    ticks = [
        Tick(name, number(value, decimals=2), _percent(value))
        for name in BASELINES
        if (value := figure.baselines.get(name)) is not None
    ]
    return Gauge(
        each,
        _percent(figure.value),
        None if figure.low is None else _percent(figure.low),
        None if figure.high is None else _percent(figure.high),
        _percent(each.best[1]),
        tuple(ticks),
    )


def _percent(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 3)


def _panel(curve: Curve) -> Panel:
    ends = np.array(curve.chance if curve.chance is not None else ()).reshape(-1, 2)
    marks = np.array([mark[:2] for mark in curve.marks]).reshape(-1, 2)
    x_scale = _scale(np.concatenate([curve.x, ends[:, 0], marks[:, 0]]))
    y_scale = _scale(np.concatenate([curve.y, ends[:, 1], marks[:, 1]]))
    x, y = _across(curve.x, x_scale), _up(curve.y, y_scale)
    chance = None
    if len(ends):
        (x0, x1), (y0, y1) = _across(ends[:, 0], x_scale), _up(ends[:, 1], y_scale)
        chance = (float(x0), float(y0), float(x1), float(y1))
    middle = (LEFT + RIGHT) / 2
    return Panel(
        curve,
        "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)),
        chance,
        tuple((float(_across(at, x_scale)), text) for at, text in _ticks(x_scale)),
        tuple((float(_up(at, y_scale)), text) for at, text in _ticks(y_scale)),
        tuple(
            (float(a), float(b), plain(words), bool(a > middle))
            for a, b, (_, _, words) in zip(
                _across(marks[:, 0], x_scale), _up(marks[:, 1], y_scale), curve.marks, strict=True
            )
        ),
    )


def _scale(values: Floats) -> tuple[float, float]:
    """Lowest and highest value of an axis; a share has the axis from 0 to 1."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and high - low > 0.35:
        return 0.0, 1.0
    margin = 0.04 * (high - low or 1.0)
    return (0.0 if 0 <= low < 10 * margin else low - margin), high + margin


def _ticks(scale: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    rough = (scale[1] - scale[0]) / _TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next((power * each for each in _STEPS if power * each >= rough * 0.999), power * 10)
    places = np.arange(np.ceil(scale[0] / step - 1e-9), scale[1] / step + 1e-9) * step
    return tuple((float(at), f"{at + 0.0:.6g}") for at in np.round(places, 12))


def _across(x: float | Floats, scale: tuple[float, float]) -> Floats:
    return np.asarray(LEFT + (np.asarray(x) - scale[0]) / (scale[1] - scale[0]) * (RIGHT - LEFT))


def _up(y: float | Floats, scale: tuple[float, float]) -> Floats:
    return np.asarray(BOTTOM - (np.asarray(y) - scale[0]) / (scale[1] - scale[0]) * (BOTTOM - TOP))


def _strip(lane: Lane, scale: Floats) -> Strip:
    start, end = float(lane.edges_s[0]), float(lane.edges_s[-1])
    shares = (lane.edges_s - start) / (end - start)
    heights = _HEIGHT * (scale[1] - lane.values) / (scale[1] - scale[0])
    runs = list(_runs(~np.isnan(lane.values)))
    spans = [
        [_stretch((a - start) / (end - start), (b - start) / (end - start)) for a, b in spans]
        for spans in (lane.truth_s, lane.found_s)
    ]
    gaps = [_stretch(shares[a], shares[b]) for a, b in _runs(np.isnan(lane.values))]
    steps = [(shares[a] * 1000, _steps(shares * 1000, heights, a, b)) for a, b in runs]
    return Strip(
        lane.video,
        end - start,
        "".join(f"M{at:.4g} {path[1 : path.index('H')]}{path}" for at, path in steps),
        "".join(f"M{at:.4g} {_HEIGHT:g}{path}V{_HEIGHT:g}Z" for at, path in steps),
        tuple(spans[0]),
        tuple(spans[1]),
        tuple(gaps),
    )


def _stretch(first: float, last: float) -> tuple[float, float]:
    """Left and width in percent, of what lies inside the picture."""
    left, right = _percent(first), _percent(last)
    return left, round(right - left, 3)


def _steps(x: Floats, heights: Floats, first: int, last: int) -> str:
    return "".join(f"V{heights[i]:.4g}H{x[i + 1]:.4g}" for i in range(first, last))


def _runs(there: Sequence[bool] | NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    """First and one past the last index of each stretch of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return ((int(a), int(b)) for a, b in steps.reshape(-1, 2))


def scale_texts(scale: Floats) -> tuple[str, str]:
    """Lowest and highest score of the strips, as text."""
    decimals = decimals_for([float(scale[0]), float(scale[1])])
    return number(float(scale[0]), decimals=decimals), number(float(scale[1]), decimals=decimals)
