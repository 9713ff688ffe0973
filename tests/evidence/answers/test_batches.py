"""Batches that shrink when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from watchword.errors import AnswerError
from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.batches import Run, is_out_of_memory, run_in_batches


def clips(count: int, pictures: int = 8) -> list[Clip]:
    seen = np.zeros((pictures, 4, 4, 3), np.uint8)
    return [Clip(seen, np.arange(pictures) * 0.1, at - 10, at + 1) for at in range(count)]


def with_room_for(room: int, sizes: list[int]) -> Run:
    """A run that has memory for so many pictures at a time."""

    def run(part: Sequence[Clip]) -> np.ndarray:
        sizes.append(len(part))
        if sum(map(len, part)) > room:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")
        return np.array([[clip.end_s] for clip in part])

    return run


def test_a_batch_that_does_not_fit_is_halved_and_stays_so() -> None:
    sizes: list[int] = []
    made, size = run_in_batches(with_room_for(24, sizes), clips(10), 8)
    assert made[:, 0].tolist() == [at + 1.0 for at in range(10)]
    assert size == 2
    assert sizes == [8, 4, 2, 2, 2, 2, 2]


def test_one_clip_too_many_says_how_many_pictures_fit() -> None:
    with pytest.raises(AnswerError, match=r"batch 1 and 8 pictures.*; 2 pictures fit"):
        run_in_batches(with_room_for(3, []), clips(3), 4)


def test_no_room_at_all_says_so() -> None:
    with pytest.raises(AnswerError, match="not even 1 picture fits"):
        run_in_batches(with_room_for(0, []), clips(1), 1)


def failing(error: Exception) -> Callable[[Sequence[Clip]], np.ndarray]:
    def run(part: Sequence[Clip]) -> np.ndarray:
        raise error

    return run


def test_other_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        run_in_batches(failing(RuntimeError("shapes differ")), clips(2), 2)


def test_memory_errors_are_known_by_what_they_say() -> None:
    class OutOfMemoryError(RuntimeError):
        pass

    assert is_out_of_memory(OutOfMemoryError("CUDA"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("out of memory"))
