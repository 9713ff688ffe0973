"""Clips, which of their pictures are looked at, and the options."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.errors import AnswerError
from watchword.evidence.answers.base import AnswerOptions, Clip, as_probability, look


def clip(count: int) -> Clip:
    pictures = np.zeros((count, 4, 6, 3), np.uint8)
    pictures[:, 0, 0, 0] = range(count)
    return Clip(pictures, np.arange(count) * 0.1 + 3, 3.0, 7.0)


def test_the_first_and_the_last_picture_are_among_those_looked_at() -> None:
    assert list(look(clip(33), 5).pictures[:, 0, 0, 0]) == [0, 8, 16, 24, 32]
    assert look(clip(33), 5).at_s[-1] == pytest.approx(6.2)


def test_one_picture_is_the_last() -> None:
    assert list(look(clip(9), 1).pictures[:, 0, 0, 0]) == [8]


@pytest.mark.parametrize("count", range(1, 40))
def test_as_many_different_pictures_as_asked_for(count: int) -> None:
    assert len(look(clip(40), count)) == count


def test_a_short_clip_is_looked_at_as_a_whole() -> None:
    short = clip(3)
    assert look(short, 8) is short
    with pytest.raises(ValueError, match="at least 1"):
        look(short, 0)


def test_a_clip_that_is_none_is_refused() -> None:
    one = np.zeros((1, 4, 6, 3), np.uint8)
    with pytest.raises(TypeError, match="uint8"):
        Clip(one.astype(np.float32), np.array([3.0]), 3, 4)
    with pytest.raises(ValueError, match="one at least"):
        Clip(one[:0], np.zeros(0), 3, 4)
    with pytest.raises(ValueError, match="end after it starts"):
        Clip(one, np.array([3.0]), 4, 3)
    for at_s in ([5.0], [float("nan")]):
        with pytest.raises(ValueError, match="rise strictly between 3 and 4"):
            Clip(one, np.array(at_s), 3, 4)
    with pytest.raises(ValueError, match="rise strictly"):
        Clip(np.zeros((2, 4, 6, 3), np.uint8), np.array([3.5, 3.5]), 3, 4)


@pytest.mark.parametrize(
    "told",
    [
        {"clip_s": 0},
        {"stride_s": float("nan")},
        {"pictures": 0},
        {"batch": 0},
        {"device": "tpu"},
        {"dtype": "int8"},
    ],
)
def test_options_out_of_range_are_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(told))):
        AnswerOptions(**told)  # type: ignore[arg-type]


def test_both_orders_are_averaged_as_logits() -> None:
    made = as_probability(np.array([[4.0, 0.0], [-800.0, -800.0], [np.inf, np.inf]]), "it")
    assert made == pytest.approx([1 / (1 + np.exp(-2)), 0, 1])
    assert made.dtype == np.float32


def test_an_answer_that_is_no_number_is_an_error() -> None:
    with pytest.raises(AnswerError, match="1 of 2 answers"):
        as_probability(np.array([[0.0], [np.nan]]), "it")
