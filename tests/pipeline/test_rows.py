"""Rows that grow in place equal the parts joined."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watchword.pipeline.rows import Rows


@given(st.lists(st.integers(0, 700), max_size=12))
def test_any_parts_come_out_joined(sizes: list[int]) -> None:
    parts = [np.full((size, 3), number, np.float32) for number, size in enumerate(sizes)]
    rows = Rows(3, np.float32)
    for part in parts:
        rows.extend(part)
    joined = np.concatenate(parts) if parts else np.zeros((0, 3), np.float32)
    np.testing.assert_array_equal(rows.done(), joined)
