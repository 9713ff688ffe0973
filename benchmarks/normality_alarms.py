"""False alarms an hour at the default threshold, and the events that are found at it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from normality_rows import Row, against, counted
from normality_runs import EVERY_FRAME, MEMORY_SETS, OTHER_SETS, Bench
from watchword.errors import NormalityError
from watchword.evaluation.matching import Cases
from watchword.evaluation.predictions.prediction import Prediction

# Parts that a set's normal footage is cut into, each measured against a memory of the others.
PARTS = 4
# Less footage says nothing of an hour.
ENOUGH_S = 60.0


@dataclass(frozen=True)
class Alarms:
    """Events where none was, and events that were found.

    Attributes:
        normal_s: seconds without an event.
        false: events that were reported in them.
        found: true events, or videos with one, that were reported.
        true: of so many.
    """

    normal_s: float = 0.0
    false: int = 0
    found: int = 0
    true: int = 0

    def __add__(self, other: Alarms) -> Alarms:
        return Alarms(
            self.normal_s + other.normal_s, self.false + other.false,
            self.found + other.found, self.true + other.true,
        )  # fmt: skip

    def row(self, footage: str, usual: str) -> Row:
        """A line of the table: what was looked at, and what was normal there."""
        enough = self.normal_s >= ENOUGH_S
        hourly = f"{3600 * self.false / self.normal_s:.0f}" if enough else "too short"
        minutes = f"{self.normal_s / 60:.1f}"
        found = f"{self.found} of {self.true}" if self.true else "–"
        return [footage, usual, minutes, str(self.false), hourly, found]


def alarms_of(
    prediction: Prediction, spans: Sequence[tuple[float, float]], *, before: bool = False
) -> Alarms:
    """The alarms of one video whose events are these spans; ``before``: only ahead of the first."""
    assert prediction.scores is not None
    assert prediction.events is not None
    end_s = float(prediction.scores.edges_s[-1])
    if before:
        end_s = min([end_s, *(start for start, _ in spans)])
    hit = [any(e.start_s < to and e.end_s > at for e in prediction.events) for at, to in spans]
    false = sum(
        e.start_s < end_s and not any(e.start_s < to and e.end_s > at for at, to in spans)
        for e in prediction.events
    )
    covered = sum(max(0.0, min(to, end_s) - at) for at, to in spans)
    return Alarms(max(0.0, end_s - covered), false, sum(hit), len(spans))


def annotated_alarms(cases: Cases, *, before: bool = False) -> Alarms:
    """The alarms of all videos of a set whose events somebody dated."""
    return total(
        alarms_of(
            case.prediction,
            [(span.start_s, span.end_s) for span in case.annotation.spans],
            before=before,
        )
        for case in cases.cases
        if case.annotation.localised
    )


def labelled_alarms(predictions: Sequence[Prediction], events: set[str]) -> Alarms:
    """The alarms of videos that hold an event or not as a whole, which nobody dated."""
    found = Alarms()
    for one in predictions:
        assert one.events is not None
        if Path(one.video).name in events:
            found += Alarms(0.0, 0, int(bool(one.events)), 1)
        else:
            found += alarms_of(one, ())
    return found


def total(alarms: Iterable[Alarms]) -> Alarms:
    return sum(alarms, Alarms())


def alarm_rows(bench: Bench) -> list[Row]:
    """False alarms an hour at the default threshold, and what was found at it."""
    rows = [unwatched_row(bench), *(kept_out_row(bench, name) for name in MEMORY_SETS)]
    for name in MEMORY_SETS:
        alarms = annotated_alarms(bench.cases(name, bench.remembered(name)))
        rows.append(alarms.row(f"{name}, outside of events", against(itself=False)))
    for name in OTHER_SETS:
        # What follows an accident on the road is no longer usual.
        before = name in ("dada", "dad")
        alarms = annotated_alarms(bench.cases(name, bench.plain(name)), before=before)
        what = "ahead of the event" if before else "outside of events"
        rows.append(alarms.row(f"{name}, {what}", "the clip itself"))
    for name in ("fight_surv", "crash_cctv"):
        events = {Path(one["clip"]).name for one in bench.labels(name) if one["label"][:3] != "no_"}
        alarms = labelled_alarms(bench.plain(name), events)
        rows.append(alarms.row(f"{name}, clips of 2 s", "usual change"))
    return rows


def unwatched_row(bench: Bench) -> Row:
    """Clips of other cameras that hold no event."""
    usual = {one["clip"] for one in bench.labels("misc") if one["label"].startswith("normal")}
    clips = [clip for clip in bench.clips("misc") if Path(clip).name in usual]
    alarms = labelled_alarms(bench.detected("misc-plain", clips), set())
    return alarms.row(f"misc, {len(clips)} clips without events", "the clip itself")


def kept_out_row(bench: Bench, name: str) -> Row:
    """Normal clips of a camera, each against a memory that was learned without it."""
    clips = bench.clips(name, "train")
    folds = min(PARTS, len(clips))
    alarms, measured = Alarms(), 0
    for fold in range(folds):
        kept_out = clips[fold::folds]
        others = [clip for clip in clips if clip not in kept_out]
        label = f"{name}-without-{fold}"
        try:
            memory = bench.memory(label, others)
        except NormalityError as exc:
            print(f"left out of {label}: {exc}", file=sys.stderr)
            continue
        found = bench.detected(label, kept_out, changes=EVERY_FRAME, memory=memory)
        measured += len(found)
        alarms += labelled_alarms(found, set())
    footage = f"{name}, {counted(measured, len(clips))} without events, kept out"
    if not measured:
        return [footage, "the others are too short", *["–"] * 4]
    return alarms.row(footage, f"a memory of {len(clips) - len(clips[::folds])} others")
