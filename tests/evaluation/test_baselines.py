"""Scores and decisions of what looks at no picture."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.evaluation.baselines import coin, middle_share, shortest_within
from watchword.evaluation.levels.wins import count_wins
from watchword.evaluation.metrics.frame import roc_auc


def test_a_coin_that_says_yes_as_often_as_the_truth():
    rng = np.random.default_rng(0)
    truth = rng.random(200_000) < 0.3
    hits = rng.random(200_000) < 0.3
    counted = [(~truth & ~hits).sum(), (~truth & hits).sum(), (truth & ~hits).sum()]
    counted.append((truth & hits).sum())
    expected = coin(int(truth.sum()), int((~truth).sum()))
    assert expected == pytest.approx(counted, rel=0.02)
    assert coin(0, 0).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("share", "span"), [(0.0, None), (0.5, (2.5, 7.5)), (1.0, (0.0, 10.0)), (1.2, (0.0, 10.0))]
)
def test_the_middle_share_of_a_video(share, span):
    assert middle_share(share, 10.0) == span


def test_the_shortest_videos_that_make_up_a_share():
    assert shortest_within([10, 2, 5], [10, 2, 5], 0.0) == [False, False, False]
    assert shortest_within([10, 2, 5], [10, 2, 5], 0.1) == [False, True, False]
    assert shortest_within([10, 2, 5], [10, 2, 5], 1.0) == [True, True, True]


@pytest.mark.parametrize("steps", [2, 5, 1000])
def test_counted_wins_give_the_area_with_ties_and_for_repeated_videos(steps):
    rng = np.random.default_rng(steps)
    truths = [rng.random(size) < 0.4 for size in (7, 30, 1, 12)] + [np.zeros(5, bool)]
    values = [rng.integers(0, steps, len(t)).astype(np.float32) / steps for t in truths]
    weights = rng.integers(0, 3, (20, 5))
    areas = count_wins(truths, values).auc(weights)
    for row, area in zip(weights, areas, strict=True):
        drawn = [i for i, times in enumerate(row) for _ in range(times)]
        if not drawn:
            assert np.isnan(area)
            continue
        truth = np.concatenate([truths[i] for i in drawn])
        expected = roc_auc(truth, np.concatenate([values[i] for i in drawn]))
        assert np.isnan(area) if expected is None else area == pytest.approx(expected)


def test_wins_among_some_videos_only():
    truths = [np.array([True, False]), np.array([True, False])]
    values = [np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)]
    wins = count_wins(truths, values)
    once = np.ones((1, 2), np.int64)
    assert wins.auc(once, [0])[0] == 1.0
    assert wins.auc(once, [1])[0] == 0.0
    assert wins.auc(once)[0] == 0.5
