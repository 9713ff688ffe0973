"""LoRA in the text model: small matrices that are trained in place of the large ones."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from watchword.errors import MissingDependency
from watchword.train.risk.options import RiskTrainOptions

# A plain list of names would also meet the picture network, whose layers are called the same.
TARGETS = r".*text_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def add_lora(vlm: Any, options: RiskTrainOptions) -> None:
    """Puts the matrices into a model, in place; at first they change nothing.

    Raises:
        MissingDependency: peft is not installed.
    """
    _need_peft()
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=TARGETS,
    )
    inject_adapter_in_model(config, vlm)
    for name, weight in vlm.named_parameters():
        weight.requires_grad_("lora_" in name)
        if weight.requires_grad:
            # Steps are too small to be added up in bfloat16.
            weight.data = weight.data.float()


def merge_lora(vlm: Any) -> int:
    """Adds the matrices to the weights that they stand beside; how many there were.

    What the model answers stays the same up to rounding.
    """
    _need_peft()
    from peft.tuners.lora import LoraLayer

    layers = [(name, one) for name, one in vlm.named_modules() if isinstance(one, LoraLayer)]
    for name, layer in layers:
        layer.merge()
        parent, _, child = name.rpartition(".")
        setattr(vlm.get_submodule(parent), child, layer.get_base_layer())
    return len(layers)


def load_in_4_bits(directory: Path, options: RiskTrainOptions) -> Any:
    """The model with weights of 4 bits (nf4), which only a CUDA device works with.

    Raises:
        MissingDependency: bitsandbytes, or the device, is not there.
    """
    if find_spec("bitsandbytes") is None:
        raise MissingDependency(
            "bitsandbytes, which tuning='qlora' needs,",
            "pip install bitsandbytes; or take tuning='lora', which does without",
        )
    if options.device != "cuda" or not torch.cuda.is_available():
        raise MissingDependency(
            "a CUDA device, which tuning='qlora' needs,",
            "device='cuda' on a machine that has one; or take tuning='lora'",
        )
    from transformers import AutoModelForImageTextToText, BitsAndBytesConfig

    bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return AutoModelForImageTextToText.from_pretrained(
        directory,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        quantization_config=bits,
        device_map={"": 0},
    )


def _need_peft() -> None:
    if find_spec("peft") is None:
        raise MissingDependency("peft, which LoRA needs,", "pip install 'watchword[vlm]'")
