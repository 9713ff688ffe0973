"""How fast adapters are trained and run: `python benchmarks/adapter.py --speed`.

An epoch of 100,000 windows (16 pictures of 384 numbers) is to take less than 60 s on two cores.
Only training is timed, not validation; other programs on the machine count against it, so processor
seconds are told beside the clock's.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from watchword.evidence.adapter_windows import adapt_rows
from watchword.train.adapter.export import run_model
from watchword.train.adapter.loop import Training
from watchword.train.adapter.options import AdapterOptions
from watchword.train.adapter.windows import TrainingVideo


def made_videos(windows: int, width: int, stride: int) -> list[TrainingVideo]:
    """Videos of noise that give so many windows, every second one abnormal somewhere."""
    chance, count = np.random.default_rng(0), 100 * stride + 16 - stride
    videos = []
    for number in range(windows // 100):
        rows = chance.standard_normal((count, width), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        labels = np.zeros(count, bool)
        labels[: count // 2] = True
        edges = np.arange(count + 1) / 5
        videos.append(TrainingVideo(str(number), str(number), rows, edges, frame_labels=labels))
    return videos


def time_epochs(options: AdapterOptions, *, windows: int, width: int, epochs: int) -> None:
    """Prints what an epoch takes, the best of a few, for 100,000 windows."""
    training = Training(made_videos(windows, width, options.stride), [], options)
    found = []
    began = time.process_time()
    for told in training.epochs():
        spent = time.process_time() - began
        found.append((told["seconds"] / told["windows"], spent / told["windows"]))
        began = time.process_time()
    clock, processor = (1e5 * min(column) for column in zip(*found, strict=True))
    print(
        f"{options.temporal_transformer_layers} layers of {options.inner}, windows "
        f"{options.clip_length} x {width}, batches of {options.batch}, {options.threads} threads, "
        f"{options.device}: {clock:.1f} s by the clock, {processor:.1f} s of processor for 100,000 "
        f"windows, best of {epochs} epochs of {windows}",
        flush=True,
    )


def time_use(options: AdapterOptions, *, width: int) -> None:
    """Prints what an hour of video at ten pictures a second takes, by PyTorch on the CPU."""
    training = Training(made_videos(100, width, options.stride), [], options)
    model = training.best_model()
    rows = np.concatenate([one.rows for one in made_videos(4500, width, 8)])[:36_000]
    for causal in (False, True):
        began = time.perf_counter()
        adapt_rows(
            lambda x, seen: run_model(model, x, seen), rows, length=16, stride=8, causal=causal
        )
        print(f"an hour, causal={causal}: {time.perf_counter() - began:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speed", action="store_true", required=True)
    parser.add_argument("--windows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--inner", type=int, nargs="+", default=[64])
    parser.add_argument("--batch", type=int, nargs="+", default=[256])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for inner in given.inner:
        for batch in given.batch:
            options = AdapterOptions(
                inner=inner,
                batch=batch,
                epochs=given.epochs,
                threads=given.threads,
                device=given.device,
            )
            time_epochs(options, windows=given.windows, width=given.width, epochs=given.epochs)
    time_use(AdapterOptions(inner=given.inner[0], threads=given.threads), width=given.width)


if __name__ == "__main__":
    main()
