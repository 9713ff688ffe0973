"""Which evidence is weighed: words, change, normality, alone or together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Evidence = Literal["words", "change", "normality"]
EVIDENCE: tuple[Evidence, ...] = ("words", "change", "normality")

# The label of an event that no sentence gave a name to.
UNUSUAL = "unusual"


@dataclass(frozen=True, slots=True)
class EvidenceOptions:
    """Which evidence is weighed.

    Attributes:
        kinds: words, change and normality, any of them; None is whatever was given: words if
            there are sentences or a head, normality if there is a memory, and change with the
            normality of the video itself if nothing was given at all.
        where: look at the pictures of events again, to show where in them the words are.
    """

    kinds: tuple[Evidence, ...] | None = None
    where: bool = False

    def __post_init__(self) -> None:
        if self.kinds is None:
            return
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"kinds is {self.kinds}, it must name each kind of evidence once")
        if unknown := [kind for kind in self.kinds if kind not in EVIDENCE]:
            raise ValueError(f"evidence {unknown[0]!r} is not known; {', '.join(EVIDENCE)} are")


def settled_kinds(options: EvidenceOptions, *, words: bool, memory: bool) -> tuple[Evidence, ...]:
    """The kinds of evidence that are weighed, in the order words, change, normality.

    Args:
        options: what was asked for.
        words: whether there are sentences or a head.
        memory: whether there is a memory of normal footage, or the video is to be its own.

    Raises:
        ValueError: words are asked for and there are none, or what was given is not asked for.

    >>> settled_kinds(EvidenceOptions(), words=False, memory=False)
    ('change', 'normality')
    >>> settled_kinds(EvidenceOptions(), words=True, memory=True)
    ('words', 'normality')
    """
    kinds = options.kinds
    if kinds is None:
        if not words and not memory:
            return ("change", "normality")
        return tuple(
            k for k in EVIDENCE if (k == "words" and words) or (k == "normality" and memory)
        )
    if "words" in kinds and not words:
        raise ValueError("words are to be weighed and there are none; say what to watch for")
    if words and "words" not in kinds:
        raise ValueError(
            f"there are sentences or a head, and only {', '.join(kinds)} are to be weighed; add "
            "words, or leave the sentences out"
        )
    if memory and "normality" not in kinds:
        raise ValueError(
            f"there is a memory of normal footage, and only {', '.join(kinds)} are to be weighed; "
            "add normality, or leave the memory out"
        )
    return tuple(kind for kind in EVIDENCE if kind in kinds)
