"""Where in the picture the words are: every place of it weighed against the sentences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from watchword.evidence.words import PromptVectors, ScoreOptions, score_words
from watchword.places import Heat, Part
from watchword.types import Coverage, Embeddings

WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


def score_places(
    place_vectors: NDArray[np.float32],
    prompts: PromptVectors,
    *,
    options: ScoreOptions | None = None,
    alpha: float = 1.0,
    tau: float = 0.03,
    temperature: float = 0.01,
) -> NDArray[np.float32]:
    """How strongly each label speaks at each place: (n,h,w,K), by the formula of ``score_words``.

    A place is weighed as if it were a picture of its own. A place of NaN stays NaN.

    Args:
        place_vectors: (n,h,w,D) unit rows of n pictures, as a ``PlaceEncoder`` gives them.
        prompts: the bank as vectors of the same encoder.
        options: kind and pooling.
        alpha: the encoder's own scale, used where the options give none.
        tau: likewise.
        temperature: likewise.

    Raises:
        PromptError: the kind compares with normal sentences and a label has none.
        ValueError: no (n,h,w,D), vectors that are not of unit length, or of another width than the
            prompts.
    """
    if place_vectors.ndim != 4:
        raise ValueError(f"place vectors have shape {place_vectors.shape}, (n,h,w,D) is needed")
    rows = np.reshape(place_vectors, (-1, place_vectors.shape[-1]))
    # The edges are of no account: each row is weighed by itself.
    places = Embeddings(rows, np.arange(len(rows) + 1.0), "", None, Coverage(len(place_vectors)))
    scores = score_words(
        places, prompts, options=options, alpha=alpha, tau=tau, temperature=temperature
    )
    return scores.values.reshape(*place_vectors.shape[:3], len(scores.labels))


def words_heat(
    place_vectors: NDArray[np.float32],
    edges_s: NDArray[np.float64],
    prompts: PromptVectors,
    *,
    label: str,
    options: ScoreOptions | None = None,
    seen: Part = WHOLE,
    made_by: str = "",
) -> Heat:
    """Where in the picture a label's sentences are, window by window: Heat (n,H,W) of cosines.

    Normal sentences have no part in it, whatever the kind of the options: they speak of the scene
    that holds the event, so at the very place of a fire in a house "a house" is high as well. They
    decide whether; this says where.

    Args:
        place_vectors: (n,h,w,D) unit rows of n pictures, NaN where not measured.
        edges_s: (n+1,) when each picture's window begins and the last one ends.
        prompts: the bank as vectors of the same encoder.
        label: which of its labels.
        options: how the cosines of its sentences are pooled.
        seen: the part of the picture that the h x w places cover, as the encoder's ``seen_part``
            gives it. What lies outside was not looked at: NaN. The grid grows so that a cell stays
            about as large as a place.
        made_by: encoder and method, for provenance.

    Raises:
        KeyError: the bank has no such label.
        ValueError: other shapes, or a part that does not lie within the picture.
    """
    if label not in prompts.bank.labels:
        raise KeyError(f"no label {label!r}; known are {', '.join(prompts.bank.labels)}")
    left, top, right, bottom = seen
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"the part seen is {seen}; left, top, right, bottom in [0, 1] are needed")
    cosine = replace(options or ScoreOptions(), kind="cosine")
    scores = score_places(place_vectors, prompts, options=cosine)
    values = scores[..., prompts.bank.labels.index(label)].astype(np.float16)
    down, across = _places(top, bottom, values.shape[1]), _places(left, right, values.shape[2])
    whole = values[:, down][:, :, across]
    whole[:, down < 0] = np.nan
    whole[:, :, across < 0] = np.nan
    return Heat(whole, edges_s, "cosine", made_by)


def _places(first: float, last: float, count: int) -> NDArray[np.intp]:
    """Which of ``count`` places over [first, last) holds each cell's middle; -1 where none does."""
    cells = max(1, math.floor(count / (last - first) + 0.5))
    middle = (np.arange(cells) + 0.5) / cells
    at = np.floor((middle - first) / (last - first) * count).astype(np.intp)
    return np.where((at >= 0) & (at < count), at, -1)
