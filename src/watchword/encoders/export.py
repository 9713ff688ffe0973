"""A PyTorch dual encoder into a directory of ONNX graphs that the catalogue's backend loads."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from watchword.encoders.catalog import load_encoder, locate
from watchword.encoders.dense import PlaceEncoder, place_encoder
from watchword.encoders.dense_onnx import PLACE_OUTPUT
from watchword.encoders.dense_torch import see_places
from watchword.encoders.directory import SMALL_FILES
from watchword.encoders.torch import load_model
from watchword.errors import MissingDependency, ModelFileError, OutputError

# Cosine-sized numbers: above this the two backends would not be interchangeable.
TOLERANCE = 1e-4


def export_onnx(
    model: str | Path, out_dir: str | Path, *, opset: int = 17, places: bool = False
) -> float:
    """Makes ``out_dir`` with ``onnx/vision_model.onnx``, ``onnx/text_model.onnx`` and the rest.

    Both backends then encode the same pictures and sentences; the largest difference between their
    unit vectors (those of places too, where they are asked for) is returned.

    Args:
        model: directory or ``hf:OWNER/REPO`` of a CLIP or SigLIP model with model.safetensors.
        out_dir: directory to make.
        opset: ONNX operator set of the graphs.
        places: give the picture graph a vector of each place, for heat maps of words; every run
            of it then takes longer by about one of the network's blocks.

    Raises:
        OutputError: ``out_dir`` exists already, or cannot be written.
        ModelFileError: the model cannot be loaded, or the graphs differ from it.
        MissingDependency: the torch extra is not installed.
    """
    out = Path(out_dir)
    directory, _ = locate(model)
    loaded = load_model(directory)
    with _made_whole(out) as draft:
        (draft / "onnx").mkdir()
        _export(loaded, draft, opset=opset, places=places)
        for name in SMALL_FILES:
            if (directory / name).is_file():
                (draft / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(directory / name, draft / name)
        difference = _parity(directory, draft)
        if not difference <= TOLERANCE:
            raise ModelFileError(
                f"the exported graphs differ from {directory} by {difference:.2e}, more than "
                f"{TOLERANCE:.0e}; nothing was written"
            )
    return difference


@contextmanager
def _made_whole(out: Path) -> Iterator[Path]:
    """A draft folder beside ``out`` that becomes it at the end, or is gone."""
    if out.exists():
        raise OutputError(f"{out} exists already; name a new directory")
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.mkdir(parents=True)
        yield draft
        draft.rename(out)
    except OSError as exc:
        raise OutputError(f"{out} cannot be written: {exc}") from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _export(model: Any, draft: Path, *, opset: int, places: bool) -> None:
    try:
        import onnx  # noqa: F401 - torch's exporter needs it and names it in passing only
        import torch
    except ImportError as exc:
        raise MissingDependency("the ONNX exporter", "pip install 'watchword[torch]'") from exc

    class Tower(torch.nn.Module):  # type: ignore[misc]
        """One side of the model as a graph: one tensor in, vectors out."""

        def __init__(self, ask: Callable[[Any, Any], Any]) -> None:
            super().__init__()
            self.model, self.ask = model, ask

        def forward(self, values: Any) -> Any:
            return self.ask(self.model, values)

    size = model.config.vision_config.image_size
    context = model.config.text_config.max_position_embeddings
    pictures, sentences = torch.zeros(2, 3, size, size), torch.zeros(2, context, dtype=torch.int64)
    seen = ("image_embeds", PLACE_OUTPUT) if places else ("image_embeds",)
    towers = (
        ("vision", see_places if places else _see, "pixel_values", pictures, seen),
        ("text", _read, "input_ids", sentences, ("text_embeds",)),
    )
    for kind, ask, name, example, outputs in towers:
        axes = {one: {0: "batch"} for one in (name, *outputs)}
        if kind == "text":
            axes[name][1] = "length"
        with warnings.catch_warnings():
            # The tracing exporter is on its way out but is the one whose graphs keep a free
            # sentence length; its notes on constants it folds are not for the user.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Tower(ask).eval(),
                (example,),
                str(draft / "onnx" / f"{kind}_model.onnx"),
                input_names=[name],
                output_names=list(outputs),
                dynamic_axes=axes,
                opset_version=opset,
                dynamo=False,
            )


def _see(model: Any, pixel_values: Any) -> Any:
    answer = model.get_image_features(pixel_values=pixel_values)
    return getattr(answer, "pooler_output", answer)


def _read(model: Any, input_ids: Any) -> Any:
    answer = model.get_text_features(input_ids=input_ids)
    return getattr(answer, "pooler_output", answer)


def _parity(directory: Path, draft: Path) -> float:
    """The largest difference between unit vectors of the two backends, on made-up inputs."""
    first = load_encoder(directory, backend="torch")
    second = load_encoder(draft, backend="onnx")
    pictures = np.random.default_rng(0).integers(0, 256, (3, 240, 320, 3), dtype=np.uint8)
    texts = ["a", "two people on a road", "a red car, at night"]
    differences = [
        first.embed_images(first.prepare(pictures)) - second.embed_images(second.prepare(pictures)),
        first.encode_texts(texts) - second.encode_texts(texts),
    ]
    if isinstance(second, PlaceEncoder) and second.place_shape:
        differences.append(
            place_encoder(first).embed_places(first.prepare(pictures))
            - second.embed_places(second.prepare(pictures))
        )
    return float(max(np.abs(difference).max() for difference in differences))
