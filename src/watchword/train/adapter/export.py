"""A trained adapter as an ONNX graph that carries its own description and needs no PyTorch."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from watchword.errors import CalibrationError, MissingDependency
from watchword.evidence.adapter import KEY, AdapterSpec, load_adapter
from watchword.evidence.adapter_windows import Bools, Floats
from watchword.output.atomic import new_file
from watchword.train.adapter.model import TemporalAdapter

# Numbers of the size of cosines and probabilities: above this the two would not be the same model.
TOLERANCE = 1e-4
_OPSET = 17


def export_adapter(
    model: TemporalAdapter, spec: AdapterSpec, path: str | Path, *, overwrite: bool = False
) -> float:
    """Writes the model to an ``adapter.onnx``; returns how far the two differ at most.

    They are compared on made-up windows with holes and with empty ends. The same model and spec
    give the same bytes.

    Args:
        model: trained; evaluated without dropout.
        spec: what is to be known of it.
        path: the file.
        overwrite: whether a file that is there may be replaced.

    Raises:
        CalibrationError: the graph differs from the model; nothing was written.
        OutputError: the file cannot be written.
        MissingDependency: the train extra is not installed.
    """
    content = _graph_bytes(model, spec)
    with new_file(path, overwrite=overwrite) as to:
        to.write_bytes(content)
        difference = _difference(model, spec, to)
        if not difference <= TOLERANCE:
            raise CalibrationError(
                f"the exported graph differs from the model by {difference:.2e}, more than "
                f"{TOLERANCE:.0e}; nothing was written"
            )
    return difference


def run_model(model: TemporalAdapter, x: Floats, seen: Bools) -> tuple[Floats, Floats]:
    """Vectors (n,T,D) and probability (n,T) of windows, without dropout: what the graph gives.

    The model is back in the mode that it was in afterwards.
    """
    was = model.training
    model.eval()
    device = next(model.parameters()).device
    try:
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(x)).to(device)
            adapted, chance = _Graph(model)(given, torch.from_numpy(seen).to(device))
    finally:
        model.train(was)
    return adapted.cpu().numpy(), chance.cpu().numpy()


class _Graph(nn.Module):  # type: ignore[misc]
    """The model with the probability in place of logits."""

    def __init__(self, model: TemporalAdapter) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        adapted, logits = self.model(x, seen)
        return adapted, torch.softmax(logits, dim=-1)[..., 1]


def _graph_bytes(model: TemporalAdapter, spec: AdapterSpec) -> bytes:
    try:
        import onnx
    except ImportError as exc:
        raise MissingDependency("the ONNX exporter", "pip install 'watchword[train]'") from exc
    was = model.training
    device = next(model.parameters()).device
    model.eval().cpu()
    made = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # The tracing exporter is on its way out; its notes are not for the user.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Graph(model).eval(),
                (
                    torch.zeros(2, spec.clip_length, spec.width),
                    torch.ones(2, spec.clip_length, dtype=torch.bool),
                ),
                made,
                input_names=["x", "seen"],
                output_names=["adapted", "probability"],
                dynamic_axes={n: {0: "windows"} for n in ("x", "seen", "adapted", "probability")},
                opset_version=_OPSET,
                dynamo=False,
            )
    finally:
        model.to(device).train(was)
    graph = onnx.load_from_string(made.getvalue())
    # Where in our sources each node comes from: of no use, and different on each machine.
    for node in graph.graph.node:
        node.doc_string = ""
    _name_shapes(graph, spec)
    onnx.helper.set_model_props(graph, {KEY: spec.to_json()})
    return bytes(graph.SerializeToString(deterministic=True))


def _name_shapes(graph: Any, spec: AdapterSpec) -> None:
    """Writes down the shapes of outputs, which tracing does not always know."""
    shapes = {"adapted": (spec.clip_length, spec.width), "probability": (spec.clip_length,)}
    for output in graph.graph.output:
        dimensions = output.type.tensor_type.shape.dim
        for dimension, size in zip(dimensions[1:], shapes[output.name], strict=True):
            dimension.dim_value = size


def _difference(model: TemporalAdapter, spec: AdapterSpec, path: Path) -> float:
    """The largest difference between model and graph, in vectors and probability."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((5, spec.clip_length, spec.width), np.float32)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    seen = draw.random((5, spec.clip_length)) < 0.7
    seen[0] = True
    seen[1, spec.clip_length // 2 :] = False
    seen[:, 0] = True
    x[~seen] = 0
    pairs = zip(run_model(model, x, seen), load_adapter(path).run(x, seen), strict=True)
    return float(max(np.abs(one - other)[seen].max() for one, other in pairs))
