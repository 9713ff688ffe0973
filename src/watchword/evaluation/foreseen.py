"""Truth turned round: not whether there is an accident now, but whether there soon will be.

A window is positive if the accident comes within ``lead_s`` seconds of it. From the accident on
nothing is to be foreseen any more, so neither it nor what follows counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.cases import Case
from watchword.types import Annotation, Scores, Span

COLLISION = "collision"
# Time stamps are rounded; a picture may end this much after the accident it precedes.
ROUNDING_S = 1e-3


@dataclass(frozen=True, slots=True)
class LeadOptions:
    """What counts as soon.

    Attributes:
        lead_s: seconds before the accident from which a window is positive (default 1).
        events: where no accident is annotated, take the start of the first event for one (default
            no: such a video is left out, since what is marked in it may be harmless).
        label: what is foreseen (default "collision").
    """

    lead_s: float = 1.0
    events: bool = False
    label: str = COLLISION

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lead_s) and self.lead_s > 0):
            raise ValueError(f"lead_s is {self.lead_s}, it must be a positive number of seconds")
        if not self.label:
            raise ValueError("label is empty, it must be a name such as collision")


def foreseen(annotation: Annotation, options: LeadOptions) -> Annotation | None:
    """The truth of what is soon to be; None for a video that has an event and no known accident.

    Its one span are the ``lead_s`` seconds before the accident, at most from the beginning on; a
    video without any event has none. `watched_until` says up to where it holds.
    """
    at_s = accident_of(annotation, events=options.events)
    if at_s is None:
        if annotation.positive:
            return None
        return replace(annotation, spans=(), labels=(options.label,), anomalous=False, masks=None)
    start_s = max(0.0, at_s - options.lead_s)
    spans = (Span(options.label, start_s, at_s),) if start_s < at_s else ()
    return replace(
        annotation,
        spans=spans,
        labels=(options.label,),
        anomalous=True,
        accident_s=at_s,
        masks=None,
    )


def accident_of(annotation: Annotation, *, events: bool) -> float | None:
    """When the accident is; with ``events`` the start of the first event where nobody said."""
    if annotation.accident_s is not None or not events or not annotation.spans:
        return annotation.accident_s
    return min(span.start_s for span in annotation.spans)


def windows_before(edges_s: NDArray[np.float64], at_s: float | None) -> int:
    """How many of the T windows with these (T+1,) edges end before the accident; T without one."""
    windows = len(edges_s) - 1
    if at_s is None:
        return windows
    return int(np.searchsorted(edges_s[1:], at_s + ROUNDING_S, side="right"))


def foreseen_cases(
    cases: Sequence[Case], options: LeadOptions
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The cases judged by what is soon to be, and sentences on those that cannot be.

    Scores end where the accident begins. Events and verdicts that were saved are dropped: they are
    about the whole video, so events are found anew in what is left of the scores.
    """
    kept, unknown, late = [], 0, 0
    for case in cases:
        truth = foreseen(case.annotation, options)
        if truth is None or case.scores is None:
            unknown += 1
            continue
        windows = windows_before(case.scores.edges_s, truth.accident_s)
        if not windows:
            late += 1
            continue
        bare = replace(
            case.prediction, events=None, verdict=None, positive=None, segments=None, maps=None
        )
        scores, parts = _first(case.scores, windows), case.parts
        parts = None if parts is None else _first(parts, windows)
        kept.append(replace(case, annotation=truth, scores=scores, parts=parts, prediction=bare))
    said = {
        "videos have an event but no known accident, or no scores over time, and are left out": (
            unknown
        ),
        "videos begin with their accident and are left out": late,
    }
    return tuple(kept), tuple(f"{count} {what}." for what, count in said.items() if count)


def _first(scores: Scores, windows: int) -> Scores:
    return replace(scores, values=scores.values[:windows], edges_s=scores.edges_s[: windows + 1])
