"""What weakens a prompt bank: repeats, lengths, a missing normal side, sentences that say the same.

That every label has an event sentence needs no check here: a bank without one cannot be made, and
``load_bank`` says where the file lacks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.types import Prompt, PromptBank

CountTokens = Callable[[str], tuple[int, int]]
TextVectors = Callable[[Sequence[str]], NDArray[np.float32]]

# Dual encoders match the things that a sentence names, so "no fire" is close to pictures of fire.
NEGATION = re.compile(r"\b(no|not|without|never|nobody|nothing|none)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: an error makes results wrong or impossible, a warning weakens them.

    ``label`` is ``""`` for what concerns every label; ``text`` is the sentence, ``""`` if none.
    """

    severity: Literal["error", "warning"]
    label: str
    text: str
    message: str


def lint_bank(
    bank: PromptBank,
    *,
    count_tokens: CountTokens | None = None,
    vectors: TextVectors | None = None,
    same_cosine: float = 0.97,
) -> tuple[Finding, ...]:
    """What to mend in a bank, errors first; empty if nothing was found.

    Args:
        bank: the bank to look at.
        count_tokens: gives (tokens of a sentence, tokens the model can take); without it lengths
            are not checked.
        vectors: gives a unit vector a sentence; without it likeness in meaning is not checked.
        same_cosine: cosine from which two sentences count as saying the same, 0 to 1.
    """
    findings = [*_no_normal(bank), *_repeats(bank), *_negations(bank)]
    if count_tokens is not None:
        findings += _too_long(bank, count_tokens)
    if vectors is not None:
        findings += _alike(bank, vectors, same_cosine)
    return tuple(sorted(findings, key=lambda finding: finding.severity))


def _no_normal(bank: PromptBank) -> Iterator[Finding]:
    for label in bank.labels:
        if not bank.of(label, "normal"):
            yield Finding(
                "error",
                label,
                "",
                "has no normal sentence to compete with; add what the same camera usually sees "
                "under 'normal:', or score with kind cosine",
            )


def _repeats(bank: PromptBank) -> Iterator[Finding]:
    first: dict[str, Prompt] = {}
    for prompt in bank.prompts:
        folded = " ".join(prompt.text.casefold().split())
        other = first.setdefault(folded, prompt)
        if other is not prompt:
            yield _clash(prompt, other, f"{prompt.text!r} repeats {_where(other)}")


def _negations(bank: PromptBank) -> Iterator[Finding]:
    for prompt in bank.prompts:
        if found := NEGATION.search(prompt.text):
            yield Finding(
                "warning",
                prompt.label,
                prompt.text,
                f"{prompt.text!r} says {found.group()!r}, which encoders of pictures and text "
                "hardly understand; say what is seen instead",
            )


def _too_long(bank: PromptBank, count_tokens: CountTokens) -> Iterator[Finding]:
    for prompt in bank.prompts:
        counts = [count_tokens(template.replace("{}", prompt.text)) for template in bank.templates]
        used, allowed = max(counts)
        if used > allowed:
            yield Finding(
                "error",
                prompt.label,
                prompt.text,
                f"{prompt.text!r} is {used} tokens long, the model takes {allowed}; shorten it",
            )


def _alike(bank: PromptBank, vectors: TextVectors, same_cosine: float) -> Iterator[Finding]:
    """Pairs of different sentences whose vectors are all but equal; each is told once."""
    by_text: dict[str, Prompt] = {}
    for prompt in bank.prompts:
        by_text.setdefault(" ".join(prompt.text.casefold().split()), prompt)
    prompts = tuple(by_text.values())
    rows = vectors([prompt.text for prompt in prompts])
    cosines = np.tril(rows @ rows.T, k=-1)
    for late, early in np.argwhere(cosines >= same_cosine):
        prompt, other = prompts[late], prompts[early]
        yield _clash(
            prompt,
            other,
            f"{prompt.text!r} means the same to the model as {other.text!r} of {_where(other)} "
            f"(cosine {cosines[late, early]:.3f})",
        )


def _clash(prompt: Prompt, other: Prompt, what: str) -> Finding:
    """A finding about two sentences: worse if they pull a score in opposite directions."""
    if prompt.role != other.role:
        return Finding("error", prompt.label, prompt.text, f"{what}: the two cancel; remove one")
    if prompt.label != other.label and prompt.role == "event":
        advice = "the labels cannot be told apart by it; reword one"
    else:
        advice = "it counts twice; remove one"
    return Finding("warning", prompt.label, prompt.text, f"{what}: {advice}")


def _where(prompt: Prompt) -> str:
    side = f"the {prompt.role} side"
    return f"{side} of {prompt.label!r}" if prompt.label else f"{side} of every label"
