"""ConSE (Norouzi et al. 2014): from class probabilities to a point among word vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mini.lite0 import EfficientNetLite0

# Chosen on the checks of benchmarks/mini_quality.py out of temperatures 0.7, 1, 1.5 and
# 10, 20, 50, 1000 classes; neighbours in that grid differ by about one photograph.
TEMPERATURE = 1.5
TOP_CLASSES = 20


class ConvexCombination(nn.Module):
    """Logits to a unit vector: the likeliest classes' vectors, weighted, minus ``centre``.

    All sentences share a common direction; subtracting the mean class vector, here and in the
    text network alike, makes an unrelated pair score about zero.
    """

    def __init__(self, vectors: Tensor, centre: Tensor) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors)
        self.register_buffer("centre", centre)

    def forward(self, logits: Tensor) -> Tensor:
        """Mix the class vectors."""
        best, index = torch.topk(logits, TOP_CLASSES, dim=-1)
        weights = torch.softmax(best / TEMPERATURE, dim=-1)
        mixed = torch.matmul(weights[:, None, :], self.vectors[index])[:, 0]
        unit = nn.functional.normalize(mixed, dim=-1)
        return nn.functional.normalize(unit - self.centre, dim=-1)


class VisionTower(nn.Module):
    """Pictures to (image_embeds, features, feature_map)."""

    def __init__(self, network: EfficientNetLite0, tail: ConvexCombination) -> None:
        super().__init__()
        self.network = network
        self.tail = tail

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode a batch of pictures."""
        logits, features, feature_map = self.network(pixel_values)
        return self.tail(logits), features, feature_map
