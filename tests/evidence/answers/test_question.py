"""Questions, their options in both orders, and which tokens answer them."""

from __future__ import annotations

import numpy as np
import pytest

from tiny_vlm import tiny_tokenizer
from watchword.errors import PromptError
from watchword.evidence.answers.question import CRASH, Question, ask, read_question
from watchword.evidence.answers.reading import Reading, find_reading

SEED_4 = "Is a vehicle collision likely to happen within 1 to 2 seconds?(0: No, 1: Yes)"


def encode(text: str) -> list[int]:
    return list(tiny_tokenizer().encode(text, add_special_tokens=False).ids)


def test_seed_4s_question_is_asked_as_it_stands_and_turned_around() -> None:
    question = read_question(SEED_4)
    assert question.text == CRASH.text
    assert ask(question, order="no_first") == SEED_4
    assert ask(question, order="yes_first").endswith("seconds?(1: Yes, 0: No)")


def test_each_order_names_both_options() -> None:
    assert ask(CRASH, order="yes_first").endswith("? Answer Yes or No.")
    assert ask(CRASH, order="no_first").endswith("? Answer No or Yes.")
    with pytest.raises(ValueError, match="yes_first or no_first"):
        ask(CRASH, order="both")  # type: ignore[arg-type]


def test_a_question_in_other_words_keeps_its_parentheses() -> None:
    assert read_question("Is it a fire (or smoke)?").text == "Is it a fire (or smoke)?"


@pytest.mark.parametrize(
    "told",
    [
        {"text": "  "},
        {"label": ""},
        {"yes": ()},
        {"yes": ("Yes",), "no": ("No", "no")},
        {"yes": ("Yes",), "no": ("Yes",)},
        {"yes": (" Yes",), "no": ("No",)},
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"question|as many|differ"):
        Question(**{"text": "Is it?", **told})  # type: ignore[arg-type]


def test_words_are_read_behind_a_space_and_digits_after_one() -> None:
    words = find_reading(encode, CRASH, "Assistant:")
    assert (words.lead, words.yes) == ("", (*encode(" Yes"), *encode(" yes")))
    digits = find_reading(encode, read_question(SEED_4), "Assistant:")
    assert (digits.lead, digits.yes, digits.no) == (" ", tuple(encode("1")), tuple(encode("0")))


def test_after_a_new_line_no_space_is_expected() -> None:
    reading = find_reading(encode, CRASH, "assistant\n")
    assert reading.yes == (*encode("Yes"), *encode("yes"))


def test_a_spelling_without_its_counterpart_does_not_count() -> None:
    question = Question("Is it?", yes=("Yes", "yes"), no=("No", "never"))
    assert find_reading(encode, question, "Assistant:").yes == tuple(encode(" Yes"))


def test_answers_of_several_tokens_are_refused() -> None:
    with pytest.raises(PromptError, match="aye against nay"):
        find_reading(encode, Question("Is it?", yes=("aye",), no=("nay",)), "Assistant:")


def test_the_logit_is_that_of_a_softmax_over_all_spellings() -> None:
    logits = np.array([[0.3, 2.0, -1.0, 0.5, 9.0], [1e4, -1e4, 0, 0, 0]])
    made = Reading((0, 1), (2, 3)).logit(logits)
    shares = np.exp(logits[0])
    assert made[0] == pytest.approx(np.log((shares[0] + shares[1]) / (shares[2] + shares[3])))
    assert np.isfinite(made).all()
