"""What each objective shows an adapter, and what it asks of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watchword.train.adapter.drawing import draw_videos, draw_windows, drawn_pictures
from watchword.train.adapter.losses import (
    anchor,
    class_weights,
    frame_loss,
    log_odds,
    smoothness,
    sparsity,
    video_loss,
)
from watchword.train.adapter.made import make_abnormal
from watchword.train.adapter.model import TemporalAdapter
from watchword.train.adapter.options import AdapterOptions
from watchword.train.adapter.windows import Batch, TrainingVideo, Windows

# Of so many pictures of normal footage, so many stay as they are and are displaced on purpose.
_MADE = 6, 1

# Windows that speak for a video in one batch, at most.
_EACH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Windows of one step: ``bags`` (B,) which of V videos each is of, ``truth`` (V,) of those."""

    batch: Batch
    bags: NDArray[np.intp]
    truth: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What became of a lesson.

    Attributes:
        losses: "loss", and what it is made of.
        odds: (n,) log odds of the abnormal of the pictures whose class is known.
        truth: (n,) bool, their class.
    """

    losses: dict[str, Tensor]
    odds: Tensor
    truth: Tensor


class Teaching:
    """Batches of some videos under an objective, and their losses.

    Args:
        videos: at least one.
        options: objective, batches and weights of the losses.
    """

    def __init__(self, videos: Sequence[TrainingVideo], options: AdapterOptions) -> None:
        self._options, self._videos = options, videos
        # In bags no picture may count twice.
        stride = options.clip_length if options.objective == "video" else options.stride
        self._windows = Windows(videos, options.clip_length, stride)
        self._balanced = self._both_kinds()
        self._weights = (1.0, 1.0)
        if options.objective == "frame":
            normal, abnormal = drawn_pictures(self._windows, balanced=self._balanced)
            if normal and abnormal:
                self._weights = class_weights(normal, abnormal)
        elif options.objective == "normal":
            self._weights = class_weights(*_MADE)
        blank = self._windows.blank
        self.notes = (f"{blank} windows in which nothing was decoded were left out",) * bool(blank)

    def lessons(self, epoch: int) -> Iterator[Lesson]:
        """An epoch to learn from: both kinds in turn where there are both, in a new order each."""
        options = self._options
        draw = {"seed": options.seed, "epoch": epoch}
        if options.objective == "video" and self._balanced:
            each = min(_EACH, options.batch)
            videos = max(2, options.batch // each)
            for drawn in draw_videos(self._windows, videos=videos, each=each, **draw):
                yield Lesson(self._windows.batch(drawn.windows), drawn.bags, drawn.truth)
            return
        for numbers in draw_windows(
            self._windows, batch=options.batch, balanced=self._balanced, **draw
        ):
            yield self._lesson(numbers)

    def ordered(self) -> Iterator[Lesson]:
        """Every window once, for validation; those of a video together where videos are judged."""
        windows, size = self._windows, self._options.batch
        if self._options.objective == "video":
            for video in np.unique(windows.videos):
                yield self._lesson(np.flatnonzero(windows.videos == video))
            return
        for at in range(0, len(windows), size):
            yield self._lesson(np.arange(at, min(len(windows), at + size)))

    def _lesson(self, numbers: NDArray[np.integer]) -> Lesson:
        batch = self._windows.batch(numbers)
        videos, bags = np.unique(batch.videos, return_inverse=True)
        return Lesson(batch, bags, np.array([self._windows.labels[n] is True for n in videos]))

    def taught(self, model: TemporalAdapter, lesson: Lesson) -> Taught:
        """What the model answers, and its losses."""
        options, batch = self._options, lesson.batch
        device = model.centre.device
        x, seen, truth, known = (
            torch.from_numpy(one).to(device)
            for one in (batch.x, batch.seen, batch.truth, batch.known)
        )
        if options.objective == "normal":
            (x, truth), known = make_abnormal(x, seen, model.spread), seen
        adapted, logits = model(x, seen)
        parts = {"smooth": (options.smooth, smoothness(logits, seen))}
        parts["anchor"] = options.anchor, anchor(adapted, x, seen)
        if options.sparse:
            parts["sparse"] = options.sparse, sparsity(logits, seen)
        if options.objective == "video":
            bags, held = (torch.from_numpy(one).to(device) for one in (lesson.bags, lesson.truth))
            parts["video"] = 1.0, video_loss(logits, seen, bags, held)
        else:
            told = frame_loss(logits, truth, known, weights=self._weights, gamma=options.gamma)
            parts["frame"] = 1.0, told
        total = torch.stack([weight * part for weight, part in parts.values()]).sum()
        losses = {"loss": total, **{name: part for name, (_, part) in parts.items()}}
        return Taught(losses, log_odds(logits.detach())[known], truth[known])

    def _both_kinds(self) -> bool:
        """Whether there are windows, or videos, of both kinds to take in turn."""
        if self._options.objective == "video":
            return {True, False} <= {one.video_label for one in self._videos}
        positive = self._windows.abnormal > 0
        return bool(positive.any() and not positive.all())
