"""How the figures of an evaluation were measured, in words, so that it can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from watchword.evaluation.levels.timelines import Timeline
from watchword.evaluation.levels.windows import Unit, Windows
from watchword.evaluation.matching import Cases
from watchword.evaluation.metrics.frame import Padding
from watchword.evaluation.settling import Settled

_UNITS = {
    "window": "each window counts once",
    "second": "windows are averaged over whole seconds; each second counts once",
}
_PADDINGS = {
    "skip": "videos of one class are left out of the macro AUC",
    "pad": "every video gets one window without event at the lowest score and one with at the top",
}
_NORMALISED = {
    "none": "none",
    "per_video": "each video stretched to 0..1 with its own range: not for live use",
    "global": "all videos stretched to 0..1 with their common range: not for live use",
}


def protocol_of(
    cases: Cases,
    settled: Settled,
    windows: Sequence[Windows],
    lines: Sequence[Timeline],
    *,
    unit: Unit,
    padding: Padding,
    resamples: tuple[int, int],
) -> dict[str, str]:
    """The lines to print, in order.

    Args:
        cases: what was evaluated.
        settled: the threshold and the event rule.
        windows: the videos of the frame level.
        lines: the videos of the event level.
        unit: what the frame level counts.
        padding: rule of the macro AUC.
        resamples: how many bootstrap resamples, and their seed.
    """
    options = cases.options
    positive = sum(case.annotation.positive for case in cases.cases)
    localised = sum(case.annotation.localised for case in cases.cases)
    kinds = _distinct(c.scores.kind for c in cases.cases if c.scores is not None)
    protocol = {
        "videos": f"{len(cases)}, {positive} with events, {localised} with times",
        "split": options.split or "all",
        "label": options.label or "all labels as one: the highest score over labels",
        "scores": _scores(kinds, options.part),
        "unit": _UNITS[unit],
        "threshold": "none"
        if settled.threshold is None
        else f"{settled.threshold:.6g}, {settled.origin}; score >= threshold is a hit",
        "events": _events(settled, lines),
        "smoothing": _smoothing(cases),
        "normalisation": _NORMALISED[options.normalise],
        "macro": _PADDINGS[padding],
        "truth": "a window is an event if its middle lies in one; an event is compared in seconds",
        "bootstrap": f"{resamples[0]} resamples of the videos, seed {resamples[1]}, 95 %",
        "coverage": _coverage(windows, lines),
        "prompts": _prompts(cases),
    }
    if cases.missing:
        total = len(cases) + len(cases.missing)
        protocol["partial"] = f"{len(cases.missing)} of {total} annotated videos are left out"
    return protocol


def _scores(kinds: str, part: str | None) -> str:
    if part is not None:
        return f"{kinds}; only the part {part!r} of the evidence"
    return kinds or "none over time"


def _events(settled: Settled, lines: Sequence[Timeline]) -> str:
    if settled.saved and any(line.case.prediction.events is not None for line in lines):
        return "as saved"
    if settled.rule is None:
        return "none: no threshold"
    rule = settled.rule
    words = f"enter {rule.enter:.6g}"
    if rule.exit is not None:
        words += f", exit {rule.exit:.6g}"
    return (
        f"{words}, at least {rule.min_s:g} s, gaps to {rule.merge_gap_s:g} s merged, "
        f"padded by {rule.pad_s:g} s"
    )


def _smoothing(cases: Cases) -> str:
    chosen = cases.options.smoothing
    if chosen.method != "none":
        causal = ", causal" if chosen.causal else ""
        return f"{chosen.method} of {chosen.width_s:g} s{causal}, by this evaluation"
    saved = _distinct(_saved_smoothing(c.prediction.made.smoothing) for c in cases.cases)
    return saved or "none known"


def _saved_smoothing(fields: Mapping[str, Any] | None) -> str:
    if fields is None:
        return ""
    if fields.get("method", "none") == "none":
        return "none"
    return f"{fields['method']} of {fields.get('width_s', 1.0):g} s, as saved"


def _coverage(windows: Sequence[Windows], lines: Sequence[Timeline]) -> str:
    measured = sum(len(w.truth) for w in windows)
    unmeasured = sum(w.unmeasured for w in windows)
    beyond_s = sum(_beyond_s(line) for line in lines)
    words = f"{measured} windows of {len(windows)} videos, {unmeasured} not measured and left out"
    if beyond_s:
        words += f"; {beyond_s:.1f} s of true events lie past the scores' end"
    return words


def _prompts(cases: Cases) -> str:
    made = [case.prediction.made for case in cases.cases]
    if made and all(m.kinds and "words" not in m.kinds for m in made):
        return "none: the scores rest on no sentences"
    known = sum(m.bank is not None or bool(m.sentences) for m in made)
    if known == len(made):
        return "known for every video, for the leakage guard to look at"
    return f"not known for {len(made) - known} videos: the leakage guard cannot look at them"


def _beyond_s(line: Timeline) -> float:
    """Seconds of true events that no score covers because the scores end before."""
    if line.case.scores is None or line.end_s is None:
        return 0.0
    return float(sum(max(0.0, s.end_s - max(s.start_s, line.end_s)) for s in line.truth))


def made_by(cases: Cases) -> dict[str, Any]:
    """What made the predictions, as far as they say: model, bank, kind and labels."""
    made = [case.prediction.made for case in cases.cases]
    scores = [case.scores for case in cases.cases if case.scores is not None]
    found = {
        "encoder": _distinct(m.encoder for m in made),
        "evidence": _distinct(" + ".join(m.kinds) for m in made),
        "bank": _distinct(None if m.bank is None else m.bank.name for m in made),
        "kind": _distinct(s.kind for s in scores),
        "labels": _distinct(
            ", ".join(s.labels[:8]) + (" ..." if len(s.labels) > 8 else "") for s in scores
        ),
        "window_s": _window(cases),
    }
    return {name: value for name, value in found.items() if value}


def _window(cases: Cases) -> str:
    lengths = [np.diff(c.scores.edges_s) for c in cases.cases if c.scores is not None]
    if not any(len(part) for part in lengths):
        return ""
    return f"{float(np.median(np.concatenate(lengths))):.4g}"


def _distinct(words: Iterable[str | None]) -> str:
    """Each once, at most three."""
    known = list(dict.fromkeys(word for word in words if word))
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
