"""What the model is given of a clip and a question, in training and in use alike.

A label has no way in: these functions are never given one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from watchword.errors import ModelFileError
from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.files import read_json
from watchword.evidence.answers.question import Order, Question, ask
from watchword.evidence.answers.smol_inputs import SmolInputs, positions

# The order in which seed 4 names the answers. The head does not read them, so one order is enough.
ORDER: Order = "no_first"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Prompts of N clips, padded on the left to L tokens.

    Attributes:
        ids: (N,L) tokens.
        mask: (N,L) 1 where there is a token and 0 where there is padding.
        positions: (N,L) places of the tokens.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor

    def to(self, device: str) -> Batch:
        """The same on another device."""
        return Batch(*(one.to(device) for one in (self.ids, self.mask, self.positions)))


class RiskInputs:
    """Makes the model's input of clips and questions.

    Args:
        directory: that of the video-language model.

    Raises:
        ModelFileError: it is no SmolVLM, or lacks a file.
    """

    def __init__(self, directory: Path) -> None:
        kind = read_json(directory / "config.json").get("model_type")
        if kind != "smolvlm":
            raise ModelFileError(
                f"{directory} holds a model of type {kind!r}; training knows smolvlm. Other models "
                "answer without training: watchword risk predict --model"
            )
        self._smol = SmolInputs(directory)
        self.image_token_id = self._smol.image_token_id

    def prompt(self, clip: Clip, question: Question) -> str:
        """All of the text that the model is given."""
        return self._smol.prompt(ask(question, order=ORDER), clip)

    def batch(self, prompts: Sequence[str]) -> Batch:
        """The tokens of prompts, filled up to the longest."""
        ids, mask = self._smol.pad(prompts)
        return Batch(*(torch.from_numpy(one) for one in (ids, mask, positions(mask))))

    def pixels(self, clip: Clip) -> Tensor:
        """(n,3,S,S) what the picture network is given of a clip."""
        return torch.from_numpy(self._smol.pixels(clip.pictures))

    def check(self, questions: Iterable[Question], pictures: int) -> int:
        """Tokens of the longest prompt; PromptError if the model reads fewer."""
        blank = np.zeros((pictures, 1, 1, 3), np.uint8)
        clip = Clip(blank, np.linspace(0.0, 1.0, pictures), 0.0, 1.0)
        return max(self._smol.check_length(self.prompt(clip, one), pictures) for one in questions)
