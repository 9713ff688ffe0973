"""Time and memory of judging a large test set: 290 videos, a million frames, 1,000 resamples.

    python benchmarks/evaluate.py [--videos 290] [--frames 1000000] [--samples 1000]

The whole of ``watchword evaluate`` as a user runs it, from files to report. The scores are made up:
smooth as those of videos are, and knowing something of the truth.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE = 30


def write_set(folder: Path, *, videos: int, frames: int) -> tuple[Path, Path]:
    """Scores (.npz, an array a video) and truth (CSV) of made-up videos, half of them normal."""
    rng = np.random.default_rng(0)
    window = np.hanning(31) / np.hanning(31).sum()
    scores, rows = {}, []
    for number, part in enumerate(np.array_split(np.arange(frames), videos)):
        name, length = f"video{number:04d}", len(part)
        values = rng.normal(size=length)
        # About half of the videos are normal throughout, as in UCF-Crime's test set.
        if rng.random() < 0.48:
            start = int(rng.integers(0, max(1, length // 2)))
            end = start + max(1, length // 4)
            values[start:end] += 0.5
            rows.append((name, "anomaly", start, end))
        else:
            rows.append((name, "", "", ""))
        scores[name] = np.convolve(values, window, mode="same").astype(np.float32)
    predictions, truth = folder / "scores.npz", folder / "truth.csv"
    np.savez(predictions, **scores)
    with truth.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "label", "start_frame", "end_frame"))
        writer.writerows(rows)
    return predictions, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=290)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_set(Path(folder), videos=asked.videos, frames=asked.frames)
        command = [
            *(str(Path(sys.executable).with_name("watchword")), "evaluate", *map(str, files)),
            *("--rate", str(RATE), "--threshold", "0.4", "--samples", str(asked.samples)),
            *("-o", str(Path(folder) / "report")),
        ]
        start = time.perf_counter()
        card = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(card.split("\n\n")[0])
    print(f"{seconds:.1f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
