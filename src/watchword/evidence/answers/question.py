"""What is asked of a clip, and in which words the answer may come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Order = Literal["yes_first", "no_first"]
ORDERS: tuple[Order, Order] = ("yes_first", "no_first")
# Seed 4 writes its options into the question: "...?(0: No, 1: Yes)".
_DIGITS = re.compile(r"\s*\((?:0: ?no, ?1: ?yes|1: ?yes, ?0: ?no)\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that yes or no answers.

    Attributes:
        text: the question alone, without its options.
        label: what the scores are called that come of it.
        yes: spellings that mean yes; the first is the one offered.
        no: spellings that mean no, as many as ``yes``: each stands against the one at its place.
    """

    text: str
    label: str = "collision"
    yes: tuple[str, ...] = ("Yes", "yes")
    no: tuple[str, ...] = ("No", "no")

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a question must not be empty")
        if not self.label.strip():
            raise ValueError("a question needs a label: what its scores are called")
        if not self.yes or len(self.yes) != len(self.no):
            raise ValueError(f"yes {self.yes} and no {self.no} must be as many, one at least")
        every = (*self.yes, *self.no)
        if len(set(every)) != len(every) or any(not word or word != word.strip() for word in every):
            raise ValueError(f"answers {every} must differ, without spaces around them")

    @property
    def digits(self) -> bool:
        """Whether the answer is a number: seed 4's way."""
        return all(word.isdigit() for word in (*self.yes, *self.no))


CRASH = Question("Is a vehicle collision likely to happen within 1 to 2 seconds?")


def read_question(text: str, *, label: str = "collision") -> Question:
    """The question a person wrote; one that ends in ``(0: No, 1: Yes)`` is answered in digits.

    >>> read_question("Is there smoke?", label="smoke").yes
    ('Yes', 'yes')
    >>> read_question("Will they collide?(0: No, 1: Yes)").no
    ('0',)
    """
    bare = _DIGITS.sub("", text.strip())
    if bare == text.strip():
        return Question(bare, label)
    return Question(bare, label, yes=("1",), no=("0",))


def ask(question: Question, *, order: Order) -> str:
    """The question with its options: models lean to the option named first, so both orders exist.

    >>> ask(CRASH, order="no_first")
    'Is a vehicle collision likely to happen within 1 to 2 seconds? Answer No or Yes.'
    >>> ask(read_question("Crash?(0: No, 1: Yes)"), order="no_first")
    'Crash?(0: No, 1: Yes)'
    """
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}, it must be yes_first or no_first")
    yes, no = question.yes[0], question.no[0]
    if question.digits:
        options = [f"{yes}: Yes", f"{no}: No"]
        first, second = options if order == "yes_first" else options[::-1]
        return f"{question.text}({first}, {second})"
    first, second = (yes, no) if order == "yes_first" else (no, yes)
    return f"{question.text} Answer {first} or {second}."
