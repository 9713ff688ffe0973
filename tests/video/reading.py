"""What the tests of this room share: a whole video read into plain lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic import frame_number
from watchword.types import Coverage, Frames, VideoInfo
from watchword.video.reader import ReadOptions, open_video
from watchword.video.sampling import Sampling

EVERY = Sampling(rate=None)


class Read:
    """Everything that came out of a video."""

    def __init__(
        self,
        source: str | Path,
        sampling: Sampling = EVERY,
        options: ReadOptions | None = None,
    ) -> None:
        with open_video(source, sampling=sampling, options=options or ReadOptions()) as stream:
            self.info: VideoInfo = stream.info
            self.batches: list[Frames] = list(stream)
            self.coverage: Coverage = stream.coverage

    @property
    def pts_s(self) -> NDArray[np.float64]:
        return np.concatenate([batch.pts_s for batch in self.batches])

    @property
    def duration_s(self) -> NDArray[np.float64]:
        return np.concatenate([batch.duration_s for batch in self.batches])

    @property
    def pictures(self) -> list[NDArray[np.uint8]]:
        return [picture for batch in self.batches for picture in batch.pixels]

    @property
    def numbers(self) -> list[int]:
        return [frame_number(picture) for picture in self.pictures]
