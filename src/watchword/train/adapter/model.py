"""The network of an adapter: attention over a window's embeddings, and two learned prompts.

    x unit rows of a window ── in ── blocks of attention ── out ──┐
      └──────────────────────────────────────────────────── + ────┴── unit rows: adapted
                              adapted · {normal, abnormal} / temperature = logits

``out`` starts at zero, so an adapter that was not trained gives back what it got (Houlsby et al.,
arXiv 1902.00751). Attention works in ``inner`` numbers a picture, fewer than the embeddings have:
the adapter learns from few videos, and is fast. It knows how far apart two pictures of a window
are, not where in the window they stand (Raffel et al., arXiv 1910.10683, with a bias for each
distance): which window a picture is seen in must not matter.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, scaled_dot_product_attention

# Rows of the learned prompts, and columns of the logits.
NORMAL, ABNORMAL = 0, 1


class GenericRows(nn.Module):  # type: ignore[misc]
    """Two learned prompts, directly as rows (2,D): normal, then abnormal.

    Args:
        width: D.
        start: (2,D) what they start as, for instance vectors of two sentences; None is random.
    """

    def __init__(self, width: int, start: NDArray[np.float32] | None = None) -> None:
        super().__init__()
        if start is not None and np.shape(start) != (2, width):
            raise ValueError(
                f"start has shape {np.shape(start)}, it must be {(2, width)}: normal, then abnormal"
            )
        first = torch.randn(2, width) if start is None else torch.tensor(start, dtype=torch.float32)
        self.rows = nn.Parameter(normalize(first, dim=-1))

    def forward(self) -> Tensor:
        """The rows (2,D), of unit length."""
        return normalize(self.rows, dim=-1)


class TemporalAdapter(nn.Module):  # type: ignore[misc]
    """An adapter; what it learns from is in `losses`, what runs it without torch in `evidence`.

    ``generic`` gives the learned prompts (2,D), unit rows, normal first: `GenericRows` that start
    at random, until others are put there.

    Args:
        width: D, numbers of a picture.
        layers: blocks of attention.
        heads: of each; they must divide ``inner``.
        clip_length: T, the most pictures of a window.
        causal: whether a picture sees only itself and those before it.
        temperature: cosine that makes one unit of the logits.
        dropout: share of numbers that is left out in training, in [0, 1).
        inner: numbers of a picture that the blocks work with.
    """

    def __init__(
        self,
        width: int,
        layers: int = 2,
        heads: int = 8,
        clip_length: int = 16,
        *,
        causal: bool = False,
        temperature: float = 0.07,
        dropout: float = 0.1,
        inner: int = 128,
    ) -> None:
        super().__init__()
        for name, value in (("width", width), ("layers", layers), ("clip_length", clip_length)):
            if value < 1:
                raise ValueError(f"{name} is {value}, it must be at least 1")
        if heads < 1 or inner % heads:
            raise ValueError(f"heads is {heads}, it must divide inner, {inner}")
        if not temperature > 0:
            raise ValueError(f"temperature is {temperature}, it must be positive")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}, it must lie in [0, 1)")
        self.width, self.clip_length, self.causal = width, clip_length, causal
        self.temperature = temperature
        self.enter = nn.Linear(width, inner)
        self.blocks = nn.ModuleList(
            _Block(inner, heads, clip_length, dropout=dropout) for _ in range(layers)
        )
        self.last = nn.LayerNorm(inner)
        self.leave = nn.Linear(inner, width)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.generic: nn.Module = GenericRows(width)
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("spread", torch.tensor(width**-0.5))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def settle(self, rows: Tensor) -> None:
        """Takes middle and spread of the embeddings (N,D) that it will learn from.

        Embeddings of one encoder fill a narrow cone; the blocks see what is left of them when its
        axis is taken away. One number is their spread, so that no direction that hardly varied in
        training is blown up elsewhere.

        Raises:
            ValueError: no row is without NaN.
        """
        known = normalize(rows[~rows.isnan().any(dim=-1)].double(), dim=-1)
        if not len(known):
            raise ValueError("no row of the embeddings was measured")
        middle = known.mean(dim=0)
        spread = (known - middle).square().mean().sqrt()
        self.centre.copy_(middle)
        # Pictures that are all the same have no spread; any number will do for them.
        self.spread.copy_(spread if spread > 1e-6 else torch.tensor(self.width**-0.5))

    def forward(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(adapted (B,T,D) unit rows, logits (B,T,2) normal and abnormal) of B windows.

        Pictures that were not seen tell the others nothing, and are zeros in the answer.

        Args:
            x: (B,T,D) embeddings; brought to unit length here, in training and after it.
            seen: (B,T) bool, which of them there are; the others may hold anything, NaN too.

        Raises:
            ValueError: D is not ``width``, or T more than ``clip_length``.
        """
        if x.shape[-1] != self.width or x.shape[-2] > self.clip_length:
            raise ValueError(
                f"windows are (T,D) = {tuple(x.shape[-2:])}; this adapter reads width "
                f"{self.width} and windows of at most {self.clip_length} pictures"
            )
        there = seen.unsqueeze(-1)
        x = normalize(torch.where(there, x, 0.0), dim=-1)
        inner = self._entered(x)
        hidden = ~self._looks_at(seen)
        for block in self.blocks:
            inner = block(inner, hidden)
        adapted = normalize(x + self.leave(self.last(inner)), dim=-1)
        adapted = torch.where(there, adapted, 0.0)
        return adapted, adapted @ self.generic().T / self.temperature

    def _entered(self, x: Tensor) -> Tensor:
        """``enter`` of (x - centre) / spread, the arithmetic on its weights, which are fewer."""
        weight = self.enter.weight / self.spread
        return linear(x, weight, self.enter.bias - weight @ self.centre)

    def _looks_at(self, seen: Tensor) -> Tensor:
        """(B,1,T,T) bool: which picture looks at which. Each at itself: a softmax needs one."""
        # Compared numbers, not torch.eye and tril: those have no bool kernels in onnxruntime.
        at = torch.arange(seen.shape[-1], device=seen.device)
        allowed = seen[:, None, None, :] | (at[:, None] == at)
        if self.causal:
            allowed = allowed & (at[:, None] >= at)
        return allowed


class _Block(nn.Module):  # type: ignore[misc]
    """Attention and a feed-forward part, each on what was normed before and added to what was."""

    def __init__(self, inner: int, heads: int, clip_length: int, *, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(inner)
        self.asked = nn.Linear(inner, 3 * inner)
        self.answered = nn.Linear(inner, inner)
        # A number for each head and each distance, from the furthest before to the furthest after.
        self.distance = nn.Parameter(torch.zeros(heads, 2 * clip_length - 1))
        at = torch.arange(clip_length)
        self.register_buffer("apart", at[None, :] - at[:, None] + clip_length - 1, persistent=False)
        self.forth = nn.Sequential(
            nn.LayerNorm(inner),
            nn.Linear(inner, 2 * inner),
            nn.GELU(),
            nn.Linear(2 * inner, inner),
        )
        # On what a part adds, not within it, where random numbers would cost as much as learning.
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        batch, steps, inner = x.shape
        asked = self.asked(self.before_attention(x))
        query, key, value = asked.view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.distance[:, self.apart[:steps, :steps]].masked_fill(hidden, -torch.inf)
        mixed = scaled_dot_product_attention(query, key, value, bias)
        x = x + self.drop(self.answered(mixed.transpose(1, 2).reshape(batch, steps, inner)))
        return x + self.drop(self.forth(x))
