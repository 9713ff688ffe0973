"""What a model directory holds: which files are the model, and what they say of themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.encoders.images import read_preprocessing
from watchword.encoders.specs import EncoderSpec
from watchword.encoders.tokenizers import TextRules, read_tokenizer
from watchword.errors import ModelFileError

# (picture model, sentence model) as the exporters name them; {} is where the precision stands.
LAYOUTS = (
    ("onnx/vision_model{}.onnx", "onnx/text_model{}.onnx"),
    ("vision_model{}.onnx", "text_model{}.onnx"),
    ("visual/model{}.onnx", "textual/model{}.onnx"),
    ("visual{}.onnx", "textual{}.onnx"),
    ("visual{}.onnx", "text{}.onnx"),
    ("vision{}.onnx", "text{}.onnx"),
)
ENDINGS = {"float32": ("",), "float16": ("_fp16",), "int8": ("_quantized", "_int8")}
PRECISIONS = ("auto", *ENDINGS, "bfloat16")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
SMALL_FILES = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "visual/preprocess_cfg.json",
    "textual/tokenizer.json",
    "textual/tokenizer_config.json",
)


@dataclass(frozen=True, slots=True)
class OnnxFiles:
    """The two graphs of a model, and the precision their names tell."""

    vision: Path
    text: Path
    precision: str


def find_onnx(directory: Path, *, precision: str = "auto") -> OnnxFiles | None:
    """The ONNX graphs of a directory at a precision (auto: the finest there), or None."""
    for kind, endings in ENDINGS.items():
        if precision not in ("auto", kind):
            continue
        for ending in endings:
            for layout in LAYOUTS:
                vision, text = (directory / name.format(ending) for name in layout)
                if vision.is_file() and text.is_file():
                    return OnnxFiles(vision, text, kind)
    return None


def has_weights(directory: Path) -> bool:
    """Whether the directory holds safetensors weights for the torch backend."""
    return any((directory / name).is_file() for name in WEIGHTS)


def describe(directory: Path, *, name: str) -> EncoderSpec:
    """What a directory's own files say of the model in it.

    Raises:
        ModelFileError: they do not say how pictures are prepared, or cannot be read.
    """
    config = read_json(directory / "config.json")
    return EncoderSpec(
        name=name,
        dim=_width(config),
        preprocessing=read_preprocessing(directory),
        text=_text_rules(directory, config),
        licence="see where the model came from",
    )


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if the file is absent.

    Raises:
        ModelFileError: the file is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise ModelFileError(f"{path} cannot be read as JSON: {exc}; fetch it again") from exc
    if not isinstance(told, dict):
        raise ModelFileError(f"{path} holds a {type(told).__name__}, a JSON object is needed")
    return told


def _width(config: dict[str, Any]) -> int | None:
    for key in ("dim", "projection_dim", "embed_dim"):
        if isinstance(config.get(key), int):
            return int(config[key])
    return None


def _text_rules(directory: Path, config: dict[str, Any]) -> TextRules:
    siglip = str(config.get("model_type", "")).startswith("siglip")
    text = config.get("text_config") or config.get("text_cfg") or {}
    context = (
        config.get("context_length")
        or text.get("max_position_embeddings")
        or text.get("context_length")
        or (64 if siglip else 77)
    )
    return TextRules(
        context=int(context),
        pad_id=_pad_id(directory, config),
        # open_clip exports ("text_cfg") have a sentence input of fixed length.
        pad_to_context=siglip or "text_cfg" in config,
        canonical=siglip,
    )


def _pad_id(directory: Path, config: dict[str, Any]) -> int:
    if isinstance(config.get("pad_id"), int):
        return int(config["pad_id"])
    for folder in (directory, directory / "textual"):
        mark = read_json(folder / "tokenizer_config.json").get("pad_token")
        if mark is not None:
            word = mark["content"] if isinstance(mark, dict) else mark
            found = read_tokenizer(directory)[0].token_to_id(word)
            if found is not None:
                return int(found)
    told = (config.get("text_config") or {}).get("pad_token_id")
    return told if isinstance(told, int) else 0
