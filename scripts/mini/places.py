"""Where in the picture: a few nodes more for ``vision.onnx`` that give a vector of each place.

    build-venv/bin/python -m mini.places VISION.onnx PLACES.onnx     (in the folder scripts)

The network's last stages run once more on the 14x14 map without their stride, filters spread by
two instead (the "à trous" algorithm: Chen et al., DeepLab, arXiv 1412.7062), so that there is a
1280-wide feature at each of 14x14 places. Its class scores are those of the class activation map
(Zhou et al., arXiv 1512.04150), since the last product is linear and the pooling a mean; ConSE
turns the scores of each place into a vector, as it does for the whole picture.

The file holds only these nodes. Every weight stays in ``vision.onnx``: both files are messages of
the kind that merges when their bytes are put one after the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

SIDE = 14
OUTPUT = "place_embeds"
# Every class has its share of a place, and more evenly than in a picture (20 classes at 1.5): one
# place shows less than a picture, and what it is part of is seldom among its likeliest classes.
# Chosen on objects pasted into street scenes: higher sets an object off from the street better,
# lower tells two objects apart better.
TEMPERATURE = 3.0
_FROM, _TO = "feature_map", "/network/Clip_1_output_0_DequantizeLinear_Output"
_MIXED = "/tail/Gather_1"
_MARK = "places/"


def write_places(vision: Path, target: Path) -> None:
    """Make the file of added nodes for a picture graph that ``quantise_vision`` wrote."""
    graph = onnx.load(str(vision)).graph
    width, features = _shapes(graph)
    nodes = [*_stages(graph), *_head(graph)]
    added = helper.make_graph(nodes, graph.name, [], [], [*_constants(width, features)])
    added.output.append(
        helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", SIDE, SIDE, width])
    )
    target.write_bytes(onnx.ModelProto(graph=added).SerializeToString())
    onnx.checker.check_model(
        onnx.load_from_string(vision.read_bytes() + target.read_bytes()), full_check=True
    )


def _shapes(graph: onnx.GraphProto) -> tuple[int, int]:
    """(width of the space, width of the features)."""
    widths = {one.name: one.type.tensor_type.shape.dim[1].dim_value for one in graph.output}
    return widths["image_embeds"], widths["features"]


def _stages(graph: onnx.GraphProto) -> list[NodeProto]:
    """The nodes between the 14x14 map and the pooling once more, without their stride."""
    names: dict[str, str] = {}
    kernels = {one.name: one.dims[2] for one in graph.initializer if len(one.dims) == 4}
    copies, spread = [], 1
    for node in _between(graph):
        copy = _copied(node, names)
        if node.op_type == "Conv":
            weight = node.input[1].replace("_DequantizeLinear_Output", "_quantized")
            spread = _widen(copy, kernels[weight], spread)
        copies.append(copy)
    return copies


def _between(graph: onnx.GraphProto) -> list[NodeProto]:
    """The nodes that make ``_TO`` out of ``_FROM``; what restores weights is not among them."""
    reached, nodes = {_FROM}, []
    for node in graph.node:
        if reached & set(node.input):
            reached |= set(node.output)
            nodes.append(node)
            if _TO in node.output:
                return nodes
    raise ValueError(f"the graph does not lead from {_FROM} to {_TO}")


def _widen(node: NodeProto, kernel: int, spread: int) -> int:
    """Give a convolution stride 1 and filters spread by ``spread``; returns the spread after it.

    Padding is even on both sides, so that every place is looked at around its own middle.
    """
    told = {one.name: one for one in node.attribute}
    pad = spread * (kernel - 1) // 2
    stride = max(told["strides"].ints)
    told["strides"].ints[:] = [1, 1]
    told["dilations"].ints[:] = [spread, spread]
    told["pads"].ints[:] = [pad] * 4
    return spread * stride


def _head(graph: onnx.GraphProto) -> list[NodeProto]:
    """Class scores and ConSE of every place, each a row of the picture's own last product."""
    names = {"features": _MARK + "rows", "image_embeds": _MARK + "vectors"}
    start = next(at for at, node in enumerate(graph.node) if node.op_type == "Gemm")
    mixed = next(at for at, node in enumerate(graph.node) if node.name == _MIXED)
    product = _copied(graph.node[start], names)
    (logits,) = product.output
    names[graph.node[mixed].output[0]] = _MARK + "mixed"
    unit = [_copied(node, names) for node in graph.node[mixed + 1 :]]
    return [
        _node("Transpose", [_MARK + _TO], "last", perm=[0, 2, 3, 1]),
        _node("Reshape", [_MARK + "last", _MARK + "as_rows"], "rows"),
        product,
        _node("Div", [logits, _MARK + "temperature"], "scaled"),
        _node("Softmax", [_MARK + "scaled"], "weights", axis=1),
        _node("MatMul", [_MARK + "weights", "tail.vectors"], "mixed"),
        *unit,
        helper.make_node("Reshape", [_MARK + "vectors", _MARK + "as_places"], [OUTPUT]),
    ]


def _node(kind: str, inputs: list[str], output: str, **told: int | list[int]) -> NodeProto:
    return helper.make_node(kind, inputs, [_MARK + output], _MARK + output, **told)


def _copied(node: NodeProto, names: dict[str, str]) -> NodeProto:
    """The node over again under names of its own; ``names`` learns those of its outputs."""
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.name = _MARK + node.name
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.setdefault(name, _MARK + name) for name in node.output]
    return copy


def _constants(width: int, features: int) -> list[TensorProto]:
    values = {
        "as_rows": np.array([-1, features], np.int64),
        "as_places": np.array([-1, SIDE, SIDE, width], np.int64),
        "temperature": np.array(TEMPERATURE, np.float32),
    }
    return [numpy_helper.from_array(value, _MARK + name) for name, value in values.items()]


if __name__ == "__main__":
    write_places(Path(sys.argv[1]), Path(sys.argv[2]))
