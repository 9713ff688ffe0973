"""The loop of a training, epoch by epoch, with all that it goes on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watchword.evaluation.metrics.frame import average_precision, roc_auc
from watchword.evidence.adapter_windows import Bools, Floats
from watchword.train.adapter.checkpoint import Checkpoint, save_checkpoint
from watchword.train.adapter.export import run_model
from watchword.train.adapter.metrics import Judged, judge, score_videos
from watchword.train.adapter.model import GenericRows, TemporalAdapter
from watchword.train.adapter.options import AdapterOptions
from watchword.train.adapter.prompts import SoftPrompts
from watchword.train.adapter.run_folder import best_epoch
from watchword.train.adapter.teaching import Taught, Teaching
from watchword.train.adapter.windows import TrainingVideo
from watchword.train.checkpoint import optimizer_tensors, restore_optimizer

# The longest gradient that is followed: one strange batch must not throw the weights far away.
_STEEPEST = 1.0


class Training:
    """An adapter in training. `epochs` goes on until the options or validation say enough.

    Args:
        train: videos to learn from.
        validation: videos that tell when to stop; may be none.
        options: how.
        prompts: (2,D) what the learned prompts start as; None is random.
        soft: makes `SoftPrompts`, which learn in their place; None learns rows.
    """

    def __init__(
        self,
        train: Sequence[TrainingVideo],
        validation: Sequence[TrainingVideo],
        options: AdapterOptions,
        *,
        prompts: NDArray[np.float32] | None = None,
        soft: Callable[[], SoftPrompts] | None = None,
    ) -> None:
        self._options, self._validation = options, validation
        self._teaching = Teaching(train, options)
        self._judged = Teaching(validation, options) if validation else None
        with _drawn(options, 0):
            self._model = self._fresh(train[0].rows.shape[1])
            if soft is not None:
                self._model.generic = soft()
            elif prompts is not None:
                self._model.generic = GenericRows(train[0].rows.shape[1], prompts)
            self._model.settle(torch.from_numpy(np.concatenate([one.rows for one in train])))
        self._model.to(options.device)
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(), lr=options.lr, weight_decay=options.weight_decay, fused=True
        )
        self._best = self._usable()
        self.history: list[dict[str, Any]] = []
        self.notes = self._teaching.notes

    def epochs(self) -> Iterator[dict[str, Any]]:
        """What each epoch came to, when it is through."""
        while len(self.history) < self._options.epochs and not self._stale():
            epoch = len(self.history) + 1
            with _drawn(self._options, epoch):
                told = self._epoch(epoch)
            self.history.append(told)
            if best_epoch(self.history) == epoch:
                self._best = self._usable()
            yield told

    def save(self, folder: Path, key: str) -> None:
        """Writes all that `restore` needs."""
        history = tuple(self.history)
        kept = optimizer_tensors(self._optimizer)
        save_checkpoint(Checkpoint(key, self._best, self._weights(), kept, history), folder)

    def restore(self, kept: Checkpoint) -> None:
        """Goes on where a checkpoint was written."""
        self._model.load_state_dict(dict(kept.latest))
        restore_optimizer(self._optimizer, kept.optimizer)
        self._best, self.history = dict(kept.best), list(kept.history)

    def best_model(self) -> TemporalAdapter:
        """The model of the best epoch."""
        with _drawn(self._options, 0):
            model = self._fresh(self._model.width)
        model.load_state_dict(self._best)
        model.eval()
        return model

    def _fresh(self, width: int) -> TemporalAdapter:
        options = self._options
        return TemporalAdapter(
            width,
            options.temporal_transformer_layers,
            options.temporal_heads,
            options.clip_length,
            causal=options.causal,
            temperature=options.temperature,
            dropout=options.dropout,
            inner=options.inner,
        )

    def _weights(self) -> dict[str, Tensor]:
        return {name: one.detach().cpu().clone() for name, one in self._model.state_dict().items()}

    def _usable(self) -> dict[str, Tensor]:
        """The weights without a text tower: what it gives of the prompts is kept in its place."""
        weights, generic = self._weights(), self._model.generic
        if isinstance(generic, SoftPrompts):
            weights = {
                name: one for name, one in weights.items() if not name.startswith("generic.")
            }
            weights["generic.rows"] = generic.fixed().rows.detach()
        return weights

    def _stale(self) -> bool:
        """Whether validation has not become better for as long as patience lasts."""
        judged = any(one["validation_loss"] is not None for one in self.history)
        since = len(self.history) - best_epoch(self.history) if judged else 0
        return since >= self._options.patience

    def _epoch(self, epoch: int) -> dict[str, Any]:
        began, windows = time.perf_counter(), 0
        sums: dict[str, float] = {}
        self._model.train()
        for lesson in self._teaching.lessons(epoch):
            losses = self._teaching.taught(self._model, lesson).losses
            self._optimizer.zero_grad()
            losses["loss"].backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), _STEEPEST)
            self._optimizer.step()
            count = len(lesson.batch.x)
            windows += count
            for name, one in losses.items():
                sums[name] = sums.get(name, 0.0) + float(one.detach()) * count
        means = {name: one / windows for name, one in sums.items()}
        spent = time.perf_counter() - began
        return {"epoch": epoch, **means, **self.validated(), "windows": windows, "seconds": spent}

    def validated(self) -> dict[str, Any]:
        """Loss and AUC of the model as it is on what was held out; None for what there is not."""
        if self._judged is None:
            return dict.fromkeys(("validation_loss", "auc", "average_precision", "level"))
        self._model.eval()
        # The same draws each time: epochs are compared by them.
        with torch.no_grad(), _drawn(self._options, 0):
            lessons = list(self._judged.ordered())
            taught = [self._judged.taught(self._model, lesson) for lesson in lessons]
        losses = [float(one.losses["loss"]) for one in taught]
        found = self._of_made(taught) if self._options.objective == "normal" else self._of_videos()
        return {
            "validation_loss": float(np.average(losses, weights=[len(o.batch.x) for o in lessons])),
            "auc": found.auc,
            "average_precision": found.average_precision,
            "level": found.level,
        }

    def _of_videos(self) -> Judged:
        """How well videos held out are told, windows merged as in use."""
        options = self._options
        scores = score_videos(
            self._run,
            self._validation,
            length=options.clip_length,
            stride=options.stride,
            causal=options.causal,
        )
        return judge(self._validation, scores, frames=options.objective == "frame")

    @staticmethod
    def _of_made(taught: Sequence[Taught]) -> Judged:
        """How well pictures displaced on purpose are told from others of videos held out."""
        truth, odds = (
            torch.cat([getattr(one, name) for one in taught]).cpu().numpy()
            for name in ("truth", "odds")
        )
        return Judged(roc_auc(truth, odds), average_precision(truth, odds), "made")

    def _run(self, x: Floats, seen: Bools) -> tuple[Floats, Floats]:
        return run_model(self._model, x, seen)


@contextmanager
def _drawn(options: AdapterOptions, epoch: int) -> Iterator[None]:
    """PyTorch's draws follow from seed and epoch in here, and the caller's go on as they were."""
    threads = torch.get_num_threads()
    devices = [torch.cuda.current_device()] if options.device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(options.seed * 1_000_003 + epoch)
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
