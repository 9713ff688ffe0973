"""Event level as a ranking: mean average precision of the found events (ActivityNet's)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from watchword.evaluation.bootstrap import Weights, resampled
from watchword.evaluation.levels.event import TIOUS
from watchword.evaluation.levels.part import Part, Replicates, absent, with_interval
from watchword.evaluation.levels.timelines import Timeline, baseline_events
from watchword.evaluation.metrics.event import mean_average_precision
from watchword.evaluation.metrics.ranked import RankedHits, labels_of, ranked_hits
from watchword.evaluation.result import Figure
from watchword.evaluation.settling import Settled
from watchword.types import Event, Span

TITLES = {f"map_{round(tiou * 10):02d}": f"mAP at tIoU {tiou:g}" for tiou in TIOUS}
TITLES["map_mean"] = "mAP, mean over tIoU 0.1 to 0.7"
# Each resample sorts nothing anew but sums over all found events; beyond this it takes minutes.
_MOST_RESAMPLED = 20_000


def mean_precision(
    lines: Sequence[Timeline], settled: Settled, weights: Weights, *, why: str
) -> Part:
    """Average precision at each temporal IoU and their mean.

    Label by label where every true label is one that was looked for, else under one label.
    """
    if not lines:
        return Part(figures=absent(TITLES, "event", why))
    if not any(line.truth for line in lines):
        return Part(figures=absent(TITLES, "event", "there is no true event"))
    truth, found, words = _compared(lines, settled)
    if any(math.isnan(event.score) for events in found.values() for event in events):
        return Part(figures=absent(TITLES, "event", "events were saved without scores"))
    own = _values(truth, found)
    again, more = _resampled(truth, found, weights)
    blind = {name: line.truth for name, line in zip(truth, lines, strict=True)}
    beside: dict[str, dict[str, float | None]] = {
        key: _values(blind, dict(zip(truth, events, strict=True)))
        for key, events in baseline_events(lines).items()
    }
    beside["random"] = dict.fromkeys(TITLES)
    figures = tuple(
        with_interval(
            Figure(
                name,
                "event",
                title,
                own[name],
                note="; ".join(filter(None, (words, more))),
                baselines={key: values[name] for key, values in beside.items()},
            ),
            again.get(name),
        )
        for name, title in TITLES.items()
    )
    return Part(figures=figures, replicates=again)


def _compared(
    lines: Sequence[Timeline], settled: Settled
) -> tuple[dict[str, Sequence[Span]], dict[str, Sequence[Event]], str]:
    """True and found events by video, under labels that both sides share."""
    true = {span.label for line in lines for span in line.case.annotation.spans}
    events = {line.case.name: line.labelled for line in lines}
    looked = {event.label for found in events.values() for event in found}
    for line in lines:
        looked.update(() if line.case.scores is None else line.case.scores.labels)
    # A union's events bear the label that was strongest at their peak: no answer to which it was.
    union = not settled.saved and settled.rule is not None and settled.rule.union
    if not union and true <= looked:
        truth: dict[str, Sequence[Span]] = {
            line.case.name: line.case.annotation.spans for line in lines
        }
        return truth, dict(events), _by_label(true)
    return (
        {line.case.name: line.truth for line in lines},
        {line.case.name: line.found for line in lines},
        "all labels as one, because "
        + ("events were made of any label" if union else _named_otherwise(true - looked, lines)),
    )


def _by_label(labels: set[str]) -> str:
    if len(labels) > 1:
        return f"mean over {len(labels)} labels, events of each by themselves"
    return f"only events that were found as {next(iter(labels))!r}"


def _named_otherwise(labels: set[str], lines: Sequence[Timeline]) -> str:
    scores = [line.case.scores for line in lines if line.case.scores is not None]
    if scores and all(s.kind == "surprise" and len(s.labels) == 1 for s in scores):
        return f"predictions say that something is {scores[0].labels[0]!r}, not what"
    shown = ", ".join(repr(label) for label in sorted(labels)[:3])
    return f"the truth has {shown}{' and more' if len(labels) > 3 else ''}, not looked for"


def _values(
    truth: Mapping[str, Sequence[Span]], found: Mapping[str, Sequence[Event]]
) -> dict[str, float | None]:
    by_tiou = mean_average_precision(truth, found, TIOUS)
    values = dict(zip(TITLES, [by_tiou[tiou] for tiou in TIOUS], strict=False))
    known = [value for value in values.values() if value is not None]
    return {**values, "map_mean": sum(known) / len(known) if len(known) == len(TIOUS) else None}


def _resampled(
    truth: Mapping[str, Sequence[Span]], found: Mapping[str, Sequence[Event]], weights: Weights
) -> tuple[dict[str, Replicates], str]:
    """(B,) mAP in each resample; a sentence instead if there are too many events."""
    if sum(len(events) for events in found.values()) > _MOST_RESAMPLED:
        return {}, f"no interval: more than {_MOST_RESAMPLED:,} events were found"
    labels = labels_of(truth)
    values: dict[str, Replicates] = {}
    for name, tiou in zip(TITLES, TIOUS, strict=False):
        ranked = [ranked_hits(truth, found, tiou, label=label) for label in labels]
        values[name] = resampled(partial(_mean, ranked), weights)
    if values:
        values["map_mean"] = np.mean(list(values.values()), axis=0)
    return values, ""


def _mean(ranked: Sequence[RankedHits], times: Weights) -> float | None:
    """Mean over the labels that the resample holds an event of; None if there is none."""
    areas = [hits.average_precision(times) for hits in ranked]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None
