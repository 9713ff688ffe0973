"""Numbers are said in words that a reader can act on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.output.meaning import MEANINGS, axis_title, raised_by, rarity
from watchword.types import KINDS


def test_every_kind_has_a_meaning_and_an_axis() -> None:
    assert set(MEANINGS) == set(KINDS)
    assert [axis_title(kind) for kind in ("contrast", "surprise")] == [
        "contrast", "surprise (1 in 10^x)",
    ]  # fmt: skip


@given(st.floats(0, 6))
def test_a_rarity_is_right_to_two_digits(surprise: float) -> None:
    once = float(re.sub("1 in |,", "", rarity(surprise)))
    assert once == pytest.approx(10**surprise, rel=0.051)


@pytest.mark.parametrize(
    ("surprise", "said"),
    [
        (0.0, "1 in 1"),
        (0.998, "1 in 10"),
        (1.0, "1 in 10"),
        (2.999, "1 in 1,000"),
        (6.0, "1 in 1,000,000"),
        (6.01, "under 1 in a million"),
    ],
)
def test_a_rarity_is_plain_at_its_corners(surprise: float, said: str) -> None:
    assert rarity(surprise) == said


def test_parts_that_were_not_measured_raise_nothing() -> None:
    assert raised_by([("motion", 3.6), ("change", float("nan")), ("words", 1.3)]) == (
        "motion (1 in 4,000), words (1 in 20)"
    )
    assert raised_by([]) == ""


def test_parts_that_saw_nothing_unusual_did_not_raise_an_event() -> None:
    assert raised_by([("motion", 3.6), ("appearance", 0.9)]) == (
        "motion (1 in 4,000), not by appearance"
    )
    assert raised_by([("motion", 0.9), ("appearance", 0.0)]) == (
        "motion (1 in 7.9), appearance (1 in 1)"
    )
