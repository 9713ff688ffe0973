"""Ours beside the seed's way of a CLIP score: time and peak memory, same weights, same run.

    python benchmarks/clipscore.py [--model WEIGHTS ONNX] [--runs 3] [--seconds 10 60]
        [--texts 1 5]

The seed's way: the model is loaded for each call, all frames are decoded to a list of pictures, and
each goes through torch alone, with gradients on. Ours: one call, in batches, for all texts, without
the cache. Each measurement is a process of its own, in turn (A B A B ...), and counts all but the
start of Python. The ViT-B/32 has random weights; speed does not depend on them. Needs the torch
extra.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("a cat", "a dog on grass", "a red car", "people in a street", "an empty room")


def made_clip(path: Path, *, seconds: int, size: tuple[int, int] = (640, 360)) -> Path:
    """A 360p clip of 25 frames a second: a bright square that moves over noise."""
    width, height = size
    ground = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(25 * seconds):
            picture = ground // 4
            at = number * 3 % (width - 80)
            picture[100:180, at : at + 80] = (255, number % 256, 40)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def ours(model: Path, clip: Path, texts: Sequence[str]) -> tuple[float, list[float]]:
    from watchword.config import Config, apply
    from watchword.pipeline.agreement import Agreement

    began = time.perf_counter()
    said = {
        "sampling": {"rate": None},
        "cache": {"enabled": False},
        "encoder": {"name": str(model)},
    }
    results = Agreement(apply(Config(), said)).video_text(clip, texts)
    return time.perf_counter() - began, [float(one.mean or 0) for one in results]


def seeds_way(model: Path, clip: Path, texts: Sequence[str]) -> tuple[float, list[float]]:
    import torch
    from transformers import CLIPModel

    from watchword.encoders.images import prepare, read_preprocessing
    from watchword.encoders.tokenizers import TextRules, TextTokens, read_tokenizer

    began, means = time.perf_counter(), []
    for text in texts:
        clip_model = CLIPModel.from_pretrained(model).eval()
        how = read_preprocessing(model)
        tokens = TextTokens(read_tokenizer(model)[0], TextRules(context=77))
        ids = torch.tensor([tokens.ids(text)])
        wanted = clip_model.get_text_features(input_ids=ids).pooler_output
        wanted = wanted / wanted.norm(dim=-1, keepdim=True)
        with av.open(str(clip)) as container:
            pictures = [frame.to_image() for frame in container.decode(video=0)]
        scores = []
        for picture in pictures:
            pixels = torch.from_numpy(prepare(np.asarray(picture.convert("RGB"))[None], how))
            vector = clip_model.get_image_features(pixel_values=pixels).pooler_output
            vector = vector / vector.norm(dim=-1, keepdim=True)
            scores.append((vector @ wanted.T).item())
        means.append(float(np.mean(scores)))
    return time.perf_counter() - began, means


WAYS: dict[str, Callable[[Path, Path, Sequence[str]], tuple[float, list[float]]]] = {
    "ours": ours,
    "seed": seeds_way,
}


def child(way: str, model: Path, clip: Path, texts: int) -> None:
    seconds, means = WAYS[way](model, clip, TEXTS[:texts])
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    print(json.dumps({"seconds": seconds, "means": means, "peak": peak}))


def measured(way: str, model: Path, clip: Path, texts: int) -> dict[str, Any]:
    words = [sys.executable, __file__, "--child", way, str(model), str(clip), str(texts)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=os.environ)
    return json.loads(done.stdout.splitlines()[-1])


def compared(models: dict[str, Path], clip: Path, *, texts: int, runs: int) -> str:
    """One row of the table: seconds, ratio, and peak memory of both."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            found[way].append(measured(way, models[way], clip, texts))
    for one, other in zip(found["ours"][0]["means"], found["seed"][0]["means"], strict=True):
        if abs(one - other) > 1e-3:
            raise SystemExit(f"the two ways do not agree: {one} and {other}")
    ratios = [s["seconds"] / o["seconds"] for o, s in zip(*found.values(), strict=True)]
    took = {way: statistics.median(o["seconds"] for o in rows) for way, rows in found.items()}
    peak = {way: max(o["peak"] for o in rows) for way, rows in found.items()}
    return (
        f"| {clip.stem}, {texts} text{'s' * (texts > 1)} | {took['ours']:.1f} s "
        f"| {took['seed']:.1f} s | {statistics.median(ratios):.1f} "
        f"| {peak['ours']:.0f} MB | {peak['seed']:.0f} MB |"
    )


def random_clip(folder: Path) -> dict[str, Path]:
    """The two forms of one ViT-B/32 with random weights: for torch, and exported to ONNX."""
    weights, graphs = folder / "weights", folder / "b32"
    script = str(ROOT / "scripts" / "random_clip.py")
    words = [sys.executable, script, str(weights), "--size", "b32", "--onnx", str(graphs)]
    subprocess.run(words, check=True, capture_output=True)
    return {"seed": weights, "ours": graphs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs=2, type=Path, help="weights and ONNX made before")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", nargs="+", type=int, default=[10, 60], help="of the clips")
    parser.add_argument("--texts", nargs="+", type=int, default=[1, 5], help="how many, up to 5")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        way, model, clip, texts = asked.child
        child(way, Path(model), Path(clip), int(texts))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["WATCHWORD_HOME"] = str(folder / "home")
        if asked.model:
            models = dict(zip(("seed", "ours"), asked.model, strict=True))
        else:
            models = random_clip(folder)
        print("| clip | ours | the seed's way | ratio | peak, ours | peak, seed |")
        print("| --- | --- | --- | --- | --- | --- |")
        for seconds in asked.seconds:
            clip = made_clip(folder / f"{seconds}s.mp4", seconds=seconds)
            for texts in asked.texts:
                print(compared(models, clip, texts=texts, runs=asked.runs), flush=True)


if __name__ == "__main__":
    main()
