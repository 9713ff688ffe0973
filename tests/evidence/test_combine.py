"""Kinds of evidence are combined as chances: the most unlikely leads, the parts stay visible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from watchword.errors import KindMismatch
from watchword.evidence.combine import CombineOptions, combine, raised_by
from watchword.evidence.surprise import Tail
from watchword.types import Event, Scores

SURPRISE = st.floats(0, 60, width=32) | st.just(float("nan"))


def part(values, *labels, kind="surprise", start_s=0.0):
    values = np.asarray(values, np.float32).reshape(-1, len(labels))
    return Scores(values, start_s + np.arange(len(values) + 1.0), labels, kind, "video", "made")


def combined(*parts, **more):
    return combine(parts, **more).scores.values[:, 0]


def chance_of_sum(surprises):
    """Fisher's chance of the sum of surprises, as -log10, by scipy; None of nothing."""
    known = [float(v) for v in surprises if v == v]
    if not known:
        return None
    return -stats.chi2.logsf(2 * np.log(10) * sum(known), 2 * len(known)) / np.log(10)


@given(hnp.arrays(np.float32, (6, 3), elements=SURPRISE))
def test_surprise_adds_up_within_a_kind_and_odds_are_averaged_across_kinds(values):
    found = combined(part(values[:, :2], "a", "b"), part(values[:, 2:], "c"))
    for row, got in zip(values.astype(np.float64), found, strict=True):
        seen = [v for v in (chance_of_sum(row[:2]), chance_of_sum(row[2:])) if v is not None]
        if not seen:
            assert np.isnan(got)
            continue
        mean = np.mean([10.0**v for v in seen])
        assert got == pytest.approx(max(0.0, np.log10(mean)), abs=1e-4)


def test_what_one_part_says_all_the_time_does_not_hide_another():
    level = np.full(4, 3.0)
    found = combined(part(np.stack([level, [0, 1, 2, 3]], axis=1), "appearance", "motion"))
    assert (np.diff(found) > 0.3).all()


def test_one_part_alone_says_what_it_says():
    np.testing.assert_allclose(combined(part([0.0, 1.5, 400.0], "a")), [0, 1.5, 400])


def test_a_part_with_nothing_to_say_costs_little_and_agreement_adds():
    strong, silent = part([4.0], "a"), part([0.0], "b")
    assert combined(strong, silent) == pytest.approx(4 - np.log10(2), abs=1e-3)
    assert combined(strong, part([4.0], "b")) == pytest.approx(4)
    assert combined(strong, part([3.5], "b")) > combined(strong, silent)


def test_the_strongest_part_is_never_drowned():
    parts = [part([6.0], "a"), *(part([0.0], f"b{i}") for i in range(9))]
    assert combined(*parts) == pytest.approx(5, abs=1e-3)


def test_each_kind_of_evidence_has_an_equal_say_however_many_labels_it_has():
    change = part([3.0], "change")
    many = part([[0.0] * 8], *(f"label {i}" for i in range(8)))
    assert combined(change, many) == pytest.approx(combined(change, part([0.0], "a")))


def test_a_part_that_was_not_measured_has_no_say():
    found = combined(part([2.0, np.nan], "a"), part([np.nan, np.nan], "b"))
    np.testing.assert_array_equal(found, np.array([2, np.nan], np.float32))


def test_parts_stay_visible_and_the_score_says_what_it_is():
    made = combine([part([1.0], "fire"), part([2.0], "change")], CombineOptions(label="unusual"))
    assert made.parts.labels == ("fire", "change")
    np.testing.assert_array_equal(made.parts.values, [[1, 2]])
    assert (made.scores.labels, made.scores.kind) == (("unusual",), "surprise")
    assert made.scores.made_by == "mean odds of fire, change"
    assert made.scores.video == "video"


def test_the_sum_of_parts_of_normal_footage_is_as_rare_as_it_says():
    rng = np.random.default_rng(0)
    normal = combined(part(rng.exponential(1 / np.log(10), (20000, 2)), "motion", "appearance"))
    for level in (1.0, 2.0):
        assert (normal >= level).mean() == pytest.approx(10**-level, rel=0.15)


def test_with_the_tail_of_the_whole_it_is_judged_by_normal_footage_again():
    rng = np.random.default_rng(0)
    first = rng.exponential(1 / np.log(10), 4000)
    # The same thing twice: two parts that depend on each other wholly.
    normal = combined(part(first, "a"), part(first, "b"))
    tail = Tail.fit(normal)
    again = combined(part(first, "a"), part(first, "b"), tail=tail)
    for level in (1.0, 2.0):
        assert (again >= level).mean() == pytest.approx(10**-level, rel=0.1)


def test_parts_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="nothing to combine"):
        combine([])
    with pytest.raises(KindMismatch, match="of kind contrast"):
        combine([part([0.5], "a", kind="contrast")])
    with pytest.raises(ValueError, match="1 and 2 windows"):
        combine([part([1.0], "a"), part([1.0, 1.0], "b")])
    with pytest.raises(ValueError, match="windows, or others"):
        combine([part([1.0], "a"), part([1.0], "b", start_s=0.5)])
    with pytest.raises(ValueError, match="unique"):
        combine([part([1.0], "a"), part([1.0], "a")])


def test_an_event_says_what_raised_it_strongest_first():
    parts = part([[1, 2, np.nan], [4, 3, np.nan], [0, 5, 1]], "fire", "change", "motion")
    event = Event("surprise", 0.0, 3.0, score=3.7, peak_s=1.5)
    found = raised_by(event, parts)
    assert found.raised_by == (("fire", 4.0), ("change", 3.0))
    assert (found.start_s, found.score) == (0.0, 3.7)
    # A peak may be told by where its window begins.
    at_edge = raised_by(Event("surprise", 0.0, 3.0, score=3.7, peak_s=2.0), parts)
    assert at_edge.raised_by[0] == ("change", 5.0)
    with pytest.raises(ValueError, match="outside"):
        raised_by(Event("surprise", 0.0, 9.0, score=1.0, peak_s=3.0), parts)
