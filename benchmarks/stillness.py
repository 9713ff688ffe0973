"""What reusing embeddings of unchanged pictures saves and what it costs, per set of clips.

    python benchmarks/stillness.py [--shared FOLDER] [--clips 12] [--pictures 300]

For several thresholds of the test: the share of pictures that are encoded, and the mean and 99th
percentile cosine error of the reused embeddings against those the pictures have of their own.
Beside it the mean difference of 32x32 grey thumbnails, its threshold set to encode the same share.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import encode_images
from watchword.encoders.catalog import load_encoder
from watchword.video.reader import ReadOptions, open_video
from watchword.video.stillness import Stillness, StillTest

ROOT = Path(__file__).resolve().parent.parent
SETS = {
    "misc/vtest": "misc/vtest.mp4",
    "cctv_accident": "cctv_accident/*.mp4",
    "ucsd_ped2": "ucsd_ped2/test/*.mp4",
    "dada": "dada/*.mp4",
    "ucf_crime": "ucf_crime/**/*.mp4",
}
THRESHOLDS = (3.0, 6.0, 12.0, 24.0)

Clip = tuple[NDArray[np.uint8], NDArray[np.float32]]


class ThumbnailTest:
    """The plain test to beat: mean difference of grey thumbnails to the last encoded picture."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._last: NDArray[np.float32] | None = None

    def is_still(self, picture: NDArray[np.uint8]) -> bool:
        """Whether the picture (224,224,3) counts as unchanged."""
        thumbnail = picture.reshape(32, 7, 32, 7, 3).mean((1, 3, 4), dtype=np.float32)
        if self._last is not None and np.abs(thumbnail - self._last).mean() < self._threshold:
            return True
        self._last = thumbnail
        return False


def read(paths: Sequence[Path], pictures: int) -> list[Clip]:
    """Pictures of each clip at 10 a second, with the embedding of each."""
    encoder = load_encoder("mini")
    clips = []
    for path in paths:
        parts: list[NDArray[np.uint8]] = []
        with open_video(path, options=ReadOptions(size=(224, 224))) as stream:
            for frames in stream:
                parts.append(frames.pixels)
                if sum(map(len, parts)) >= pictures:
                    break
        pixels = np.concatenate(parts)
        clips.append((pixels, encode_images(encoder, pixels)))
    return clips


def measure(
    clips: Sequence[Clip], make: Callable[[], StillTest | ThumbnailTest]
) -> tuple[float, float, float]:
    """(share encoded, mean and 99th percentile cosine error over all pictures)."""
    errors: list[float] = []
    encoded = 0
    for pixels, vectors in clips:
        test = make()
        last = 0
        for index, picture in enumerate(pixels):
            if not test.is_still(picture):
                last = index
                encoded += 1
            errors.append(1 - float(vectors[last] @ vectors[index]))
    return encoded / len(errors), float(np.mean(errors)), float(np.quantile(errors, 0.99))


def at_share(clips: Sequence[Clip], share: float) -> tuple[float, float, float]:
    """The thumbnail test at the threshold, found by halving, that encodes the same share."""
    low, high = 0.0, 64.0
    for _ in range(10):
        middle = (low + high) / 2
        if measure(clips, lambda: ThumbnailTest(middle))[0] > share:  # noqa: B023 - used at once
            low = middle
        else:
            high = middle
    return measure(clips, lambda: ThumbnailTest(high))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("WATCHWORD_SHARED", str(ROOT.parent / "shared"))
    parser.add_argument("--shared", default=shared, help="folder of shared data")
    parser.add_argument("--clips", type=int, default=12, help="clips of each set, at most")
    parser.add_argument("--pictures", type=int, default=300, help="pictures of each clip, at most")
    arguments = parser.parse_args()
    print("| set | threshold | encoded | mean error | p99 | thumbnails: encoded | mean | p99 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, pattern in SETS.items():
        paths = sorted(Path(arguments.shared, "data").glob(pattern))[: arguments.clips]
        clips = read(paths, arguments.pictures)
        for threshold in THRESHOLDS:
            options = Stillness(threshold=threshold)
            share, mean, tail = measure(clips, lambda: StillTest(options))  # noqa: B023
            plain = at_share(clips, share)
            print(
                f"| {name} | {threshold:g} | {share:.0%} | {mean:.4f} | {tail:.3f} "
                f"| {plain[0]:.0%} | {plain[1]:.4f} | {plain[2]:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
