"""Where a kind of score is in balance: the threshold to begin with when nobody calibrated one."""

from __future__ import annotations

from watchword.errors import KindMismatch
from watchword.types import Kind

# Event and normal sentences fit equally well; a surprise of 2.5 comes about 17 times an hour on
# footage without events (docs/normality.md). A cosine or a distance by itself has no such point.
BALANCE: dict[Kind, float] = {"contrast": 0.5, "probability": 0.5, "margin": 0.0, "surprise": 2.5}


def threshold_or_balance(threshold: float | None, kind: Kind | None, name: str) -> float:
    """The threshold, or the kind's balance where it is None.

    Raises:
        KindMismatch: it is None and the kind has no balance; ``name`` is what must be given.

    >>> threshold_or_balance(None, "margin", "events.enter")
    0.0
    """
    if threshold is not None:
        return threshold
    if kind is None or kind not in BALANCE:
        raise KindMismatch(
            f"{kind or 'unnamed'} scores have no threshold of their own; give {name} (on the "
            f"command line --set {name}=VALUE), or score with {', '.join(BALANCE)}"
        )
    return BALANCE[kind]
