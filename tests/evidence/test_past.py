"""A video is judged by its own past: events teach nothing, a new state that lasts does."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.past import reference_surprise
from watchword.evidence.past import PastOptions, PastTail, against_past, settled
from watchword.evidence.surprise import Tail
from watchword.evidence.usual import USUAL_CHANGE
from watchword.types import Scores

RATE = 5.0


def around(level, seconds, seed=0):
    """Values around a level, as a steady scene gives them."""
    rng = np.random.default_rng(seed)
    return level * np.exp(0.1 * rng.standard_normal(int(seconds * RATE)))


def scores(values, labels=("change",)):
    values = np.asarray(values, np.float32).reshape(-1, len(labels))
    return Scores(values, np.arange(len(values) + 1) / RATE, labels, "distance", made_by="made")


def judged(*stretches, options=None):
    found = against_past(scores(np.concatenate(stretches)), USUAL_CHANGE, options)
    return found.scores.values[:, 0], found.drift


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.2, 0.5, 3.0, np.nan, 1e6]), max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
    st.sampled_from([PastOptions(), PastOptions(5.0, 40.0, 1.0, 3.0)]),
)
def test_surprise_is_that_of_the_obvious_way_however_the_series_comes(values, places, options):
    values = np.array(values, np.float32)
    lengths = np.resize([0.2, 0.1, 1.5], len(values))
    starts = np.cumsum(lengths) - lengths
    wanted, told = reference_surprise(values, lengths, USUAL_CHANGE, options)
    past, whole = PastTail(USUAL_CHANGE, options), PastTail(USUAL_CHANGE, options)
    cut = sorted(min(place, len(values)) for place in places)
    parts = [
        past.update(*split)
        for split in zip(
            *(np.split(series, cut) for series in (values, starts, lengths)), strict=True
        )
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole.update(values, starts, lengths))
    np.testing.assert_allclose(np.concatenate(parts), wanted, atol=1e-5)
    assert len(past.drift) == len(told)


def test_at_first_a_video_is_judged_by_what_is_usual_elsewhere():
    first = judged([0.1, 0.3, 0.5])[0]
    np.testing.assert_allclose(first, USUAL_CHANGE.surprise([0.1, 0.3, 0.5]), atol=0.02)


def test_what_is_nothing_in_a_car_is_sudden_in_a_yard():
    yard, _ = judged(around(0.02, 600), [0.15])
    car, _ = judged(around(0.2, 600), [0.15])
    assert yard[-1] > 2 > 0.5 > car[-1]


def test_an_event_stays_surprising_and_teaches_nothing():
    event = around(0.6, 10, seed=1)
    found, drift = judged(around(0.1, 300), event, around(0.1, 120), event)
    during, again = found[1500:1550], found[-50:]
    assert during.min() > 3
    assert again.min() > 3
    assert drift == ()


def test_a_new_state_that_lasts_is_told_once_and_no_longer_alarms():
    found, drift = judged(around(0.05, 300), around(0.4, 300, seed=1))
    assert found[1500:1600].min() > 3
    assert found[1500 + int(62 * RATE) :].max() < 2
    (told,) = drift
    assert told.start_s == pytest.approx(300, abs=1)
    assert re.search(r"on the level is about [789] times what it was", told.sentence)


def test_a_scene_that_falls_quiet_is_told_and_then_watched_more_closely():
    busy, quiet = around(0.3, 600), around(0.02, 600, seed=1)
    found, drift = judged(busy, quiet, [0.3])
    (told,) = drift
    assert told.start_s == pytest.approx(600, abs=1)
    assert re.search(r"about 1/1[3-7] of what it was", told.sentence)
    assert found[3000:-1].max() < 2
    assert found[-1] > judged(busy, [0.3])[0][-1] + 0.2


def test_more_is_always_more_surprising():
    levels = np.geomspace(0.05, 50, 30)
    last = [judged(around(0.05, 120), [level])[0][-1] for level in levels]
    assert (np.diff(last) > 0).all()


def test_what_was_not_measured_stays_so():
    found, _ = judged([0.1, np.nan, 0.1])
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])
    assert len(judged([])[0]) == 0


def test_scores_say_what_they_are():
    found = against_past(scores([0.1, 0.2]), USUAL_CHANGE).scores
    assert (found.kind, found.labels) == ("surprise", ("change",))
    assert found.made_by == "made, beside its own past"


def test_any_tail_can_be_what_is_usual():
    tail = Tail.fit(np.random.default_rng(0).gamma(2.0, 30.0, 500))
    found = against_past(scores([50.0, 1000.0]), tail).scores
    assert found.values[1, 0] > 3 > found.values[0, 0]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="prior_s is 0"):
        PastOptions(prior_s=0)
    with pytest.raises(ValueError, match="2 labels"):
        against_past(scores([[0.1, 0.2]], ("a", "b")), USUAL_CHANGE)
    with pytest.raises(ValueError, match=r"each must be \(n,\)"):
        PastTail(USUAL_CHANGE).update(np.zeros(2), np.zeros(1), np.zeros(2))


def _dusk(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Values at ten a second of a minute's calm, then of so many seconds at ten times as much."""
    rng = np.random.default_rng(5)
    calm, high = rng.uniform(0.5, 1.5, 600), rng.uniform(5, 15, round(seconds * 10))
    values = np.concatenate([calm, high]).astype(np.float32)
    return values, np.arange(len(values) + 1) / 10


def test_surprise_beside_a_memory_stays_as_it_is_until_a_new_state_has_lasted() -> None:
    prior = Tail.fit(np.random.default_rng(1).uniform(0.5, 1.5, 2000))
    values, edges = _dusk(20)
    surprise = prior.surprise(values)
    same, drift = settled(surprise, values, prior, edges)
    assert drift == ()
    np.testing.assert_array_equal(same, surprise)


def test_what_lasts_is_told_once_and_no_longer_surprises() -> None:
    prior = Tail.fit(np.random.default_rng(1).uniform(0.5, 1.5, 2000))
    values, edges = _dusk(600)
    surprise = prior.surprise(values)
    calmer, drift = settled(surprise, values, prior, edges)
    (one,) = drift
    assert one.start_s == pytest.approx(60, abs=1)
    assert 60 < one.settled_s <= 180
    before, after = edges[:-1] < one.settled_s, edges[:-1] >= one.settled_s + 60
    np.testing.assert_array_equal(calmer[before], surprise[before])
    assert surprise[after].min() > 2.5 > np.quantile(calmer[after], 0.99)
