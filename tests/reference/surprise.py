"""Surprise at values that were seen, the slow and obvious way: by counting."""

from __future__ import annotations

import math


def reference_surprise(normal, value):
    reached = sum(1 for other in normal if other >= value)
    return -math.log10((1 + reached) / (len(normal) + 1))
