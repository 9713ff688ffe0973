"""Whether a sentence says what another one says, by its words: for the leakage guard alone.

Case, punctuation, invisible characters, accents, Cyrillic and Greek letters that look Latin, order,
small words, plurals, simple endings, numbers written as digits, and blanks put in or left out make
no difference. Synonyms, translations and misspellings are not recognised: "stag" is not "deer".
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
# Letters that look Latin and are not, after case folding: Cyrillic, then Greek.
_LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0432\u043a\u043c\u043d\u0442"
    "\u03b1\u03b5\u03bf\u03c1\u03c5\u03c7\u03b9\u03ba\u03bd\u03c4",
    "aeopcyxijshdqwbkmhtaeopyxikvt",
)
# Shown as nothing, though Unicode calls them letters.
_FILLERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
# A text of so many content words says something about one video; shorter ones may be said of many.
_TELLING = 3
# In longer texts the words of a short sentence may all occur by accident: order counts there.
_LONG = 12
# Share of all words of both that they have in common: the same thing said, or something like it.
_SAME = 0.75
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Words:
    """A text reduced to what is compared.

    Attributes:
        text: as it was written.
        tokens: its content words in order.
        letters: its letters and digits alone, which blanks within words do not change.
    """

    text: str
    tokens: tuple[str, ...]
    letters: str

    @property
    def telling(self) -> bool:
        """Whether it says enough to be about one video."""
        return len(set(self.tokens)) >= _TELLING


def words_of(text: str) -> Words:
    """The content words of a text.

    >>> words_of("Two DEER, running onto the roads!").tokens
    ('two', 'deer', 'run', 'road')
    """
    found = re.findall(r"[^\W_]+", _looked_at(text))
    letters = "".join(found)
    content = (_DIGITS.get(word, word) for word in found if word not in _SMALL)
    return Words(text, tuple(_stem(word) for word in content), letters)


def _looked_at(text: str) -> str:
    """The text as a reader sees it: small Latin letters, nothing that is not shown."""
    plain = unicodedata.normalize("NFKD", text.translate(_FILLERS))
    kept = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    return kept.casefold().translate(_LOOKS)


def sentences_of(text: str) -> tuple[str, ...]:
    """A text cut into its sentences."""
    return tuple(part.strip() for part in re.split(r"[.;!?\n]+", text) if part.strip())


def likeness(prompt: Words, truth: Words) -> Likeness | None:
    """Whether a prompt repeats a text of the truth, resembles it, or neither.

    It repeats a telling text if all words of the one are in the other or three in four are shared.
    It repeats it too if its letters, blanks aside, are those of the text or hold them. It resembles
    it if somewhat fewer words are shared, or if one is wholly in the other but has too few words to
    tell, or has them scattered over a long prompt.
    """
    mine, other = set(prompt.tokens), set(truth.tokens)
    if not mine or not other:
        return None
    if truth.telling and truth.letters in prompt.letters:
        return "repeats"
    shared = mine & other
    common = len(shared) / len(mine | other) if len(shared) >= _TELLING else 0.0
    if common >= _SAME:
        return "repeats"
    if not _within(prompt.tokens, truth.tokens) and not _within(truth.tokens, prompt.tokens):
        scattered = truth.telling and other <= mine
        return "resembles" if common >= _ALIKE or scattered else None
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
