"""EfficientNet-Lite0 as a torch module, with the parameter names of the published weights.

The Lite family is EfficientNet without squeeze-and-excitation and with ReLU6 in place of Swish,
which is what makes it quantise well: every activation lies in a known, one-sided range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

FEATURES = 1280
CLASSES = 1000
BATCH_NORM_EPS = 1e-3


@dataclass(frozen=True)
class Stage:
    """One row of the architecture table: ``repeats`` blocks, the first of which has ``stride``."""

    expand: int
    kernel: int
    stride: int
    width: int
    repeats: int


STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
# The last block that still works on the 14x14 grid; its 112 channels become ``feature_map``.
FEATURE_MAP_BLOCK = 10


class PaddedConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding, which the weights were trained with.

    At stride 2 on an even size that padding has one column more at the right and bottom than at
    the left and top; torch's symmetric padding would shift every map by half a cell.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, groups=groups, bias=False)
        total = kernel - stride
        before = total // 2
        self.border = (before, total - before, before, total - before)

    def forward(self, x: Tensor) -> Tensor:
        """Pad, then convolve."""
        padded = nn.functional.pad(x, self.border) if any(self.border) else x
        return super().forward(padded)


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS)


class Block(nn.Module):
    """Inverted residual: widen by 1x1, filter per channel, narrow by 1x1 without activation."""

    def __init__(self, inputs: int, outputs: int, expand: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expand
        self.expands = expand != 1
        if self.expands:
            self._expand_conv: nn.Module = PaddedConv(inputs, hidden, 1)
            self._bn0: nn.Module = _batch_norm(hidden)
        self._depthwise_conv: nn.Module = PaddedConv(hidden, hidden, kernel, stride, groups=hidden)
        self._bn1: nn.Module = _batch_norm(hidden)
        self._project_conv: nn.Module = PaddedConv(hidden, outputs, 1)
        self._bn2: nn.Module = _batch_norm(outputs)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block, with the shortcut where shapes allow one."""
        y = x
        if self.expands:
            y = nn.functional.relu6(self._bn0(self._expand_conv(y)))
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.is_residual else y


class EfficientNetLite0(nn.Module):
    """Pictures (batch, 3, 224, 224) to logits, pooled features and the 14x14 feature map."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem: nn.Module = PaddedConv(3, 32, 3, stride=2)
        self._bn0: nn.Module = _batch_norm(32)
        blocks: list[nn.Module] = []
        width = 32
        for stage in STAGES:
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                blocks.append(Block(width, stage.width, stage.expand, stage.kernel, stride))
                width = stage.width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head: nn.Module = PaddedConv(width, FEATURES, 1)
        self._bn1: nn.Module = _batch_norm(FEATURES)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (logits, features, feature_map)."""
        x = nn.functional.relu6(self._bn0(self._conv_stem(pixel_values)))
        feature_map = x
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index == FEATURE_MAP_BLOCK:
                feature_map = x
        x = nn.functional.relu6(self._bn1(self._conv_head(x)))
        features = x.mean(dim=(2, 3))
        return self._fc(features), features, feature_map

    def fold_batch_norms(self) -> None:
        """Merge every batch norm into the convolution before it; the function stays the same."""
        _fold(self, "_conv_stem", "_bn0")
        _fold(self, "_conv_head", "_bn1")
        for block in self._blocks:
            if hasattr(block, "_expand_conv"):
                _fold(block, "_expand_conv", "_bn0")
            _fold(block, "_depthwise_conv", "_bn1")
            _fold(block, "_project_conv", "_bn2")


def _fold(owner: nn.Module, convolution: str, norm: str) -> None:
    setattr(
        owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm))
    )
    setattr(owner, norm, nn.Identity())


def load(weights: Mapping[str, Tensor]) -> EfficientNetLite0:
    """Build the network from published weights; every name and shape has to match."""
    network = EfficientNetLite0()
    network.load_state_dict(weights, strict=True)
    network.eval()
    network.fold_batch_norms()
    for parameter in network.parameters():
        parameter.requires_grad_(requires_grad=False)
    return network


def read_weights(path: str) -> Mapping[str, Tensor]:
    """Read a ``.pth`` file as plain tensors: nothing in it is executed."""
    weights: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights
