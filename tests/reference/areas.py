"""Areas under curves the slow and obvious way: pair by pair, threshold by threshold."""

from __future__ import annotations

import numpy as np


def reference_auc(truth, scores):
    won = [1.0 if a > b else 0.5 if a == b else 0.0 for a in scores[truth] for b in scores[~truth]]
    return sum(won) / len(won)


def reference_counts(truth, scores, threshold):
    """(tn, fp, fn, tp) by looking at each window."""
    counts = [0, 0, 0, 0]
    for true, score in zip(truth, scores, strict=True):
        counts[2 * bool(true) + (score >= threshold)] += 1
    return tuple(counts)


def reference_average_precision(truth, scores):
    area = last = 0.0
    for threshold in sorted(set(scores), reverse=True):
        _, fp, fn, tp = reference_counts(truth, scores, threshold)
        recall = tp / (tp + fn)
        area += (recall - last) * tp / (tp + fp)
        last = recall
    return area


def reference_tau(x, y, variant):
    """Kendall's tau over all pairs."""
    n = len(x)
    balance = tied_x = tied_y = 0
    for i in range(n):
        for j in range(i):
            balance += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
            tied_x += x[i] == x[j]
            tied_y += y[i] == y[j]
    if variant == "c":
        m = min(len(set(x)), len(set(y)))
        return 2 * balance / (n**2 * (m - 1) / m)
    pairs = n * (n - 1) / 2
    return balance / np.sqrt((pairs - tied_x) * (pairs - tied_y))
