"""Scores from sentences the slow and obvious way: one window and one label at a time."""

from __future__ import annotations

import math

import numpy as np


def reference_scores(vectors, bank, sentence_vectors, *, options, alpha, tau, temperature):
    """(T,K): ``sentence_vectors`` is a dict from text to unit vector."""
    out = np.full((len(vectors), len(bank.labels)), np.nan)
    for t, picture in enumerate(vectors):
        if np.isnan(picture).any():
            continue
        sides = {
            (label, role): pooled(picture, bank.of(label, role), sentence_vectors, options)
            for label in bank.labels
            for role in ("event", "normal")
        }
        for k, label in enumerate(bank.labels):
            event, normal = sides[label, "event"], sides[label, "normal"]
            if options.kind == "cosine":
                out[t, k] = event
            elif options.kind == "margin":
                out[t, k] = event - normal
            elif options.kind == "contrast":
                out[t, k] = 1 / (1 + math.exp(-(alpha * event - normal) / tau))
            else:
                rivals = [sides[other, "event"] for other in bank.labels]
                rivals += [] if normal is None else [normal]
                total = sum(math.exp(rival / temperature) for rival in rivals)
                out[t, k] = math.exp(event / temperature) / total
    return out


def pooled(picture, prompts, sentence_vectors, options):
    if not prompts:
        return None
    pairs = [(float(picture @ sentence_vectors[p.text]), p.weight) for p in prompts]
    pairs.sort(key=lambda pair: -pair[0])
    if options.pool == "max":
        return pairs[0][0]
    count = max(1, math.ceil(options.top_share * len(pairs) - 0.5))
    top = pairs[:count]
    return sum(c * w for c, w in top) / sum(w for _, w in top)
