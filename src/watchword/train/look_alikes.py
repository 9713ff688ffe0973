"""Videos that look alike though they are said to be of different groups.

Clips cut from one recording share background and people. A model then knows the held-out clip by
its scene and not by the event, and its figures are too good.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchword.evidence.pooled import pool_clip
from watchword.types import Embeddings

# Cosine of two videos' mean pictures from which they may well show one scene.
ALIKE = 0.95


def join_look_alikes(
    embeddings: Sequence[Embeddings], groups: Sequence[str], *, limit: float = ALIKE
) -> tuple[str, ...]:
    """The group of each video after groups that hold look-alikes were joined, however indirectly.

    Args:
        embeddings: of V videos.
        groups: group of each.
        limit: cosine of mean pictures from which two videos look alike.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, member = np.unique(np.asarray(groups), return_inverse=True)
    means = np.stack([pool_clip(one, "mean") for one in embeddings])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    # A video of which nothing was measured looks like none: NaN is never at or above the limit.
    first, second = np.nonzero(means @ means.T >= limit)
    edges = coo_array((np.ones(len(first)), (member[first], member[second])), (len(names),) * 2)
    _, joined = connected_components(edges, directed=False)
    speaker = {number: names[list(joined).index(number)] for number in set(joined.tolist())}
    return tuple(str(speaker[joined[i]]) for i in member)
