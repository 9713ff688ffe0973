"""Known inputs and the vectors that ``mini`` gave for them when it was built.

``watchword doctor`` compares, so that a processor or a library that computes something else is
found before its results are believed.
"""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

TEXTS = ("a cat", "a car on the road", "people walking in a street")


def reference_inputs() -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """(pictures (3,224,224,3) made by arithmetic alone, sentences)."""
    rows, columns = np.mgrid[0:224, 0:224]
    pictures = [
        np.stack([rows, columns, (rows + columns) // 2], axis=-1) % 256,
        np.stack([((rows // 16 + columns // 16) % 2) * 255] * 3, axis=-1),
        np.stack([(rows * columns) % 256, rows * 0 + 90, 255 - columns], axis=-1),
    ]
    return np.stack(pictures).astype(np.uint8), TEXTS


def stored_reference() -> NDArray[np.float32]:
    """(6, D) unit rows: the pictures' vectors, then the sentences'."""
    stored = files("watchword.encoders").joinpath("mini", "reference.json").read_text("utf-8")
    return np.asarray(json.loads(stored)["vectors"], np.float32)
