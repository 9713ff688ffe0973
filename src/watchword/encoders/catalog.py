"""From a name to an encoder that runs."""

from __future__ import annotations

from pathlib import Path

from watchword.encoders.base import Encoder
from watchword.encoders.directory import (
    PRECISIONS,
    OnnxFiles,
    describe,
    find_onnx,
    has_weights,
)
from watchword.encoders.fake import FakeEncoder
from watchword.encoders.specs import CATALOG, EncoderSpec, FileSpec
from watchword.encoders.store import hash_memo, path, pull, spec_of
from watchword.errors import ModelFileError

__all__ = ["CATALOG", "EncoderSpec", "FileSpec", "load_encoder", "locate"]

BACKENDS = ("auto", "onnx", "torch")


def load_encoder(
    name: str | Path = "mini",
    *,
    device: str = "cpu",
    precision: str = "auto",
    backend: str = "auto",
    offline: bool | None = None,
    threads: int | None = None,
) -> Encoder:
    """An encoder, ready to run; a model of the catalogue or the hub is fetched if it is not here.

    Args:
        name: catalogue name, a directory (with a ``/`` in it), or ``hf:OWNER/REPO[@REVISION]``.
        device: cpu, cuda, tensorrt, openvino or coreml.
        precision: auto, float32, float16, int8 (ONNX) or bfloat16 (torch).
        backend: onnx or torch; auto takes ONNX graphs where there are any, weights otherwise.
        offline: never fetch; None follows WATCHWORD_OFFLINE and HF_HUB_OFFLINE.
        threads: of the model on a CPU; None is every core.

    Raises:
        UnknownEncoder: no encoder has that name.
        ModelFileError: its files are absent, damaged or of another shape.
        MissingDependency: the device or the backend needs a package that is not installed.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, it must be one of {', '.join(PRECISIONS)}")
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}, it must be one of {', '.join(BACKENDS)}")
    if name == "fake":
        return FakeEncoder()
    directory, spec = locate(name, offline=offline)
    files = None if backend == "torch" else _graphs(directory, spec, precision=precision)
    if files is not None:
        from watchword.encoders.onnx import OnnxEncoder

        return OnnxEncoder(
            directory,
            files=files,
            spec=spec,
            digest=hash_memo().sha256,
            device=device,
            threads=threads,
        )
    _check_torch(directory, spec, backend=backend, precision=precision)
    from watchword.encoders.torch import TorchEncoder

    return TorchEncoder(
        directory,
        spec=spec,
        digest=hash_memo().sha256,
        device=device,
        precision=precision,
        threads=threads,
    )


def locate(name: str | Path, *, offline: bool | None = None) -> tuple[Path, EncoderSpec]:
    """(directory, spec) of an encoder's files, fetched first if they must be.

    Raises:
        UnknownEncoder: no encoder has that name.
        ModelFileError: a directory does not exist, or files are absent or damaged.
    """
    text = str(name)
    if isinstance(name, Path) or text.startswith((".", "/", "~")) or _is_plain_path(text):
        directory = Path(name).expanduser()
        if not directory.is_dir():
            raise ModelFileError(f"{directory} is no directory; a model directory is needed")
        return directory, describe(directory, name=directory.resolve().name)
    spec = spec_of(text)
    if not spec.repo:
        return path(text), spec
    directory = pull(spec, offline=offline)
    return directory, spec if spec.files else describe(directory, name=text)


def _graphs(directory: Path, spec: EncoderSpec, *, precision: str) -> OnnxFiles | None:
    """The ONNX graphs to run; ModelFileError if a catalogue model is not of the precision."""
    if spec is not CATALOG.get(spec.name):
        return find_onnx(directory, precision=precision)
    if precision not in ("auto", spec.precision):
        raise ModelFileError(
            f"{spec.name} is stored as {spec.precision}, {precision} was asked for; "
            f"ask for {spec.precision} or auto, or choose another model"
        )
    return find_onnx(directory)


def _is_plain_path(text: str) -> bool:
    return not text.startswith("hf:") and ("/" in text or "\\" in text)


def _check_torch(directory: Path, spec: EncoderSpec, *, backend: str, precision: str) -> None:
    """ModelFileError unless the torch backend can load the directory and may be chosen."""
    if backend == "onnx" or not has_weights(directory):
        kinds = "model.safetensors" if backend == "torch" else "ONNX graphs"
        finer = "" if precision == "auto" else f" of precision {precision}"
        raise ModelFileError(
            f"{spec.name} ({directory}) holds no {kinds}{finer}; choose another precision or "
            "backend, or a directory with onnx/vision_model.onnx and onnx/text_model.onnx, or "
            "with model.safetensors"
        )
