"""Which tokens mean yes and which no, and what their logits say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import PromptError
from watchword.evidence.answers.question import Question

Encode = Callable[[str], Sequence[int]]
# Tokens do not reach further back than this many letters.
_TAIL = 40


@dataclass(frozen=True, slots=True)
class Reading:
    """Token ids that mean yes and no as the next token after the prompt plus ``lead``."""

    yes: tuple[int, ...]
    no: tuple[int, ...]
    lead: str = ""

    def logit(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N,) log-odds of yes against no, of next-token logits (N, vocabulary).

        Each side is the log of its summed exponentials: the softmax over all spellings.
        """
        wide = np.asarray(logits, np.float64)
        # What is no number stays none, for the caller to refuse.
        with np.errstate(invalid="ignore"):
            yes, no = (np.logaddexp.reduce(wide[:, list(i)], axis=1) for i in (self.yes, self.no))
            return np.asarray(yes - no, np.float64)


def find_reading(encode: Encode, question: Question, prompt: str) -> Reading:
    """How the answer is read after this prompt.

    A spelling counts if it adds exactly one token to the prompt, and so does its counterpart. Where
    none does behind a space (" 1" is two tokens to SmolVLM), the space goes to the prompt instead.

    Args:
        encode: token ids of a text, special tokens read as such, none added.
        question: whose spellings are looked for.
        prompt: what the answer follows.

    Raises:
        PromptError: no pair of spellings is a token each.
    """
    tail = prompt[-_TAIL:]
    gaps = ("",) if tail[-1:].isspace() else (" ",)
    for lead, gap in [*(("", gap) for gap in gaps), (" ", "")]:
        before = tail + lead
        pairs = [
            (yes, no)
            for yes, no in (
                (_one(encode, before, gap + one), _one(encode, before, gap + other))
                for one, other in zip(question.yes, question.no, strict=True)
            )
            if yes is not None and no is not None and yes != no
        ]
        if pairs:
            sides = zip(*pairs, strict=True)
            yes_ids, no_ids = (tuple(dict.fromkeys(side)) for side in sides)
            return Reading(yes_ids, no_ids, lead)
    raise PromptError(
        f"none of {'/'.join(question.yes)} against {'/'.join(question.no)} is one token each to "
        "this model's tokenizer; ask for answers that are (Yes and No, or 1 and 0)"
    )


def refuse_marks(encode: Encode, marks: Mapping[int, str], words: str) -> None:
    """PromptError if words hold one of a tokenizer's marks, which the model would obey."""
    held = [marks[one] for one in encode(words) if one in marks]
    if held:
        raise PromptError(f"the question holds {held[0]!r}, a mark of the model; leave it out")


def _one(encode: Encode, before: str, word: str) -> int | None:
    """The token that the word adds to what stands before it; None if it adds more."""
    ids, known = list(encode(before + word)), list(encode(before))
    return ids[-1] if ids[:-1] == known else None
