"""Small models with random weights, for tests: the files of a real one at a thousandth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers.pre_tokenizers import ByteLevel

from watchword.encoders.tokenizers import CLIP_END, CLIP_START, clip_tokenizer

CONTEXT = 77


def clip_tables() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """(vocabulary, merges) of a CLIP tokenizer that knows bytes and two merges."""
    letters = sorted(ByteLevel.alphabet())
    merges = [("c", "a"), ("t", "h")]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "ca", "th"]
    words += [CLIP_START, CLIP_END]
    return {word: at for at, word in enumerate(words)}, merges


def write_tokenizer(path: Path) -> int:
    """Writes tokenizer.json and gives the size of its vocabulary."""
    vocab, merges = clip_tables()
    clip_tokenizer(vocab, merges).save(str(path))
    return len(vocab)


def make_clip_directory(path: Path, *, dim: int = 16, image_size: int = 32, seed: int = 0) -> Path:
    """A CLIP-like directory in the layout of the hub's ONNX exports, with random weights."""
    rng = np.random.default_rng(seed)
    (path / "onnx").mkdir(parents=True)
    words = write_tokenizer(path / "tokenizer.json")
    onnx.save(_vision(rng, dim, image_size), path / "onnx" / "vision_model.onnx")
    onnx.save(_text(rng, dim, words), path / "onnx" / "text_model.onnx")
    config = {
        "model_type": "clip",
        "projection_dim": dim,
        "text_config": {"max_position_embeddings": CONTEXT, "pad_token_id": words - 1},
    }
    write_json(path / "config.json", config)
    write_json(path / "preprocessor_config.json", preprocessor(image_size))
    return path


def preprocessor(image_size: int) -> dict[str, object]:
    """A preprocessor_config.json as CLIP's."""
    return {
        "size": {"shortest_edge": image_size},
        "crop_size": {"height": image_size, "width": image_size},
        "do_center_crop": True,
        "do_normalize": True,
        "resample": 3,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }


def write_json(path: Path, told: object) -> None:
    path.write_text(json.dumps(told), encoding="utf-8")


def _vision(rng: np.random.Generator, dim: int, size: int) -> onnx.ModelProto:
    """Patches through a convolution, a mean over them, a linear layer."""
    weights = {
        "patches": rng.standard_normal((24, 3, 8, 8)) / 8,
        "projection": rng.standard_normal((24, dim)),
    }
    nodes = [
        helper.make_node("Conv", ["pixel_values", "patches"], ["map"], strides=[8, 8]),
        helper.make_node("Tanh", ["map"], ["bent"]),
        helper.make_node("GlobalAveragePool", ["bent"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["image_embeds"]),
    ]
    pictures = helper.make_tensor_value_info(
        "pixel_values", TensorProto.FLOAT, ["batch", 3, size, size]
    )
    return _model(nodes, [pictures], "image_embeds", dim, weights)


def _text(rng: np.random.Generator, dim: int, words: int) -> onnx.ModelProto:
    """Token vectors, their mean, a linear layer."""
    weights = {
        "table": rng.standard_normal((words, 24)),
        "projection": rng.standard_normal((24, dim)),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens"], ["pooled"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["pooled", "projection"], ["text_embeds"]),
    ]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    return _model(nodes, [ids], "text_embeds", dim, weights)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: str,
    dim: int,
    weights: dict[str, np.ndarray],
) -> onnx.ModelProto:
    stored = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()]
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", dim])
    graph = helper.make_graph(nodes, "tower", inputs, [result], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
