"""Distances to a memory, one cell at a time."""

from __future__ import annotations

import numpy as np


def nearest(cells, entries, reach):
    """(n,h,w) distance of each cell to the nearest entry at most ``reach`` places away."""
    count, height, width, _ = cells.shape
    out = np.full((count, height, width), np.nan)
    for i in range(count):
        for y in range(height):
            for x in range(width):
                if np.isnan(cells[i, y, x]).any():
                    continue
                near = [
                    entry
                    for row in range(height)
                    for column in range(width)
                    if reach is None or max(abs(row - y), abs(column - x)) <= reach
                    for entry in entries[row, column]
                    if not np.isnan(entry).any()
                ]
                if near:
                    away = [np.linalg.norm(cells[i, y, x].astype(float) - one) for one in near]
                    out[i, y, x] = min(away)
    return out


def spread(rows, keep):
    """Rows of one place: the one nearest to the middle, then always the furthest from those."""
    rows = [row for row in rows if not np.isnan(row).any()]
    if not rows:
        return []
    middle = np.mean(rows, axis=0)
    taken = [min(range(len(rows)), key=lambda i: np.linalg.norm(rows[i] - middle))]
    while len(taken) < keep:
        far = [min(np.linalg.norm(row - rows[j]) for j in taken) for row in rows]
        if max(far) == 0:
            break
        taken.append(int(np.argmax(far)))
    return [rows[i] for i in taken]


def causal_mean(series, pts_s, duration_s, window_s):
    """(n,) mean of values over the last seconds, weighted by length; NaN ends the past."""
    out = []
    for i in range(len(series)):
        total = weight = 0.0
        for j in range(i, -1, -1):
            if np.isnan(series[j]) or (j < i and pts_s[j] < pts_s[i] - window_s + 1e-6):
                break
            share = min(duration_s[j], window_s) or 1.0
            total, weight = total + share * series[j], weight + share
        out.append(total / weight if weight else np.nan)
    return np.array(out)
