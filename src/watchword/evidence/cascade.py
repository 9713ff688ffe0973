"""A cheap score first, and a dear answer only where the cheap one is unsure, within a budget.

The windows nearest to the threshold are asked about first: there an answer may change what is
decided. Where one came, the probability is the weighted mean of both in log-odds; elsewhere it is
the cheap one's. Both are put right before (`platt`), or the mean would mix two scales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.platt import Platt, expit, logit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CascadeOptions:
    """When an answer is asked for, and what it counts.

    Attributes:
        budget: answers a video at most: a number of calls (int), or a share of its windows (float
            from 0 to 1; default 0.2).
        margin: log-odds from the threshold within which the cheap score is unsure (default 2, a
            chance of 0.12 to 0.88 about a threshold of 0.5); None asks about any.
        weight: what the answer counts in the mean, 0 to 1 (default 0.5).
        answers: what puts the answers' probabilities right, fitted on examples held out; by default
            they are taken as they are.
    """

    budget: int | float = 0.2
    margin: float | None = 2.0
    weight: float = 0.5
    answers: Platt = field(default_factory=Platt)

    def __post_init__(self) -> None:
        share = isinstance(self.budget, float)
        if isinstance(self.budget, bool) or not 0 <= self.budget <= (1 if share else math.inf):
            raise ValueError(
                f"budget is {self.budget}, it must be a number of calls, 0 or more, or a share "
                "from 0.0 to 1.0"
            )
        if self.margin is not None and not (math.isfinite(self.margin) and self.margin > 0):
            raise ValueError(f"margin is {self.margin}, it must be positive, or None")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight is {self.weight}, it must be from 0 to 1")

    def calls(self, windows: int) -> int:
        """How many answers a video of so many windows may have.

        >>> CascadeOptions(budget=0.25).calls(10), CascadeOptions(budget=7).calls(10)
        (2, 7)
        """
        if isinstance(self.budget, float):
            return math.floor(self.budget * windows + 1e-9)
        return min(self.budget, windows)


@dataclass(frozen=True, slots=True)
class Bought:
    """What a budget was spent on, and what it changed.

    Attributes:
        windows: there were.
        unsure: of them the cheap score was unsure of.
        allowed: answers that the budget held.
        asked: answers that were given.
        crossed: windows that now lie on the other side of the threshold.
        events: found by the cheap score alone, and now.
        turned: whether the verdict on the whole video is another.
    """

    windows: int
    unsure: int
    allowed: int
    asked: int
    crossed: int
    events: tuple[int, int]
    turned: bool

    @property
    def sentence(self) -> str:
        """The same in words."""
        verdict = "the verdict is another" if self.turned else "the verdict stays"
        return (
            f"asked about {self.asked} of {self.windows} windows ({self.unsure} were unsure, "
            f"{self.allowed} allowed): {self.crossed} crossed the threshold, events went from "
            f"{self.events[0]} to {self.events[1]}, {verdict}"
        )


def choose_windows(
    cheap: NDArray[np.floating], threshold: float, options: CascadeOptions
) -> tuple[Bools, int]:
    """Which windows (T,) to ask about, and how many were unsure.

    The nearest to the threshold first, the earlier of equals; what the cheap score did not measure
    comes last, but may be asked about. The choice looks at the whole video; each answer does not.

    Args:
        cheap: (T,) probability, NaN where not measured.
        threshold: from which an event begins.
        options: the budget.
    """
    away = np.abs(logit(cheap) - float(logit(threshold)))
    unsure = np.isnan(away)
    if options.margin is None:
        unsure = np.ones(len(away), bool)
    else:
        unsure |= away <= options.margin
    order = np.argsort(np.where(np.isnan(away), np.inf, away), kind="stable")
    wanted = order[unsure[order]][: options.calls(len(away))]
    chosen = np.zeros(len(away), bool)
    chosen[wanted] = True
    return chosen, int(unsure.sum())


def merge(
    cheap: NDArray[np.floating], answers: NDArray[np.floating], options: CascadeOptions
) -> Floats:
    """(T,) both as one: sigmoid of the weighted mean of their log-odds where both are there.

    Where only one was measured it is that one; NaN where neither was.

    Args:
        cheap: (T,) probability, put right already.
        answers: (T,) probability as answered, NaN where nothing was asked.
        options: weight, and what puts the answers right.
    """
    first = np.asarray(cheap, np.float64)
    second = options.answers(answers)
    mean = expit((1 - options.weight) * logit(first) + options.weight * logit(second))
    return np.where(np.isnan(second), first, np.where(np.isnan(first), second, mean))
