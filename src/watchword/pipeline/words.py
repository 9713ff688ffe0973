"""What sentences, or a head or an adapter that learned of labelled videos, say of a video."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from watchword.encoders.base import Encoder, ScoreScale
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.calibration import Calibration, check_fits
from watchword.evidence.adapter import Adapter, adapted, check_adapter, score_adapter
from watchword.evidence.adapter_motion import WIDTH as MOTION
from watchword.evidence.head import Head, check_head, score_head
from watchword.evidence.prompts import bank_from_prompts, fingerprint, load_bank
from watchword.evidence.words import (
    PromptVectors,
    ScoreOptions,
    prompt_cosines,
    score_words,
    text_bank,
)
from watchword.features import Features
from watchword.types import Embeddings, Kind, PromptBank, Scores


class Words:
    """Sentences, a head or an adapter, ready to score what one encoder sees.

    An adapter speaks for itself where there are no sentences; where there are some, it brings the
    pictures to where their past and future puts them before the sentences score them.

    Args:
        bank: sentences; None if there are none.
        head: what was learned of labelled pictures; None if there is none.
        encoder: of the embeddings.
        options: how sentences and pictures become scores.
        adapter: what was learned of videos as they go on; None if there is none.
        rate: pictures a second that are looked at; None if that depends on the video.

    Raises:
        CalibrationError: the head or the adapter was made for another encoder, or the adapter for
            another rate, or for what sentences do not speak of.
    """

    def __init__(
        self,
        bank: PromptBank | None,
        head: Head | None,
        encoder: Encoder,
        options: ScoreOptions,
        *,
        adapter: Adapter | None = None,
        rate: float | None = None,
    ) -> None:
        if head is not None and (bank is not None or adapter is not None):
            raise ValueError(
                "a head gives the scores by itself; leave out the head, or sentences and adapter"
            )
        if bank is None and head is None and adapter is None:
            raise ValueError("scores come from prompts, a head or an adapter; give one of them")
        if head is not None:
            check_head(head, encoder=encoder.fingerprint, encoder_name=encoder.name)
        if adapter is not None:
            _check_adapter(adapter, encoder, rate, sentences=bank is not None)
        self.bank = bank
        self.head = head
        self.adapter = adapter
        self._encoder = encoder
        self._options = options
        self._vectors: PromptVectors | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What is watched for."""
        if self.bank is not None:
            return self.bank.labels
        if self.head is not None:
            return self.head.labels
        assert self.adapter is not None
        return self.adapter.spec.labels

    @property
    def learned(self) -> bool:
        """Whether a head or an adapter has a part in the scores."""
        return self.head is not None or self.adapter is not None

    @property
    def vectors(self) -> PromptVectors:
        """The sentences as vectors, encoded on first use; ValueError if there are none."""
        if self.bank is None:
            raise ValueError("what was learned gives the scores; there are no sentences")
        if self._vectors is None:
            self._vectors = text_bank(self.bank, self._encoder.encode_texts)
        return self._vectors

    @property
    def fingerprint(self) -> str:
        """Of all that gives the scores: equal means the same scores of the same pictures."""
        if self.head is not None:
            return self.head.fingerprint
        sentences = None if self.bank is None else fingerprint(self.bank)
        if self.adapter is None:
            assert sentences is not None
            return sentences
        if sentences is None:
            return self.adapter.fingerprint
        both = f"{self.adapter.fingerprint}|{sentences}"
        return hashlib.sha256(both.encode()).hexdigest()[:16]

    def prepare(self) -> None:
        """Encodes the sentences: one that cannot be used must not cost an hour of encoding."""
        if self.bank is not None:
            _ = self.vectors

    def scores(self, embeddings: Embeddings, features: Features | None = None) -> Scores:
        """Scores (T,K) of every label in every window, not smoothed.

        Args:
            embeddings: T windows.
            features: of the same pictures; an adapter that was trained on features needs them.

        Raises:
            CalibrationError: what was learned does not fit these embeddings.
        """
        if self.head is not None:
            scores = score_head(embeddings, self.head)
            return replace(scores, made_by=f"{self._encoder.name} head")
        if self.bank is None:
            assert self.adapter is not None
            scores = score_adapter(embeddings, features, self.adapter)
            return replace(scores, made_by=f"{self._encoder.name} adapter")
        moved = self._adapted(embeddings)
        scores = score_words(moved, self.vectors, options=self._options)
        means = "words" if self.adapter is None else "adapter words"
        return replace(scores, made_by=f"{self._encoder.name} {means}")

    def cosines(self, embeddings: Embeddings) -> Scores:
        """Raw cosine of every sentence in every window (T, sentences), before any formula."""
        vectors = self.vectors
        return prompt_cosines(self._adapted(embeddings), vectors)

    def check(self, calibration: Calibration, asked: ScoreOptions, kind: Kind) -> None:
        """CalibrationError unless it was made for this model and what gives the scores here."""
        check_fits(
            calibration,
            kind=kind if self.bank is None else asked.kind,
            encoder_fingerprint=self._encoder.fingerprint,
            bank_fingerprint=self.fingerprint,
            score=None if self.bank is None else asdict(asked),
        )

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of a head or an adapter."""
        learned = {"head": self.head, "adapter": self.adapter}
        return {name: one.as_fitted() for name, one in learned.items() if one is not None}

    def _adapted(self, embeddings: Embeddings) -> Embeddings:
        return embeddings if self.adapter is None else adapted(embeddings, self.adapter)


def _check_adapter(
    adapter: Adapter, encoder: Encoder, rate: float | None, *, sentences: bool
) -> None:
    """CalibrationError unless it reads what this encoder sees at this rate, as words want it."""
    source = adapter.spec.source
    # Encoders with nothing beside their vectors give these as features.
    widths = {"vectors": encoder.dim, "features": encoder.feature_dim or encoder.dim}
    widths["motion"] = MOTION
    if sentences and source != "vectors":
        raise CalibrationError(
            f"the adapter was trained on {source}, which sentences do not speak of; leave the "
            "sentences out, or train an adapter with source: vectors"
        )
    check_adapter(
        adapter,
        encoder=encoder.fingerprint,
        encoder_name=encoder.name,
        width=widths[source],
        rate=rate,
    )


def bank_of(
    prompts: PromptBank | str | Path | Sequence[str] | None, normal: Sequence[str]
) -> PromptBank | None:
    """The bank that prompts amount to: itself, one by name or path, or of sentences."""
    if isinstance(prompts, (str, Path, PromptBank)) and normal:
        raise ValueError("normal sentences go with sentences to watch for; a bank holds its own")
    if prompts is None or isinstance(prompts, PromptBank):
        return prompts
    if isinstance(prompts, (str, Path)):
        return load_bank(prompts)
    return bank_from_prompts(prompts, normal=normal)


def settled_scale(options: ScoreOptions, scale: ScoreScale) -> ScoreOptions:
    """The options with the encoder's own scale wherever nothing was said."""
    return replace(
        options,
        alpha=scale.alpha if options.alpha is None else options.alpha,
        tau=scale.tau if options.tau is None else options.tau,
        temperature=scale.temperature if options.temperature is None else options.temperature,
    )
