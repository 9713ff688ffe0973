"""Windows join to clips and segments that know when they hold and what was not measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.evidence.segments import (
    SegmentOptions,
    WindowOptions,
    segment_scores,
    segments,
    vote,
    windowed,
)
from watchword.types import Coverage, Embeddings, Scores

NAN = float("nan")


def embeddings_of(count, *, missing=(), step=1.0, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[list(missing)] = np.nan
    return Embeddings(rows, np.arange(count + 1) * step, "enc", "vid", Coverage(count))


def direction(rows):
    known = rows[~np.isnan(rows).any(axis=1)].astype(np.float64)
    if not len(known):
        return np.full(rows.shape[1], np.nan)
    mean = known.mean(axis=0)
    return mean / np.linalg.norm(mean)


@settings(max_examples=200)
@given(st.integers(0, 40), st.integers(1, 20), st.integers(1, 20), st.sets(st.integers(0, 39)))
def test_a_window_is_the_mean_of_the_pictures_up_to_the_one_it_holds_from(
    count, length, stride, missing
):
    pictures = embeddings_of(count, missing=[i for i in missing if i < count], step=0.5)
    clips = windowed(pictures, length=length, stride=stride)
    assert clips.edges_s[-1] == pictures.edges_s[-1]
    for row, begin in zip(clips.vectors, clips.edges_s[:-1], strict=True):
        last = int(np.flatnonzero(pictures.edges_s == begin)[0])
        expected = direction(pictures.vectors[max(0, last + 1 - length) : last + 1])
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_windows_of_16_every_8_are_the_clips_0_to_15_and_8_to_23():
    clips = windowed(embeddings_of(30), length=16, stride=8)
    assert clips.edges_s.tolist() == [0, 7, 15, 23, 30]
    rows = embeddings_of(30).vectors
    np.testing.assert_allclose(clips.vectors[2], direction(rows[0:16]), atol=1e-5)
    np.testing.assert_allclose(clips.vectors[3], direction(rows[8:24]), atol=1e-5)


def test_windows_of_one_picture_are_the_pictures():
    pictures = embeddings_of(5, missing=[2])
    same = windowed(pictures, length=1, stride=1)
    np.testing.assert_allclose(same.vectors, pictures.vectors, atol=1e-6)
    np.testing.assert_array_equal(same.edges_s, pictures.edges_s)


def test_vectors_that_cancel_have_no_direction():
    opposite = Embeddings([[1, 0], [-1, 0]], [0, 1, 2], "e", None, Coverage(2))
    assert np.isnan(segments(opposite).vectors).all()


def test_segments_follow_each_other_and_the_last_may_be_short():
    pictures = embeddings_of(7, missing=[3, 4, 5])
    found = segments(pictures, SegmentOptions(frames=3))
    assert found.edges_s.tolist() == [0, 3, 6, 7]
    np.testing.assert_allclose(found.vectors[0], direction(pictures.vectors[:3]), atol=1e-5)
    assert np.isnan(found.vectors[1]).all()
    assert (found.encoder, found.video, found.coverage) == ("enc", "vid", Coverage(7))


def test_segments_of_seconds_are_cut_by_the_middles_of_windows():
    found = segments(embeddings_of(25, step=0.1), SegmentOptions(seconds=1.0))
    np.testing.assert_allclose(found.edges_s, [0, 1, 2, 2.5])
    sparse = segments(embeddings_of(3, step=5.0), SegmentOptions(seconds=2.0))
    assert sparse.edges_s.tolist() == [0, 5, 10, 15]


def test_segment_scores_are_means_over_all_or_the_best_windows():
    values = [[0.1], [0.9], [NAN], [0.5], [NAN], [NAN], [NAN], [NAN], [0.3]]
    scores = Scores(values, np.arange(10.0), ("a",), "cosine")
    options = SegmentOptions(frames=4)
    np.testing.assert_allclose(segment_scores(scores, options)["a"], [0.5, NAN, 0.3])
    best = segment_scores(scores, replace(options, top_k=2))
    np.testing.assert_allclose(best["a"], [0.7, NAN, 0.3])
    assert best.edges_s.tolist() == [0, 4, 8, 9]


def test_the_strongest_segments_vote_and_the_unmeasured_do_not():
    values = [[0.9, 0.1], [NAN, 0.8], [NAN, NAN], [0.2, 0.7], [0.6, 0.5]]
    scores = Scores(values, np.arange(6.0), ("a", "b"), "cosine")
    assert list(vote(scores, top_k=3).items()) == [("b", 2), ("a", 1)]
    assert list(vote(scores, top_k=50).items()) == [("a", 2), ("b", 2)]
    assert vote(Scores([[NAN]], [0, 1], ("a",), "cosine")) == {}


@pytest.mark.parametrize("options", [SegmentOptions(), SegmentOptions(seconds=1)])
def test_no_windows_make_no_segments(options):
    assert len(segments(embeddings_of(0), options)) == 0
    assert len(segment_scores(Scores(np.zeros((0, 1)), [0.0], ("a",), "cosine"), options)) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WindowOptions(length=0), "length is 0"),
        (lambda: WindowOptions(stride=2.5), "stride is 2.5"),
        (lambda: SegmentOptions(frames=-1), "frames is -1"),
        (lambda: SegmentOptions(seconds=0), "seconds is 0"),
        (lambda: windowed(embeddings_of(3), length=True, stride=1), "length is True"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
