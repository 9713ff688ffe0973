"""Plots of scores over time: the strongest curves, with the events and the truth behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from watchword.output.canvas import (
    COLOURS,
    DASHES,
    FOUND,
    TRUTH,
    Form,
    describe,
    file_of,
    label,
    new_figure,
    say_nothing,
)
from watchword.output.meaning import axis_title
from watchword.types import Annotation, Event, Scores, Span


def plot_scores(
    scores: Scores,
    *,
    events: Sequence[Event] = (),
    annotation: Annotation | None = None,
    top: int = 5,
    title: str = "",
    size: tuple[int, int] = (900, 300),
    form: Form = "png",
) -> bytes:
    """A picture file of the ``top`` curves with the highest peaks, as seed 1 draws them.

    Truth is a green band, what was found an orange bar above the curves; stretches that were not
    measured are gaps. ``size`` is (width, height) in pixels.

    Raises:
        ValueError: ``top`` is not positive.
    """
    if top < 1:
        raise ValueError(f"top is {top}, it must be at least 1")
    figure = new_figure(*size)
    axes = figure.subplots()
    _draw_curves(axes, scores, top)
    _draw_truth(axes, () if annotation is None else annotation.spans)
    _draw_events(axes, events)
    _describe(figure, axes, scores, title)
    return file_of(figure, form)


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
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)],
            linewidth=1.3,
            label=label(scores.labels[k]),
        )


def _draw_truth(axes: Axes, spans: Sequence[Span]) -> None:
    for number, span in enumerate(spans):
        name = "" if number else "truth"
        axes.axvspan(span.start_s, span.end_s, color=TRUTH, alpha=0.18, lw=0, label=name)


def _draw_events(axes: Axes, events: Sequence[Event]) -> None:
    for number, event in enumerate(events):
        axes.axvspan(
            event.start_s,
            event.end_s,
            ymin=0.96,
            color=FOUND,
            lw=0,
            label="" if number else "event found",
        )


def _describe(figure: Figure, axes: Axes, scores: Scores, title: str) -> None:
    describe(axes, title=title, x_title="seconds", y_title=axis_title(scores.kind))
    axes.set_xlim(
        float(scores.edges_s[0]), float(max(scores.edges_s[-1], scores.edges_s[0] + 1e-3))
    )
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        figure.legend(fontsize=7, loc="outside right center", frameon=False)
    else:
        say_nothing(axes, "nothing was measured")
