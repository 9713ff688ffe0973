"""CLIP scores written out pair by pair with plain Python numbers, to compare with."""

from __future__ import annotations

import math


def cosine(a, b):
    """Cosine of two vectors; NaN if either holds one."""
    a, b = [float(value) for value in a], [float(value) for value in b]
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return product / math.sqrt(math.fsum(x * x for x in a)) / math.sqrt(math.fsum(y * y for y in b))


def mean(values):
    values = [value for value in values if not math.isnan(value)]
    return math.fsum(values) / len(values) if values else None


def definitions(images, text, *, prefixed, references, prefixed_references, logit_scale, k):
    """Every definition for frames against one text, from their vectors."""
    frames = [[float(value) for value in image] for image in images]
    bare = [cosine(image, text) for image in frames if not math.isnan(image[0])]
    with_prefix = [cosine(image, prefixed) for image in frames if not math.isnan(image[0])]
    ordered = sorted(bare)
    n, average = len(bare), mean(bare)
    steps = steps_of(frames)
    return {
        "raw_cosine": average,
        "median": (ordered[(n - 1) // 2] + ordered[n // 2]) / 2,
        "min": ordered[0],
        "max": ordered[-1],
        "std": math.sqrt(mean([(value - average) ** 2 for value in bare])),
        "top_k": mean(ordered[-k:]),
        "hundred_cosine": 100 * average,
        "hessel": mean([2.5 * max(value, 0) for value in bare]),
        "hessel_prefixed": mean([2.5 * max(value, 0) for value in with_prefix]),
        "logit_scaled": logit_scale * average,
        "torchmetrics": max(100 * average, 0),
        "ref_clipscore": ref(bare, max(cosine(text, other) for other in references)),
        "ref_clipscore_prefixed": ref(
            with_prefix, max(cosine(prefixed, other) for other in prefixed_references)
        ),
        **steps,
    }


def ref(cosines, nearest):
    values = []
    for value in cosines:
        score, best = 2.5 * max(value, 0), max(nearest, 0)
        values.append(2 * score * best / (score + best) if score + best else 0.0)
    return mean(values)


def steps_of(frames):
    """The four consistencies; a step next to a missing frame does not count."""
    first = next(i for i, frame in enumerate(frames) if not math.isnan(frame[0]))
    neighbours, to_first, halves = [], [], []
    for i in range(first + 1, len(frames)):
        if math.isnan(frames[i][0]):
            continue
        to_first.append(cosine(frames[first], frames[i]))
        if not math.isnan(frames[i - 1][0]):
            neighbours.append(cosine(frames[i - 1], frames[i]))
            halves.append((max(neighbours[-1], 0) + max(to_first[-1], 0)) / 2)
    return {
        "consecutive_consistency": mean(neighbours),
        "first_frame_consistency": mean(to_first),
        "vbench_background_consistency": mean(halves),
        "evalcrafter_clip_temp": mean(neighbours),
    }
