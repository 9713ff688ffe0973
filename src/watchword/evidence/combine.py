"""One score out of several kinds of evidence, all of them surprise, with the parts kept.

All are chances on one scale, so they can be combined without weights. The parts of one kind are
made to see different things (what moves, what stands): their surprise adds up, and the chance of
such a sum is that of Fisher, 1932. So a part that is a little surprised throughout a clip does not
hide what another one sees in it. Kinds may see the same thing twice: 1 / p of the whole is the mean
of their 1 / p (the harmonic mean p-value; Wilson, 2019), which holds however they depend on each
other. The kind that finds the most unlikely thing decides nearly alone; one that has nothing to say
costs no more than the logarithm of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.errors import KindMismatch
from watchword.evidence.surprise import Tail
from watchword.types import Event, Scores

LABEL = "surprise"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CombineOptions:
    """How parts become one score.

    Attributes:
        label: name of the score.
    """

    label: str = LABEL


@dataclass(frozen=True, slots=True)
class Combined:
    """One score (T,1), and the parts (T,P) that it was made of; both of kind surprise."""

    scores: Scores
    parts: Scores


def combine(
    parts: Sequence[Scores], options: CombineOptions | None = None, *, tail: Tail | None = None
) -> Combined:
    """One score out of several kinds of evidence: Scores (T,1) of kind surprise, never below 0.

    Window by window, so as causal as its parts. Each of ``parts`` is a kind of evidence and has an
    equal say, however many labels it has. A label that was not measured in a window has no say
    there; where none was measured the score is NaN.

    Args:
        parts: at least one, of kind surprise, over the same windows; the labels of each see
            different things.
        options: the name of the score.
        tail: what the combined score is on normal footage, if known: it is judged by that again.

    Raises:
        KindMismatch: a part is not of kind surprise.
        ValueError: no parts, other windows, or a label that stands in two of them.
    """
    options = options or CombineOptions()
    together = beside(parts)
    kinds = np.stack([sum_of_parts(part.values) for part in parts], axis=1)
    values = _mean_odds(kinds)
    if tail is not None:
        values = tail.surprise(values)
    scores = replace(
        together,
        values=values[:, None],
        labels=(options.label,),
        made_by=f"mean odds of {', '.join(_named(part.labels) for part in parts)}",
    )
    return Combined(scores, together)


def sum_of_parts(values: NDArray[np.floating]) -> Floats:
    """(n,) surprise of the sum of surprises (n,P); NaN where nothing was measured.

    Of k independent chances the product is as small as e^-x with chance e^-x (1 + x + x^2/2! + ...)
    of k terms.
    """
    # Sums of float32 would lose what is left of great surprise.
    values = values.astype(np.float64)
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    term, terms = np.ones(len(values)), np.ones(len(values))
    for more in range(1, values.shape[1]):
        term = term * total * np.log(10) / more
        terms += np.where(count > more, term, 0.0)
    # What is no more surprising than usual stays so: rounding must not make it less than that.
    return np.where(count > 0, np.maximum(total - np.log10(terms), 0.0), np.nan)


def raised_by(event: Event, parts: Scores) -> Event:
    """The event with what each part says at its peak, strongest first; unmeasured parts left out.

    Raises:
        ValueError: the peak lies outside the windows of the parts.
    """
    at = int(np.searchsorted(parts.edges_s, event.peak_s, side="right")) - 1
    if not 0 <= at < len(parts):
        raise ValueError(f"the peak at {event.peak_s} s lies outside the windows of the parts")
    said = [
        (label, float(value))
        for label, value in zip(parts.labels, parts.values[at], strict=True)
        if not np.isnan(value)
    ]
    return replace(event, raised_by=tuple(sorted(said, key=lambda pair: -pair[1])))


def beside(parts: Sequence[Scores]) -> Scores:
    """The labels of all parts side by side."""
    if not parts:
        raise ValueError("there is nothing to combine: parts is empty")
    first = parts[0]
    for part in parts:
        if part.kind != "surprise":
            raise KindMismatch(
                f"a part is of kind {part.kind}; only surprise can be combined: turn it into "
                "surprise by the tail of what it is on normal footage"
            )
        if not np.array_equal(part.edges_s, first.edges_s):
            raise ValueError(
                f"parts have {len(first)} and {len(part)} windows, or others; all must be the same"
            )
    values = np.concatenate([part.values for part in parts], axis=1)
    labels = tuple(label for part in parts for label in part.labels)
    made_by = "; ".join(part.made_by for part in parts)
    return replace(first, values=values, labels=labels, made_by=made_by)


def _named(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"the sum of {' and '.join(labels)}"


def _mean_odds(values: Floats) -> NDArray[np.float32]:
    """(T,) of kinds (T,K), as far as they were measured; NaN where none was."""
    known = ~np.isnan(values)
    out = np.full(len(values), np.nan)
    seen = known.any(axis=1)
    said = np.where(known, values, -np.inf)[seen]
    # The highest is taken out first: 10 to a surprise of hundreds is no number.
    highest = said.max(axis=1)
    odds = (10.0 ** (said - highest[:, None])).sum(axis=1) / known[seen].sum(axis=1)
    out[seen] = np.maximum(highest + np.log10(odds), 0.0)
    return out.astype(np.float32)
