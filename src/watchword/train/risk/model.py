"""A video-language model with a head: one number that says how likely the answer is yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from watchword.errors import ConfigError, ModelFileError
from watchword.evidence.answers.base import AnswerOptions
from watchword.evidence.answers.loading import dtype_of, load_model
from watchword.train.risk.inputs import Batch
from watchword.train.risk.lora import add_lora, load_in_4_bits
from watchword.train.risk.options import Part, RiskTrainOptions

_MODULES: dict[Part, str] = {
    "vision": "vision_model",
    "connector": "connector",
    "text": "text_model",
}


class RiskModel(nn.Module):  # type: ignore[misc]
    """Prompt and pictures in, log-odds of yes out: a pooled state, two layers, one number.

    Args:
        vlm: a SmolVLM of transformers.
        image_token_id: the token that stands for a part of a picture.
        options: size of the head, and what it sees.
    """

    def __init__(self, vlm: Any, image_token_id: int, options: RiskTrainOptions) -> None:
        super().__init__()
        self.vlm, self._image_token_id = vlm, image_token_id
        self._pooling = options.pooling
        width = int(vlm.config.text_config.hidden_size)
        self.head = nn.Sequential(
            nn.Linear(width, options.hidden),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden, 1),
        )

    def see(self, pixels: Tensor) -> Tensor:
        """(n, tokens, width) what the picture network makes of (n,3,S,S) pixels."""
        core = self.vlm.model
        told = core.get_image_features(pixels.to(core.dtype)[None])
        parts: Tensor = torch.stack(list(getattr(told, "pooler_output", told)))
        return parts.reshape(len(pixels), -1, parts.shape[-1])

    def forward(self, batch: Batch, seen: Tensor) -> Tensor:
        """(N,) log-odds of yes.

        Args:
            batch: N prompts.
            seen: what ``see`` made of all of their pictures, one clip after the other.
        """
        embedded = self.vlm.get_input_embeddings()(batch.ids)
        pictured = (batch.ids == self._image_token_id).unsqueeze(-1)
        states = self.vlm.model.text_model(
            inputs_embeds=embedded.masked_scatter(pictured, seen.to(embedded.dtype)),
            attention_mask=batch.mask,
            position_ids=batch.positions,
            use_cache=False,
        ).last_hidden_state
        pool = pool_last if self._pooling == "last" else pool_mean
        pooled = pool(states.float(), batch.mask)
        with torch.autocast(pooled.device.type, enabled=False):
            odds: Tensor = self.head(pooled).squeeze(-1)
        return odds


def pool_last(states: Tensor, mask: Tensor) -> Tensor:
    """(N,H) the state at the last token that is no padding, of (N,L,H) states; (N,L) mask."""
    last = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]


def pool_mean(states: Tensor, mask: Tensor) -> Tensor:
    """(N,H) the mean over all tokens that are no padding, of (N,L,H) states; (N,L) mask."""
    seen = mask.unsqueeze(-1).to(states.dtype)
    return (states * seen).sum(dim=1) / seen.sum(dim=1)


def build_model(directory: Path, image_token_id: int, options: RiskTrainOptions) -> RiskModel:
    """The model of a directory with a fresh head, frozen and fitted out as the options say.

    Raises:
        MissingDependency: peft, bitsandbytes or a device that the options ask for is not there.
        ModelFileError: the model lacks a part that is needed.
        ConfigError: bfloat16 on a device that does not compute in it.
    """
    kind = computing_dtype(options)
    if options.tuning == "qlora":
        vlm = load_in_4_bits(directory, options)
    else:
        # Weights that are trained are kept in full: their steps are smaller than bfloat16 tells.
        stored = kind if options.tuning == "lora" else "float32"
        told = AnswerOptions(device=options.device, dtype=stored, threads=options.threads)
        vlm = load_model(directory, told)
    lacking = [name for name in _MODULES.values() if not hasattr(vlm.model, name)]
    if lacking:
        raise ModelFileError(f"{directory} has no {', '.join(lacking)}, which training needs")
    _freeze(vlm, options)
    if options.tuning != "full":
        add_lora(vlm, options)
    if options.checkpointing:
        # It was renamed on the way to transformers 6.
        new = getattr(vlm, "activation_checkpointing_enable", None)
        (new or vlm.gradient_checkpointing_enable)({"use_reentrant": False})
    model = RiskModel(vlm, image_token_id, options)
    model.to(options.device)
    return model


def computing_dtype(options: RiskTrainOptions) -> str:
    """The type that is computed in; ConfigError for bfloat16 where it is not real."""
    told = dtype_of(AnswerOptions(device=options.device, dtype=options.dtype))
    if told == "bfloat16" and not _has_bfloat16(options.device):
        raise ConfigError(
            f"dtype is bfloat16, which this {options.device} computes by detours, slower than "
            "float32; take dtype float32 or auto"
        )
    return told


def trained_weights(model: RiskModel) -> dict[str, Tensor]:
    """What training changes, by name: copies on the CPU."""
    return {
        name: one.detach().cpu().clone()
        for name, one in model.named_parameters()
        if one.requires_grad
    }


def put_weights(model: RiskModel, weights: dict[str, Tensor]) -> None:
    """Puts trained weights in place; ModelFileError if they are not those of this model."""
    own = {name: one for name, one in model.named_parameters() if one.requires_grad}
    strange = sorted(set(own) ^ set(weights))
    if strange:
        raise ModelFileError(
            f"the trained weights are of another model: {strange[0]} is in one of the two only"
        )
    with torch.no_grad():
        for name, one in own.items():
            if one.shape != weights[name].shape:
                raise ModelFileError(
                    f"the trained weights are of another model: {name} is "
                    f"{tuple(weights[name].shape)}, it must be {tuple(one.shape)}"
                )
            one.copy_(weights[name])


def _freeze(vlm: Any, options: RiskTrainOptions) -> None:
    vlm.requires_grad_(requires_grad=True)
    for part in options.freeze:
        getattr(vlm.model, _MODULES[part]).requires_grad_(requires_grad=False)
    # Words that would come next are not asked for. Where the layer is that of the embeddings, it
    # stays as they are.
    words, embedded = vlm.get_output_embeddings(), vlm.get_input_embeddings()
    if words is not None and words.weight is not embedded.weight:
        words.requires_grad_(requires_grad=False)


def _has_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))
