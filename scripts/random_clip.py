"""Writes a CLIP with random weights and the file layout of a real one, to measure speed with.

    python scripts/random_clip.py DIR [--size b32|tiny] [--onnx DIR]

The vectors mean nothing; shapes, files, tokens and cost are those of the real model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPConfig, CLIPModel

from watchword.encoders.export import export_onnx
from watchword.encoders.images import CLIP_MEAN, CLIP_STD
from watchword.encoders.tokenizers import CLIP_END, CLIP_START, clip_tokenizer

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
# size: (vocabulary, width of the space, sentence tower, picture tower)
SIZES: dict[str, tuple[int, int, dict[str, Any], dict[str, Any]]] = {
    "tiny": (514, 16, TINY, {**TINY, "image_size": 32, "patch_size": 8}),
    # transformers' own defaults are those of ViT-B/32.
    "b32": (49408, 512, {}, {"image_size": 224, "patch_size": 32}),
}


def write_model(folder: Path, size: str) -> None:
    words, dim, text, vision = SIZES[size]
    ends = {"bos_token_id": words - 2, "eos_token_id": words - 1, "pad_token_id": words - 1}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={**text, **ends, "vocab_size": words},
        vision_config=vision,
        projection_dim=dim,
    )
    CLIPModel(config).save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json", words)
    side = vision["image_size"]
    told = {
        "size": {"shortest_edge": side},
        "crop_size": {"height": side, "width": side},
        "do_center_crop": True,
        "resample": 3,
        "image_mean": CLIP_MEAN,
        "image_std": CLIP_STD,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")


def write_tokenizer(path: Path, size: int) -> None:
    """Every byte is a token; what the real vocabulary has beyond that is filled with names."""
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += [f"filler {at}" for at in range(size - 2 - len(words))]
    words += [CLIP_START, CLIP_END]
    clip_tokenizer({word: at for at, word in enumerate(words)}, []).save(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=SIZES, default="b32")
    parser.add_argument("--onnx", type=Path, help="directory to make with the exported graphs")
    asked = parser.parse_args()
    write_model(asked.folder, asked.size)
    print(f"wrote {asked.folder}")
    if asked.onnx:
        print(f"wrote {asked.onnx}; largest difference {export_onnx(asked.folder, asked.onnx):.1e}")


if __name__ == "__main__":
    main()
