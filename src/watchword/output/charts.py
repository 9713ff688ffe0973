"""Charts of an evaluation as picture files: curves, matrices, bars. Arrays in, bytes out.

What is drawn against what is the caller's affair: nothing here knows a metric. NaN is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from watchword.output.canvas import (
    COLOURS,
    DASHES,
    FOUND,
    QUIET,
    TRUTH,
    Form,
    describe,
    file_of,
    label,
    new_figure,
    say_nothing,
    words,
)

Floats = NDArray[np.float64]
_MARKERS = "|x1+2d"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A curve to draw: ``x`` and ``y`` (N,), ``low`` and ``high`` (N,) its interval, if known."""

    name: str
    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A video to draw: ``values`` (T,) between ``edges_s`` (T+1,), truth and events in seconds."""

    name: str
    edges_s: ArrayLike
    values: ArrayLike
    truth_s: Sequence[tuple[float, float]] = ()
    found_s: Sequence[tuple[float, float]] = ()


def chart_lines(
    lines: Sequence[Line],
    *,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    marks: Sequence[tuple[float, float, str]] = (),
    chance: tuple[tuple[float, float], tuple[float, float]] | None = None,
    size: tuple[int, int] = (480, 400),
    form: Form = "png",
) -> bytes:
    """Curves in one picture: ROC, precision and recall, a sweep, a learning curve, reliability.

    Args:
        lines: the curves; those with an interval get a band.
        title: of the picture.
        x_title: what runs to the right.
        y_title: what runs upwards.
        marks: points to name, as the best threshold: x, y, words.
        chance: both ends of a dashed line that stands for guessing, as the base rate.
        size: (width, height) in pixels.
        form: the kind of file.
    """
    figure = new_figure(*size)
    axes = figure.subplots()
    for place, line in enumerate(lines):
        _draw_line(axes, line, place)
    if chance is not None:
        (x0, y0), (x1, y1) = chance
        axes.plot([x0, x1], [y0, y1], color=QUIET, lw=1, ls="--", label="chance")
    for x, y, said in marks:
        axes.plot([x], [y], "o", color=COLOURS[-1], ms=5)
        left = x > np.mean(axes.get_xlim())
        axes.annotate(
            words(said), (x, y), xytext=(-6 if left else 6, 6), textcoords="offset points",
            ha="right" if left else "left", fontsize=8,
        )  # fmt: skip
    describe(axes, title=title, x_title=x_title, y_title=y_title)
    if not any(np.isfinite(np.asarray(line.y, float)).any() for line in lines):
        say_nothing(axes, "nothing was measured")
    elif len(lines) > 1 or chance is not None:
        axes.legend(fontsize=8, frameon=False)
    return file_of(figure, form)


def chart_confusion(
    counts: tuple[int, int, int, int],
    *,
    title: str = "",
    size: tuple[int, int] = (360, 300),
    form: Form = "png",
) -> bytes:
    """A confusion matrix of (TN, FP, FN, TP): what is downwards, what was called to the right.

    Each cell holds its count and its share of the row.
    """
    tn, fp, fn, tp = counts
    cells = np.array([[tp, fn], [fp, tn]], float)
    rows = cells.sum(axis=1, keepdims=True)
    shares = np.divide(cells, rows, out=np.full_like(cells, np.nan), where=rows > 0)
    texts = [
        [
            f"{int(count)}" + ("" if np.isnan(share) else f"\n{share:.1%}")
            for count, share in zip(*row, strict=True)
        ]
        for row in zip(cells, shares, strict=True)
    ]
    figure = new_figure(*size)
    axes = figure.subplots()
    _draw_cells(axes, shares, texts, span=(0, 1))
    axes.set_xticks([0, 1], ["called event", "called normal"])
    axes.set_yticks([0, 1], ["is event", "is normal"])
    describe(axes, title=title)
    axes.grid(visible=False)
    return file_of(figure, form)


def chart_grid(
    values: ArrayLike,
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    title: str = "",
    row_title: str = "",
    column_title: str = "",
    best: tuple[int, int] | None = None,
    form: Form = "png",
) -> bytes:
    """A heat map of ``values`` (R,C), as F1 over segment threshold and share threshold.

    ``rows`` and ``columns`` are what the rows (upwards) and columns stand for; ``best`` is the row
    and column of a cell to mark.

    Raises:
        ValueError: the values are not R x C.
    """
    cells = np.asarray(values, float)
    if cells.shape != (len(rows), len(columns)):
        raise ValueError(f"values has shape {cells.shape}, it must be {len(rows)}x{len(columns)}")
    figure = new_figure(560, 420)
    axes = figure.subplots()
    written = cells.size <= 120
    texts = [[f"{cell:.2f}" if written and np.isfinite(cell) else "" for cell in r] for r in cells]
    image = _draw_cells(axes, cells, texts)
    figure.colorbar(image, ax=axes, shrink=0.8)
    axes.invert_yaxis()
    for ticks, names in ((axes.set_xticks, columns), (axes.set_yticks, rows)):
        step = -(-len(names) // 12)
        ticks([*range(0, len(names), step)], [f"{name:g}" for name in names[::step]], fontsize=8)
    if best is not None:
        corner = (best[1] - 0.5, best[0] - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=FOUND, lw=2.5, zorder=3))
        at = f"best {cells[best]:.3f} at {columns[best[1]]:g}, {rows[best[0]]:g}"
        title = f"{title}: {at}" if title else at
    describe(axes, title=title, x_title=column_title, y_title=row_title)
    axes.grid(visible=False)
    return file_of(figure, form)


def chart_bars(
    names: Sequence[str],
    values: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    title: str = "",
    x_title: str = "",
    form: Form = "png",
) -> bytes:
    """A bar a name, as a type of event, with its interval and ticks where baselines end.

    ``values``, ``low``, ``high`` and each of the baselines are (N,); NaN is left out.
    """
    lengths = np.asarray(values, float)
    figure = new_figure(760, 90 + 34 * max(1, len(names)))
    axes = figure.subplots()
    places = np.arange(len(names))
    axes.barh(places, np.nan_to_num(lengths), height=0.55, color=COLOURS[4], alpha=0.6)
    if low is not None and high is not None:
        axes.hlines(places, np.asarray(low, float), np.asarray(high, float), COLOURS[0], lw=2)
    for place, (name, ends) in enumerate((baselines or {}).items()):
        marker = _MARKERS[place % len(_MARKERS)]
        colour = COLOURS[(place + 1) % len(COLOURS)]
        axes.plot(np.asarray(ends, float), places, marker, color=colour, ms=9, mew=2, mfc="none",
                  ls="none", label=label(name, longest=20))  # fmt: skip
    for unknown in np.flatnonzero(np.isnan(lengths)):
        axes.text(0, float(unknown), " not defined", va="center", fontsize=8, color=QUIET)
    axes.set_yticks(places, [words(name, longest=36) for name in names])
    axes.invert_yaxis()
    describe(axes, title=title, x_title=x_title)
    axes.grid(visible=False)
    axes.grid(axis="x", alpha=0.25)
    if baselines:
        figure.legend(fontsize=8, loc="outside right upper", frameon=False)
    return file_of(figure, form)


def chart_tracks(
    tracks: Sequence[Track],
    *,
    threshold: float | None = None,
    title: str = "",
    form: Form = "png",
) -> bytes:
    """Videos under each other, each with its own time: scores, truth as a band, events as a bar."""
    figure = new_figure(900, 60 + 90 * max(1, len(tracks)))
    rows = figure.subplots(max(1, len(tracks)), 1, sharey=True, squeeze=False)[:, 0]
    for axes, track in zip(rows, tracks, strict=False):
        edges = np.asarray(track.edges_s, float)
        axes.stairs(np.asarray(track.values, float), edges, baseline=None, color=COLOURS[0], lw=1.2)
        # One collection a kind: hundreds of single patches would take seconds to lay out.
        for spans, place, look in (
            (track.truth_s, (0.0, 1.0), {"color": TRUTH, "alpha": 0.18}),
            (track.found_s, (0.94, 0.06), {"color": FOUND}),
        ):
            stretches = [(start, end - start) for start, end in spans]
            axes.broken_barh(stretches, place, transform=axes.get_xaxis_transform(), lw=0, **look)
        if threshold is not None:
            axes.axhline(threshold, color=QUIET, lw=0.8, ls="--")
        axes.set_xlim(edges[0], max(edges[-1], edges[0] + 1e-3))
        describe(axes)
        axes.set_title(words(track.name), fontsize=8, loc="left", pad=2)
        axes.tick_params(labelsize=7)
    if tracks:
        rows[-1].set_xlabel("seconds   (green: truth, orange: found)", fontsize=8)
    else:
        say_nothing(rows[0], "no video to draw")
    if title:
        figure.suptitle(words(title), fontsize=10)
    return file_of(figure, form)


def chart_drift(
    reference: ArrayLike,
    new: ArrayLike,
    *,
    title: str = "",
    x_title: str = "score",
    bins: int = 40,
    form: Form = "png",
) -> bytes:
    """Two histograms over each other: what was calibrated on, and what came since.

    Each is drawn as the share of its own values, so that their lengths may differ.
    """
    both = [(name, np.asarray(values, float)) for name, values in
            (("calibrated on", reference), ("new footage", new))]  # fmt: skip
    finite = [(name, values[np.isfinite(values)]) for name, values in both]
    figure = new_figure(560, 320)
    axes = figure.subplots()
    pooled = np.concatenate([values for _, values in finite])
    describe(axes, title=title, x_title=x_title, y_title="share of windows")
    if not len(pooled):
        say_nothing(axes, "nothing was measured")
        return file_of(figure, form)
    edges = np.histogram_bin_edges(pooled, bins)
    for (name, values), colour, dash in zip(finite, COLOURS, DASHES, strict=False):
        shares = np.histogram(values, edges)[0] / max(1, len(values))
        axes.stairs(shares, edges, color=colour, ls=dash, lw=1.5, label=name)
        axes.stairs(shares, edges, color=colour, alpha=0.15, fill=True)
    axes.legend(fontsize=8, frameon=False)
    return file_of(figure, form)


def _draw_line(axes: Axes, line: Line, place: int) -> None:
    colour = COLOURS[place % len(COLOURS)]
    x = np.asarray(line.x, float)
    axes.plot(x, np.asarray(line.y, float), color=colour, ls=DASHES[place % len(DASHES)], lw=1.5,
              label=label(line.name))  # fmt: skip
    if line.low is not None and line.high is not None:
        low, high = np.asarray(line.low, float), np.asarray(line.high, float)
        axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)


def _draw_cells(
    axes: Axes,
    cells: Floats,
    texts: Sequence[Sequence[str]],
    *,
    span: tuple[float, float] | None = None,
) -> AxesImage:
    known = cells[np.isfinite(cells)]
    low, high = span or ((known.min(), known.max()) if known.size else (0.0, 1.0))
    image = axes.imshow(cells, cmap="Blues", aspect="auto", vmin=low, vmax=high)
    dark = (cells - low) > 0.6 * (high - low)
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            colour = "white" if dark[row, column] else "black"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    return image
