"""Plots show the strongest curves, the truth and the events."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from watchword.output.plots import plot_scores, strongest
from watchword.types import Annotation, Event, Scores, Span


@pytest.fixture
def curves() -> Scores:
    values = np.linspace(0, 1, 8)[None, :] * np.sin(np.linspace(0, 3, 50))[:, None]
    values[10:12] = np.nan
    values[:, 7] = np.nan
    return Scores(values, np.arange(51) / 10, tuple(f"prompt {k}" for k in range(8)), "cosine")


def texts(svg: bytes) -> str:
    # matplotlib writes each text as a comment beside its outline.
    return svg.decode()


def test_the_curves_with_the_highest_peaks_are_chosen_and_unmeasured_ones_are_not(
    curves: Scores,
) -> None:
    assert strongest(curves, top=5) == (6, 5, 4, 3, 2)
    drawn = texts(plot_scores(curves, form="svg"))
    assert [k for k in range(8) if f"prompt {k}" in drawn] == [2, 3, 4, 5, 6]


def test_truth_and_events_are_named_once_each_and_the_axes_say_what_they_are(
    curves: Scores,
) -> None:
    truth = Annotation("v", (Span("a", 1, 2), Span("a", 3, 4)), ("a",))
    events = (Event("a", 1.1, 2.2), Event("a", 3.3, 4.4))
    drawn = texts(plot_scores(curves, events=events, annotation=truth, title="cost $5", form="svg"))
    for name in ("<!-- truth -->", "<!-- event found -->", "<!-- seconds -->", "<!-- cosine -->"):
        assert drawn.count(name) == 1
    ET.fromstring(drawn)


def test_a_plot_has_the_size_that_was_asked_for(curves: Scores) -> None:
    with Image.open(io.BytesIO(plot_scores(curves, size=(640, 240)))) as picture:
        assert picture.size == (640, 240)


def test_the_same_scores_give_the_same_file(curves: Scores) -> None:
    assert plot_scores(curves) == plot_scores(curves)


def test_a_plot_of_nothing_says_so() -> None:
    empty = Scores(np.full((3, 1), np.nan), np.arange(4.0), ("a",), "cosine")
    assert "nothing was measured" in texts(plot_scores(empty, form="svg"))


def test_no_curves_at_all_are_refused(curves: Scores) -> None:
    with pytest.raises(ValueError, match="top is 0"):
        plot_scores(curves, top=0)


@pytest.mark.parametrize("name", ["_hidden", "火事", "\x1b[31m", "a $ b"])
def test_a_label_of_any_script_is_drawn_and_named(name: str) -> None:
    scores = Scores(np.linspace(0, 1, 20)[:, None], np.arange(21.0), (name,), "contrast")
    drawn = texts(plot_scores(scores, title=name, form="svg"))
    plain = texts(plot_scores(replace(scores, labels=("plain",)), title="plain", form="svg"))
    # As many texts as with a plain name: the legend's is among them, and no other is lost.
    assert drawn.count("<!-- ") == plain.count("<!-- ")
    ET.fromstring(drawn)
