"""Which footage bears no witness of itself: clips are measured by what all others show.

Clips of one camera differ more than moments of one clip do: other people stand about, the light is
another. How unusual a new clip is can be told only from clips that were left out as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.normality.sample import Run

# Parts of the footage at most that are left out in turn; clips beside each other share one.
MOST_FOLDS = 8
# Parts of a clip that is measured by itself.
QUARTERS = 4
# Where the others make up a smaller share of the footage than this, a clip is not left out as a
# whole: too little would be left to compare with.
OTHERS = 0.25

# Stretches to either side of a moment that bear no witness of it: what is a mean over the last
# second is alike beyond the stretch beside it, while stretches are as short as a second.
BESIDE = 2

Span = tuple[float, float]


def spans_of(clips: Sequence[Span], known_s: float = 0.0) -> dict[int, Span]:
    """From when to when the footage is left out together with each clip (by its number).

    Clips that are not named are too much of the footage to be left out as a whole.

    Args:
        clips: from when to when each lies on the footage's clock, in order.
        known_s: seconds of footage before this one.
    """
    total = clips[-1][1]
    share = max(1, -(-len(clips) // MOST_FOLDS))
    spans: dict[int, Span] = {}
    for at in range(0, len(clips), share):
        together = clips[at : at + share]
        span = together[0][0], together[-1][1]
        if total - (span[1] - span[0]) + known_s >= OTHERS * (total + known_s):
            spans |= dict.fromkeys(range(at, at + len(together)), span)
    return spans


def folds_of(runs: Sequence[Run], spans: Mapping[int, Span]) -> list[Span]:
    """With which part of the footage each run is left out: its clip, or a quarter of the footage.

    Args:
        runs: pictures of the footage.
        spans: of clips that are left out as a whole, as `spans_of` says.
    """
    quarter = max(float(run.at_s[-1]) for run in runs) / QUARTERS
    folds = []
    for run in runs:
        own = min(int(run.at_s[0] / quarter), QUARTERS - 1) if quarter else 0
        folds.append(spans.get(run.clip, (own * quarter, (own + 1) * quarter)))
    return folds


def groups_of(runs: Sequence[Run], spans: Mapping[int, Span]) -> NDArray[np.int64]:
    """(n,) number of the fold of each picture of the runs, one after the other."""
    folds = folds_of(runs, spans)
    numbers = {fold: number for number, fold in enumerate(dict.fromkeys(folds))}
    each = [np.full(len(run.at_s), numbers[fold]) for run, fold in zip(runs, folds, strict=True)]
    return np.concatenate(each).astype(np.int64)


def left_out(run: Run, spans: Mapping[int, Span], stretch_s: float) -> NDArray[np.int64]:
    """(n,2) first and last stretch that each picture of a run is measured without.

    Those of its clip; of a clip that is measured by itself, the picture's own and those beside.
    """
    if run.clip in spans:
        start_s, end_s = spans[run.clip]
        last = int(np.ceil(end_s / stretch_s)) - 1
        return np.tile(np.array([int(start_s // stretch_s), last]), (len(run.at_s), 1))
    own = (run.at_s // stretch_s).astype(np.int64)
    return np.stack([own - BESIDE, own + BESIDE], axis=1)
