"""Pixel measures the slow and obvious way: every threshold, every region; NaN is left out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import label


def reference_regions(masks):
    """(video, frame, pixels) of every connected part of every frame, diagonals included."""
    regions = []
    for number, mask in enumerate(masks):
        for time, frame in enumerate(mask):
            parts, count = label(frame, structure=np.ones((3, 3)))
            regions += [(number, time, parts == part) for part in range(1, count + 1)]
    return regions


def reference_aupro(masks, maps, limit):
    measured = [~np.isnan(m) for m in maps]
    regions = [
        (number, time, pixels & measured[number][time])
        for number, time, pixels in reference_regions(masks)
        if (pixels & measured[number][time]).any()
    ]
    pairs = zip(masks, maps, measured, strict=True)
    normal = np.concatenate([m[seen & ~mask] for mask, m, seen in pairs])
    points = [(0.0, 0.0)]
    every = {value for m, seen in zip(maps, measured, strict=True) for value in m[seen]}
    for threshold in sorted(every, reverse=True):
        found = [
            (maps[number][time][pixels] >= threshold).mean() for number, time, pixels in regions
        ]
        points.append(((normal >= threshold).mean(), np.mean(found)))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit:
            break
        if x1 > limit:
            y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            x1 = limit
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit
