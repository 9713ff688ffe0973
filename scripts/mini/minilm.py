"""all-MiniLM-L6-v2 (a six-layer BERT) as a torch module: token ids to one unit vector."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

WIDTH = 384
HEADS = 12
LAYERS = 6
INNER = 1536
VOCABULARY = 30522
POSITIONS = 512
LAYER_NORM_EPS = 1e-12
# Added to the attention scores of padding: large enough that exp() gives exactly 0 in float32.
MASKED = -1e4


class Product(nn.Module):
    """``x @ weight + bias`` with the weight stored (inputs, outputs).

    Writing the product this way, rather than as ``nn.Linear``, makes the exported graph a plain
    MatMul whose weight can be swapped for an int8 one.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.T.contiguous(), requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply and add."""
        return torch.matmul(x, self.weight) + self.bias


class Weights:
    """Takes tensors out of a state dict by name and knows which were never asked for."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)

    def take(self, name: str) -> Tensor:
        """Remove and return one tensor."""
        return self._tensors.pop(name).float()

    def product(self, name: str) -> Product:
        """Remove a linear layer's two tensors and return the layer."""
        return Product(self.take(f"{name}.weight"), self.take(f"{name}.bias"))

    def norm(self, name: str) -> nn.LayerNorm:
        """Remove a layer norm's two tensors and return the layer."""
        layer = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)
        layer.load_state_dict(
            {"weight": self.take(f"{name}.weight"), "bias": self.take(f"{name}.bias")}
        )
        return layer

    def left(self) -> list[str]:
        """Names that were not taken."""
        return sorted(self._tensors)


class Layer(nn.Module):
    """One transformer layer, normalised after each shortcut."""

    def __init__(self, weights: Weights, prefix: str) -> None:
        super().__init__()
        self.query = weights.product(f"{prefix}.attention.self.query")
        self.key = weights.product(f"{prefix}.attention.self.key")
        self.value = weights.product(f"{prefix}.attention.self.value")
        self.attended = weights.product(f"{prefix}.attention.output.dense")
        self.attention_norm = weights.norm(f"{prefix}.attention.output.LayerNorm")
        self.widen = weights.product(f"{prefix}.intermediate.dense")
        self.narrow = weights.product(f"{prefix}.output.dense")
        self.output_norm = weights.norm(f"{prefix}.output.LayerNorm")

    @staticmethod
    def _split(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attend, then transform each position."""
        query, key, value = (self._split(part(x)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(-1, -2) / math.sqrt(WIDTH / HEADS) + bias
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)
        x = self.attention_norm(x + self.attended(mixed))
        return self.output_norm(x + self.narrow(nn.functional.gelu(self.widen(x))))


class MiniLM(nn.Module):
    """(input_ids, attention_mask) to a unit vector: mean over the real tokens, minus ``centre``."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        weights = Weights(tensors)
        self.words = nn.Parameter(
            weights.take("embeddings.word_embeddings.weight"), requires_grad=False
        )
        # One sentence only: the first token-type vector is a constant, so it joins the positions.
        positions = weights.take("embeddings.position_embeddings.weight")
        types = weights.take("embeddings.token_type_embeddings.weight")
        self.positions = nn.Parameter(positions + types[0], requires_grad=False)
        self.norm = weights.norm("embeddings.LayerNorm")
        self.layers = nn.ModuleList(
            Layer(weights, f"encoder.layer.{index}") for index in range(LAYERS)
        )
        unused = [name for name in weights.left() if not name.startswith("pooler.")]
        unused = [name for name in unused if name != "embeddings.position_ids"]
        if unused:
            raise ValueError(f"weights that the network has no place for: {unused}")
        self.register_buffer("centre", torch.zeros(WIDTH))
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad=False)
        self.eval()

    def limit_positions(self, count: int) -> None:
        """Keep the first ``count`` positions: prompts are short and the rest only cost bytes."""
        self.positions = nn.Parameter(self.positions[:count].clone(), requires_grad=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encode a padded batch of sentences."""
        mask = attention_mask.to(torch.float32)
        x = nn.functional.embedding(input_ids, self.words) + self.positions[: input_ids.shape[1]]
        x = self.norm(x)
        bias = ((1.0 - mask) * MASKED)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        pooled = (x * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        unit = nn.functional.normalize(pooled, dim=-1)
        return nn.functional.normalize(unit - self.centre, dim=-1)
