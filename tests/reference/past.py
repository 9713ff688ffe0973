"""Surprise beside the own past the slow and obvious way: everything that was seen is kept."""

from __future__ import annotations

import math

import numpy as np

from watchword.evidence.past import BINS_A_DECADE, DECADES, STEP_DECADES


def reference_surprise(values, lengths, prior, options):
    middle = np.interp(prior.count / 2, prior.reached[::-1], prior.values[::-1])
    past, aside = [], []  # (place, seconds as they count now)
    prior_s, out, told = options.prior_s, [], []
    for i, (value, length) in enumerate(zip(values, lengths, strict=True)):
        if math.isnan(value):
            out.append(math.nan)
            continue
        place = max(math.log10(max(float(value), 1e-30)) - math.log10(middle), -DECADES)
        total = prior_s + sum(s for _, s in past)
        chance = prior_s * 10 ** -float(prior.surprise(value))
        below = prior_s
        for where, seconds in past:
            chance += seconds * 10 ** (-max(place - where, 0) / STEP_DECADES)
            below += seconds * 10 ** (-max(where - place, 0) / STEP_DECADES)
        out.append(max(0.0, -math.log10(chance / total)))
        kept = math.exp(-length / options.memory_s)
        prior_s *= 0.5 ** (length / (2 * options.prior_s))
        past = [(where, s * kept) for where, s in past]
        aside = [(where, s * 0.5 ** (length / options.lasting_s)) for where, s in aside]
        binned = round((place + DECADES) * BINS_A_DECADE) / BINS_A_DECADE - DECADES
        entry = (min(binned, DECADES), length)
        if min(chance, below) / total > 10**-options.above:
            past.append(entry)
            continue
        aside.append(entry)
        seconds = sum(s for _, s in aside)
        if seconds >= 0.5 * options.lasting_s / math.log(2):
            now = prior_s + sum(s for _, s in past)
            less = min(1.0, seconds / now)
            past = [(where, s * less) for where, s in past] + aside
            prior_s *= less
            aside = []
            told.append(i)
    return np.array(out), told
