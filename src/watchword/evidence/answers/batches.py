"""Work in batches that shrink when memory runs out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from watchword.errors import AnswerError
from watchword.evidence.answers.base import Clip, look

Run = Callable[[Sequence[Clip]], NDArray[np.float64]]
Result = TypeVar("Result")
_SAID = ("not enough memory", "can't allocate memory", "out of memory")


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether an error says that there was no memory left, on a GPU or on a CPU."""
    if isinstance(exc, MemoryError) or type(exc).__name__ == "OutOfMemoryError":
        return True
    return isinstance(exc, RuntimeError) and any(said in str(exc).lower() for said in _SAID)


def run_in_batches(run: Run, clips: Sequence[Clip], size: int) -> tuple[NDArray[np.float64], int]:
    """What ``run`` gives for all clips, and the batch size that went through.

    Out of memory halves the batch.

    Raises:
        AnswerError: not even one clip fits; the message names how many pictures would.
    """
    done: list[NDArray[np.float64]] = []
    at = 0
    while at < len(clips):
        made = _unless_full(run, clips[at : at + size])
        if made is not None:
            done.append(made)
            at += size
        elif min(size, len(clips) - at) > 1:
            size = max(1, min(size, len(clips) - at) // 2)
        else:
            raise AnswerError(_what_fits(run, clips[at]))
    return np.concatenate(done), size


def _unless_full(run: Run, clips: Sequence[Clip]) -> NDArray[np.float64] | None:
    """What it gives, or None if memory ran out."""
    try:
        return run(clips)
    except (RuntimeError, MemoryError) as exc:
        if not is_out_of_memory(exc):
            raise
    # Outside the handler, where the error no longer holds the tensors of its frames.
    free_memory()
    return None


def free_memory() -> None:
    """Gives back what torch keeps for later on a GPU."""
    gc.collect()
    # Only if it is loaded already: who answers may need no torch.
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _what_fits(run: Run, clip: Clip) -> str:
    """The sentence on what one clip would need to fit, found by trying."""
    said = f"out of memory with batch 1 and {len(clip)} pictures of a clip"
    fewer = len(clip) // 2
    while fewer:
        if _unless_full(run, [look(clip, fewer)]) is not None:
            return f"{said}; {fewer} pictures fit (pictures={fewer}), or use dtype bfloat16"
        fewer //= 2
    return f"{said}; not even 1 picture fits: use dtype bfloat16, a smaller model or the CPU"
