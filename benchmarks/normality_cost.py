"""Speed and memory of what needs no words."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from normality_rows import Row, reached
from normality_runs import EVERY_FRAME, Bench
from speed import looped
from watchword.config import Config, apply
from watchword.evidence.normality.memory_file import write_memory
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import VideoEncoder
from watchword.run.learning import learn_normal
from watchword.run.manifest import Job

RUNS = 3
# Set down before anything was measured, as are the goals of normality_rows.
GOAL_RATE = 60
HOUR_S = 3600


def speed_rows(bench: Bench) -> list[Row]:
    """Frames a second at every frame of 640x360, decoding and encoding included."""
    clip = bench.clips("cuhk_avenue", "test")[0]
    footage = bench.clips("cuhk_avenue", "train")
    memory = bench.memory("cuhk_avenue", footage)
    uncached = apply(Config(), {**EVERY_FRAME, "cache": {"enabled": False}})
    plain = Detector(config=uncached, encoder=bench.encoder)
    against = Detector(config=uncached, encoder=bench.encoder, memory=memory)
    videos = VideoEncoder(uncached, encoder=bench.encoder)

    jobs: dict[str, Callable[[], int]] = {
        "`detect`: change and the video's own normality": (
            lambda: plain.detect(clip).coverage.frames
        ),
        "`detect` against a memory": lambda: against.detect(clip).coverage.frames,
        "`normal learn`": lambda: sum(
            one.pictures for one in learn_normal(videos, [Job(c) for c in footage]).footage
        ),
    }
    rows: list[Row] = []
    for what, job in jobs.items():
        frames_s, per_core = rates(job)
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        told = f"{frames_s:.0f} frames/s ({load}), {per_core:.0f} a second of one core's work"
        rows.append([what, told, reached(frames_s, GOAL_RATE)])
    return rows


def hour_rows(bench: Bench) -> list[Row]:
    """Memory and time of an hour at ten pictures a second against a memory."""
    clip = Path(bench.clips("cuhk_avenue", "test")[0])
    # At the rate that the video is looked at: a memory refuses others.
    path = bench.runs / "hour.normal"
    if not path.exists():
        jobs = [Job(one) for one in bench.clips("cuhk_avenue", "train")]
        write_memory(learn_normal(VideoEncoder(Config(), encoder=bench.encoder), jobs), path)
    script = (
        "import pathlib, re, sys\n"
        "from watchword.evidence.normality.memory_file import read_memory\n"
        "from watchword.pipeline.detector import Detector\n"
        "Detector(memory=read_memory(sys.argv[2])).detect(sys.argv[1])\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        video = looped(clip, Path(folder) / "hour.mp4", seconds=HOUR_S)
        environment = {**os.environ, "WATCHWORD_HOME": folder}
        began = time.perf_counter()
        peak = subprocess.run(
            [sys.executable, "-c", script, str(video), str(path)],
            check=True, capture_output=True, text=True, env=environment,
        ).stdout  # fmt: skip
        took = time.perf_counter() - began
    return [
        ["an hour at 10 pictures a second against a memory", f"{took:.0f} s", "–"],
        ["peak resident memory of it", f"{float(peak):.0f} MB", "–"],
    ]


def rates(job: Callable[[], int]) -> tuple[float, float]:
    """Frames a second of a job that tells its frames, and a second of processor time; medians.

    The latter leaves out the waiting for other work on the machine.
    """
    wall, work = [], []
    for _ in range(RUNS):
        began, worked = time.perf_counter(), time.process_time()
        frames = job()
        wall.append(frames / (time.perf_counter() - began))
        work.append(frames / (time.process_time() - worked))
    return statistics.median(wall), statistics.median(work)
