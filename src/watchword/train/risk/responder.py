"""A trained model of risk as what answers questions about clips."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from watchword.errors import ModelFileError, PromptError
from watchword.evidence.answers.base import Clip, as_probability, look
from watchword.evidence.answers.batches import run_in_batches
from watchword.evidence.answers.files import Digest, sha256
from watchword.evidence.answers.question import ORDERS, Question, ask, read_question
from watchword.train.risk.fit import MODEL
from watchword.train.risk.lessons import answer_odds, ready
from watchword.train.risk.model import computing_dtype
from watchword.train.risk.model_file import (
    SPEC,
    WEIGHTS,
    base_of,
    load_risk_model,
    read_spec,
)

VERSION = "risk answers 1"


class RiskResponder:
    """Answers the questions it was trained on. ``spec`` tells how it was trained.

    Args:
        folder: of a training, of the model in it, or of a merged model.
        base: directory of the video-language model; None is where it was in training.
        device: cpu or cuda.
        dtype: as in training: auto, float32 or bfloat16.
        batch: clips at a time.
        digest: sha256 of a file; pass one that remembers.

    Raises:
        ModelFileError: a file is absent, damaged, or of another model.
        MissingDependency: peft is not there and the model was not merged.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        base: str | Path | None = None,
        device: Literal["cpu", "cuda"] = "cpu",
        dtype: Literal["auto", "float32", "bfloat16"] = "auto",
        batch: int | None = None,
        digest: Digest = sha256,
    ) -> None:
        place = model_folder(Path(folder))
        self.spec = read_spec(place)
        options = replace(
            self.spec.options, device=device, dtype=dtype, checkpointing=False, threads=None
        )
        self._kind, self._device = computing_dtype(options), device
        self._model, self._inputs = load_risk_model(
            place, options, base_of(place, self.spec, base, digest=digest)
        )
        base_name = place.resolve().name if self.spec.base == "." else Path(self.spec.base).name
        self.name = f"{base_name} trained for risk"
        self.pictures = options.pictures
        self.batch_size = batch or (8 if device == "cuda" else 1)
        said = (VERSION, self.spec.base_fingerprint, digest(place / WEIGHTS), self._kind, device)
        self.fingerprint = hashlib.sha256("\n".join(said).encode()).hexdigest()

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        """(N,) probability of yes.

        Raises:
            AnswerError: one clip alone does not fit into memory, or an answer is no number.
            PromptError: it was not trained on this question.
        """
        self._check(question)
        if not clips:
            return np.zeros(0, np.float32)
        looked = [look(clip, self.pictures) for clip in clips]
        self._inputs.check([question], max(map(len, looked)))
        odds, self.batch_size = run_in_batches(
            lambda part: self._odds(part, question), looked, self.batch_size
        )
        return as_probability(odds[:, None], self.name)

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of it: fingerprint, what it was trained on, and a sentence."""
        return {**self.spec.facts, "fingerprint": self.fingerprint, "clip_s": self.spec.clip_s}

    def _odds(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float64]:
        lower = self._kind == "bfloat16"
        with (
            torch.inference_mode(),
            torch.autocast(self._device, dtype=torch.bfloat16, enabled=lower),
        ):
            made = [ready(one, question, inputs=self._inputs, model=self._model) for one in clips]
            odds = answer_odds(self._model, self._inputs, made)
        return np.asarray(odds.double().cpu().numpy(), np.float64)

    def _check(self, question: Question) -> None:
        known = {_words(read_question(text)) for text in self.spec.questions}
        if _words(question) not in known:
            raise PromptError(
                f"{self.name} does not know the question {question.text!r}; it was trained on "
                f"{', '.join(map(repr, self.spec.questions))}. Ask that, or train it on yours"
            )


def model_folder(folder: Path) -> Path:
    """Where the model lies, given its folder or that of its training; ModelFileError if nowhere."""
    for place in (folder, folder / MODEL):
        if (place / SPEC).is_file():
            return place
    raise ModelFileError(
        f"{folder} holds no trained model of risk ({SPEC}); give the folder of a training"
    )


def is_risk_model(folder: str | Path) -> bool:
    """Whether a folder is of a trained model of risk, or of a training that has one."""
    return any((place / SPEC).is_file() for place in (Path(folder), Path(folder) / MODEL))


def _words(question: Question) -> tuple[str, ...]:
    return tuple(ask(question, order=order) for order in ORDERS)
