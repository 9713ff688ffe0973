"""Whether a sentence says what another one says, by its words: for the leakage guard alone.

Case, punctuation, invisible characters, order, small words, plurals, simple endings and numbers
written as digits make no difference. Synonyms are not recognised: "stag" is not "deer".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Likeness = Literal["repeats", "resembles"]

_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "on",
        "in",
        "at",
        "to",
        "onto",
        "into",
        "and",
        "or",
        "with",
        "is",
        "are",
        "was",
        "were",
        "be",
        "being",
        "by",
        "for",
        "from",
        "as",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "which",
        "who",
        "his",
        "her",
        "their",
    ]
)
_DIGITS = dict(
    zip(
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        strict=True,
    )
)
# A text of so many content words says something about one video; shorter ones may be said of many.
_TELLING = 3
# In longer texts the words of a short sentence may all occur by accident: order counts there.
_LONG = 12
# Share of all words of both that they have in common: the same thing said, or something like it.
_SAME = 0.75
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Words:
    """The content words of a text in order, reduced to what is compared."""

    text: str
    tokens: tuple[str, ...]

    @property
    def telling(self) -> bool:
        """Whether it says enough to be about one video."""
        return len(set(self.tokens)) >= _TELLING


def words_of(text: str) -> Words:
    """The content words of a text.

    >>> words_of("Two DEER, running onto the roads!").tokens
    ('two', 'deer', 'run', 'road')
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn"))
    found = re.findall(r"[^\W_]+", kept.casefold())
    content = (_DIGITS.get(word, word) for word in found if word not in _SMALL)
    return Words(text, tuple(_stem(word) for word in content))


def sentences_of(text: str) -> tuple[str, ...]:
    """A text cut into its sentences."""
    return tuple(part.strip() for part in re.split(r"[.;!?\n]+", text) if part.strip())


def likeness(prompt: Words, truth: Words) -> Likeness | None:
    """Whether a prompt repeats a text of the truth, resembles it, or neither.

    It repeats a telling text if all words of the one are in the other or three in four are shared.
    It resembles it if somewhat fewer are shared, or if one is wholly in the other but has too few
    words to tell.
    """
    mine, other = set(prompt.tokens), set(truth.tokens)
    if not mine or not other:
        return None
    shared = mine & other
    common = len(shared) / len(mine | other) if len(shared) >= _TELLING else 0.0
    if common >= _SAME:
        return "repeats"
    if not _within(prompt.tokens, truth.tokens) and not _within(truth.tokens, prompt.tokens):
        return "resembles" if common >= _ALIKE else None
    if len(shared) >= _TELLING:
        return "repeats"
    return "resembles" if mine == other or len(shared) == _TELLING - 1 else None


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    if not set(part) <= set(whole):
        return False
    if len(whole) <= _LONG:
        return True
    size = len(part)
    if size <= _TELLING:
        return any(whole[i : i + size] == part for i in range(len(whole) - size + 1))
    # In any order, but in one place: within twice their number of words.
    wanted = set(part)
    return any(wanted <= set(whole[i : i + 2 * size]) for i in range(len(whole) - size + 1))


def _stem(word: str) -> str:
    """A word without plural and simple endings."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(s|x|z|ch|sh)es$", word):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def distinct(texts: Iterable[str]) -> tuple[Words, ...]:
    """The words of each text that has any, each once."""
    found = {made.tokens: made for made in map(words_of, texts) if made.tokens}
    return tuple(found.values())
