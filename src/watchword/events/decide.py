"""One verdict on a whole video, from its scores and events: ``DecisionRule`` tells the rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from watchword.errors import KindMismatch
from watchword.events.thresholds import threshold_or_balance
from watchword.types import Decision, Event, Scores

RuleName = Literal["any_event", "top_mean", "share", "balanced", "noisy_or"]


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """When a whole video counts as positive. Windows that were not measured count nowhere.

    - ``any_event``: score = number of events; positive from ``min_events``.
    - ``top_mean``: score = highest over labels of the mean of the label's ``top_k`` highest windows
      (of all, if there are fewer), in the unit of the scores; positive from ``threshold``.
    - ``share``: score = measured seconds inside events / measured seconds, 0 to 1; positive from
      ``share_threshold``.
    - ``balanced``: a segment (here a window; give segment scores to judge segments) is anomalous
      when its highest label reaches ``segment_threshold``; score = anomalous / measured segments, 0
      to 1; positive from ``share_threshold``.
    - ``noisy_or``: score = 1 − Π (1 − event score), the probability that at least one event is real
      if each is so independently with its score as probability; positive from ``threshold``. Only
      for contrast and probability scores.

    Attributes:
        rule: any_event, top_mean, share, balanced or noisy_or.
        threshold: of top_mean, in the unit of the scores, and of noisy_or, a probability; None is
            where event and normal sentences fit equally well.
        min_events: of any_event, number of events.
        top_k: of top_mean, number of windows.
        segment_threshold: of balanced, in the unit of the scores; None likewise.
        share_threshold: of share and balanced, share from 0 to 1.
    """

    rule: RuleName = "any_event"
    threshold: float | None = None
    min_events: int = 1
    top_k: int = 10
    segment_threshold: float | None = None
    share_threshold: float = 0.1

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"rule is {self.rule!r}, it must be one of {', '.join(RULES)}")
        for value in (self.threshold, self.segment_threshold):
            if value is not None and not math.isfinite(value):
                raise ValueError("threshold and segment_threshold must be finite numbers, or None")
        if self.min_events < 1 or self.top_k < 1:
            raise ValueError(
                f"min_events is {self.min_events} and top_k is {self.top_k}; both start at 1"
            )
        if not 0 < self.share_threshold <= 1:
            raise ValueError(f"share_threshold is {self.share_threshold}, it must lie in (0, 1]")


def decide(scores: Scores, events: Sequence[Event], rule: DecisionRule, *, video: str) -> Decision:
    """The verdict on a video; its score is None, and it is not positive, if nothing was measured.

    Args:
        scores: T windows.
        events: those found in the scores.
        rule: when the video counts as positive.
        video: what the decision names.

    Raises:
        KindMismatch: noisy_or over scores that are no probabilities, or a threshold that the rule
            needs is None and the kind of score has none of its own.
    """
    judge = RULES[rule.rule]
    measured = not np.isnan(scores.values).all()
    score, threshold, label = judge(scores, events, rule)
    positive = measured and score >= threshold
    return Decision(
        video=video,
        label=label if positive else None,
        score=score if measured else None,
        threshold=threshold,
        rule=rule.rule,
        evidence=tuple(events),
    )


# Score, threshold, and the label that is strongest under the rule (None if there is none).
Verdict = tuple[float, float, str | None]


def _any_event(_scores: Scores, events: Sequence[Event], rule: DecisionRule) -> Verdict:
    return float(len(events)), float(rule.min_events), _strongest(events)


def _top_mean(scores: Scores, _events: Sequence[Event], rule: DecisionRule) -> Verdict:
    means = {}
    for label in scores.labels:
        series = scores[label].astype(np.float64)
        best = np.sort(series[~np.isnan(series)])[-rule.top_k :]
        if len(best):
            means[label] = float(best.mean())
    best_label = _highest(means)
    score = math.nan if best_label is None else means[best_label]
    threshold = threshold_or_balance(rule.threshold, scores.kind, "decision.threshold")
    return score, threshold, best_label


def _share(scores: Scores, events: Sequence[Event], rule: DecisionRule) -> Verdict:
    measured = ~np.isnan(scores.values).all(axis=1)
    starts, ends = scores.edges_s[:-1][measured], scores.edges_s[1:][measured]
    total = float((ends - starts).sum())
    inside = 0.0
    for start_s, end_s in _joined(events):
        inside += float((np.minimum(ends, end_s) - np.maximum(starts, start_s)).clip(min=0).sum())
    share = inside / total if total else math.nan
    return share, rule.share_threshold, _strongest(events)


def _balanced(scores: Scores, _events: Sequence[Event], rule: DecisionRule) -> Verdict:
    measured = int((~np.isnan(scores.values).all(axis=1)).sum())
    threshold = threshold_or_balance(
        rule.segment_threshold, scores.kind, "decision.segment_threshold"
    )
    hits = scores.values >= threshold
    share = float(hits.any(axis=1).sum()) / measured if measured else math.nan
    counts = dict(zip(scores.labels, hits.sum(axis=0).tolist(), strict=True))
    return share, rule.share_threshold, _highest(counts)


def _noisy_or(scores: Scores, events: Sequence[Event], rule: DecisionRule) -> Verdict:
    if scores.kind not in ("contrast", "probability"):
        raise KindMismatch(
            f"noisy_or multiplies probabilities and these scores are {scores.kind}; score with "
            "kind contrast or probability, or decide with another rule"
        )
    none_real = math.prod(1 - event.score for event in events)
    threshold = threshold_or_balance(rule.threshold, scores.kind, "decision.threshold")
    return 1 - none_real, threshold, _strongest(events)


RULES: Mapping[str, Callable[[Scores, Sequence[Event], DecisionRule], Verdict]] = {
    "any_event": _any_event,
    "top_mean": _top_mean,
    "share": _share,
    "balanced": _balanced,
    "noisy_or": _noisy_or,
}


def _strongest(events: Sequence[Event]) -> str | None:
    return max(events, key=lambda event: event.score).label if events else None


def _highest(by_label: Mapping[str, float]) -> str | None:
    return max(by_label, key=lambda label: by_label[label]) if by_label else None


def _joined(events: Sequence[Event]) -> list[tuple[float, float]]:
    """The stretches that events of any label cover, without overlap."""
    stretches: list[tuple[float, float]] = []
    for event in sorted(events, key=lambda event: event.start_s):
        if stretches and event.start_s <= stretches[-1][1]:
            start_s, end_s = stretches[-1]
            stretches[-1] = (start_s, max(end_s, event.end_s))
        else:
            stretches.append((event.start_s, event.end_s))
    return stretches
