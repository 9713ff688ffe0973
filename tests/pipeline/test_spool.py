"""Cells set down on disk and read again."""

from __future__ import annotations

import errno
import gc
from typing import Any

import numpy as np
import pytest

from watchword.errors import OutputError
from watchword.pipeline.spool import Spool


def batch(number: int, count: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    cells = {
        "motion": rng.random((count, 3, 4, 1), np.float32),
        "appearance": rng.random((count, 2, 2, 5), np.float32),
    }
    cells["motion"][0] = np.nan
    return cells, number + np.arange(count) / 10, np.full(count, 0.1)


def test_what_was_set_down_comes_back_at_half_precision_each_time() -> None:
    batches = [batch(0, 4), batch(1, 1), batch(2, 7)]
    with Spool() as spool:
        for one in batches:
            spool.put(*one)
        for _ in range(2):
            read = list(spool)
            assert len(read) == len(batches)
            for (cells, pts_s, duration_s), (own, own_pts_s, own_duration_s) in zip(
                read, batches, strict=True
            ):
                for name in ("motion", "appearance"):
                    np.testing.assert_array_equal(cells[name], own[name].astype(np.float16))
                    assert cells[name].dtype == np.float32
                np.testing.assert_array_equal(pts_s, own_pts_s)
                np.testing.assert_array_equal(duration_s, own_duration_s)


def test_two_readers_at_once_do_not_disturb_each_other() -> None:
    with Spool() as spool:
        for number in range(3):
            spool.put(*batch(number, 2))
        for one, other in zip(spool, spool, strict=True):
            np.testing.assert_array_equal(one[0]["motion"], other[0]["motion"])


def test_more_can_be_set_down_after_reading() -> None:
    with Spool() as spool:
        spool.put(*batch(0, 2))
        assert len(list(spool)) == 1
        spool.put(*batch(1, 2))
        read = list(spool)
    np.testing.assert_array_equal(read[1][0]["motion"], batch(1, 2)[0]["motion"].astype(np.float16))


def test_no_space_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, *args: int) -> None: ...

        def close(self) -> None: ...

        def write(self, data: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **options: Full())
    with Spool() as spool, pytest.raises(OutputError, match="TMPDIR"):
        spool.put(*batch(0, 2))


def test_a_spool_that_is_forgotten_leaves_nothing_open() -> None:
    spool = Spool()
    spool.put(*batch(0, 2))
    file = spool._file
    del spool
    gc.collect()
    assert file.closed
