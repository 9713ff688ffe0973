"""``watchword doctor``: does this installation see, understand and decode as it should?"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from watchword.encoders.base import Encoder

PACKAGES = (
    "av", "numpy", "onnxruntime", "pillow", "tokenizers", "safetensors", "huggingface-hub",
    "torch", "transformers", "torchcodec",
)  # fmt: skip


def doctor() -> None:
    """Check versions, decoder, model and devices. Exit status 1 if something is wrong."""
    from watchword import __version__
    from watchword.errors import WatchwordError

    typer.echo(
        f"watchword {__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    typer.echo("packages: " + ", ".join(_versions()))
    wrong = 0
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("decoder", _decoder),
        ("model", _model),
        ("devices", _devices),
        ("store", _store),
    )
    for name, check in checks:
        try:
            typer.echo(f"{name}: ok, {check()}")
        except WatchwordError as exc:
            wrong += 1
            typer.echo(f"{name}: WRONG, {exc}")
    if wrong:
        raise typer.Exit(1)


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{package} not installed"


def _decoder() -> str:
    from watchword.cli.demo import CLIP
    from watchword.errors import VideoError
    from watchword.video.reader import open_video
    from watchword.video.sampling import Sampling

    with open_video(CLIP, sampling=Sampling(rate=None)) as stream:
        pictures = sum(len(frames) for frames in stream)
        expected = stream.info.frame_count
    if pictures != expected:
        raise VideoError(str(CLIP), f"gave {pictures} pictures, its container says {expected}")
    return f"{pictures} pictures of the demo clip, none lost"


def _model() -> str:
    import numpy as np

    from watchword.encoders.catalog import load_encoder
    from watchword.encoders.store import default_encoder
    from watchword.errors import ModelFileError

    encoder = load_encoder(default_encoder())
    if encoder.name != "mini":
        return f"{encoder.name} loads on {encoder.device} (no stored reference to compare with)"
    agreement = _agreement(encoder)
    if agreement < 0.99:
        raise ModelFileError(
            f"mini's vectors agree with the stored reference at cosine {agreement:.4f} only; "
            "reinstall watchword, or report the processor and onnxruntime version"
        )
    return f"mini agrees with its stored reference at cosine {np.floor(agreement * 1e4) / 1e4:.4f}"


def _agreement(encoder: Encoder) -> float:
    """The lowest cosine between the encoder's vectors of known inputs and the stored ones."""
    import numpy as np

    from watchword.encoders.reference import reference_inputs, stored_reference

    pictures, texts = reference_inputs()
    ours = np.concatenate(
        [encoder.embed_images(encoder.prepare(pictures)), encoder.encode_texts(texts)]
    )
    return float((ours * stored_reference()).sum(axis=1).min())


def _devices() -> str:
    from watchword.encoders.onnx import available_devices

    return ", ".join(available_devices())


def _store() -> str:
    from watchword.encoders.store import cache_folder, default_encoder, installed, store_folder

    names = [model.name for model in installed()]
    return (
        f"default model {default_encoder()}, pulled {', '.join(names) or 'none'}, "
        f"models in {store_folder()}, cache in {cache_folder()}"
    )
