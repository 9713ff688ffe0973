"""Time and memory of judging a large test set: 290 videos, a million frames, 1,000 resamples.

    python benchmarks/evaluate.py [--videos 290] [--frames 1000000] [--samples 1000]

The scores are made up, since the time does not depend on them. Intervals of micro AUC, average
precision, macro AUC and F1 of one score, and of the paired difference of its micro AUC to that of a
baseline.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import (
    FrameBootstrap,
    Interval,
    bootstrap_weights,
    interval,
    paired_difference,
    resampled_mean,
    resampled_ratio,
)
from watchword.evaluation.metrics.confusion import confusion
from watchword.evaluation.metrics.frame import roc_auc

Truths = Sequence[NDArray[np.bool_]]
Series = Sequence[NDArray[np.float32]]


def made_up(videos: int, frames: int) -> tuple[Truths, Series, Series]:
    """Truth, scores that know something of it, and a centre-of-video prior, of each video."""
    rng = np.random.default_rng(0)
    truths, scores, priors = [], [], []
    for part in np.array_split(np.arange(frames), videos):
        length = len(part)
        truth = np.zeros(length, bool)
        # About half of the videos are normal throughout, as in UCF-Crime's test set.
        if rng.random() < 0.48:
            start = int(rng.integers(0, max(1, length // 2)))
            truth[start : start + max(1, length // 4)] = True
        truths.append(truth)
        scores.append((rng.normal(size=length) + truth).astype(np.float32))
        middle = np.linspace(-1, 1, length)
        priors.append(np.exp(-2 * middle**2).astype(np.float32))
    return truths, scores, priors


def intervals(truths: Truths, scores: Series, priors: Series, samples: int) -> dict[str, Interval]:
    """The intervals of every figure, all on the same resamples."""
    weights = bootstrap_weights(len(truths), samples, seed=0)
    auc, ap = FrameBootstrap(truths, scores).areas(weights)
    prior_auc, _ = FrameBootstrap(truths, priors).areas(weights)
    own = [roc_auc(truth, score) for truth, score in zip(truths, scores, strict=True)]
    counts = [confusion(t, s >= 0.5) for t, s in zip(truths, scores, strict=True)]
    f1 = resampled_ratio(
        [2 * each.tp for each in counts],
        [2 * each.tp + each.fp + each.fn for each in counts],
        weights,
    )
    return {
        "AUC, micro": interval(auc),
        "average precision": interval(ap),
        "AUC, macro": interval(resampled_mean(own, weights)),
        "F1": interval(f1),
        "AUC over the centre prior": paired_difference(auc, prior_auc),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=290)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=1000)
    arguments = parser.parse_args()
    data = made_up(arguments.videos, arguments.frames)
    start = time.perf_counter()
    figures = intervals(*data, arguments.samples)
    seconds = time.perf_counter() - start
    for name, ends in figures.items():
        print(f"{name:28} [{ends.low:.4f}, {ends.high:.4f}]  {ends.undefined} undefined")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.1f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
