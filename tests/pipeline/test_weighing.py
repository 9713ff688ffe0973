"""Words beside other evidence: made surprise by normal footage, and weighed with it."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.errors import NormalityError
from watchword.evidence.normality.worth import tail_worth
from watchword.pipeline.weighing import calm_tails, raised, surprise_of, weigh
from watchword.types import Event, Scores

COUNT = 200


def scores(values: np.ndarray, *labels: str, kind: str = "surprise") -> Scores:
    values = np.asarray(values, np.float32).reshape(COUNT, len(labels))
    return Scores(values, np.arange(COUNT + 1) / 10, labels, kind, made_by="made")  # type: ignore[arg-type]


@pytest.fixture
def words() -> Scores:
    """Two labels of a contrast; the first rises in the last twenty windows."""
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 0.05, (COUNT, 2))
    values[-20:, 0] += 0.5
    return scores(values, "a fall", "change", kind="contrast")


@pytest.fixture
def change() -> Scores:
    """Calm, but for the last twenty windows."""
    values = np.random.default_rng(1).exponential(0.3, COUNT)
    values[-20:] += 3
    return scores(values, "change")


def test_calm_windows_are_those_in_which_the_other_evidence_sees_least(
    words: Scores, change: Scores
) -> None:
    tails = calm_tails(words, [change])
    calm = change["change"] <= np.quantile(change["change"], 0.8)
    assert not calm[-20:].any()
    for label in words.labels:
        groups = (np.arange(COUNT) // 25)[calm]
        expected = tail_worth(words[label][calm].astype(np.float64), groups, calm.sum() / 10)
        np.testing.assert_array_equal(
            tails[label].surprise(words[label]), expected.surprise(words[label])
        )
    made = surprise_of(words, tails)
    assert made.kind == "surprise"
    assert made["a fall"][-20:].min() > 2.5
    assert np.median(made["change"]) < 1


def test_what_has_no_name_counts_for_the_label_whose_words_are_strongest() -> None:
    named = np.array([[1.0, 0.5], [0.5, 1.0], [0.7, 0.7]]).repeat([100, 50, 50], axis=0)
    sudden = scores(np.full(COUNT, 4.0), "change")
    weighed = weigh(scores(named, "a fall", "a fire"), [sudden]).scores
    at = np.arange(COUNT)
    np.testing.assert_array_equal(weighed["a fall"] > 3, (at < 100) | (at >= 150))
    np.testing.assert_array_equal(weighed["a fire"] > 3, at >= 100)
    # The others keep what their words say, beside nothing seen.
    assert weighed["a fire"][0] == pytest.approx(np.log10((10**0.5 + 1) / 2))


def test_a_window_in_which_a_part_was_not_measured_is_judged_by_the_others(
    words: Scores, change: Scores
) -> None:
    gone = change.values.copy()
    gone[:50] = np.nan
    other = scores(np.full(COUNT, 0.1), "motion")
    tails = calm_tails(words, [scores(gone, "change"), other])
    # The calm windows are 16 s, and worth no more than a look a second.
    assert 1 <= tails["a fall"].count <= 16
    plain = weigh(surprise_of(words, tails), [other]).scores["a fall"]
    assert plain[-20:].min() > plain[:-20].max()


@pytest.mark.parametrize("count", [15, COUNT])
def test_words_without_a_usual_value_are_no_measure(count: int) -> None:
    values = np.full(COUNT, np.nan)
    values[:count] = 0.4
    with pytest.raises(NormalityError, match="weigh words alone"):
        calm_tails(scores(values, "red", kind="contrast"), [scores(np.zeros(COUNT), "change")])


def test_each_label_is_weighed_with_what_counts_for_it_and_not_with_other_labels(
    change: Scores,
) -> None:
    rng = np.random.default_rng(2)
    spoken = scores(rng.exponential(0.5, (COUNT, 2)), "a fall", "change")
    weighed = weigh(spoken, [change])
    assert weighed.scores.labels == ("a fall", "change")
    assert weighed.parts.labels == ("words: a fall", "words: change", "change")
    for label in spoken.labels:
        own = np.where(spoken[label] == spoken.values.max(axis=1), change["change"], 0.0)
        odds = (10.0 ** spoken[label] + 10.0**own) / 2
        np.testing.assert_allclose(weighed.scores[label], np.log10(odds), atol=1e-5)


def test_without_words_it_is_unusual(change: Scores) -> None:
    weighed = weigh(None, [change])
    assert weighed.scores.labels == ("unusual",)
    np.testing.assert_allclose(weighed.scores["unusual"], change["change"], atol=1e-6)


def test_an_event_is_raised_by_the_words_of_its_own_label(change: Scores) -> None:
    rows = np.stack([np.full(COUNT, 5.0), np.full(COUNT, 9.0), change["change"]], axis=1)
    parts = scores(rows, "words: a fall", "words: change", "change")
    event = raised(Event("change", 18.0, 20.0, 9.0, 19.05), parts)
    assert event.raised_by == (
        ("words: change", 9.0),
        ("change", pytest.approx(float(change["change"][190]))),
    )
