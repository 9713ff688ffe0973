"""The loop of a training of risk, step by step, with all that it goes on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from watchword.errors import AnswerError, CalibrationError
from watchword.evidence.answers.batches import free_memory, is_out_of_memory
from watchword.evidence.answers.question import read_question
from watchword.train.checkpoint import optimizer_tensors, restore_optimizer
from watchword.train.risk.checkpoint import RiskState
from watchword.train.risk.examples import SPLITS, RiskDataset, Split
from watchword.train.risk.inputs import RiskInputs
from watchword.train.risk.lessons import Lessons
from watchword.train.risk.metrics import Floats, judge
from watchword.train.risk.model import (
    build_model,
    computing_dtype,
    put_weights,
    trained_weights,
)
from watchword.train.risk.options import RiskTrainOptions

Saver = Callable[[], None]


class RiskTraining:
    """A model of risk in training.

    Args:
        dataset: what it learns from; its validation part judges each epoch, its test part none.
        directory: of the video-language model.
        options: how.

    Raises:
        CalibrationError: training lacks one of both answers.
        PromptError: a question is longer than the model reads.
        ModelFileError: the model lacks a part that is needed.
        MissingDependency: something that the options ask for is not there.
    """

    def __init__(self, dataset: RiskDataset, directory: Path, options: RiskTrainOptions) -> None:
        self._options = options
        labels = [one.label for one in dataset.train]
        if not 0 < sum(labels) < len(labels):
            raise CalibrationError(
                f"training has {sum(labels)} examples with yes and {len(labels) - sum(labels)} "
                "with no; both are needed"
            )
        self.yes_weight = (len(labels) - sum(labels)) / sum(labels) if options.balance else 1.0
        self.inputs = RiskInputs(directory)
        self.questions = tuple(sorted({one.text for _, one in dataset}))
        asked = [read_question(text) for text in self.questions]
        self.tokens = self.inputs.check(asked, options.pictures)
        with drawn(options, 0):
            self.model = build_model(directory, self.inputs.image_token_id, options)
        self._kind = computing_dtype(options)
        self.lessons: dict[Split, Lessons] = {
            split: Lessons(dataset.of(split), self.inputs, self.model, options) for split in SPLITS
        }
        self._optimizer = _optimizer(self.model, options)
        self.history: list[dict[str, Any]] = []
        self._steps, self.odds = 0, np.full(len(labels), np.nan)

    @property
    def steps_an_epoch(self) -> int:
        """Steps of the optimiser in an epoch."""
        size = self._options.batch * self._options.accumulate
        return -(-len(self.lessons["train"]) // size)

    def epochs(self, save: Saver | None = None) -> Iterator[dict[str, Any]]:
        """What each epoch came to, when it is through.

        Args:
            save: called within an epoch after every ``save_steps`` steps.

        Raises:
            AnswerError: out of memory; the message says which batch would fit.
            VideoError: a clip cannot be read.
        """
        while len(self.history) < self._options.epochs:
            epoch = len(self.history) + 1
            with drawn(self._options, epoch):
                told = self._epoch(epoch, save)
            self.history.append(told)
            yield told
            self._steps, self.odds = 0, np.full(len(self.odds), np.nan)

    def val_odds(self) -> Floats:
        """(n,) log-odds of the validation part, as the last epoch left the model."""
        return self._val_odds

    def answers(self, split: Split) -> Floats:
        """(n,) log-odds of every example of a split, nothing left out at random."""
        self.model.eval()
        with self._computing():
            return self.lessons[split].all_odds()

    def state(self, key: str, *, ended: bool) -> RiskState:
        """All that `restore` needs; ``ended`` says that the epoch is through."""
        return RiskState(
            key=key,
            weights=trained_weights(self.model),
            optimizer=optimizer_tensors(self._optimizer),
            odds=torch.from_numpy(np.full_like(self.odds, np.nan) if ended else self.odds.copy()),
            steps=0 if ended else self._steps,
            history=tuple(self.history),
        )

    def restore(self, state: RiskState) -> None:
        """Goes on where a state was taken."""
        put_weights(self.model, dict(state.weights))
        restore_optimizer(self._optimizer, state.optimizer)
        self.odds, self._steps = state.odds.numpy().copy(), state.steps
        self.history = [dict(one) for one in state.history]

    def _epoch(self, epoch: int, save: Saver | None) -> dict[str, Any]:
        began, options = time.perf_counter(), self._options
        lessons = self.lessons["train"]
        order = np.random.default_rng((options.seed, epoch)).permutation(len(lessons))
        size = options.batch * options.accumulate
        self.model.train()
        for step in range(self._steps, self.steps_an_epoch):
            self._step(order[step * size : (step + 1) * size].tolist(), epoch, step)
            self._steps = step + 1
            ended = self._steps == self.steps_an_epoch
            if save and options.save_steps and not ended and not self._steps % options.save_steps:
                save()
        spent = time.perf_counter() - began
        self._val_odds = self.answers("val")
        return {
            "epoch": epoch,
            "train": judge(lessons.labels, self.odds, yes_weight=self.yes_weight),
            "val": judge(self.lessons["val"].labels, self._val_odds, yes_weight=self.yes_weight),
            "steps": self.steps_an_epoch,
            "seconds": spent,
        }

    def _step(self, numbers: Sequence[int], epoch: int, step: int) -> None:
        """One step of the optimiser, over as many batches as it is made of."""
        options = self._options
        at = (epoch - 1) * self.steps_an_epoch + step
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * pace(at, options.epochs * self.steps_an_epoch, options)
        self._optimizer.zero_grad()
        for begin in range(0, len(numbers), options.batch):
            torch.manual_seed(_seed(options, epoch, step, begin))
            part = numbers[begin : begin + options.batch]
            odds = self._unless_full(part, len(numbers))
            if odds is None:
                raise AnswerError(self._what_fits(part))
            self.odds[part] = odds.detach().double().cpu().numpy()
        weights = [w for group in self._optimizer.param_groups for w in group["params"]]
        torch.nn.utils.clip_grad_norm_(weights, options.clip)
        self._optimizer.step()

    def _unless_full(self, numbers: Sequence[int], whole: int) -> Tensor | None:
        """Log-odds of a batch whose gradients were added; None if memory ran out."""
        try:
            with self._computing():
                odds = self.lessons["train"].odds(numbers)
            truth = torch.from_numpy(self.lessons["train"].labels[list(numbers)]).to(odds)
            losses = binary_cross_entropy_with_logits(
                odds, truth, pos_weight=odds.new_tensor(self.yes_weight), reduction="sum"
            )
            (losses / whole).backward()
        except (RuntimeError, MemoryError) as exc:
            if not is_out_of_memory(exc):
                raise
            return None
        if not torch.isfinite(odds).all():
            raise CalibrationError(
                "the model's answers are no numbers any more; take a smaller lr, or dtype float32"
            )
        return odds

    def _what_fits(self, numbers: Sequence[int]) -> str:
        """The sentence on which batch would fit, found by trying."""
        options, size = self._options, len(numbers)
        said = f"out of memory with batch {size} and {options.pictures} pictures of a clip"
        while size > 1:
            size //= 2
            self._optimizer.zero_grad()
            free_memory()
            if self._unless_full(numbers[:size], size) is not None:
                whole = options.batch * options.accumulate
                return (
                    f"{said}; batch {size} fits, and with accumulate {-(-whole // size)} a step is "
                    "of as many examples as before"
                )
        more = "" if options.checkpointing else " checkpointing,"
        return f"{said}; not even 1 fits: take{more} fewer pictures, or tuning='lora'"

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """What is computed in here is computed in the type asked for."""
        lower = self._kind == "bfloat16"
        with torch.autocast(self._options.device, dtype=torch.bfloat16, enabled=lower):
            yield


def pace(step: int, steps: int, options: RiskTrainOptions) -> float:
    """Share of the largest step: rising to 1 over the warm-up, then falling in a line to 0.

    >>> [round(pace(at, 20, RiskTrainOptions(warmup=2)), 2) for at in (0, 1, 2, 11, 19)]
    [0.5, 1.0, 1.0, 0.5, 0.06]
    """
    warmup = min(options.warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    return (steps - step) / (steps - warmup)


@contextmanager
def drawn(options: RiskTrainOptions, epoch: int) -> Iterator[None]:
    """PyTorch's draws follow from seed and epoch in here, and the caller's go on as they were."""
    threads = torch.get_num_threads()
    devices = [torch.cuda.current_device()] if options.device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(_seed(options, epoch, 0, 0))
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _seed(options: RiskTrainOptions, *place: int) -> int:
    return int(np.random.SeedSequence((options.seed, *place)).generate_state(1, np.uint64)[0] >> 1)


def _optimizer(model: torch.nn.Module, options: RiskTrainOptions) -> torch.optim.AdamW:
    trained = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    own = [one for name, one in trained if not name.startswith("head.")]
    head = [one for name, one in trained if name.startswith("head.")]
    groups = [{"params": head, "peak": options.head_lr}]
    if own:
        groups.append({"params": own, "peak": options.lr})
    return torch.optim.AdamW(groups, lr=options.lr, weight_decay=options.weight_decay)
