"""Footage made of numbers: a street in which something walks from left to right now and then."""

from __future__ import annotations

import numpy as np

from watchword.evidence.normality.learn import MemoryBuilder
from watchword.evidence.normality.memory import PartOptions, Setting

GRID = (6, 8)
SETTING = Setting("print-of-mini", "mini", 640, 360, {"seen": {"size": 2}})
SEEN = {"seen": PartOptions(keep=12, top=4)}


def street(seconds, *, seed=0, rate=10.0, numbers=3):
    """Cells (n,h,w,C), pts_s, duration_s of calm footage."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    cells = rng.normal(0, 0.1, (count, *GRID, numbers))
    look = np.array([1.0, 0.5, -0.5])[:numbers]
    for start in range(5, count, 40):
        for i in range(min(count - start, 32)):
            cells[start + i, 2:4, i // 4] += look
    cells[0] = np.nan
    pts_s = np.arange(count) / rate
    return cells.astype(np.float32), pts_s, np.full(count, 1 / rate)


def with_event(cells, first, last):
    """The same with something else that stands where others walk."""
    made = cells.copy()
    made[first:last, 2:4, 3:5] += np.array([-1.5, 2.0, 1.0], np.float32)
    return made


def learned(clips, options=None, **kwargs):
    """A memory of clips (cells, pts_s, duration_s)."""
    builder = MemoryBuilder(SETTING, options or SEEN, **kwargs)
    (name,) = options or SEEN
    for number, (cells, pts_s, duration_s) in enumerate(clips):
        builder.begin(f"day{number}.mp4", f"print{number}")
        builder.update({name: cells}, pts_s, duration_s)
    return builder.finish()
