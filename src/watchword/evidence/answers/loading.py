"""A video-language model out of a directory, into memory; the only file that loads weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watchword.errors import AnswerError, MissingDependency, ModelFileError
from watchword.evidence.answers.base import AnswerOptions
from watchword.evidence.answers.batches import free_memory, is_out_of_memory

_INSTALL = "pip install 'watchword[vlm]'"


def load_model(directory: Path, options: AnswerOptions) -> Any:
    """The transformers model in a directory, on its device, ready to be asked.

    Weights come from safetensors only, no code of the directory is run, nothing is fetched.

    Raises:
        MissingDependency: torch, transformers or a CUDA device is not there.
        ModelFileError: files are absent or damaged, or hold no model that looks and speaks.
        AnswerError: the weights do not fit into memory.
    """
    try:
        import torch
        from transformers import AutoModelForImageTextToText
    except ImportError as exc:
        raise MissingDependency("what runs a video-language model", _INSTALL) from exc
    kind = dtype_of(options)
    if options.threads is not None and options.device == "cpu":
        torch.set_num_threads(options.threads)
    try:
        with quiet():
            model, report = AutoModelForImageTextToText.from_pretrained(
                directory,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=getattr(torch, kind),
                output_loading_info=True,
            )
            model.to(options.device)
    except Exception as exc:
        if is_out_of_memory(exc):
            free_memory()
            raise AnswerError(
                f"the weights in {directory} do not fit into the memory of {options.device} as "
                f"{kind}; use dtype bfloat16, the CPU or a smaller model"
            ) from exc
        raise ModelFileError(
            f"{directory} cannot be loaded: {exc}. See what is missing with: "
            f"watchword risk doctor {directory}"
        ) from exc
    # transformers fills what is missing with random numbers and only warns.
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:5])
        raise ModelFileError(f"{directory} lacks weights: {missing}; fetch it again")
    return model.eval()


def dtype_of(options: AnswerOptions) -> str:
    """The type weights are computed in; MissingDependency without the device asked for."""
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        raise MissingDependency(
            "a CUDA device that this torch can use",
            "pip install torch --index-url of your CUDA version (see pytorch.org), and a driver",
        )
    if options.dtype != "auto":
        return options.dtype
    # Elsewhere bfloat16 is computed by detours, slower than float32.
    real = options.device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if real else "float32"


def batch_of(options: AnswerOptions) -> int:
    """Clips at a time: as asked for, or what suits the device."""
    return options.batch or (8 if options.device == "cuda" else 1)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers from drawing on the terminal, and leaves its switch as it was."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
