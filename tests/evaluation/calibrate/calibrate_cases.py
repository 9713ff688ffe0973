"""Cases made of arrays, for the tests of this folder."""

from __future__ import annotations

import numpy as np

from watchword.evaluation.cases import Case
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.types import Annotation, Scores, Span


def case(
    name: str,
    values,
    spans=(),
    *,
    kind="cosine",
    labels=("hazard",),
    window_s=1.0,
    group=None,
    anomalous=None,
    made=None,
    fingerprint=None,
) -> Case:
    """A video of windows of equal length; spans are (start_s, end_s) or (label, start_s, end_s)."""
    series = np.asarray(values, np.float32)
    series = series[:, None] if series.ndim == 1 else series
    edges = np.arange(len(series) + 1) * window_s
    scores = Scores(series, edges, labels, kind, video=name)
    marked = tuple(Span(*((labels[0], *s) if len(s) == 2 else s)) for s in spans)
    prediction = Prediction(
        name, "test", scores=scores, made=made or Made(), video_fingerprint=fingerprint
    )
    annotation = Annotation(name, marked, labels, group=group, anomalous=anomalous)
    return Case(name, prediction, annotation, scores)


def ar1(rng, count: int, phi: float) -> np.ndarray:
    """(count,) a stationary series in which each value resembles the one before it."""
    noise = rng.standard_normal(count) * np.sqrt(1 - phi**2)
    series = np.empty(count)
    series[0] = rng.standard_normal()
    for i in range(1, count):
        series[i] = phi * series[i - 1] + noise[i]
    return series


def random_cases(rng, videos=8, windows=60, *, gain=1.0, decimals=2) -> list[Case]:
    """Videos with one event each but the last, scores rounded so that there are ties."""
    cases = []
    for number in range(videos):
        start, end = sorted(rng.choice(windows, 2, replace=False).tolist())
        spans = [(start, end)] if number < videos - 1 else []
        truth = np.zeros(windows)
        truth[start:end] = bool(spans)
        values = (rng.standard_normal(windows) + gain * truth).round(decimals)
        cases.append(case(f"v{number}", values, spans))
    return cases
