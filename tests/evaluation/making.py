"""Predictions, records and cases with known answers, made in memory."""

from __future__ import annotations

import numpy as np

from watchword.evaluation.datasets.record import Record
from watchword.evaluation.matching import CaseOptions, load_cases
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.types import Scores, Span


def prediction(video, values, *, step_s=1.0, labels=("event",), kind="contrast", **more):
    array = np.asarray(values, np.float32).reshape(-1, len(labels))
    scores = Scores(array, np.arange(len(array) + 1) * step_s, labels, kind)
    return Prediction(video, f"{video}.parquet", scores=scores, **more)


def record(video, *spans, label="event", duration_s=None, where=None, **more):
    found = tuple(Span(label, a, b) for a, b in spans)
    more.setdefault("anomalous", bool(found))
    return Record(
        video,
        where or f"truth.csv, row {video}",
        spans=found,
        labels=(label,) if found else (),
        duration_s=duration_s,
        **more,
    )


def no_clock(record, path):
    return None


def cases(predictions, records, **options):
    return load_cases(predictions, records, options=CaseOptions(**options), clock=no_clock)


# Ten windows of one second each; the threshold is 0.5.
#   a: event in [2, 5), hits in [3, 6) and [8, 9): tp 2, fp 2, fn 1, tn 5
#   b: no event, one hit in [0, 1):                tp 0, fp 1, fn 0, tn 9
A = [0.1, 0.2, 0.4, 0.8, 0.9, 0.6, 0.3, 0.2, 0.5, 0.1]
B = [0.7, 0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.4, 0.3, 0.2]


def tiny(made=None, **options):
    made = made or Made()
    return cases(
        [prediction("clips/a.mp4", A, made=made), prediction("clips/b.mp4", B, made=made)],
        [record("a", (2, 5), duration_s=10.0), record("b", duration_s=10.0)],
        **options,
    )


def noisy(videos=6, windows=60, seed=0, lift=1.0, made=None):
    """Videos with texture: every other one holds an event in its third quarter."""
    rng = np.random.default_rng(seed)
    predictions, records = [], []
    for number in range(videos):
        values = rng.normal(size=windows)
        spans = []
        if number % 2 == 0:
            values[windows // 2 : 3 * windows // 4] += lift
            spans = [(windows / 2, 3 * windows / 4)]
        squashed = 1 / (1 + np.exp(-values))
        predictions.append(prediction(f"v{number}", squashed, made=made or Made()))
        records.append(record(f"v{number}", *spans, duration_s=float(windows)))
    return cases(predictions, records)
