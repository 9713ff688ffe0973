"""Losses of an adapter picture by picture, as their formulas read, in plain numpy."""

from __future__ import annotations

import numpy as np


def probabilities(logits):
    """(B,T,2) softmax."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def frame_loss(logits, truth, known, weights, gamma):
    total, shares = 0.0, 0.0
    chances = probabilities(logits)
    for at in np.argwhere(known):
        own = int(truth[tuple(at)])
        p = chances[tuple(at)][own]
        total -= weights[own] * (1 - p) ** gamma * np.log(p)
        shares += weights[own]
    return total / shares


def video_loss(logits, seen, bags, truth, weight):
    total, shares = 0.0, 0.0
    for video, abnormal in enumerate(truth):
        odds = []
        for window in np.flatnonzero(bags == video):
            for step in np.flatnonzero(seen[window]):
                normal, other = probabilities(logits)[window, step]
                odds.append(np.log(other) - np.log(normal))
        highest = sorted(odds)[::-1][: len(odds) // 16 + 1]
        p = 1 / (1 + np.exp(-np.mean(highest)))
        share = weight if abnormal else 1.0
        total -= share * np.log(p if abnormal else 1 - p)
        shares += share
    return total / shares


def smoothness(logits, seen):
    chances = probabilities(logits)[..., 1]
    steps = [
        (chances[b, t] - chances[b, t - 1]) ** 2
        for b in range(len(seen))
        for t in range(1, seen.shape[1])
        if seen[b, t] and seen[b, t - 1]
    ]
    return np.mean(steps) if steps else 0.0


def sparsity(logits, seen):
    return probabilities(logits)[..., 1][seen].mean()


def anchor(adapted, x, seen):
    return np.mean([1 - adapted[tuple(at)] @ x[tuple(at)] for at in np.argwhere(seen)])
