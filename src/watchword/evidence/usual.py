"""What change usually is, where nothing happens: what a video's own past begins with.

Measured on the built-in model's features with the default `ChangeOptions`, at ten pictures a
second, the first second of each clip left out: 846 seconds of footage without events by fixed
cameras over paths, roads and rooms, from cars, and by hand. Twelve such groups count alike. Other
encoders move by like amounts, and their own past soon counts for more.
"""

from __future__ import annotations

import numpy as np

from watchword.evidence.surprise import Tail

USUAL_CHANGE = Tail(
    values=np.array(
        [
            *(0.0, 0.072, 0.13, 0.155, 0.174, 0.208, 0.225, 0.236, 0.241, 0.247, 0.252, 0.265),
            *(0.277, 0.285, 0.291, 0.296, 0.304, 0.309, 0.316, 0.324, 0.348, 0.353, 0.406),
        ]
    ),
    reached=np.array(
        [
            *(2400, 2190, 1566, 1086, 776, 538, 385, 267, 191, 133, 95, 68),
            *(47, 33, 23, 16, 12, 8, 6, 4, 3, 2, 1),
        ]
    ),
    count=2400,
    edge=0.2381,
    scale=0.0153,
    shape=0.244,
)
