"""Arrays as the values hold them: of one type and shape, read-only, timelines rising."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def frozen(array: Any, dtype: Any, shape: tuple[int | None, ...], name: str) -> NDArray[Any]:
    """A read-only C-contiguous array of the given type; ValueError if its shape is another."""
    made = np.ascontiguousarray(array, dtype=dtype)
    fits = made.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, made.shape, strict=True)
    )
    if not fits:
        wanted = "x".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {made.shape}, it must be {wanted}")
    view = made.view()
    view.flags.writeable = False
    return view


def timeline_edges(edges_s: Any, windows: int) -> NDArray[np.float64]:
    """(T+1,) edges of T windows; ValueError unless they are finite and rise."""
    edges = frozen(edges_s, np.float64, (windows + 1,), "edges_s")
    if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise ValueError("edges_s must be finite and strictly rising")
    return edges
