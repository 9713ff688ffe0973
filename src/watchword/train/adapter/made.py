"""Abnormal pictures made out of normal ones, where nothing but normal footage is there to learn.

A stretch of a window is displaced in the space of embeddings, and the adapter learns to tell it
from what was left alone (features with noise as the other class: SimpleNet, Liu et al.,
arXiv 2303.15140). Chosen over prediction of hidden pictures, whose error an adapter can only tell
by hiding each picture in turn, and over closeness to the normal prompt, which an adapter reaches by
making all pictures alike. So training and use run the same network on the same kind of window, and
the answer stays a probability.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

# Shortest and longest step, in distances of a usual picture from the middle of all.
_STEPS = 1.0, 3.0


def make_abnormal(
    x: Tensor, seen: Tensor, spread: Tensor, *, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """(windows (B,T,D) with stretches displaced, (B,T) bool which pictures those are).

    About half of the windows get one stretch, of any length, displaced by one step in one
    direction: that between two other pictures of the batch, or any. Pictures that were not seen
    stay as they are.

    Args:
        x: (B,T,D) unit rows of normal windows.
        seen: (B,T) bool.
        spread: of the embeddings, as the adapter's `settle` finds it.
        generator: of random numbers; None is torch's own.

    Raises:
        ValueError: no picture was seen.
    """
    if not seen.any():
        raise ValueError("no picture of the batch was seen; leave such windows out of the batch")
    batch, steps, width = x.shape

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=x.device, dtype=x.dtype)

    first = (chance(batch, 1) * steps).long()
    length = 1 + (chance(batch, 1) * (steps - first)).long()
    at = torch.arange(steps, device=x.device)
    chosen = (at >= first) & (at < first + length) & (chance(batch, 1) < 0.5)
    pictures = x[seen]
    pairs = pictures[(chance(2, batch) * len(pictures)).long()]
    noise = torch.randn(x.shape[0], width, generator=generator, device=x.device, dtype=x.dtype)
    between = pairs[0] - pairs[1]
    # Two pictures that are alike give no direction.
    plain = (chance(batch, 1) < 0.5) | (between.norm(dim=-1, keepdim=True) < 1e-6)
    way = normalize(torch.where(plain, noise, between), dim=-1)
    low, high = _STEPS
    far = (low + (high - low) * chance(batch, 1)) * spread * width**0.5
    truth = chosen & seen
    moved = normalize(x + (far * way)[:, None], dim=-1)
    return torch.where(truth[..., None], moved, x), truth
