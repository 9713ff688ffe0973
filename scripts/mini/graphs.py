"""Export to ONNX and make the graphs small: int8 arithmetic for pictures, int8 weights for text."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from mini.calibration import IMAGE_SIZE
from mini.conse import VisionTower
from mini.minilm import MiniLM

OPSET = 17
IR_VERSION = 8
QUANTISED_OPERATORS = ("Conv", "Add", "Clip", "Gemm")
FLOAT_CONVOLUTIONS = 3
INT8_MAX = 127


def _export(
    network: torch.nn.Module,
    inputs: tuple[torch.Tensor, ...],
    path: Path,
    names: tuple[Sequence[str], Sequence[str]],
    axes: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            inputs,
            str(path),
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def export_vision(tower: VisionTower, path: Path) -> None:
    """Write the picture network in float32."""
    outputs = ("image_embeds", "features", "feature_map")
    _export(
        tower,
        (torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE),),
        path,
        (("pixel_values",), outputs),
        {name: {0: "batch"} for name in ("pixel_values", *outputs)},
    )


def export_text(network: MiniLM, path: Path) -> None:
    """Write the text network in float32."""
    ids = torch.full((2, 7), 101)
    sequence = {0: "batch", 1: "sequence"}
    _export(
        network,
        (ids, torch.ones_like(ids)),
        path,
        (("input_ids", "attention_mask"), ("text_embeds",)),
        {"input_ids": sequence, "attention_mask": sequence, "text_embeds": {0: "batch"}},
    )


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Hands the calibration pictures to the quantiser one at a time."""

    def __init__(self, pixels: NDArray[np.float32]) -> None:
        self._rows = iter(pixels)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        row = next(self._rows, None)
        return None if row is None else {"pixel_values": row[None]}


def quantise_vision(source: Path, target: Path, pixels: NDArray[np.float32]) -> None:
    """Static int8 (QDQ, one scale an output channel); both ends stay in float32.

    The scales are fixed here, once, so a picture's vector cannot depend on its batch. The first
    three convolutions keep floats because they lose the most and cost the least; the logits leave
    the last product as float32 because 256 steps would be too coarse for the softmax.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(str(prepared))
        _merge_pads(model)
        onnx.save(model, str(prepared))
        quantize_static(
            str(prepared),
            str(target),
            _Pictures(pixels),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED_OPERATORS),
            nodes_to_exclude=_float_nodes(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
        )
    _save(onnx.load(str(target)), target)


def _merge_pads(model: onnx.ModelProto) -> None:
    """Move every zero-padding step into the convolution that reads it.

    A convolution of ONNX may pad unevenly by itself; as a step of its own, padding copies the
    whole activation, which costs more than half of the speed.
    """
    pads = {node.output[0]: node for node in model.graph.node if node.op_type == "Pad"}
    constants = _constants(model.graph)
    for node in model.graph.node:
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None:
            continue
        before_after = constants[pad.input[1]].reshape(2, 4)
        kept = [attribute for attribute in node.attribute if attribute.name != "pads"]
        del node.attribute[:]
        node.attribute.extend(kept)
        node.attribute.append(helper.make_attribute("pads", before_after[:, 2:].ravel().tolist()))
        node.input[0] = pad.input[0]
        model.graph.node.remove(pad)
    used = {name for node in model.graph.node for name in node.input}
    for one in [one for one in model.graph.initializer if one.name not in used]:
        model.graph.initializer.remove(one)


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    """Every tensor of the graph that does not depend on its inputs."""
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return values


def _float_nodes(path: Path) -> list[str]:
    """Names of the nodes that are not quantised: the first convolutions and the ConSE tail."""
    nodes = onnx.load(str(path)).graph.node
    last = next(index for index, node in enumerate(nodes) if node.op_type == "Gemm")
    convolutions = [node.name for node in nodes if node.op_type == "Conv"]
    return convolutions[:FLOAT_CONVOLUTIONS] + [node.name for node in nodes[last + 1 :]]


def quantise_text(source: Path, target: Path) -> None:
    """Store the large weights as int8, one scale an output channel or a word; compute in float32.

    Nothing but the weights is rounded, so a sentence's vector depends neither on the other
    sentences of its batch nor on the padding.
    """
    model = onnx.load(str(source))
    weights = {one.name: one for one in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            nodes += _int8_product(model.graph, weights[node.input[1]], node)
        elif node.op_type == "Gather" and node.input[0] == "words":
            nodes += _int8_lookup(model.graph, weights["words"], node)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _save(model, target)


def _round(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scales = np.maximum(np.abs(values).max(axis=axis), 1e-12).astype(np.float32) / INT8_MAX
    rounded = np.rint(values / np.expand_dims(scales, axis))
    return rounded.astype(np.int8), scales


def _swap(
    graph: onnx.GraphProto, old: TensorProto, values: NDArray[np.int8], scales: NDArray[np.float32]
) -> tuple[str, str]:
    """Replace an initialiser by its int8 form and scales; returns their names."""
    rounded_name, scale_name = f"{old.name}_int8", f"{old.name}_scale"
    graph.initializer.append(numpy_helper.from_array(values, rounded_name))
    graph.initializer.append(numpy_helper.from_array(scales, scale_name))
    graph.initializer.remove(old)
    return rounded_name, scale_name


def _int8_product(
    graph: onnx.GraphProto, weight: TensorProto, node: onnx.NodeProto
) -> list[onnx.NodeProto]:
    values, scales = _round(numpy_helper.to_array(weight), axis=0)
    restored = f"{weight.name}_restored"
    names = _swap(graph, weight, values, scales)
    node.input[1] = restored
    return [helper.make_node("DequantizeLinear", names, [restored], restored, axis=1), node]


def _int8_lookup(
    graph: onnx.GraphProto, table: TensorProto, node: onnx.NodeProto
) -> list[onnx.NodeProto]:
    """Look up int8 rows and restore only those, instead of the whole table on every call."""
    values, scales = _round(numpy_helper.to_array(table), axis=1)
    rows, row_scales = _swap(graph, table, values, scales[:, None])
    ids, output = node.input[1], node.output[0]
    return [
        helper.make_node("Gather", [rows, ids], ["word_int8"], "word_rows", axis=0),
        helper.make_node("Gather", [row_scales, ids], ["word_scale"], "word_scales", axis=0),
        helper.make_node("Cast", ["word_int8"], ["word_float"], "word_cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["word_float", "word_scale"], [output], "word_restore"),
    ]


def _save(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph without the exporter's notes, which name the build machine's files."""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "watchword", "", ""
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
