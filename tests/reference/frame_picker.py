"""The plain way to pick frames at a fixed rate: look through the whole list for every grid time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def picked_at_rate(
    pts_s: Sequence[Fraction], rate: Fraction, start_s: Fraction, end_s: Fraction
) -> list[Fraction]:
    """Of each grid time ``start + k / rate`` the first frame at or after it, each frame once."""
    inside = [pts for pts in pts_s if start_s <= pts < end_s]
    picked: list[Fraction] = []
    steps = 0 if not inside else int((inside[-1] - start_s) * rate) + 1
    for k in range(steps + 1):
        later = [pts for pts in inside if pts >= start_s + k / rate]
        if later and later[0] not in picked:
            picked.append(later[0])
    return picked
