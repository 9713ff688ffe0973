"""Cases: every annotated video beside what was predicted about it, in seconds and on one scale."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.cases import Case
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.datasets.locate import videos_below
from watchword.evaluation.datasets.record import FrameClock, Record
from watchword.evaluation.names import match_names, refuse_twins, short_names
from watchword.evaluation.plausible import (
    length_notes,
    refuse_mixture,
    refuse_unmeasured,
    unit_notes,
)
from watchword.evaluation.predictions.parts import of_part, smoothed_parts
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evidence.smooth import Smoothing, smooth
from watchword.types import Annotation, Scores

Normalise = Literal["none", "per_video", "global"]
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """What is evaluated, and what is done to the scores before.

    Attributes:
        split: only records of this split; None takes all.
        videos: folder of the videos, for their frame times.
        rate: frames a second, instead of the videos' own times.
        partial: allow annotated videos without a prediction; they are counted and left out.
        label: only this label of truth and prediction; None takes all together.
        smoothing: in time, before anything else.
        normalise: "none"; "per_video" stretches each video's scores to 0..1, "global" all together.
            Both look at the videos that are tested and are not for live use.
        part: judge this part of the evidence in place of the score that was combined of all; it has
            no events, verdicts, maps or threshold of its own. None takes the combined score.
        length_tolerance: share by which the annotated length and the scores' end may disagree.
    """

    split: str | None = None
    videos: Path | None = None
    rate: float | None = None
    partial: bool = False
    label: str | None = None
    smoothing: Smoothing = field(default_factory=Smoothing)
    normalise: Normalise = "none"
    part: str | None = None
    length_tolerance: float = 0.1

    def __post_init__(self) -> None:
        if self.normalise not in ("none", "per_video", "global"):
            raise ValueError(
                f"normalise is {self.normalise!r}, it must be none, per_video or global"
            )
        if not (math.isfinite(self.length_tolerance) and self.length_tolerance >= 0):
            raise ValueError(
                f"length_tolerance is {self.length_tolerance}, it must be a share from 0 up"
            )
        if self.part is not None and self.label is not None:
            raise ValueError("a part of the evidence has no labels; give part or label, not both")

    @property
    def as_saved(self) -> bool:
        """Whether the scores stay as they were saved, so that saved events still belong to them."""
        return self.smoothing.method == "none" and self.normalise == "none"

    @property
    def comparable(self) -> bool:
        """Whether the scores are those that were combined of all parts, on the parts' scale."""
        return self.part is None and self.label is None and self.normalise == "none"


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The videos of an evaluation.

    Attributes:
        cases: one a video, in the records' order.
        options: what was done to the scores, and which videos were taken.
        notes: what a reader must know, as predictions without annotation.
        missing: annotated videos without a prediction.
        others: predictions that are not evaluated, for the search for near-duplicates.
        other_records: records of other splits, likewise.
        truth_files: the annotation files, whose free text no prompt may repeat.
    """

    cases: tuple[Case, ...]
    options: CaseOptions = field(default_factory=CaseOptions)
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    others: tuple[Prediction, ...] = ()
    other_records: tuple[Record, ...] = ()
    truth_files: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def names(self) -> tuple[str, ...]:
        """The videos' names, in order."""
        return tuple(case.name for case in self.cases)


def load_cases(
    predictions: Sequence[Prediction],
    records: Sequence[Record],
    *,
    options: CaseOptions | None = None,
    clock: Callable[[Record, str | None], FrameClock | None] | None = None,
) -> Cases:
    """The annotated videos with their predictions.

    Args:
        predictions: what was predicted, one a video.
        records: what is true, one a video.
        options: which videos, and what is done to their scores.
        clock: frame times of a record, given the path the video had when it was looked at; None
            asks the videos themselves, then the files.

    Raises:
        DatasetError: nothing to match, a video named twice, an annotated video without prediction
            (unless ``partial``), or lengths that cannot belong to the same video.
        KindMismatch: predictions of different kinds of score.
    """
    options = options or CaseOptions()
    if options.part is not None:
        predictions = [of_part(one, options.part, options.smoothing) for one in predictions]
    if not predictions:
        raise DatasetError("predictions", "there are none; name a file or folder that holds some")
    chosen, rest = _of_split(records, options.split)
    chosen, unsaid = _said(chosen)
    refuse_twins(predictions, "prediction")
    refuse_twins(chosen, "annotation")
    partner = match_names(chosen, predictions)
    if not partner:
        raise _nothing_in_common(predictions, chosen)
    missing = tuple(r.video for i, r in enumerate(chosen) if i not in partner)
    if missing and not options.partial:
        hint = _split_hint([record for i, record in enumerate(chosen) if i in partner], chosen)
        raise DatasetError(
            chosen[0].where,
            f"{len(missing)} of {len(chosen)} annotated videos have no prediction: "
            f"{_some(missing)}; {hint}predict them, or allow it with --partial",
        )
    used = set(partner.values())
    unsaid_names = set(match_names(unsaid, predictions).values()) if unsaid else set()
    others = tuple(p for i, p in enumerate(predictions) if i not in used and i not in unsaid_names)
    pairs = [(predictions[partner[i]], r) for i, r in enumerate(chosen) if i in partner]
    refuse_mixture([prediction for prediction, _ in pairs])
    refuse_unmeasured([prediction for prediction, _ in pairs])
    find = clock or _clock_of(options)
    names = short_names([record.video for _, record in pairs])
    clocks = [_clock(p, record, find) for p, record in pairs]
    judged = [(p, r.annotation(own)) for (p, r), own in zip(pairs, clocks, strict=True)]
    if options.label is not None:
        judged = _of_label(judged, options.label)
    cases = tuple(
        replace(_case(name, prediction, truth, options), clock=own)
        for name, (prediction, truth), own in zip(names, judged, clocks, strict=True)
    )
    if options.normalise == "global":
        cases = _stretched_together(cases)
    notes = _notes(missing, len(chosen), others, options.split) + unit_notes(pairs, options.rate)
    if unsaid:
        notes = (*notes, _unsaid_note([record.video for record in unsaid]))
    return Cases(cases, options, notes, missing, others, rest, _files(records))


def _said(records: Sequence[Record]) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Records that say whether there is an event, and those that do not: nobody looked."""
    said = tuple(r for r in records if r.spans or r.anomalous is not None)
    if not said:
        raise DatasetError(
            records[0].where,
            "marks no event and calls no video normal; say which videos are normal",
        )
    return said, tuple(r for r in records if not r.spans and r.anomalous is None)


def _unsaid_note(videos: Sequence[str]) -> str:
    return (
        f"{len(videos)} videos are left out, because their annotation neither marks an event nor "
        f"calls them normal: {_some(videos, 3)}."
    )


def _files(records: Sequence[Record]) -> tuple[Path, ...]:
    """The files that the records stand in; where they are made in memory there are none."""
    named = dict.fromkeys(re.sub(r", row \d+$", "", record.where) for record in records)
    return tuple(path for path in map(Path, named) if path.exists())


def _of_split(
    records: Sequence[Record], split: str | None
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    if not records:
        raise DatasetError("annotations", "there are none; name a file or folder that holds some")
    if split is None:
        return tuple(records), ()
    chosen = tuple(record for record in records if record.split == split)
    if not chosen:
        known = sorted({record.split or "(none)" for record in records})
        raise DatasetError(
            records[0].where, f"no video is of split {split!r}; splits are {', '.join(known)}"
        )
    return chosen, tuple(record for record in records if record.split != split)


def _split_hint(predicted: Sequence[Record], records: Sequence[Record]) -> str:
    """Which split was meant, if just one was predicted and all of that."""
    splits = {record.split for record in predicted}
    (split, *more) = splits
    whole = sum(record.split == split for record in records) == len(predicted)
    return (
        f"evaluate only the split that was (--split {split}), "
        if split and not more and whole
        else ""
    )


def _nothing_in_common(predictions: Sequence[Prediction], records: Sequence[Record]) -> Exception:
    return DatasetError(
        records[0].where,
        "no video is in both; predictions are of "
        f"{_some([p.video for p in predictions], 3)}, annotations of "
        f"{_some([r.video for r in records], 3)}",
    )


def _some(names: Sequence[str], shown: int = _SHOWN) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(repr(name) for name in names[:shown]) + more


def _notes(
    missing: Sequence[str], annotated: int, others: Sequence[Prediction], split: str | None
) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(
            f"{len(missing)} of {annotated} annotated videos have no prediction and are left out: "
            f"{_some(missing)}."
        )
    if others:
        where = "annotation" if split is None else f"annotation in split {split!r}"
        videos = [other.video for other in others]
        notes.append(f"{len(others)} predictions have no {where}: {_some(videos, 3)}.")
    return tuple(notes)


def _clock_of(options: CaseOptions) -> Callable[[Record, str | None], FrameClock | None]:
    among = None if options.videos is None else videos_below(options.videos)

    def find(record: Record, path: str | None) -> FrameClock | None:
        return clock_for(record, videos=options.videos, path=path, rate=options.rate, among=among)

    return find


def _clock(
    prediction: Prediction,
    record: Record,
    find: Callable[[Record, str | None], FrameClock | None],
) -> FrameClock | None:
    clock = find(record, prediction.path)
    if clock is None and prediction.rate is not None:
        clock = FrameClock(rate=prediction.rate, origin="the rate of the predictions")
    return record.clock_or_own(clock)


def _case(name: str, prediction: Prediction, truth: Annotation, options: CaseOptions) -> Case:
    scores, notes = (
        prediction.scores,
        list(length_notes(name, prediction, truth, options.length_tolerance)),
    )
    if options.smoothing.method != "none" and prediction.raw is not None:
        # Not smoothed twice.
        scores = prediction.raw
    if scores is not None:
        scores = smooth(scores, options.smoothing)
        if options.normalise == "per_video":
            low, high = _range([scores])
            if low == high:
                notes.append(f"{name}: every score is the same; stretched, they are all 0.")
            scores = _stretched(scores, low, high)
    if not options.as_saved and prediction.events is not None:
        # They were found in other values than those that are judged here.
        prediction = replace(prediction, events=None)
    notes += [f"{name}: {note}" for note in truth.notes]
    if not truth.localised:
        notes.append(f"{name}: is called anomalous as a whole, nobody said when.")
    parts = smoothed_parts(prediction, options.smoothing) if options.comparable else None
    return Case(name, prediction, truth, scores, tuple(notes), parts)


def _of_label(
    pairs: Sequence[tuple[Prediction, Annotation]], label: str
) -> list[tuple[Prediction, Annotation]]:
    """Predictions and truth with nothing but one label in them."""
    known = sorted({name for _, truth in pairs for name in truth.labels})
    if label not in known:
        raise DatasetError(
            pairs[0][0].where,
            f"no annotation has label {label!r}; labels are {', '.join(known) or '(none)'}",
        )
    return [(_predicted(prediction, label), _true(truth, label)) for prediction, truth in pairs]


def _predicted(prediction: Prediction, label: str) -> Prediction:
    scores, events = prediction.scores, prediction.events
    if scores is not None:
        if label not in scores.labels:
            raise DatasetError(
                prediction.where, f"has no label {label!r}; labels are {', '.join(scores.labels)}"
            )
        scores = _column(scores, label)
    if events is not None:
        events = tuple(event for event in events if event.label == label)
    # A verdict on the whole video is about all labels together.
    raw = None if prediction.raw is None else _column(prediction.raw, label)
    return replace(prediction, scores=scores, raw=raw, events=events, verdict=None, positive=None)


def _column(scores: Scores, label: str) -> Scores:
    return replace(scores, values=scores[label][:, None], labels=(label,))


def _true(truth: Annotation, label: str) -> Annotation:
    spans = tuple(span for span in truth.spans if span.label == label)
    anomalous = bool(spans) if truth.localised else label in truth.labels
    return replace(truth, spans=spans, labels=(label,), anomalous=anomalous)


def _range(all_scores: Sequence[Scores]) -> tuple[float, float]:
    """Lowest and highest measured value; (0, 0) if there is none."""
    measured = [s.values[~np.isnan(s.values)] for s in all_scores]
    parts = [part for part in measured if len(part)]
    if not parts:
        return 0.0, 0.0
    return float(min(p.min() for p in parts)), float(max(p.max() for p in parts))


def _stretched(scores: Scores, low: float, high: float) -> Scores:
    width = high - low
    values = (scores.values.astype(np.float64) - low) / (width or 1.0)
    return replace(scores, values=np.clip(values, 0.0, 1.0))


def _stretched_together(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    low, high = _range([case.scores for case in cases if case.scores is not None])
    return tuple(
        case if case.scores is None else replace(case, scores=_stretched(case.scores, low, high))
        for case in cases
    )
