"""What an encoder's picture network sees of each picture, beside the vectors that words share.

Kept as eight bits a number: an hour at ten pictures a second is 46 MB so, and 184 MB in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.arrays import frozen, timeline_edges

_HIGHEST = 127


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of T pictures: ``rows`` gives them as float32 of unit length.

    ``values`` (T,F) are codes (int8, see ``to_codes``), or unit rows (float32) of an encoder that
    sees nothing beside its vectors. ``edges_s`` (T+1,): picture ``i`` is shown in
    ``[edges_s[i], edges_s[i+1])``, also where embeddings average several pictures. ``encoder`` and
    ``video`` are fingerprints.
    """

    values: NDArray[np.int8] | NDArray[np.float32]
    edges_s: NDArray[np.float64]
    encoder: str
    video: str | None = None

    def __post_init__(self) -> None:
        kind = np.int8 if np.asarray(self.values).dtype == np.int8 else np.float32
        values = frozen(self.values, kind, (None, None), "values")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "edges_s", timeline_edges(self.edges_s, len(values)))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def width(self) -> int:
        """F, the numbers a picture."""
        return int(self.values.shape[1])

    @property
    def codes(self) -> NDArray[np.int8] | None:
        """The codes (T,F) as they are kept; None where the features are the vectors themselves."""
        return np.asarray(self.values, np.int8) if self.values.dtype == np.int8 else None

    def rows(self, part: slice) -> NDArray[np.float32]:
        """Some of the pictures (n,F), unit length; NaN throughout where none could be decoded."""
        return from_codes(self.values[part])

    def __repr__(self) -> str:
        return f"Features(values={self.values.shape}, encoder={self.encoder!r})"


def to_codes(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """Rows (N,F) at eight bits a number: roots of the shares of each row's largest.

    Most features are small, and between pictures that follow each other they differ by little;
    roots keep twice as much of that as even steps do. Lengths are not kept, since every row has
    length 1; a row of NaN becomes one of zeros.

    >>> to_codes(np.array([[0.6, -0.8, 0.0], [np.nan] * 3], np.float32)).tolist()
    [[110, -127, 0], [0, 0, 0]]
    """
    seen = ~np.isnan(rows[:, :1])
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    shares = np.divide(rows, largest, out=np.zeros_like(rows), where=seen)
    roots = np.sqrt(np.abs(shares)) * np.float32(_HIGHEST)
    return np.asarray(np.copysign(np.rint(roots), shares), np.int8)


def from_codes(codes: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows (N,F) of codes, NaN throughout for zeros; rows of float32 are given as they are.

    >>> np.linalg.norm(from_codes(np.array([[110, -127, 0]], np.int8))).round(6).item()
    1.0
    """
    if codes.dtype != np.int8:
        return np.asarray(codes, np.float32)
    rows = codes.astype(np.float32)
    rows *= np.abs(rows)
    # Whole numbers, whose sums are exact in float64: a row is the same in whatever block it comes.
    lengths = np.sqrt(np.einsum("nf,nf->n", rows, rows, dtype=np.float64))
    lengths[lengths == 0] = np.nan
    rows /= lengths[:, None].astype(np.float32)
    return rows
