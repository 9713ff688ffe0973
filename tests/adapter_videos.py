"""Made-up embeddings of videos in which something happens, for tests of adapters."""

from __future__ import annotations

import numpy as np

from watchword.train.adapter.windows import TrainingVideo

WIDTH = 32
_AXIS = np.random.default_rng(7).standard_normal(WIDTH) * 2
_EVENT = np.random.default_rng(8).standard_normal(WIDTH)


def flicker_video(
    number: int, *, abnormal: bool, labelled: bool = True, count: int = 60, rate: float = 5.0
) -> TrainingVideo:
    """A video of noise around one picture; what is abnormal sways to and fro along one direction.

    No single picture of it is unlike those of others that sway slowly, so time has to be looked at.
    """
    chance = np.random.default_rng(number)
    rows = chance.standard_normal((count, WIDTH)) + _AXIS
    labels = np.zeros(count, bool)
    if abnormal:
        start = int(chance.integers(3, count - 15))
        labels[start : start + 12] = True
    sway = np.where(labels, 2 * (np.arange(count) % 2) - 1, 2 * (np.arange(count) // 15 % 2) - 1)
    rows += 2.0 * sway[:, None] * _EVENT
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return TrainingVideo(
        name=f"video_{number}.mp4",
        group=f"camera {number // 2}",
        rows=rows.astype(np.float32),
        edges_s=np.arange(count + 1) / rate,
        frame_labels=labels if labelled else None,
        video_label=abnormal,
        fingerprint=f"print {number}",
        split="train",
    )


def flicker_videos(count: int, *, first: int = 0) -> list[TrainingVideo]:
    """Every second one holds something abnormal."""
    return [flicker_video(n, abnormal=n % 2 == 0) for n in range(first, first + count)]
