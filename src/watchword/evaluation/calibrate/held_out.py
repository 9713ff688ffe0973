"""What a choice is worth on data that had no part in it, by leaving groups of videos out in turn.

Works on sums (``objectives``): a set of videos is the sum of its members, so that leaving one out
is a subtraction. Where several things are chosen, as a smoothing and a threshold, the choice among
variants is made by the same procedure within the videos that remain (nested), never by a value that
the left-out videos had a part in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.objectives import Objective, Values
from watchword.evaluation.calibrate.thresholds import best_of

# Groups are left out together, in this many parts, where a variant is chosen within a fold.
INNER_FOLDS = 10
FEWEST_GROUPS = 3

Pick = Callable[[Values, NDArray[np.bool_]], int | None]
# Per variant, (G,N,S): what is kept of each group of videos at each of the variant's candidates.
Sums = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Picked:
    """One candidate of one variant: a place in its N candidates."""

    variant: str
    place: int


def pick(sums: Sums, objective: Objective, best: Pick = best_of) -> Picked:
    """The best variant, by its value on groups left out in turn, and its best candidate on all.

    Raises:
        CalibrationError: no candidate may be chosen.
    """
    names = list(sums)
    if len(names) > 1:
        standing = {name: _standing(sums[name], objective, best) for name in names}
        # Those without any standing come last; of equal ones the first is taken.
        names.sort(key=lambda name: standing[name], reverse=True)
    for name in names:
        place = _best_place(sums[name].sum(axis=0), objective, best)
        if place is not None:
            return Picked(name, place)
    raise CalibrationError(_nothing_allowed(sums, objective))


def leave_one_out(
    sums: Sums, objective: Objective, best: Pick = best_of
) -> tuple[list[Picked], Values]:
    """For each group what the others would choose, and (G,S) what that keeps of the group itself.

    Raises:
        CalibrationError: the others allow no choice.
    """
    groups = len(next(iter(sums.values())))
    chosen = []
    for group in range(groups):
        others = np.arange(groups) != group
        chosen.append(pick({name: one[others] for name, one in sums.items()}, objective, best))
    kept = np.stack([sums[one.variant][group, one.place] for group, one in enumerate(chosen)])
    return chosen, kept


def check_groups(
    groups: Collection[str], with_event: Collection[str], without: Collection[str], *, what: str
) -> None:
    """CalibrationError unless groups can be left out one by one and both classes remain.

    Args:
        groups: names of all groups.
        with_event: those that hold an event.
        without: those that hold something without an event.
        what: what a group is, as "video".
    """
    if len(set(groups)) < FEWEST_GROUPS:
        raise CalibrationError(
            f"{len(set(groups))} {what}s are too few to leave one out, at least {FEWEST_GROUPS} "
            "are needed; give more, or choose on one split and report on another"
        )
    for holding, words in ((with_event, "with an event"), (without, "without an event")):
        if len(set(holding)) < 2:
            named = f"only {what} {next(iter(holding))}" if holding else f"no {what}"
            raise CalibrationError(
                f"{named} holds something {words}: without it there is nothing to "
                f"choose by; at least two {what}s must"
            )


def _standing(sums: Values, objective: Objective, best: Pick) -> tuple[bool, float]:
    """How good a variant is where its candidate was chosen on other groups: allowed, and gain."""
    total = sums.sum(axis=0)
    kept = np.zeros(sums.shape[-1])
    for part in np.array_split(np.arange(len(sums)), min(INNER_FOLDS, len(sums))):
        own = sums[part].sum(axis=0)
        place = _best_place(total - own, objective, best)
        if place is None:
            return False, -np.inf
        kept += own[place]
    value = float(objective.value(kept))
    if np.isnan(value):
        return False, -np.inf
    return bool(objective.allowed(kept)), -value if objective.lower_is_better else value


def _best_place(sums: Values, objective: Objective, best: Pick) -> int | None:
    values = objective.value(sums)
    return best(-values if objective.lower_is_better else values, objective.allowed(sums))


def _nothing_allowed(sums: Sums, objective: Objective) -> str:
    if objective.name == "recall_at_precision":
        total = next(iter(sums.values())).sum(axis=0)
        found = total[..., 3] + total[..., 1]
        highest = (total[..., 3][found > 0] / found[found > 0]).max(initial=0.0)
        return (
            f"no threshold reaches a precision of {objective.precision:g}; the highest is "
            f"{highest:.3f}. Ask for less, or improve the scores"
        )
    return (
        f"{objective.words} is not defined at any threshold; give videos with events and stretches "
        "without"
    )
