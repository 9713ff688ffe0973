"""Annotated videos cut into overlapping windows to learn from, and batches drawn of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen, timeline_edges
from watchword.evidence.adapter_windows import window_starts

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingVideo:
    """One video to learn from: N pictures with what is known of them.

    Attributes:
        name: as messages call it.
        group: camera, scene or subject; videos of one group are validated together.
        rows: (N,D) float32 embeddings of unit length, NaN where nothing could be decoded.
        edges_s: (N+1,) when each picture is shown, in seconds.
        frame_labels: (N,) bool, which pictures are abnormal; None where nobody said.
        video_label: whether anything in it is abnormal; None where nobody said, and then what
            ``frame_labels`` tell.
        fingerprint: of its content, if known.
        split: of the data set, if it has some.
    """

    name: str
    group: str
    rows: Floats
    edges_s: NDArray[np.float64]
    frame_labels: Bools | None = None
    video_label: bool | None = None
    fingerprint: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        rows = frozen(self.rows, np.float32, (None, None), "rows")
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "edges_s", timeline_edges(self.edges_s, len(rows)))
        if self.frame_labels is None:
            return
        labels = frozen(self.frame_labels, np.bool_, (len(rows),), "frame_labels")
        object.__setattr__(self, "frame_labels", labels)
        told = bool(labels.any())
        if self.video_label is None:
            object.__setattr__(self, "video_label", told)
        elif self.video_label is not told:
            raise ValueError(
                f"{self.name}: video_label is {self.video_label}, but {int(labels.sum())} of "
                f"{len(labels)} pictures are labelled abnormal"
            )

    @property
    def seen(self) -> Bools:
        """(N,) which pictures could be decoded."""
        return np.asarray(~np.isnan(self.rows).any(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B windows of T pictures.

    Attributes:
        x: (B,T,D) float32, zeros where nothing was seen.
        seen: (B,T) bool, False in holes and beyond a video's end.
        truth: (B,T) bool, which pictures are abnormal; False where not known.
        known: (B,T) bool, of which of the pictures seen that is known.
        videos: (B,) number of the video of each window.
        pictures: (B,T) number of each picture in its video, also beyond the end.
    """

    x: Floats
    seen: Bools
    truth: Bools
    known: Bools
    videos: Numbers
    pictures: Numbers


class Windows:
    """The windows of some videos: every picture lies in at least one, none is left over.

    The last window of a video is flush with its end, and a shorter video is one window that is not
    full. Windows of which nothing was seen are counted, ``blank``, and not given out.

    ``videos`` (n,), ``starts`` (n,): the video and first picture of each window; ``normal`` (n,),
    ``abnormal`` (n,): pictures of it that are seen and known to be so; ``labels``: of each video
    whether anything in it is abnormal, or None.

    Args:
        videos: at least one, all of one width.
        clip_length: T, pictures of a window.
        stride: pictures from one window to the next, at most T.

    Raises:
        ValueError: no videos, of different widths, or nothing in them was seen.
    """

    def __init__(self, videos: Sequence[TrainingVideo], clip_length: int, stride: int) -> None:
        if not 1 <= stride <= clip_length:
            raise ValueError(f"stride is {stride}, it must lie between 1 and {clip_length}")
        widths = sorted({video.rows.shape[1] for video in videos})
        if len(widths) != 1:
            got = f"of widths {', '.join(map(str, widths))}" if widths else "none"
            raise ValueError(f"videos are {got}; at least one is needed, and all of one width")
        self.clip_length, self.stride = clip_length, stride
        self.labels = tuple(video.video_label for video in videos)
        # All pictures lie in one block, so that a batch is one look-up; a window knows its end.
        self._counts = np.array([len(video.rows) for video in videos])
        self._offsets = np.cumsum(self._counts) - self._counts
        self._seen = np.concatenate([video.seen for video in videos])
        self._rows = np.concatenate([video.rows for video in videos])
        self._rows[~self._seen] = 0
        told = [_told(video) for video in videos]
        self._truth = np.concatenate([truth for truth, _ in told])
        self._known = np.concatenate([known for _, known in told]) & self._seen
        starts = [window_starts(int(count), clip_length, stride) for count in self._counts]
        self.videos: Numbers = np.repeat(np.arange(len(videos)), [len(one) for one in starts])
        self.starts: Numbers = np.concatenate(starts)
        self._keep_what_was_seen()

    def __len__(self) -> int:
        return len(self.starts)

    def batch(self, windows: NDArray[np.integer]) -> Batch:
        """The windows of these numbers (B,), in this order."""
        at, inside, pictures = self._places(windows)
        x = self._rows[at]
        x[~inside] = 0
        known = self._known[at] & inside
        seen, truth = self._seen[at] & inside, self._truth[at] & known
        return Batch(x, seen, truth, known, self.videos[windows], pictures)

    def _places(self, windows: NDArray[np.integer]) -> tuple[Numbers, Bools, Numbers]:
        """Where the pictures of windows lie in the block, which exist, and their own numbers."""
        pictures = self.starts[windows][:, None] + np.arange(self.clip_length)
        videos = self.videos[windows][:, None]
        inside = pictures < self._counts[videos]
        return self._offsets[videos] + np.where(inside, pictures, 0), inside, pictures

    def _keep_what_was_seen(self) -> None:
        counts = np.zeros((3, len(self.starts)), np.intp)
        for first in range(0, len(self.starts), 4096):
            part = slice(first, first + 4096)
            at, inside, _ = self._places(np.arange(len(self.starts))[part])
            known, truth = self._known[at] & inside, self._truth[at]
            for count, those in zip(
                counts, (self._seen[at] & inside, known & ~truth, known & truth), strict=True
            ):
                count[part] = those.sum(axis=1)
        keep = counts[0] > 0
        if not keep.any():
            raise ValueError("no picture of the videos was decoded; there is nothing to learn from")
        self.blank = int((~keep).sum())
        self.videos, self.starts = self.videos[keep], self.starts[keep]
        self.normal, self.abnormal = counts[1:, keep]


def _told(video: TrainingVideo) -> tuple[Bools, Bools]:
    """(which pictures are abnormal, of which that is known), both (N,).

    Nothing in a normal video is abnormal, so its pictures are known without being labelled.
    """
    if video.frame_labels is not None:
        return video.frame_labels, np.ones(len(video.rows), np.bool_)
    known = np.full(len(video.rows), video.video_label is False)
    return np.zeros(len(video.rows), np.bool_), known
