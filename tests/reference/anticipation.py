"""Anticipation the slow and obvious way: every threshold, every video, every window."""

from __future__ import annotations

import numpy as np


def first_alarm(scores, threshold):
    for place, score in enumerate(scores):
        if score >= threshold:
            return place
    return None


def reference_levels(videos, thresholds, lead):
    """Recall -> longest mean lead. A video is (scores, starts, accident or None)."""
    crashes = [video for video in videos if video[2] is not None]
    levels = {}
    for threshold in thresholds:
        leads = []
        for scores, starts, accident in crashes:
            early = [s for s, start in zip(scores, starts, strict=True) if start < accident - 1e-6]
            place = first_alarm(early, threshold)
            if place is not None:
                leads.append(lead(starts[place], starts[0], accident))
        if leads:
            recall = len(leads) / len(crashes)
            levels[recall] = max(levels.get(recall, -np.inf), sum(leads) / len(leads))
    return levels


def right_lead(alarm, start, accident):
    return accident - alarm


def relative_lead(alarm, start, accident):
    return 1 - (alarm - start) / (accident - start)


def common_grid(videos, step=0.001):
    """Thresholds of UString's code: from the lowest score before an accident up to 1."""
    lowest = min(
        score
        for scores, starts, accident in videos
        for score, start in zip(scores, starts, strict=True)
        if accident is None or start < accident - 1e-6
    )
    return np.arange(max(lowest, 0), 1.0, step)


def reference_alarms(starts, scores, threshold, cooldown):
    """False alarms of one video, each silencing the next for a while."""
    count, silent_until = 0, -np.inf
    for start, score in zip(starts, scores, strict=True):
        if score >= threshold and start >= silent_until - 1e-6:
            count += 1
            silent_until = start + cooldown
    return count
