"""What the numbers mean, in the reader's words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchword.types import Kind

# Beyond this a rarity is carried on from what was seen, and no count stands behind its digits.
_RAREST = 6.0
# What happens more often than once in ten windows is no reason to look up.
_NOTICED = 1.0

MEANINGS: dict[Kind, str] = {
    "surprise": (
        "A score of 3 is as rare as 1 in 1,000 on what is usual here, 4 as 1 in 10,000: "
        "each step of 1 is ten times rarer."
    ),
    "contrast": (
        "A score says how much better the event's sentences fit than the normal ones: "
        "0.5 is a draw, 1 is all the event's."
    ),
    "probability": "A score is the probability of the event that the model gives, 0 to 1.",
    "margin": (
        "A score is by how much the event's sentences fit better than the normal ones; 0 is a draw."
    ),
    "cosine": "A score is how near picture and sentence are; it compares only with its own label.",
    "distance": "A score is the distance to what is usual; higher is more unusual.",
}


def axis_title(kind: Kind) -> str:
    """The name of a kind for an axis.

    >>> axis_title("surprise")
    'surprise (1 in 10^x)'
    """
    return "surprise (1 in 10^x)" if kind == "surprise" else kind


def rarity(surprise: float) -> str:
    """How rare something of this surprise is, to two digits.

    >>> rarity(3.6), rarity(1.3), rarity(0.1), rarity(7.2)
    ('1 in 4,000', '1 in 20', '1 in 1.3', 'under 1 in a million')
    """
    if surprise > _RAREST:
        return "under 1 in a million"
    once = 10**surprise
    if once < 9.95:
        return f"1 in {once:.2g}"
    digits = math.floor(math.log10(once)) - 1
    return f"1 in {round(once, -digits):,.0f}"


def raised_by(parts: Sequence[tuple[str, float]]) -> str:
    """The parts that saw something with how rare it is, and which were measured and did not.

    >>> raised_by([("motion", 3.6), ("change", 1.3), ("appearance", 0.2)])
    'motion (1 in 4,000), change (1 in 20), not by appearance'
    """
    known = [(name, value) for name, value in parts if not math.isnan(value)]
    saw = [part for part in known if part[1] >= _NOTICED] or known
    said = [f"{name} ({rarity(value)})" for name, value in saw]
    return ", ".join(said + [f"not by {part[0]}" for part in known if part not in saw])
