"""Vectors of places from a transformers CLIP or SigLIP, out of the pass that gives the picture's.

A model that was trained on whole pictures speaks of one place only where its last attention, which
gathers the whole picture everywhere, is taken out. Each token then keeps what attention would carry
of it alone, its value: MaskCLIP (Zhou, Loy, Dai: Extract Free Dense Labels from CLIP, ECCV 2022,
arXiv 2112.01071). For CLIP that is the last block, for SigLIP the pooling head, whose probe gathers
the tokens. Chosen over CLIP Surgery (arXiv 2304.05653) because it changes one layer, has nothing to
set, and needs no second path through the network.
"""

from __future__ import annotations

from typing import Any


def place_shape(model: Any) -> tuple[int, int]:
    """(h,w) of the patches of a transformers CLIP or SigLIP."""
    config = model.config.vision_config
    side = config.image_size // config.patch_size
    return side, side


def see_places(model: Any, pixel_values: Any) -> tuple[Any, Any]:
    """(vectors (N,D), vectors of places (N,h,w,D)) of prepared pictures, not of unit length.

    Args:
        model: a transformers CLIPModel, MetaClip2Model or SiglipModel.
        pixel_values: (N,3,S,S) tensor on the model's device.
    """
    see = _see_siglip if hasattr(model.vision_model, "head") else _see_clip
    whole, places = see(model, pixel_values)
    return whole, places.unflatten(1, place_shape(model))


def _see_clip(model: Any, pixel_values: Any) -> tuple[Any, Any]:
    tower = model.vision_model
    tokens = tower.pre_layrnorm(tower.embeddings(pixel_values))
    *blocks, last = tower.encoder.layers
    for block in blocks:
        tokens = block(tokens, None)
    whole = last(tokens, None)[:, 0]
    # The first token is that of the whole picture; the rest are its patches, row by row.
    patches = tokens[:, 1:]
    attention = last.self_attn
    patches = patches + attention.out_proj(attention.v_proj(last.layer_norm1(patches)))
    patches = patches + last.mlp(last.layer_norm2(patches))
    return tuple(model.visual_projection(tower.post_layernorm(one)) for one in (whole, patches))


def _see_siglip(model: Any, pixel_values: Any) -> tuple[Any, Any]:
    from torch.nn.functional import linear

    tower = model.vision_model
    tokens = tower.embeddings(pixel_values)
    for block in tower.encoder.layers:
        tokens = block(tokens, None)
    tokens = tower.post_layernorm(tokens)
    head = tower.head
    attention, width = head.attention, tokens.shape[-1]
    # The probe's weights for query, key and value lie in one block, in this order.
    values = linear(
        tokens, attention.in_proj_weight[2 * width :], attention.in_proj_bias[2 * width :]
    )
    patches = attention.out_proj(values)
    return head(tokens), patches + head.mlp(head.layernorm(patches))
