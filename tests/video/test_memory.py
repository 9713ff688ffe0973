"""Memory does not grow with the length of a video."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthetic import make_video

PEAK = """
import resource, sys
from watchword.video.reader import open_video
from watchword.video.sampling import Sampling
with open_video(sys.argv[1], sampling=Sampling(rate=None)) as stream:
    pictures = sum(len(frames) for frames in stream)
print(pictures, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_of(path: Path) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True
    )
    pictures, kilobytes = done.stdout.split()
    return int(pictures), int(kilobytes)


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is POSIX only")
def test_sixty_seconds_take_no_more_memory_than_ten(tmp_path: Path) -> None:
    size = (320, 240)
    for seconds in (10, 60):
        make_video(tmp_path / f"{seconds}.mp4", seconds=seconds, size=size)
    short, long = peak_of(tmp_path / "10.mp4"), peak_of(tmp_path / "60.mp4")
    assert (short[0], long[0]) == (250, 1500)
    # The pictures of the 50 seconds more would be 288 MB.
    assert long[1] - short[1] < 20_000
