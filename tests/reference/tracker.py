"""Events the slow and obvious way: the whole series of one label is there, step after step."""

from __future__ import annotations

import numpy as np

from watchword.types import Event

TOLERANCE_S = 1e-6


def reference_events(edges, values, *, label, enter, exit_, min_s, merge_gap_s, pad_s):
    values = np.asarray(values, np.float32)
    enter, exit_ = np.float32(enter), np.float32(exit_)
    runs = []
    active = False
    for start, end, value in zip(edges[:-1], edges[1:], values, strict=True):
        if active and value >= exit_:
            runs[-1].append((start, end, value))
        elif not active and value >= enter:
            runs.append([(start, end, value)])
            active = True
        else:
            active = False
    merged = []
    for run in runs:
        if merged and run[0][0] - merged[-1][-1][1] <= merge_gap_s + TOLERANCE_S:
            merged[-1] += run
        else:
            merged.append(list(run))
    long = [run for run in merged if run[-1][1] - run[0][0] >= min_s - TOLERANCE_S]
    padded = []
    for run in long:
        start, end = run[0][0] - pad_s, run[-1][1] + pad_s
        if padded and start <= padded[-1][1] + TOLERANCE_S:
            padded[-1] = (padded[-1][0], end, padded[-1][2] + run)
        else:
            padded.append((start, end, run))
    events = []
    for start, end, run in padded:
        score = max(value for _, _, value in run)
        peak = next(begin for begin, _, value in run if value == score)
        events.append(
            Event(label, max(start, edges[0]), min(end, edges[-1]), float(score), float(peak))
        )
    return tuple(events)
