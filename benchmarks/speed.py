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
import onnxruntime as ort

from watchword.config import Config, apply
from watchword.encoders.base import Encoder
from watchword.encoders.catalog import load_encoder
from watchword.pipeline.detector import Detector

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "src/watchword/encoders/mini/vision.onnx"
RUNS = 3
IMPORT = "import watchword"


def looped(clip: Path, path: Path, *, seconds: float) -> Path:
    """The clip's packets over and over until ``seconds`` are full, without encoding again."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        length = sum(p.duration for p in packets)
        data = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        end = seconds / float(stream.time_base)
        for number in range(int(np.ceil(end / length))):
            for raw, pts, dts, duration, key in data:
                if pts + number * length >= end:
                    continue
                packet = av.Packet(raw)
                packet.stream, packet.time_base = copy, stream.time_base
                packet.pts, packet.dts = pts + number * length, dts + number * length
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


def encoder_alone(encoder: Encoder, pictures: int) -> float:
    """Pictures a second on tensors that are ready, every core at work, at the best batch size."""
    shape = encoder.prepare(np.zeros((1, 64, 64, 3), np.uint8)).shape[1:]
    count = max(4 * encoder.batch_size, pictures)
    ready = np.random.default_rng(0).standard_normal((count, *shape), np.float32)
    began = time.perf_counter()
    encoder.embed_images(ready)
    return count / (time.perf_counter() - began)


def detect_rate(detector: Detector, clip: Path) -> float:
    """Pictures a second of a whole ``detect``, nothing cached."""
    began = time.perf_counter()
    detection = detector.detect(clip)
    return detection.coverage.frames / (time.perf_counter() - began)


def seeds_way(encoder: Encoder, graph: Path, clip: Path) -> float:
    """Pictures a second the seeds' way: decode all to a list of pictures, then one by one.

    The same weights and preprocessing, in a session as onnxruntime makes it by default.
    """
    session = ort.InferenceSession(str(graph))
    began = time.perf_counter()
    with av.open(str(clip)) as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    for picture in pictures:
        prepared = encoder.prepare(np.asarray(picture.convert("RGB"))[None])
        session.run(["image_embeds"], {"pixel_values": prepared})
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
        "import pathlib, re, sys\n"
        "from watchword.pipeline.detector import Detector\n"
        "Detector(['a cat'], normal=['a street']).detect(sys.argv[1])\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024)\n"
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
    first.detect(video)
    again = Detector(["a bus", "a bicycle"], normal=["a room", "a road"], encoder=first.encoder)
    began = time.perf_counter()
    detection = again.detect(video)
    rescored = time.perf_counter() - began
    if not detection.provenance.cached:
        raise SystemExit("the long video was not found in the cache")
    length = float(detection.scores.edges_s[-1])
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


def compared(
    encoder: Encoder, graph: Path, clip: Path, *, name: str, pictures: int
) -> list[tuple[str, str]]:
    """A whole ``detect`` on every frame beside the encoder alone, and beside the seeds' way."""
    config = apply(Config(), {"sampling": {"rate": None}, "cache": {"enabled": False}})
    detector = Detector(["a cat"], normal=["a street"], config=config, encoder=encoder)
    whole, alone, ratio = median_pair(
        lambda: detect_rate(detector, clip), lambda: encoder_alone(encoder, pictures)
    )
    _, _, times = median_pair(
        lambda: detect_rate(detector, clip), lambda: seeds_way(encoder, graph, clip)
    )
    return [
        (f"{name}: `detect` on every frame", f"{whole:.0f} frames/s"),
        (f"{name}: the encoder alone on ready tensors", f"{alone:.0f} pictures/s"),
        (f"{name}: `detect` / encoder alone", f"{ratio:.2f}"),
        (f"{name}: `detect` / the seeds' way (list of frames, batch of one)", f"{times:.2f}"),
    ]


def measure(clip: Path, folder: Path, *, quick: bool) -> list[tuple[str, str]]:
    """Every row of the table, in its order."""
    command = str(Path(sys.executable).parent / "watchword")
    clip_b32 = random_clip(folder)
    short = looped(clip, folder / "short.mp4", seconds=3 if quick else 6)
    mini_rows = compared(load_encoder("mini"), MINI, clip, name="built-in model", pictures=600)
    b32 = load_encoder(clip_b32, backend="onnx")
    graph = clip_b32 / "onnx/vision_model.onnx"
    return [
        *mini_rows,
        *compared(b32, graph, short, name="ViT-B/32, random weights", pictures=128),
        ("`watchword --help`", f"{command_seconds(command, '--help'):.2f} s"),
        (
            "`import watchword`",
            f"{command_seconds(sys.executable, '-c', 'import watchword'):.2f} s",
        ),
        *hour(clip, folder, seconds=120 if quick else 3600),
    ]


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
        write_table(table)


def write_table(table: str) -> None:
    """Puts the table between its marks in the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- speed -->\n).*?(<!-- /speed -->)", re.DOTALL)
    if not marked.search(text):
        raise SystemExit("the README has no place for the table")
    readme.write_text(marked.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
