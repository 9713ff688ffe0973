"""What an honest look at seed 1's own CLIP matrices gives, and what this project makes of them.

    python benchmarks/audit.py ../shared/data/clip_hazard_signals

Fourteen dashcam scenes, 38 sentences (the two that tell each scene's answer are left out). Nothing
is chosen on the scene it is reported on: thresholds and scorers come from the thirteen others.
Intervals are 95 % bootstrap intervals over scenes. One picture lasts one second here. Prints the
tables of docs/audit.md; takes about a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_scorers import (
    BASES,
    Candidate,
    Scene,
    Scorer,
    Series,
    candidates,
    centre,
    in_the_centre,
    load,
    smoothed,
)
from watchword.evaluation.metrics.confusion import confusion
from watchword.evaluation.metrics.event import EventCounts, match_events
from watchword.evaluation.metrics.frame import roc_auc
from watchword.events.tracker import EventRule, detect_events
from watchword.types import Scores, Span

SAMPLES = 10_000

# Figures over scenes, each scene judged by what the others chose.


def auc_of(scenes: Sequence[Scene], scorer: Scorer) -> Series:
    """AUC of each scene, (S,); NaN where all of it is hazard or none."""
    found = [roc_auc(s.truth, scorer(s)) for s in scenes]
    return np.array([np.nan if value is None else value for value in found])


def held_out(values: NDArray[Any], criterion: Callable[[NDArray[np.intp]], Series]) -> NDArray[Any]:
    """Row by scene (S, ...) of ``values`` (C,S,...): that of the candidate the others like best.

    ``criterion(others)`` gives (C,), how good each candidate is on the scenes ``others``.
    """
    scenes = np.arange(values.shape[1])
    best = [int(np.argmax(criterion(np.delete(scenes, scene)))) for scene in scenes]
    return values[best, scenes]


def resampled(scenes: int) -> NDArray[np.intp]:
    return np.random.default_rng(0).integers(0, scenes, (SAMPLES, scenes))


def interval(samples: Series) -> str:
    low, high = np.nanpercentile(samples, [2.5, 97.5])
    return f"{low:.3f} to {high:.3f}"


def means(values: Series) -> Series:
    """Mean over scenes of each resample."""
    return np.asarray(np.nanmean(values[resampled(len(values))], axis=1))


RULES = tuple(
    (exit_gap, merge, shortest)
    for exit_gap in (0.0, 0.5)
    for merge, shortest in ((0.0, 0.0), (15.0, 15.0), (60.0, 30.0))
)
THRESHOLDS = 24
TIOUS = (0.3, 0.4, 0.5, 0.6, 0.7)
REPORTED = TIOUS.index(0.5)


def event_counts(scenes: Sequence[Scene], scorer: Scorer) -> NDArray[np.int64]:
    """(rules, S, tIoU, 3) true and false alarms and misses of each threshold and rule.

    ``exit`` lies half a standard deviation of the score below ``enter``, or at it.
    """
    series = [scorer(scene) for scene in scenes]
    pooled = np.concatenate(series)
    enters = np.quantile(pooled, np.linspace(0.05, 0.98, THRESHOLDS))
    counts = []
    for enter in enters:
        for exit_gap, merge, shortest in RULES:
            rule = EventRule(
                float(enter),
                exit=float(enter - exit_gap * pooled.std()),
                min_s=shortest,
                merge_gap_s=merge,
            )
            counts.append([_matched(s, x, rule) for s, x in zip(scenes, series, strict=True)])
    return np.array(counts)


def _matched(scene: Scene, series: Series, rule: EventRule) -> list[tuple[int, int, int]]:
    scores = Scores(series[:, None].astype(np.float32), scene.cosines.edges_s, ("x",), "margin")
    return matched(scene, detect_events(scores, rule))


def matched(scene: Scene, found: Sequence[Span]) -> list[tuple[int, int, int]]:
    """(tp, fp, fn) at each of TIOUS."""
    counts = [match_events(scene.spans, found, tiou) for tiou in TIOUS]
    return [(c.tp, c.fp, c.fn) for c in counts]


def f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of counts (..., 3); 0 where nothing is true and nothing was found."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    return np.asarray(2 * tp / np.maximum(2 * tp + fp + fn, 1))


def event_figure(counts: NDArray[np.int64]) -> str:
    """F1 at tIoU 0.5 of counts (S, tIoU, 3), with its interval over scenes."""
    own = counts[:, REPORTED]
    samples = f1(own[resampled(len(own))].sum(axis=1))
    total = EventCounts(*map(int, own.sum(axis=0)))
    return f"{total.f1 or 0:.3f} ({interval(samples)})"


def frame_f1(scenes: Sequence[Scene], scorer: Scorer) -> str:
    """F1 over all frames, each scene's threshold the best of the others."""
    series = [scorer(scene) for scene in scenes]
    levels = np.quantile(np.concatenate(series), np.linspace(0, 0.99, 200))
    counts = np.array(
        [
            [_confused(s.truth, x >= level) for s, x in zip(scenes, series, strict=True)]
            for level in levels
        ]
    )
    own = held_out(counts, lambda others: f1(counts[:, others].sum(axis=1)))
    samples = f1(own[resampled(len(own))].sum(axis=1))
    return f"{f1(own.sum(axis=0)):.3f} ({interval(samples)})"


def _confused(truth: NDArray[np.bool_], hits: NDArray[np.bool_]) -> tuple[int, int, int]:
    found = confusion(truth, hits)
    return int(found.tp), int(found.fp), int(found.fn)


FIXED: Mapping[str, Scorer] = {
    "always on": lambda s: np.ones(len(s.truth)),
    "centre of the video": centre,
    "max (the seed)": BASES["max (the seed)"],
}
POOLS = (
    ("live: past and present only", ("live",)),
    ("whole video, words only", ("live", "whole")),
    ("whole video, words times centre", ("centre",)),
    ("all of them", ("live", "whole", "centre")),
)


def aucs(scenes: Sequence[Scene], tried: Sequence[Candidate]) -> None:
    """Prints AUCs: of fixed scorers, of the best in hindsight, and of what the others chose."""
    values = np.array([auc_of(scenes, c.scorer) for c in tried])
    prior = auc_of(scenes, centre)
    truth = np.concatenate([s.truth for s in scenes])
    defined = ~np.isnan(prior)
    print(f"\nAUC, macro over {defined.sum()} scenes with both classes (micro over all)\n")
    for name, scorer in FIXED.items():
        own = auc_of(scenes, scorer)
        micro = roc_auc(truth, np.concatenate([scorer(s) for s in scenes]))
        print(f"  {name:34s} {np.nanmean(own):.3f} ({interval(means(own))})  micro {micro:.3f}")
    print("\n  scorer chosen on the other scenes; sd; difference to the centre prior; without 006")
    chosen_names = []
    for name, uses in POOLS:
        pool = [k for k, c in enumerate(tried) if c.use in uses]
        part = values[pool][:, defined]
        own = held_out(part, partial(_mean_auc, part))
        gain = own - prior[defined]
        rest = np.array([s.name != "scene_006" for s in scenes])[defined]
        print(
            f"  {name:34s} {own.mean():.3f} ({interval(means(own))})  sd {own.std():.3f}  "
            f"{gain.mean():+.3f} ({interval(means(gain))})  {own[rest].mean():.3f}"
            f"  of {len(pool)}"
        )
        best = pool[int(np.argmax(part.mean(axis=1)))]
        chosen_names.append((name, tried[best], values[best]))
    print("\n  the same pools' best in hindsight (chosen on what it is reported on: too high)")
    for name, candidate, own in chosen_names:
        micro = roc_auc(truth, np.concatenate([candidate.scorer(s) for s in scenes]))
        print(f"  {name:34s} {np.nanmean(own):.3f}  micro {micro:.3f}  {candidate.name}")


def _mean_auc(values: Series, scenes: NDArray[np.intp]) -> Series:
    return np.asarray(values[:, scenes].mean(axis=1))


def events(scenes: Sequence[Scene], tried: Sequence[Candidate]) -> None:
    """Prints event F1 at tIoU 0.5; scorer, threshold and rule are chosen on the other scenes."""
    print("\nEvent F1 at tIoU 0.5\n")
    whole = np.array([matched(s, [Span("x", 0, len(s.truth))]) for s in scenes])
    print(f"  {'always on':34s} {event_figure(whole)}")
    print(f"  {'10 to 80 % of the video (hindsight)':34s} {event_figure(fixed_interval(scenes))}")
    for name in ("centre of the video", "max (the seed)"):
        print(f"  {name:34s} {event_figure(_chosen([event_counts(scenes, FIXED[name])]))}")
    counted = [
        (c, event_counts(scenes, c.scorer)) for c in tried if "smooth" in c.name or "past" in c.name
    ]
    for name, uses in POOLS:
        pool = [counts for c, counts in counted if c.use in uses]
        print(f"  {name:34s} {event_figure(_chosen(pool))}  of {len(pool)} scorers")
    print("\n  single scorers, threshold and rule chosen on the other scenes")
    for name in ("top 10 - mean", "spread over sentences", "road - nouns, margin of means"):
        for c, counts in counted:
            if c.name.startswith(f"{name}, smooth 15") or c.name == f"{name}, past 15":
                print(f"  {c.name:52s} {event_figure(_chosen([counts]))}")
    intervals(scenes, [counts for _, counts in counted])


BINS = 200
SHORTEST_SHARE = 0.05


def best_interval(series: Series) -> tuple[Span, float]:
    """The one stretch that differs most from the rest of its video, and by how much.

    Of all intervals between 200 places it is the one with the highest two-sample statistic
    ``(mean inside - mean outside) * sqrt(n_in * n_out / n)``; at least 5 % of the video long and
    at most 95 %. Needs the whole video, and believes that there is one hazard in it.
    """
    total = len(series)
    places = np.unique(np.linspace(0, total, min(BINS, total) + 1).round().astype(int))
    sums = np.concatenate([[0.0], np.cumsum(series - series.mean())])[places]
    length = places[None, :] - places[:, None]
    allowed = (length >= SHORTEST_SHARE * total) & (length <= (1 - SHORTEST_SHARE) * total)
    # The mean over all is 0, so a sum inside is also what the outside lacks.
    inside = sums[None, :] - sums[:, None]
    outside = np.where(allowed, length * (total - length) / total, 1.0)
    start, end = np.unravel_index(
        np.argmax(np.where(allowed, inside / np.sqrt(outside), -np.inf)), length.shape
    )
    span = Span("x", float(places[start]), float(places[end]))
    return span, float(inside[start, end] / outside[start, end])


def interval_counts(scenes: Sequence[Scene], scorer: Scorer) -> NDArray[np.int64]:
    """As ``event_counts``: the best interval, if it differs by so much or more, or always."""
    found = [best_interval(scorer(scene)) for scene in scenes]
    levels = [-np.inf, *sorted(by for _, by in found)]
    return np.array(
        [
            [
                matched(scene, [span] if by >= level else [])
                for scene, (span, by) in zip(scenes, found, strict=True)
            ]
            for level in levels
        ]
    )


def intervals(scenes: Sequence[Scene], rules: Sequence[NDArray[np.int64]]) -> None:
    """Prints the second round: one interval a video, tried after the rules' figures were seen."""
    print("\n  one interval a video (second round); each scorer smoothed by 5")
    by_name = {name: interval_counts(scenes, smoothed(base, 5)) for name, base in BASES.items()}
    times_centre = [
        interval_counts(scenes, in_the_centre(smoothed(base, 15))) for base in BASES.values()
    ]
    for name, counts in by_name.items():
        print(f"  {name:34s} {event_figure(_chosen([counts]))}")
    nested = _chosen(list(by_name.values()))
    everything = _chosen([*by_name.values(), *times_centre, *rules])
    print(f"  {'scorer chosen on the others':34s} {event_figure(nested)}  of {len(by_name)}")
    print(f"  {'the same with centre and all rules':34s} {event_figure(everything)}")
    fixed = fixed_interval(scenes)
    pick = resampled(len(scenes))
    gain = [f1(c[:, REPORTED][pick].sum(axis=1)) for c in (nested, fixed)]
    print(f"  difference to 10 to 80 % of the video: {interval(gain[0] - gain[1])}")


def fixed_interval(scenes: Sequence[Scene]) -> NDArray[np.int64]:
    """Counts of "10 to 80 % of the video", which others found by looking at these scenes."""
    return np.array(
        [matched(s, [Span("x", 0.1 * len(s.truth), 0.8 * len(s.truth))]) for s in scenes]
    )


def _chosen(pool: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Each scene's counts under what does best, over five tIoUs, on the other scenes."""
    counts = np.concatenate(pool)
    return held_out(counts, lambda others: f1(counts[:, others].sum(axis=1)).mean(axis=1))


def frames(scenes: Sequence[Scene]) -> None:
    """Prints frame F1; the threshold is chosen on the other scenes."""
    print("\nFrame F1, threshold chosen on the other scenes\n")
    for name, scorer in {
        **FIXED,
        "top 10 - mean, past 15": smoothed(BASES["top 10 - mean"], 15, causal=True),
        "top 10 - mean, smooth 40": smoothed(BASES["top 10 - mean"], 40),
        "road - nouns, contrast, past 15": smoothed(
            BASES["road - nouns, contrast"], 15, causal=True
        ),
    }.items():
        print(f"  {name:34s} {frame_f1(scenes, scorer)}")


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    scenes = load(Path(sys.argv[1]))
    tried = candidates()
    share = np.concatenate([s.truth for s in scenes]).mean()
    print(f"{len(scenes)} scenes, {share:.1%} of frames in a hazard; {len(tried)} scorers tried")
    aucs(scenes, tried)
    frames(scenes)
    events(scenes, tried)


if __name__ == "__main__":
    main()
