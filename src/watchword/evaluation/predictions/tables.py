"""Predictions in tables of one's own, CSV or JSONL: events, series or verdicts, by the columns.

======== ======================================== ================================================
what     columns                                  rule
======== ======================================== ================================================
events   video, start_s, end_s, score [, label]   a row that names a video and nothing else says
         [, peak_s]                               that it was looked at and nothing was found
series   video, frame, score [, label]            frames count from 0, none is left out; needs a
                                                  rate
series   video, time_s, score [, label]           start of each window, strictly rising; the last
                                                  one lasts as long as the one before it
verdicts video, score [, positive]                one row a video
seed 5   Filename, Mean_CLIP_Score,               the verdict is the mean
         Median_CLIP_Score
======== ======================================== ================================================

Other columns are left alone. An empty score is "not measured".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.rows import Row, by_video, numbers, one_each, read_rows
from watchword.evaluation.predictions.series import LABEL, regular_edges, scores_of
from watchword.types import Event, Kind

EVENTS = ("video", "start_s", "end_s")
FRAMES = ("video", "frame", "score")
TIMES = ("video", "time_s", "score")
VERDICTS = ("video", "score")
SEED_5 = ("Filename", "Mean_CLIP_Score", "Median_CLIP_Score")
EVENT = "event"

Read = Callable[..., tuple[Prediction, ...]]


def find_table(columns: Sequence[str]) -> Read | None:
    """What reads a table with these columns: ``read(path, rate=, kind=)``; None if nothing does."""
    for needed, read in TABLES:
        if set(needed) <= set(columns):
            return read
    return None


def read_events(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """The events of each video."""
    del kind  # events stand for themselves
    rows = read_rows(path)
    return tuple(
        Prediction(
            video=video,
            where=_where(part),
            events=tuple(_event(row) for row in part if not _nothing(row, len(part))),
            rate=rate,
        )
        for video, part in by_video(rows).items()
    )


def read_frames(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """A score a frame of each video."""

    def edges(rows: Sequence[Row]) -> NDArray[np.float64]:
        for expected, found in enumerate(numbers(rows, "frame", Row.count)):
            if found != expected:
                row = rows[expected]
                raise row.error(
                    f"is frame {row.count('frame')} of {row.text('video')!r}, frame {expected} "
                    "comes next; every frame must be there, in order"
                )
        return regular_edges(len(rows), rate, _where(rows))

    return _series(path, edges, rate=rate, kind=kind)


def read_times(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """A score a window of each video, by the window's start in seconds."""

    def edges(rows: Sequence[Row]) -> NDArray[np.float64]:
        starts = np.array(numbers(rows, "time_s", Row.seconds))
        if len(starts) < 2:
            raise rows[0].error("is the only one of its video, so nothing says how long it lasts")
        late = np.flatnonzero(np.diff(starts) <= 0)
        if len(late):
            raise rows[late[0] + 1].error(
                f"time_s is {starts[late[0] + 1]:g} after {starts[late[0]]:g}; times must rise"
            )
        return np.append(starts, 2 * starts[-1] - starts[-2])

    return _series(path, edges, rate=rate, kind=kind)


def read_verdicts(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """A score of each video as a whole, and whether it was called an event."""
    del kind  # a verdict's unit is its own
    rows = read_rows(path)
    one_each(rows, "video")
    return tuple(
        Prediction(
            video=row.text("video"),
            where=_where([row]),
            verdict=_known(row.score("score")),
            positive=row.flag("positive"),
            rate=rate,
        )
        for row in rows
    )


def read_seed_5(
    path: Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """Seed 5's mean cosine of each video; the median is checked to be a number and left."""
    del kind
    rows = read_rows(path)
    one_each(rows, "Filename")
    for row in rows:
        row.score("Median_CLIP_Score")
    return tuple(
        Prediction(
            video=row.text("Filename"),
            where=_where([row]),
            verdict=_known(row.score("Mean_CLIP_Score")),
            rate=rate,
        )
        for row in rows
    )


TABLES: tuple[tuple[tuple[str, ...], Read], ...] = (
    (SEED_5, read_seed_5),
    (EVENTS, read_events),
    (FRAMES, read_frames),
    (TIMES, read_times),
    (VERDICTS, read_verdicts),
)


def _series(
    path: Path,
    edges_of: Callable[[Sequence[Row]], NDArray[np.float64]],
    *,
    rate: float | None,
    kind: Kind,
) -> tuple[Prediction, ...]:
    rows = read_rows(path)
    found = []
    for video, part in by_video(rows).items():
        labels: dict[str, list[Row]] = {}
        for row in part:
            labels.setdefault(row.text("label", LABEL), []).append(row)
        edges = {label: edges_of(own) for label, own in labels.items()}
        first, *others = edges
        for label in others:
            if not np.array_equal(edges[label], edges[first]):
                raise labels[label][0].error(
                    f"{label!r} and {first!r} of {video!r} must be scored at the same times"
                )
        values = [numbers(own, "score", Row.score) for own in labels.values()]
        scores = scores_of(
            np.array(values).T, edges[first], tuple(labels), kind, where=_where(part)
        )
        found.append(Prediction(video=video, where=_where(part), scores=scores, rate=rate))
    return tuple(found)


def _nothing(row: Row, rows: int) -> bool:
    """Whether the row says that nothing was found in its video."""
    silent = row.empty("start_s") and row.empty("end_s") and row.empty("score")
    if silent and rows > 1:
        raise row.error(f"says that nothing was found in {row.text('video')!r}, other rows do")
    return silent


def _event(row: Row) -> Event:
    start_s, end_s = row.seconds("start_s"), row.seconds("end_s")
    if start_s >= end_s:
        raise row.error(f"starts at {start_s:g} s and ends at {end_s:g} s; it must end later")
    peak_s = math.nan if row.empty("peak_s") else row.seconds("peak_s")
    return Event(row.text("label", EVENT), start_s, end_s, row.score("score"), peak_s)


def _where(rows: Sequence[Row]) -> str:
    return f"{rows[0].file}, row {rows[0].number}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
