"""Smoothing the slow and obvious way: one window and one label at a time."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

TOLERANCE_S = 1e-6


def reference_smooth(edges, values, method, width_s, causal):
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    out = np.full(values.shape, np.nan)
    for i, here in enumerate(middles):
        for k in range(values.shape[1]):
            if np.isnan(values[i, k]):
                continue
            near = [
                (values[j, k], edges[j + 1] - edges[j], there - here)
                for j, there in enumerate(middles)
                if takes_part(there - here, method, width_s, causal) and not np.isnan(values[j, k])
            ]
            if method == "median":
                out[i, k] = np.median([value for value, _, _ in near])
                continue
            weights = [
                length * (math.exp(-0.5 * (d / width_s) ** 2) if method == "gaussian" else 1)
                for _, length, d in near
            ]
            out[i, k] = np.average([value for value, _, _ in near], weights=weights)
    return out


def takes_part(distance, method, width_s, causal):
    if causal and distance > 0:
        return False
    if method == "gaussian":
        return abs(distance) <= 4 * width_s + TOLERANCE_S
    if causal:
        return distance == 0 or -distance <= width_s - TOLERANCE_S
    return abs(distance) <= width_s / 2 + TOLERANCE_S
