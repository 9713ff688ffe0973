"""A random CLIP in the files transformers writes; importing this needs the torch extra."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from models import CONTEXT, preprocessor, write_json, write_tokenizer


def make_torch_clip(path: Path, *, dim: int = 16, image_size: int = 32, seed: int = 0) -> Path:
    """A CLIP with random weights: config.json, model.safetensors, tokenizer, preprocessing."""
    path.mkdir(parents=True)
    words = write_tokenizer(path / "tokenizer.json")
    small = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    text = {
        **small,
        "vocab_size": words,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": words - 2,
        "eos_token_id": words - 1,
        "pad_token_id": words - 1,
    }
    vision = {**small, "image_size": image_size, "patch_size": 8}
    torch.manual_seed(seed)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim))
    model.save_pretrained(path)
    write_json(path / "preprocessor_config.json", preprocessor(image_size))
    return path


def make_torch_siglip(path: Path, *, image_size: int = 32, seed: int = 0) -> Path:
    """A SigLIP with random weights, which squashes pictures and fills sentences up to 64 tokens."""
    path.mkdir(parents=True)
    words = write_tokenizer(path / "tokenizer.json")
    small = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    text = {**small, "vocab_size": words, "max_position_embeddings": 64, "pad_token_id": 0}
    vision = {**small, "image_size": image_size, "patch_size": 8}
    torch.manual_seed(seed)
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(path)
    half = [0.5, 0.5, 0.5]
    told = {"size": {"height": image_size, "width": image_size}, "resample": 3}
    write_json(path / "preprocessor_config.json", {**told, "image_mean": half, "image_std": half})
    return path
