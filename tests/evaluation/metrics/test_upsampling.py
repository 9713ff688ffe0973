"""Maps read at every pixel agree with Pillow, and what was not measured stays so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from watchword.evaluation.metrics.upsampling import upsampled


@settings(max_examples=60)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 40), st.integers(0, 40))
def test_agrees_with_pillow(h, w, more_rows, more_columns):
    cells = np.random.default_rng(h * 7 + w).normal(size=(h, w)).astype(np.float32)
    size = (w + more_columns, h + more_rows)
    expected = np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR))
    assert upsampled(cells, size[1], size[0]) == pytest.approx(expected, abs=1e-5)


def test_a_map_of_the_pictures_size_stays_as_it_is():
    cells = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float16)
    assert (upsampled(cells, 5, 7) == cells).all()


def test_pixels_made_of_an_unmeasured_cell_are_not_measured():
    found = upsampled(np.array([[1.0, np.nan, 3.0, 3.0]]), 2, 16)
    # The middles of the cells lie at 2, 6, 10 and 14: up to the middle before there is a value.
    assert np.isnan(found[0]).tolist() == [False] * 2 + [True] * 8 + [False] * 6
    assert (found[:, :2] == 1).all()
    assert (found[:, 10:] == 3).all()
