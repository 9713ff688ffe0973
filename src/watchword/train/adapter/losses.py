"""What an adapter is taught by: losses over windows of pictures, each a mean with a gradient.

========== ================================================= ===================================
loss       what it asks for                                  source
========== ================================================= ===================================
frame      each picture's class, the hard ones most          focal, arXiv 1708.02002
video      the class of a video's most abnormal pictures     multiple instances, arXiv 1801.04264,
                                                             as arXiv 2308.11681 counts them
smoothness neighbours alike                                  arXiv 1801.04264
sparsity   few abnormal pictures                             arXiv 1801.04264
anchor     adapted embeddings near the encoder's own         so that sentences still fit them
========== ================================================= ===================================

Normal footage alone teaches through ``frame`` too, with pictures displaced on purpose: see `made`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from watchword.train.adapter.model import ABNORMAL, NORMAL


def log_odds(logits: Tensor) -> Tensor:
    """(...) log odds of the abnormal of logits (...,2): the softmax of two is their sigmoid."""
    return logits[..., ABNORMAL] - logits[..., NORMAL]


def class_weights(normal: float, abnormal: float) -> tuple[float, float]:
    """Weights of a normal and an abnormal picture under which both classes count the same.

    Of all that an epoch shows, not of a batch, which may hold no abnormal picture at all.

    Raises:
        ValueError: one of the classes is empty.

    >>> class_weights(90, 10)
    (0.5555555555555556, 5.0)
    """
    if not (normal > 0 and abnormal > 0):
        raise ValueError(
            f"{normal:g} pictures are normal and {abnormal:g} abnormal; both classes are needed"
        )
    both = normal + abnormal
    return both / (2 * normal), both / (2 * abnormal)


def frame_loss(
    logits: Tensor,
    truth: Tensor,
    known: Tensor,
    *,
    weights: tuple[float, float] = (1.0, 1.0),
    gamma: float = 2.0,
) -> Tensor:
    """Focal loss of each picture's class, a mean weighted by class.

    ``- w (1 - p)^gamma log p`` with p what the picture's own class was given.

    Args:
        logits: (B,T,2).
        truth: (B,T) bool, which pictures are abnormal.
        known: (B,T) bool, of which this is known and that were seen.
        weights: of a normal and an abnormal picture: see `class_weights`.
        gamma: how much less counts what is right already; 0 is cross entropy.

    Raises:
        ValueError: no picture is known.
    """
    _some(known, "no picture of the batch is seen and labelled")
    odds = log_odds(logits)[known]
    own = truth[known].long()
    sign = 2 * own - 1
    weight = odds.new_tensor(weights)[own]
    right, wrong = logsigmoid(sign * odds), torch.sigmoid(-sign * odds)
    return -(weight * wrong**gamma * right).sum() / weight.sum()


def video_loss(
    logits: Tensor, seen: Tensor, bags: Tensor, truth: Tensor, *, weight: float = 1.0
) -> Tensor:
    """Cross entropy of each video's class by its most abnormal pictures (multiple instances).

    A video is as abnormal as the mean log odds of its k highest pictures, k = n // 16 + 1 of n
    seen. The mean is of log odds, not of probabilities, whose slope vanishes where they are sure.

    Args:
        logits: (B,T,2) of windows of some videos, several a video.
        seen: (B,T) bool.
        bags: (B,) int64, the video of each window: 0 to V-1, each at least once.
        truth: (V,) bool, which videos are abnormal.
        weight: of an abnormal video beside a normal one.

    Raises:
        ValueError: of some video no picture was seen.
    """
    odds = log_odds(logits)
    highest = []
    for video in range(len(truth)):
        mine = odds[bags == video][seen[bags == video]]
        _some(torch.tensor(mine.shape), "no picture of a video was seen")
        highest.append(mine.topk(len(mine) // 16 + 1).values.mean())
    shares = odds.new_tensor((1.0, weight))[truth.long()]
    each = binary_cross_entropy_with_logits(
        torch.stack(highest), truth.to(odds.dtype), weight=shares, reduction="sum"
    )
    return each / shares.sum()


def smoothness(logits: Tensor, seen: Tensor) -> Tensor:
    """Mean squared step of the probability from a picture to the next, where both were seen.

    0 where there are no such two.
    """
    probability = torch.sigmoid(log_odds(logits))
    both = seen[:, 1:] & seen[:, :-1]
    steps = (probability[:, 1:] - probability[:, :-1])[both]
    return steps.square().sum() / max(1, len(steps))


def sparsity(logits: Tensor, seen: Tensor) -> Tensor:
    """Mean probability of the abnormal over the pictures seen."""
    _some(seen, "no picture of the batch was seen")
    return torch.sigmoid(log_odds(logits))[seen].mean()


def anchor(adapted: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    """Mean of 1 - cosine between what the adapter gave (B,T,D) and what it got, unit rows both."""
    _some(seen, "no picture of the batch was seen")
    return 1 - (adapted[seen] * x[seen]).sum(dim=-1).mean()


def _some(found: Tensor, problem: str) -> None:
    if not found.any():
        raise ValueError(f"{problem}; leave such windows out of the batch")
