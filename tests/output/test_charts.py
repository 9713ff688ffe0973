"""Charts show what they are given: every name, every mark, nothing that was not measured."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from watchword.output.charts import (
    Line,
    Track,
    chart_bars,
    chart_confusion,
    chart_drift,
    chart_grid,
    chart_lines,
    chart_tracks,
)

X = np.linspace(0, 1, 20)
GRID = np.arange(12.0).reshape(3, 4) / 12


def texts(svg: bytes) -> list[str]:
    # matplotlib writes each text as a comment beside its outline.
    return re.findall(r"<!-- (.*?) -->", svg.decode())


CHARTS: dict[str, Callable[..., bytes]] = {
    "lines": lambda **form: chart_lines([Line("a", X, X**2, X**3, X), Line("b", X, X)], **form),
    "confusion": lambda **form: chart_confusion((1, 2, 3, 4), **form),
    "grid": lambda **form: chart_grid(GRID, [1, 2, 3], [1, 2, 3, 4], best=(1, 2), **form),
    "bars": lambda **form: chart_bars(["a", "b"], [0.5, np.nan], baselines={"c": [1, 1]}, **form),
    "tracks": lambda **form: chart_tracks([Track("v", np.arange(4.0), [1, 2, 3])], **form),
    "drift": lambda **form: chart_drift(X, X + 1, **form),
}


@pytest.mark.parametrize("name", CHARTS)
def test_the_same_numbers_give_the_same_picture_in_both_forms(name: str) -> None:
    with Image.open(io.BytesIO(CHARTS[name]())) as picture:
        assert picture.format == "PNG"
    assert CHARTS[name]() == CHARTS[name]()
    drawn = CHARTS[name](form="svg")
    ET.fromstring(drawn)
    assert drawn == CHARTS[name](form="svg")


def test_curves_are_named_with_marks_and_chance() -> None:
    drawn = texts(
        chart_lines(
            [Line("words", X, X), Line("centre", X, X**2)],
            title="cost $5",
            x_title="false alarms",
            y_title="found",
            marks=[(0.2, 0.3, "best 0.20"), (0.9, 0.9, "used 0.90")],
            chance=((0, 0), (1, 1)),
            form="svg",
        )
    )
    wanted = {"words", "centre", "chance", "false alarms", "found", "best 0.20", "used 0.90"}
    assert wanted <= set(drawn)
    assert any("5" in text and "cost" in text for text in drawn)


def test_a_lone_curve_needs_no_legend_and_an_empty_one_says_so() -> None:
    assert "words" not in texts(chart_lines([Line("words", X, X)], form="svg"))
    empty = chart_lines([Line("words", X, np.full(20, np.nan))], form="svg")
    assert "nothing was measured" in texts(empty)
    assert "nothing was measured" in texts(chart_lines([], form="svg"))


def test_the_interval_of_a_curve_is_drawn() -> None:
    plain = chart_lines([Line("a", X, X)], form="svg")
    banded = chart_lines([Line("a", X, X, X - 0.1, X + 0.1)], form="svg")
    assert b"FillBetween" not in plain
    assert b"FillBetween" in banded or len(banded) > len(plain) + 500


def test_a_confusion_matrix_holds_counts_and_shares_of_what_is() -> None:
    drawn = texts(chart_confusion((6204, 2100, 1800, 2241), form="svg"))
    assert {"is event", "is normal", "called event", "called normal"} <= set(drawn)
    joined = " ".join(drawn)
    for words in ("2241", "55.5%", "1800", "44.5%", "2100", "25.3%", "6204", "74.7%"):
        assert words in joined
    # True positives stand before false negatives, and above false positives.
    assert joined.index("2241") < joined.index("1800") < joined.index("2100")
    assert "%" not in " ".join(texts(chart_confusion((0, 0, 0, 0), form="svg")))


def test_a_grid_names_its_best_cell_by_what_it_stands_for() -> None:
    drawn = texts(
        chart_grid(GRID, [0.1, 0.2, 0.3], [0, 25, 50, 75], title="F1", best=(1, 2), form="svg")
    )
    assert f"F1: best {GRID[1, 2]:.3f} at 50, 0.2" in drawn
    assert "0.50" in drawn


def test_a_grid_with_a_hole_or_of_one_value_is_drawn_and_a_wrong_shape_is_not() -> None:
    chart_grid([[np.nan, 0.5]], [1], [1, 2])
    chart_grid([[0.5, 0.5]], [1], [1, 2])
    chart_grid([[np.nan]], [1], [1])
    with pytest.raises(ValueError, match=r"\(3, 4\), it must be 4x3"):
        chart_grid(GRID, [1, 2, 3, 4], [1, 2, 3])


def test_a_bar_that_is_not_defined_says_so() -> None:
    drawn = texts(
        chart_bars(["deer", "debris"], [0.5, np.nan], low=[0.4, np.nan], high=[0.6, np.nan],
                   baselines={"centre": [0.6, 0.7]}, x_title="AUC", form="svg")
    )  # fmt: skip
    assert drawn.count("not defined") == 1 or " not defined" in drawn
    assert {"deer", "debris", "centre", "AUC"} <= set(drawn)


def test_every_track_is_there_and_none_is_said() -> None:
    tracks = [
        Track(f"video {k}", np.arange(4.0), [0.1, np.nan, 0.3], [(0, 1)], [(1, 2)])
        for k in range(5)
    ]
    drawn = texts(chart_tracks(tracks, threshold=0.2, form="svg"))
    assert {f"video {k}" for k in range(5)} <= set(drawn)
    assert "no video to draw" in texts(chart_tracks([], form="svg"))


def test_drift_compares_shares_so_that_lengths_may_differ() -> None:
    drawn = texts(chart_drift(np.zeros(1000), [1.0, np.nan], form="svg"))
    assert {"calibrated on", "new footage", "share of windows"} <= set(drawn)
    assert "nothing was measured" in texts(chart_drift([np.nan], [], form="svg"))


@pytest.mark.parametrize("name", ["鹿 deer", "\x1b[31m red", "$\\frac{", "x" * 200, "", "_a"])
def test_names_of_any_kind_can_be_drawn(name: str) -> None:
    chart_bars([name], [0.5], baselines={name: [0.4]}, title=name)
    ET.fromstring(chart_tracks([Track(name, np.arange(3.0), [1, 2])], title=name, form="svg"))
    ET.fromstring(chart_lines([Line(name, X, X)], marks=[(0.1, 0.1, name)], form="svg"))


@pytest.mark.parametrize("name", ["_hidden", ""])
def test_no_name_is_left_out_of_a_legend(name: str) -> None:
    drawn = texts(chart_lines([Line(name, X, X), Line("b", X, X)], form="svg"))
    assert {name.strip() or "–", "b"} <= {text.strip() for text in drawn}
