"""One protocol card from saved predictions and the truth: nothing is encoded again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.bootstrap import Weights, bootstrap_weights
from watchword.evaluation.cases import Case
from watchword.evaluation.foreseen import LeadOptions, foreseen_cases
from watchword.evaluation.leakage import find_leaks, refuse_leaks
from watchword.evaluation.levels.anticipation import anticipation_level
from watchword.evaluation.levels.best_thresholds import best_at, best_nearby, best_of
from watchword.evaluation.levels.event import NOTHING, event_level
from watchword.evaluation.levels.evidence import evidence_parts
from watchword.evaluation.levels.frame import frame_level
from watchword.evaluation.levels.mean_precision import mean_precision
from watchword.evaluation.levels.part import Part, Replicates
from watchword.evaluation.levels.pixel import pixel_level
from watchword.evaluation.levels.reliability import reliability_level
from watchword.evaluation.levels.tables import per_label, per_type, per_video, sweep
from watchword.evaluation.levels.timelines import Timeline, timelines_of
from watchword.evaluation.levels.video import video_level, videos_of
from watchword.evaluation.levels.windows import Unit, Windows, windows_of
from watchword.evaluation.matching import Cases
from watchword.evaluation.metrics.frame import (
    PADDINGS,
    Padding,
)
from watchword.evaluation.protocol import made_by, protocol_of
from watchword.evaluation.result import LEVELS, Curve, Evaluation, Lane, Table
from watchword.evaluation.settling import Settled, settle
from watchword.events.tracker import EventRule

_LANES = 24
_ENOUGH_VIDEOS = 10


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How the figures are measured.

    Attributes:
        threshold: score from which a window is a hit; None takes the one that the predictions were
            made with, or the kind's own, as where event and normal sentences fit equally well.
        threshold_from: where a given threshold came from, in words; empty is "given by hand".
        threshold_videos: videos that a given threshold was chosen on, if it was chosen.
        rule: how hits become events; None takes the rule that the predictions were made with.
        unit: what the frame level counts: each "window", or each whole "second" alike.
        padding: macro AUC of videos with one class: "skip" them, or "pad" every video.
        tolerance_s: seconds by which an alarm may miss an event and still not be a false one.
        samples: bootstrap resamples of the videos.
        seed: of the resamples.
        truth_files: annotation files whose free text no prompt may repeat.
        strict: refuse, instead of warn, where a serious finding of the leakage guard stands.
        lead: judge whether an accident is foreseen: windows are positive that lie so shortly before
            one, and those from it on do not count; None judges what is there.
    """

    threshold: float | None = None
    threshold_from: str = ""
    threshold_videos: tuple[str, ...] | None = None
    rule: EventRule | None = None
    unit: Unit = "window"
    padding: Padding = "skip"
    tolerance_s: float = 0.0
    samples: int = 1000
    seed: int = 0
    truth_files: tuple[Path, ...] = ()
    strict: bool = False
    lead: LeadOptions | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"threshold is {self.threshold}, it must be a finite number or None")
        if self.unit not in ("window", "second"):
            raise ValueError(f"unit is {self.unit!r}, it must be window or second")
        if self.padding not in PADDINGS:
            raise ValueError(f"padding is {self.padding!r}, it must be {' or '.join(PADDINGS)}")
        if not (math.isfinite(self.tolerance_s) and self.tolerance_s >= 0):
            raise ValueError(f"tolerance_s is {self.tolerance_s}, it must be 0 or more seconds")
        if self.samples < 2:
            raise ValueError(f"samples is {self.samples}, it must be 2 or more")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An evaluation with what its intervals were made of, for comparing two of them.

    Attributes:
        evaluation: the card.
        replicates: (B,) each figure in each resample, where it has an interval.
    """

    evaluation: Evaluation
    replicates: dict[str, Replicates]


def evaluate(cases: Cases, options: EvaluationOptions | None = None) -> Evaluation:
    """The protocol card of an evaluation.

    A figure that is not defined has no value and says why. Windows that were not measured are left
    out and counted.

    Args:
        cases: the videos with predictions and truth.
        options: how the figures are measured.

    Raises:
        DatasetError: ``lead``, and no video is left that could be judged so.
        LeakageError: ``strict``, and the leakage guard found something serious.
        KindMismatch: an event rule made for another kind of score.
    """
    return measure(cases, options or EvaluationOptions()).evaluation


def measure(cases: Cases, options: EvaluationOptions) -> Measured:
    """The protocol card with every figure in every resample; errors as for ``evaluate``."""
    if options.lead is not None:
        cases = _foreseen(cases, options.lead)
    settled = settle(
        cases, threshold=options.threshold, origin=options.threshold_from, rule=options.rule
    )
    windows = windows_of(cases.cases, settled, unit=options.unit)
    lines = timelines_of(cases.cases, settled)
    # One draw of all videos serves every level, so that they can be compared.
    weights = bootstrap_weights(len(cases), options.samples, options.seed)
    places = {case.name: i for i, case in enumerate(cases.cases)}
    parts = [
        frame_level(windows, _of(weights, windows, places), padding=options.padding),
        reliability_level(windows, _of(weights, windows, places)),
        evidence_parts(cases.cases, weights, unit=options.unit, padding=options.padding),
        *_event_parts(lines, settled, _of(weights, lines, places), options.tolerance_s),
        _video_part(cases.cases, settled, weights),
        pixel_level(cases.cases),
        anticipation_level(cases.cases, weights),
    ]
    tables, curves = _taken_apart(windows, lines, settled)
    replicates = {k: v for part in parts for k, v in part.replicates.items()}
    figures = tuple(figure for part in parts for figure in part.figures)
    if len(cases) == 1:
        # Drawn again it is the same video: an interval of no width would claim certainty.
        figures = tuple(
            replace(f, low=None, high=None) if f.name in replicates else f for f in figures
        )
        replicates = {}
    # Looking for better thresholds takes time, and who names the data has nothing to hide.
    doubtful = settled.by_hand and options.threshold_videos is None
    best = () if not doubtful else _best(cases, windows, settled)
    findings = find_leaks(
        cases,
        settled=settled,
        chosen_on=options.threshold_videos,
        truth_files=options.truth_files,
        best=best,
        nearly_best=() if best or not doubtful else best_nearby(windows, settled.threshold),
    )
    if options.strict:
        refuse_leaks(findings)
    evaluation = Evaluation(
        figures=tuple(f for level in LEVELS for f in figures if f.level == level),
        protocol=protocol_of(
            cases,
            settled,
            windows,
            lines,
            unit=options.unit,
            padding=options.padding,
            resamples=(options.samples, options.seed),
        ),
        tables=(*(table for part in parts for table in part.tables), *tables),
        confusions={k: v for part in parts for k, v in part.confusions.items()},
        findings=findings,
        notes=_notes(cases, parts, windows, settled),
        curves=(*(curve for part in parts for curve in part.curves), *curves),
        lanes=_lanes(windows, lines),
        threshold=settled.threshold,
        made=made_by(cases),
    )
    return Measured(evaluation, replicates)


def _foreseen(cases: Cases, lead: LeadOptions) -> Cases:
    kept, notes = foreseen_cases(cases.cases, lead)
    if not kept:
        raise DatasetError(
            "the truth",
            "no video is left to judge what is foreseen: none has an accident, or is without any "
            "event; annotate accidents, or judge what is there (without --lead)",
        )
    rule = (
        f"Judged is what is foreseen: a window is positive within {lead.lead_s:g} s before the "
        "accident; those from the accident on do not count."
    )
    return replace(cases, cases=kept, notes=(*cases.notes, rule, *notes))


def _of(
    weights: Weights, items: Sequence[Windows] | Sequence[Timeline], places: dict[str, int]
) -> Weights:
    return weights[:, [places[item.case.name] for item in items]]


def _event_parts(
    lines: Sequence[Timeline], settled: Settled, weights: Weights, tolerance_s: float
) -> tuple[Part, Part]:
    why = (
        NOTHING
        if settled.threshold is not None
        else ("there are no saved events and no threshold to find any with (--threshold)")
    )
    return (
        event_level(lines, weights, tolerance_s=tolerance_s, why=why),
        mean_precision(lines, settled, weights, why=why),
    )


def _video_part(cases: Sequence[Case], settled: Settled, weights: Weights) -> Part:
    videos, kept, sentence = videos_of(cases, settled)
    part = video_level(videos, weights[:, kept], why=sentence)
    notes = (sentence,) if videos is not None and sentence else ()
    return Part(part.figures, confusions=part.confusions, notes=notes, replicates=part.replicates)


def _taken_apart(
    windows: Sequence[Windows], lines: Sequence[Timeline], settled: Settled
) -> tuple[tuple[Table, ...], tuple[Curve, ...]]:
    tables = [per_video(windows, lines)] if windows or lines else []
    curves = []
    if windows:
        tables.append(per_type(windows, lines))
        labels = per_label(windows, settled)
        tables += [] if labels is None else [labels]
        swept = sweep(windows, settled.threshold)
        if swept is not None:
            tables.append(swept[0])
            curves.append(swept[1])
    return tuple(tables), tuple(curves)


def _best(cases: Cases, windows: Sequence[Windows], settled: Settled) -> tuple[str, ...]:
    """Figures that no other threshold raises.

    Of whole videos only where nothing else is judged, and enough of them that it is no accident.
    """
    if windows:
        return best_at(windows, settled.threshold)
    videos = videos_of(cases.cases, settled)[0]
    if videos is None or len(videos.truth) < _ENOUGH_VIDEOS or not np.isfinite(videos.scores).all():
        return ()
    return best_of(videos.truth, videos.scores, settled.threshold)


def _notes(
    cases: Cases, parts: Sequence[Part], windows: Sequence[Windows], settled: Settled
) -> tuple[str, ...]:
    notes = [*cases.notes, *(note for case in cases.cases for note in case.notes)]
    notes += [note for part in parts for note in part.notes]
    unmeasured = sum(w.unmeasured for w in windows)
    if unmeasured:
        videos = sum(w.unmeasured > 0 for w in windows)
        notes.append(
            f"{unmeasured} windows of {videos} videos were not measured and are left out of the "
            "frame level; events in them count as missed."
        )
    skipped = sum(case.annotation.localised and case.scores is None for case in cases.cases)
    if skipped:
        notes.append(f"{skipped} videos have no scores over time and are not in the frame level.")
    if len(cases) == 1:
        notes.append("One video says nothing of others: there are no intervals over videos.")
    if settled.saved and any(case.prediction.events is not None for case in cases.cases):
        notes.append("Events are those that were saved.")
    return tuple(notes)


def _lanes(windows: Sequence[Windows], lines: Sequence[Timeline]) -> tuple[Lane, ...]:
    """The videos to draw: all, or spread evenly from the best separated to the worst."""
    found = {line.case.name: line.found for line in lines}
    chosen = sorted(windows, key=_separation)
    if len(chosen) > _LANES:
        places = np.linspace(0, len(chosen) - 1, _LANES).round().astype(int)
        chosen = [chosen[i] for i in places]
    lanes = []
    for w in chosen:
        assert w.case.scores is not None
        lanes.append(
            Lane(
                w.case.name,
                w.case.scores.edges_s,
                w.case.series,
                tuple((s.start_s, s.end_s) for s in w.case.annotation.spans),
                tuple((e.start_s, e.end_s) for e in found.get(w.case.name, ())),
            )
        )
    return tuple(lanes)


def _separation(w: Windows) -> float:
    """How much higher event windows score than others; videos of one class stand in the middle."""
    if not w.both:
        return 0.0
    return float(w.values[~w.truth].mean() - w.values[w.truth].mean())
