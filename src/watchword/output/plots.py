"""Plots of scores over time: the strongest curves, with the events and the truth behind them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from watchword.types import Annotation, Event, Scores, Span

# Okabe and Ito's palette, told apart by all common kinds of colour vision; dashes help in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")
_TRUTH, _EVENT = "#009E73", "#D55E00"
_DPI = 100


def plot_scores(
    scores: Scores,
    *,
    events: Sequence[Event] = (),
    annotation: Annotation | None = None,
    top: int = 5,
    title: str = "",
    size: tuple[int, int] = (900, 300),
    form: Literal["png", "svg"] = "png",
) -> bytes:
    """A picture file of the ``top`` curves with the highest peaks, as seed 1 draws them.

    Truth is a green band, what was found an orange bar above the curves; stretches that were not
    measured are gaps. ``size`` is (width, height) in pixels.

    Raises:
        ValueError: ``top`` is not positive.
    """
    if top < 1:
        raise ValueError(f"top is {top}, it must be at least 1")
    figure = Figure(figsize=(size[0] / _DPI, size[1] / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw_curves(axes, scores, top)
    _draw_truth(axes, () if annotation is None else annotation.spans)
    _draw_events(axes, events)
    _describe(figure, axes, scores, title)
    file = io.BytesIO()
    # Dates would make two runs over the same scores differ.
    metadata = {"Date": None} if form == "svg" else {}
    figure.savefig(file, format=form, metadata=metadata)
    return file.getvalue()


def strongest(scores: Scores, *, top: int) -> tuple[int, ...]:
    """Columns with the highest peaks, highest first; those never measured are left out."""
    peaks = [
        (float(np.nanmax(column)), k)
        for k, column in enumerate(scores.values.T)
        if not np.isnan(column).all()
    ]
    return tuple(k for _, k in sorted(peaks, key=lambda peak: (-peak[0], peak[1]))[:top])


def _draw_curves(axes: Axes, scores: Scores, top: int) -> None:
    for place, k in enumerate(strongest(scores, top=top)):
        axes.stairs(
            scores.values[:, k],
            scores.edges_s,
            baseline=None,
            color=_COLOURS[place % len(_COLOURS)],
            linestyle=_DASHES[place % len(_DASHES)],
            linewidth=1.3,
            label=_plain(scores.labels[k]),
        )


def _draw_truth(axes: Axes, spans: Sequence[Span]) -> None:
    for number, span in enumerate(spans):
        name = "" if number else "truth"
        axes.axvspan(span.start_s, span.end_s, color=_TRUTH, alpha=0.18, lw=0, label=name)


def _draw_events(axes: Axes, events: Sequence[Event]) -> None:
    for number, event in enumerate(events):
        axes.axvspan(
            event.start_s,
            event.end_s,
            ymin=0.96,
            color=_EVENT,
            lw=0,
            label="" if number else "event found",
        )


def _describe(figure: Figure, axes: Axes, scores: Scores, title: str) -> None:
    axes.set_xlabel("seconds")
    axes.set_ylabel(scores.kind)
    axes.set_xlim(
        float(scores.edges_s[0]), float(max(scores.edges_s[-1], scores.edges_s[0] + 1e-3))
    )
    if title:
        axes.set_title(_plain(title), fontsize=10)
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        figure.legend(fontsize=7, loc="outside right center", frameon=False)
    else:
        axes.text(0.5, 0.5, "nothing was measured", ha="center", transform=axes.transAxes)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)


def _plain(text: str) -> str:
    """Text as it is, cut where a legend would push the curves aside; $ opens no formula."""
    short = text if len(text) <= 44 else text[:43] + "…"
    return short.replace("$", r"\$")
