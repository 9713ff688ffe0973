"""The one place that knows the order: video, embeddings, scores, events, decision.

``Detector(prompts).detect("drive.mp4")`` does all of it; each stage is a method by itself.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

import watchword
from watchword.config import Config, apply
from watchword.encoders.base import Encoder, ScoreScale
from watchword.evaluation.calibrate.calibration import Calibration, check_fits
from watchword.events.decide import decide
from watchword.events.tracker import detect_events
from watchword.evidence.head import Head, check_head, score_head
from watchword.evidence.prompts import bank_from_prompts, fingerprint, load_bank
from watchword.evidence.segments import segment_scores, segments
from watchword.evidence.smooth import smooth
from watchword.evidence.words import (
    PromptVectors,
    ScoreOptions,
    prompt_cosines,
    score_words,
    text_bank,
)
from watchword.pipeline.embed import Embedded, Listener, VideoEncoder
from watchword.types import (
    Decision,
    Detection,
    Embeddings,
    Event,
    Kind,
    PromptBank,
    Provenance,
    Scores,
)


class Detector:
    """Finds events in videos from words, or from what a head learned of labelled pictures.

    Args:
        prompts: a bank, the name or path of one, or sentences to watch for.
        normal: sentences for the usual scene; only with sentences to watch for.
        config: settings of every stage; None is the defaults.
        encoder: a loaded encoder; None loads the one the config names.
        head: what gives the scores, in place of prompts.
        calibration: thresholds and smoothing chosen on annotated or normal footage, which replace
            those of the config.

    Raises:
        CalibrationError: the calibration or the head was made for something else.
        WatchwordError: a bank or a model that cannot be used, as the message says.

    >>> from watchword.encoders.fake import FakeEncoder
    >>> detector = Detector(["red"], normal=["blue"], encoder=FakeEncoder())
    >>> detector.bank.labels
    ('red',)
    """

    def __init__(
        self,
        prompts: PromptBank | str | Path | Sequence[str] | None = None,
        *,
        normal: Sequence[str] = (),
        config: Config | None = None,
        encoder: Encoder | None = None,
        head: Head | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        if (prompts is None) == (head is None):
            raise ValueError("scores come from prompts or from a head; give one of the two")
        self.bank = None if prompts is None else _bank(prompts, normal)
        self.head = head
        config = config or Config()
        asked = config.score
        if calibration is not None:
            config = apply(config, calibration.settings(), where="calibration")
        # What is missing for this kind of score is said before a video is read, and what was
        # filled in stands in every output.
        self.kind: Kind = config.score.kind if head is None else "probability"
        self.config = replace(config, events=config.events.settled(self.kind))
        self._try_rules()
        self.videos = VideoEncoder(self.config, encoder=encoder)
        self.encoder = self.videos.encoder
        # Likewise what the encoder fills in, so that scores can be made again without it.
        self.config = replace(self.config, score=_settled(self.config.score, self.encoder.scale))
        if head is not None:
            check_head(head, encoder=self.encoder.fingerprint, encoder_name=self.encoder.name)
        self.calibration = calibration
        if calibration is not None:
            self._check(calibration, _settled(asked, self.encoder.scale))
        self._prompt_vectors: PromptVectors | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What is watched for."""
        if self.head is not None:
            return self.head.labels
        assert self.bank is not None
        return self.bank.labels

    @property
    def prompt_vectors(self) -> PromptVectors:
        """The bank's sentences as vectors, encoded on first use.

        Raises:
            ValueError: a head gives the scores and there are no sentences.
        """
        if self.bank is None:
            raise ValueError("a head gives the scores; there are no sentences")
        if self._prompt_vectors is None:
            self._prompt_vectors = text_bank(self.bank, self.encoder.encode_texts)
        return self._prompt_vectors

    def detect(self, source: str | Path, *, listener: Listener | None = None) -> Detection:
        """The events of one video, with scores, verdict, coverage and provenance.

        Raises:
            VideoError: the video cannot be read.
            EncoderError: the model gave something that is no embedding.
        """
        return self.examine(source, listener=listener)[0]

    def examine(
        self, source: str | Path, *, listener: Listener | None = None
    ) -> tuple[Detection, Embeddings]:
        """What ``detect`` returns, and the embeddings it rests on, for whoever writes them out."""
        seconds: dict[str, float] = {}
        with _timed(seconds, "prompts"):
            # Before the video: a sentence that cannot be used must not cost an hour of encoding.
            if self.bank is not None:
                _ = self.prompt_vectors
        with _timed(seconds, "embed"):
            embedded = self.videos.embed(source, listener=listener)
        with _timed(seconds, "score"):
            scores = self.score(embedded.embeddings)
        with _timed(seconds, "decide"):
            events, decision = self.judge(scores, embedded.embeddings, video=embedded.info.source)
        detection = Detection(
            info=embedded.info,
            bank=self.bank,
            scores=scores,
            events=events,
            decision=decision,
            coverage=embedded.embeddings.coverage,
            provenance=self._provenance(embedded, seconds),
            notice=self.encoder.notice,
        )
        return detection, embedded.embeddings

    def score(self, embeddings: Embeddings) -> Scores:
        """Scores of every label in every window, smoothed as the config says."""
        return smooth(self.raw_scores(embeddings), self.config.smoothing)

    def raw_scores(self, embeddings: Embeddings) -> Scores:
        """Scores of every label in every window, as they come from the sentences or the head."""
        if self.head is not None:
            scores = score_head(embeddings, self.head)
            return replace(scores, made_by=f"{self.encoder.name} head")
        scores = score_words(embeddings, self.prompt_vectors, options=self.config.score)
        return replace(scores, made_by=f"{self.encoder.name} words")

    def prompt_scores(self, embeddings: Embeddings) -> Scores:
        """Raw cosine of every sentence in every window (T, sentences), before any formula.

        Raises:
            ValueError: a head gives the scores and there are no sentences.
        """
        return prompt_cosines(embeddings, self.prompt_vectors)

    def segment_scores(self, embeddings: Embeddings, scores: Scores) -> Scores:
        """Scores of stretches judged as one: of their mean pictures, or means of their scores."""
        options = self.config.segments
        # A head looks at pictures as far apart as those that it learned from, not at their means.
        if options.mean == "embedding" and self.head is None:
            return self.raw_scores(segments(embeddings, options))
        return segment_scores(scores, options)

    def judge(
        self, scores: Scores, embeddings: Embeddings, *, video: str
    ) -> tuple[tuple[Event, ...], Decision]:
        """The events in the scores, and the verdict on the whole video.

        The balanced rule counts segments, every other rule looks at windows.
        """
        rule = self.config.decision
        events = detect_events(scores, self.config.events)
        segmented = rule.rule == "balanced"
        judged = self.segment_scores(embeddings, scores) if segmented else scores
        return events, decide(judged, events, rule, video=video)

    def _try_rules(self) -> None:
        """Decides on a video of no length, so that rules that do not fit fail now."""
        values = np.zeros((0, len(self.labels)), np.float32)
        nothing = Scores(values, np.zeros(1), self.labels, self.kind)
        events = detect_events(nothing, self.config.events)
        decide(nothing, events, self.config.decision, video="")

    def _provenance(self, embedded: Embedded, seconds: dict[str, float]) -> Provenance:
        return Provenance(
            versions=_versions(),
            config=self.config.to_dict(),
            encoder=self.encoder.fingerprint,
            encoder_name=self.encoder.name,
            prompts="" if self.bank is None else fingerprint(self.bank),
            device=self.encoder.device,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            cached=embedded.cached,
            fitted=self._fitted(),
        )

    def _check(self, calibration: Calibration, asked: ScoreOptions) -> None:
        """CalibrationError unless it was made for what was asked for, model and evidence."""
        if self.head is not None:
            evidence = self.head.fingerprint
        else:
            assert self.bank is not None
            evidence = fingerprint(self.bank)
        check_fits(
            calibration,
            kind=self.kind if self.head is not None else asked.kind,
            encoder_fingerprint=self.encoder.fingerprint,
            bank_fingerprint=evidence,
            score=asdict(asked) if self.head is None else None,
        )

    def _fitted(self) -> dict[str, Any]:
        fitted: dict[str, Any] = {}
        if self.head is not None:
            fitted["head"] = self.head.as_fitted()
        if self.calibration is not None:
            fitted["calibration"] = self.calibration.as_fitted()
        return fitted


def _bank(prompts: PromptBank | str | Path | Sequence[str], normal: Sequence[str]) -> PromptBank:
    if isinstance(prompts, (str, Path, PromptBank)) and normal:
        raise ValueError("normal sentences go with sentences to watch for; a bank holds its own")
    if isinstance(prompts, PromptBank):
        return prompts
    if isinstance(prompts, (str, Path)):
        return load_bank(prompts)
    return bank_from_prompts(prompts, normal=normal)


def _settled(options: ScoreOptions, scale: ScoreScale) -> ScoreOptions:
    """The options with the encoder's own scale wherever nothing was said."""
    return replace(
        options,
        alpha=scale.alpha if options.alpha is None else options.alpha,
        tau=scale.tau if options.tau is None else options.tau,
        temperature=scale.temperature if options.temperature is None else options.temperature,
    )


def _versions() -> dict[str, str]:
    names = ("av", "numpy", "onnxruntime", "pillow", "tokenizers")
    return {
        "watchword": watchword.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - began, 4)
