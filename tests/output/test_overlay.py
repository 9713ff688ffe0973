"""Heat over a picture: calm pictures stay as they are, and one colour means one number."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from watchword.output.heat_scale import HeatScale, heat_scale, map_at
from watchword.output.overlay import alphas, draw_boxes, heat_png, lay_heat, ramp
from watchword.places import Box, Heat
from watchword.types import Detection, Scores

SCALE = HeatScale(clear=1.0, mark=2.0, full=4.0, unit="surprise", reason="")
NAN = float("nan")


def grey(width: int = 80, height: int = 60) -> Image.Image:
    return Image.new("RGB", (width, height), (120, 120, 120))


def test_places_up_to_clear_and_unmeasured_ones_leave_the_picture_to_the_bit() -> None:
    calm = np.array([[0.0, 1.0], [-3.0, NAN]], np.float16)
    np.testing.assert_array_equal(lay_heat(grey(), calm, SCALE), grey())
    assert heat_png(calm, SCALE, aspect=4 / 3) is None


def test_heat_lies_over_its_own_place_and_lets_the_picture_through() -> None:
    heat_map = np.zeros((6, 8), np.float16)
    heat_map[1, 6] = 4.0
    checks = np.zeros((60, 80, 3), np.uint8)
    checks[:, ::2] = 200
    laid = np.asarray(lay_heat(Image.fromarray(checks), heat_map, SCALE)).astype(int)
    changed = np.abs(laid - checks).sum(axis=2)
    row, column = np.unravel_index(changed.argmax(), changed.shape)
    assert (int(row) // 10, int(column) // 10) == (1, 6)
    assert (changed[:, :50] == 0).all()
    assert (changed[30:] == 0).all()
    hot = laid[10:20, 60:70]
    assert np.abs(hot[:, ::2] - hot[:, 1::2]).sum(axis=2).min() > 150


def test_the_same_number_has_the_same_colour_in_a_calm_and_in_a_wild_picture() -> None:
    mild = np.full((4, 4), 2.0, np.float16)
    wild = mild.copy()
    wild[3, 3] = 90.0
    alone, beside = (np.asarray(lay_heat(grey(), m, SCALE)) for m in (mild, wild))
    np.testing.assert_array_equal(alone[:15, :20], beside[:15, :20])


def test_the_ramp_grows_evenly_darker_and_covers_more_the_hotter_it_is() -> None:
    linear = ((ramp() / 255 + 0.055) / 1.055) ** 2.4
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.cbrt(luminance)
    steps = np.diff(lightness[::15])
    assert (steps < 0).all()
    assert steps.min() > 2.5 * steps.max()
    cover = np.frombuffer(alphas(), np.uint8)
    assert cover[0] == 0
    assert (np.diff(cover.astype(int)) >= 0).all()
    assert cover[-1] < 160


def test_the_small_overlay_has_the_shape_of_the_picture_and_is_clear_where_it_is_calm() -> None:
    heat_map = np.zeros((6, 8), np.float16)
    heat_map[1, 6] = 4.0
    png = heat_png(heat_map, SCALE, aspect=16 / 9)
    assert png is not None
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.size == (96, 54)
        cover = np.asarray(opened.convert("RGBA"))[..., 3]
    assert cover[13, 78] > 100
    assert (cover[:, :50] == 0).all()
    assert len(png) < 4000


def test_outlines_are_seen_on_black_and_on_white() -> None:
    for ground in (0, 255):
        picture = Image.new("RGB", (80, 60), (ground,) * 3)
        draw_boxes(picture, (Box(0.25, 0.5, 0.75, 1.0, 3.0), Box(0, 0, 1 / 80, 1 / 60, 3.0)))
        drawn = np.asarray(picture)[..., 0]
        assert {0, 255} <= set(drawn[45, 20:23].tolist())
        assert (drawn[40:50, 30:50] == ground).all()


def test_heat_of_the_kind_of_the_scores_is_measured_by_the_threshold(unusual: Detection) -> None:
    scale = heat_scale(unusual)
    assert scale is not None
    # 48 places, of which ten neighbours speak as one: the rarest is 4.8 times less rare.
    more = np.log10(4.8)
    assert (scale.clear, scale.mark, scale.full) == (1.0 + more, 2.0 + more, 4.0 + more)
    assert "score from which an event begins" in scale.reason
    strong = replace(unusual.heat, values=unusual.heat.values * np.float16(3))
    assert heat_scale(replace(unusual, heat=strong)) == scale


def test_a_map_of_few_places_begins_no_lower_than_the_threshold_says(unusual: Detection) -> None:
    few = Heat(np.ones((60, 2, 2)), unusual.scores.edges_s, "surprise")
    scale = heat_scale(replace(unusual, heat=few))
    assert scale is not None
    assert (scale.clear, scale.mark, scale.full) == (1.0, 2.0, 4.0)


def test_a_bounded_kind_ends_at_its_bound(detection: Detection) -> None:
    heat = Heat(np.full((60, 2, 2), 0.4), detection.scores.edges_s, "contrast of deer")
    scale = heat_scale(replace(detection, heat=heat))
    assert scale is not None
    assert (scale.clear, scale.mark, scale.full) == (0.25, 0.5, 1.0)


def test_heat_of_another_unit_is_measured_by_what_is_usual_in_the_video(
    unusual: Detection,
) -> None:
    values = np.random.default_rng(0).uniform(0, 10, (60, 6, 8))
    heat = Heat(values, unusual.scores.edges_s, "times the usual distance")
    scale = heat_scale(replace(unusual, heat=heat))
    assert scale is not None
    assert scale.clear == pytest.approx(5, abs=0.5)
    assert scale.full == pytest.approx(10, abs=0.1)
    assert scale.mark == pytest.approx((scale.clear + scale.full) / 2)
    even = Heat(np.ones((60, 6, 8)), unusual.scores.edges_s, "times the usual distance")
    flat = heat_scale(replace(unusual, heat=even))
    assert flat is not None
    assert heat_png(even.values[0], flat, aspect=1.0) is None


def test_without_heat_or_with_nothing_measured_there_is_no_scale(unusual: Detection) -> None:
    assert heat_scale(replace(unusual, heat=None)) is None
    empty = Heat(np.full((60, 2, 2), np.nan), unusual.scores.edges_s, "surprise")
    assert heat_scale(replace(unusual, heat=empty)) is None


def test_margins_have_no_half_of_their_threshold(unusual: Detection) -> None:
    scores = Scores(unusual.scores.values, unusual.scores.edges_s, ("unusual",), "margin")
    heat = replace(unusual.heat, unit="margin")
    scale = heat_scale(replace(unusual, scores=scores, heat=heat))
    assert scale is not None
    assert "middle of all places" in scale.reason


def test_a_moment_has_the_map_of_the_window_that_holds_it() -> None:
    values = np.arange(8).reshape(2, 2, 2)
    heat = Heat(values, np.array([1.0, 2.0, 3.0]), "surprise")
    for at_s, expected in ((1.0, 0), (1.9999999, 4), (2.0, 4), (2.9, 4)):
        found = map_at(heat, at_s)
        assert found is not None
        assert found[0, 0] == expected
    assert map_at(heat, 0.5) is None
    assert map_at(heat, 3.5) is None
