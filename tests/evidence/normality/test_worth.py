"""Pictures of one clip are no independent witnesses: tails know what they are worth."""

from __future__ import annotations

import numpy as np

from watchword.evidence.normality.worth import joined, tail_values, tail_worth, worth
from watchword.evidence.surprise import Tail


def clips(count, *, length=100, apart=0.0, seed=0):
    """Scores of clips whose levels lie apart by so many times their spread, and their numbers."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.normal(0, apart, count), length)
    return 10 + levels + rng.normal(0, 1, count * length), np.repeat(np.arange(count), length)


def worth_of(scores, groups, seconds=1000.0):
    return worth(Tail.fit(scores).surprise(scores).astype(np.float64), groups, seconds)


def test_pictures_that_do_not_depend_on_their_clip_are_worth_many():
    found = [worth_of(*clips(10, seed=seed)) for seed in range(20)]
    assert np.median(found) > 300


def test_pictures_whose_clip_decides_are_worth_about_as_much_as_there_are_clips():
    found = [worth_of(*clips(10, apart=50.0, seed=seed)) for seed in range(20)]
    assert 10 <= min(found) <= max(found) < 20


def test_they_are_worth_no_more_than_one_a_second():
    assert worth_of(*clips(10), seconds=12.0) == 12
    assert worth(np.ones(50), np.zeros(50, int), 12.0) == 12


def test_the_more_clips_differ_the_less_a_tail_is_sure_of():
    alike, apart = (tail_worth(*clips(8, apart=by), 400.0) for by in (0.0, 5.0))
    assert apart.count < 0.2 * alike.count
    highest = max(tail_values(alike)[-1], tail_values(apart)[-1])
    assert apart.surprise(highest + 20) < alike.surprise(highest + 20)


def test_ever_higher_values_stay_ever_more_surprising():
    tail = tail_worth(*clips(2, apart=5.0), 20.0)
    assert (np.diff(tail.surprise(np.linspace(20, 2000, 50))) > 0).all()


def test_an_unseen_clip_is_rarely_an_alarm():
    # Of 20 worlds each: eight clips are known, four others come.
    said = []
    for seed in range(20):
        scores, groups = clips(12, apart=3.0, seed=seed)
        known = groups < 8
        said.append(tail_worth(scores[known], groups[known], 800.0).surprise(scores[~known]))
    plain = [
        Tail.fit(clips(12, apart=3.0, seed=seed)[0][:800]).surprise(
            clips(12, apart=3.0, seed=seed)[0][800:]
        )
        for seed in range(20)
    ]
    assert np.mean(np.stack(said) >= 2) <= 0.02 < np.mean(np.stack(plain) >= 2)


def test_footage_of_both_counts_for_both():
    first, second = tail_worth(*clips(4), 30.0), tail_worth(*clips(4, seed=1), 60.0)
    both = joined(first, second)
    assert both.count == first.count + second.count
    assert min(first.scale, second.scale) <= both.scale <= max(first.scale, second.scale)
