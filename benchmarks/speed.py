"""Speed and memory as ratios in one run; with --write they go into the README.

    python benchmarks/speed.py [--clip CLIP] [--write] [--quick]

Every pair is measured in turn (A B A B ...) in this one run and its median ratio is given, since
absolute times drift with the machine. The ViT-B/32 has random weights: speed does not depend on
them. Needs the torch extra to make it.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from watchword.config import Config, apply
from watchword.encoders.catalog import load_encoder
from watchword.pipeline.detector import Detector

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3


def looped(clip: Path, path: Path, *, seconds: float) -> Path:
    """The clip's packets over and over until ``seconds`` are full, without encoding again."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        length = max((p.pts or 0) + (p.duration or 0) for p in packets) - min(
            p.pts or 0 for p in packets
        )
        data = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        loops = int(np.ceil(seconds / float(length * stream.time_base)))
        for loop in range(loops):
            for raw, pts, dts, duration, key in data:
                packet = av.Packet(raw)
                packet.stream = copy
                packet.time_base = stream.time_base
                packet.pts, packet.dts = pts + loop * length, dts + loop * length
                packet.duration, packet.is_keyframe = duration, key
                target.mux(packet)
    return path


def median_pair(
    first: Callable[[], float], second: Callable[[], float]
) -> tuple[float, float, float]:
    """(median of first, median of second, median ratio first/second) after a warm-up."""
    first(), second()
    pairs = [(first(), second()) for _ in range(RUNS)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def encoder_alone(encoder: object, pictures: int) -> float:
    """Pictures a second on tensors that are ready, at the encoder's own batch size."""
    batch = np.random.default_rng(0).standard_normal(
        (encoder.batch_size, *ready_shape(encoder)), np.float32
    )
    rounds = max(1, pictures // encoder.batch_size)
    began = time.perf_counter()
    for _ in range(rounds):
        encoder.embed_images(batch)
    return rounds * encoder.batch_size / (time.perf_counter() - began)


def ready_shape(encoder: object) -> tuple[int, int, int]:
    return encoder.prepare(np.zeros((1, 64, 64, 3), np.uint8)).shape[1:]


def detect_rate(detector: Detector, clip: Path) -> float:
    """Pictures a second of a whole ``detect``, nothing cached."""
    began = time.perf_counter()
    detection = detector.detect(clip)
    return detection.coverage.frames / (time.perf_counter() - began)


def seeds_way(encoder: object, clip: Path) -> float:
    """Pictures a second the seeds' way: decode all to a list of pictures, then one by one."""
    began = time.perf_counter()
    with av.open(str(clip)) as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    for picture in pictures:
        encoder.embed_images(encoder.prepare(np.asarray(picture.convert("RGB"))[None]))
    return len(pictures) / (time.perf_counter() - began)


def command_seconds(*command: str) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def hour(clip: Path, folder: Path, *, seconds: float) -> list[tuple[str, str]]:
    """Memory of detecting a long video, and the time of asking it something else."""
    video = looped(clip, folder / "hour.mp4", seconds=seconds)
    script = (
        "import resource, sys, time\n"
        "from watchword.pipeline.detector import Detector\n"
        "Detector(['a cat'], normal=['a street']).detect(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    environment = {**os.environ, "WATCHWORD_HOME": str(folder / "home")}
    began = time.perf_counter()
    peak = float(
        subprocess.run(
            [sys.executable, "-c", script, str(video)],
            check=True, capture_output=True, text=True, env=environment,
        ).stdout
    )  # fmt: skip
    took = time.perf_counter() - began
    os.environ["WATCHWORD_HOME"] = str(folder / "home")
    first = Detector(["a dog", "a person"], normal=["a street", "a road"])
    embedded = first.videos.embed(video)
    if not embedded.cached:
        raise SystemExit("the hour was not found in the cache")
    again = Detector(["a bus", "a bicycle"], normal=["a room", "a road"], encoder=first.encoder)
    began = time.perf_counter()
    scores = again.score(again.videos.embed(video).embeddings)
    again.judge(scores, video="hour")
    rescored = time.perf_counter() - began
    length = float(embedded.embeddings.edges_s[-1])
    return [
        (f"peak resident memory, {length / 60:.0f} minutes of video", f"{peak:.0f} MB"),
        ("that video, first time, built-in model, 10 pictures a second", f"{took:.0f} s"),
        ("the same asked with another bank, from the cache", f"{rescored * 1e3:.0f} ms"),
    ]


def random_clip(folder: Path) -> Path:
    """The ONNX directory of a ViT-B/32 with random weights, made by a process of its own.

    Torch must not be loaded here: its threads would compete with those that are measured.
    """
    script = str(ROOT / "scripts" / "random_clip.py")
    graphs = folder / "b32"
    subprocess.run(
        [sys.executable, script, str(folder / "weights"), "--size", "b32", "--onnx", str(graphs)],
        check=True,
        capture_output=True,
    )
    return graphs


def measure(clip: Path, folder: Path, *, quick: bool) -> list[tuple[str, str]]:
    config = apply(Config(), {"sampling": {"rate": None}, "cache": {"enabled": False}})
    rows: list[tuple[str, str]] = []

    mini = load_encoder("mini")
    detector = Detector(["a cat"], normal=["a street"], config=config, encoder=mini)
    whole, alone, ratio = median_pair(
        lambda: detect_rate(detector, clip), lambda: encoder_alone(mini, 600)
    )
    rows.append(("detect on every frame, built-in model", f"{whole:.0f} frames/s"))
    rows.append(("the built-in model alone, ready tensors", f"{alone:.0f} pictures/s"))
    rows.append(("ratio", f"{ratio:.2f}"))
    whole, _, ratio = median_pair(
        lambda: detect_rate(detector, clip), lambda: seeds_way(mini, clip)
    )
    rows.append(
        ("built-in model against the seeds' way (list of frames, batch of one)", f"{ratio:.1f} x")
    )

    big = load_encoder(random_clip(folder), backend="onnx")
    short = looped(clip, folder / "short.mp4", seconds=4 if quick else 12)
    detector = Detector(["a cat"], normal=["a street"], config=config, encoder=big)
    whole, alone, ratio = median_pair(
        lambda: detect_rate(detector, short), lambda: encoder_alone(big, 128)
    )
    rows.append(("detect on every frame, ViT-B/32 (random weights)", f"{whole:.1f} frames/s"))
    rows.append(("ViT-B/32 alone, ready tensors, best batch", f"{alone:.1f} pictures/s"))
    rows.append(("ratio, ViT-B/32", f"{ratio:.2f}"))
    whole, _, ratio = median_pair(
        lambda: detect_rate(detector, short), lambda: seeds_way(big, short)
    )
    rows.append(("ViT-B/32 against the seeds' way", f"{ratio:.2f} x"))

    rows.append(
        (
            "`watchword --help`",
            f"{command_seconds(str(Path(sys.executable).parent / 'watchword'), '--help'):.2f} s",
        )
    )
    rows.append(
        ("`import watchword`", f"{command_seconds(sys.executable, '-c', 'import watchword'):.2f} s")
    )
    rows += hour(clip, folder, seconds=120 if quick else 3600)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=ROOT / "src/watchword/demo/demo.mp4")
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    parser.add_argument("--quick", action="store_true", help="a rough look in a minute or two")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(arguments.clip, Path(folder), quick=arguments.quick)
    table = "\n".join(
        ["| what | measured |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]
    )
    print(table)
    if arguments.write:
        readme = ROOT / "README.md"
        text = readme.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- speed -->\n).*?(\n<!-- /speed -->)", re.DOTALL)
        readme.write_text(marked.sub(lambda m: m[1] + table + m[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
