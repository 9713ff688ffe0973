"""Change and cuts the slow and obvious way: one picture at a time, each looking back by itself."""

from __future__ import annotations

import math

import numpy as np

TOLERANCE_S = 1e-6


def reference_cuts(vectors, starts, below, memory_s):
    found = []
    begin = 0
    for i in range(len(vectors)):
        if np.isnan(vectors[i, 0]):
            begin = i + 1
            continue
        before = [
            float(vectors[j] @ vectors[i])
            for j in range(begin, i)
            if starts[j] >= starts[i] - memory_s - TOLERANCE_S
        ]
        cut = below is not None and bool(before) and max(before) < below
        if cut:
            begin = i
        found.append((i, cut))
    out = np.zeros(len(vectors), bool)
    for i, cut in found:
        out[i] = cut
    return out


def reference_change(vectors, edges, step_s, fade_s, below, memory_s):
    starts, lengths = edges[:-1], np.diff(edges)
    rows = vectors.astype(np.float64)
    cuts = reference_cuts(rows, starts, below, memory_s)
    moved, out = [], np.full(len(rows), np.nan)
    begin = 0
    for i in range(len(rows)):
        moved.append(0.0)
        if np.isnan(rows[i, 0]):
            begin = i + 1
            continue
        if cuts[i]:
            begin = i
        if i > begin:
            moved[i] = surprise(rows, starts, begin, i, step_s)
        # What moved counts by the share of its own time that is not yet forgotten.
        ends = [starts[begin], *np.cumsum(lengths[begin : i + 1]) + starts[begin]]
        kept = [math.exp(-(ends[-1] - end) / fade_s) for end in ends]
        out[i] = sum(moved[begin + k] * (kept[k + 1] - kept[k]) for k in range(i + 1 - begin))
    return out, cuts


def surprise(rows, starts, begin, i, step_s):
    before = nearest(starts, starts[i] - step_s, begin, i - 1)
    lag = starts[i] - starts[before]
    expected = rows[before]
    if before > begin:
        earlier = nearest(starts, starts[before] - step_s, begin, before - 1)
        ahead = min(1.0, lag / (starts[before] - starts[earlier]))
        expected = expected + ahead * (rows[before] - rows[earlier])
    far = np.abs(rows[i] - expected).mean() * math.sqrt(rows.shape[1])
    return far * math.sqrt(step_s / lag)


def nearest(starts, wanted, first, last):
    """The latest of the pictures that are nearest, as far as times can be told apart."""
    away = {j: abs(starts[j] - wanted) for j in range(first, last + 1)}
    least = min(away.values())
    return max(j for j, far in away.items() if far <= least + TOLERANCE_S)
