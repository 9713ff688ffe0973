"""Clips and questions, ready for the model: read once, and looked at once where that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.question import Question, read_question
from watchword.train.risk.clips import Shelf, read_clip
from watchword.train.risk.examples import RiskExample
from watchword.train.risk.inputs import Batch, RiskInputs
from watchword.train.risk.model import RiskModel
from watchword.train.risk.options import RiskTrainOptions


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A prompt, and of its pictures what the model makes of them, or they themselves."""

    prompt: str
    shown: Tensor | Clip

    @property
    def size(self) -> int:
        """Bytes of the pictures, in whichever form."""
        return self.shown.pictures.nbytes if isinstance(self.shown, Clip) else self.shown.nbytes


def ready(clip: Clip, question: Question, *, inputs: RiskInputs, model: RiskModel | None) -> Ready:
    """A clip and a question, as training and use give them to the model.

    Args:
        clip: pictures.
        question: about them.
        inputs: of the model.
        model: looks at the pictures now; None leaves that for each time they are needed.
    """
    prompt = inputs.prompt(clip, question)
    if model is None:
        return Ready(prompt, clip)
    with torch.no_grad():
        device = model.head[0].weight.device
        return Ready(prompt, model.see(inputs.pixels(clip).to(device)).cpu())


def answer_odds(model: RiskModel, inputs: RiskInputs, ready: Sequence[Ready]) -> Tensor:
    """(N,) log-odds of yes, with whatever gradients are followed."""
    device = str(model.head[0].weight.device)
    seen = [
        model.see(inputs.pixels(one.shown).to(device))
        if isinstance(one.shown, Clip)
        else one.shown.to(device)
        for one in ready
    ]
    batch: Batch = inputs.batch([one.prompt for one in ready]).to(device)
    odds: Tensor = model(batch, torch.cat(seen))
    return odds


class Lessons:
    """The examples of a split; ``labels`` (n,) are 1 for yes and 0 for no.

    Args:
        examples: of the split.
        inputs: of the model.
        model: that is trained.
        options: how.
    """

    def __init__(
        self,
        examples: Sequence[RiskExample],
        inputs: RiskInputs,
        model: RiskModel,
        options: RiskTrainOptions,
    ) -> None:
        self.examples, self._inputs, self._model = tuple(examples), inputs, model
        self._options = options
        self.labels: NDArray[np.float64] = np.array([one.label for one in examples], np.float64)
        room = options.keep_mib << 20
        self._shelf: Shelf[Ready] = Shelf(self.read, lambda one: one.size, room)

    def __len__(self) -> int:
        return len(self.examples)

    def odds(self, numbers: Sequence[int]) -> Tensor:
        """Log-odds of yes of the examples of these numbers."""
        return answer_odds(self._model, self._inputs, [self._shelf[one] for one in numbers])

    def all_odds(self) -> NDArray[np.float64]:
        """(n,) log-odds of every example, in order, without gradients."""
        made = []
        size = self._options.batch
        with torch.inference_mode():
            for at in range(0, len(self), size):
                numbers = range(at, min(at + size, len(self)))
                made.append(self.odds(numbers).double().cpu().numpy())
        return np.concatenate(made) if made else np.zeros(0)

    def read(self, number: int) -> Ready:
        """The example of a number, from its video."""
        options, example = self._options, self.examples[number]
        clip = read_clip(example, pictures=options.pictures, rate=options.rate)
        model = self._model if options.looks_once else None
        return ready(clip, read_question(example.text), inputs=self._inputs, model=model)
