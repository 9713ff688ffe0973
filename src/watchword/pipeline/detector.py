"""The one place that knows the order: video, embeddings, evidence, scores, events, decision.

``Detector(prompts).detect("drive.mp4")`` does all of it; each stage is a method by itself.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import watchword
from watchword.config import Config, apply
from watchword.encoders.base import Encoder
from watchword.errors import ConfigError
from watchword.evaluation.calibrate.calibration import Calibration, check_fits
from watchword.events.decide import decide
from watchword.events.tracker import detect_events
from watchword.evidence.adapter import Adapter
from watchword.evidence.choice import UNUSUAL, settled_kinds
from watchword.evidence.head import Head
from watchword.evidence.segments import segment_scores, segments
from watchword.evidence.smooth import Smoothing, smooth
from watchword.evidence.surprise import Tail
from watchword.evidence.words import PromptVectors
from watchword.pipeline.embed import Embedded, Listener, VideoEncoder
from watchword.pipeline.weighing import Weighed, calm_tails, raised, surprise_of, weigh
from watchword.pipeline.where import check_where, words_where
from watchword.pipeline.wordless import Found, Memories, Wordless
from watchword.pipeline.words import Words, bank_of, settled_scale
from watchword.places import Heat
from watchword.types import (
    Coverage,
    Decision,
    Detection,
    Embeddings,
    Event,
    Kind,
    PromptBank,
    Provenance,
    Scores,
)

# What a reader must know of events that no sentence named.
WITHOUT_WORDS = (
    "Nothing was said to watch for, so nothing says what it was: unusual is what changes suddenly, "
    "or looks or moves unlike normal."
)


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A detection and what it rests on.

    Attributes:
        detection: what ``detect`` returns.
        embedded: the video's embeddings and features.
        raw_scores: its scores before smoothing.
    """

    detection: Detection
    embedded: Embedded
    raw_scores: Scores


class Detector:
    """Finds events in videos: from words, what was learned, or what is sudden and unlike normal.

    With no prompts and nothing learned, it reports what changes suddenly and looks unlike the rest
    of the video.

    Args:
        prompts: a bank, the name or path of one, or sentences to watch for.
        normal: sentences for the usual scene; only with sentences to watch for.
        config: settings of every stage; None is the defaults.
        encoder: a loaded encoder; None loads the one the config names.
        head: what gives the scores, in place of prompts.
        calibration: thresholds and smoothing chosen on annotated or normal footage, which replace
            those of the config.
        memory: of normal footage: one, several of which the video's camera chooses, or ``self``
            for the video's own calm pictures.
        adapter: what sees pictures in their time: it gives the scores by itself, or with prompts
            the pictures that these score.

    Raises:
        CalibrationError: the calibration, head or adapter was made for something else.
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
        memory: Memories = None,
        adapter: Adapter | None = None,
    ) -> None:
        if prompts is not None and head is not None:
            raise ValueError("scores come from prompts or from a head; give one of the two")
        self.bank = bank_of(prompts, normal)
        self.head = head
        config = config or Config()
        asked = config.score
        kinds = settled_kinds(
            config.evidence,
            words=self.bank is not None or head is not None or adapter is not None,
            memory=memory is not None,
        )
        if calibration is not None:
            config = apply(config, calibration.settings(), where="calibration")
        # Whether evidence is weighed together, or words speak alone.
        self.together = kinds != ("words",)
        learned = self.bank is None and (head is not None or adapter is not None)
        self.kind: Kind = "probability" if learned else config.score.kind
        if self.together:
            self.kind = "surprise"
            config = _for_evidence(config, words="words" in kinds)
        # What is missing for this kind of score is said before a video is read, and what was
        # filled in stands in every output.
        self.config = replace(
            config,
            evidence=replace(config.evidence, kinds=kinds),
            events=config.events.settled(self.kind),
        )
        self.videos = VideoEncoder(self.config, encoder=encoder)
        self.encoder = self.videos.encoder
        # Likewise what the encoder fills in, so that scores can be made again without it.
        score = settled_scale(self.config.score, self.encoder.scale)
        self.config = replace(self.config, score=score)
        self.words: Words | None = None
        if "words" in kinds:
            rate = config.sampling.rate
            self.words = Words(self.bank, head, self.encoder, score, adapter=adapter, rate=rate)
        if config.evidence.where:
            check_where(self.encoder, self.config, bank=self.bank)
        self._wordless = Wordless(kinds, self.config, self.encoder, memory)
        self._try_rules()
        self.calibration = calibration
        if calibration is not None:
            self._check(calibration, settled_scale(asked, self.encoder.scale))

    @property
    def labels(self) -> tuple[str, ...]:
        """What is watched for."""
        return (UNUSUAL,) if self.words is None else self.words.labels

    @property
    def prompt_vectors(self) -> PromptVectors:
        """The bank's sentences as vectors, encoded on first use; ValueError if there are none."""
        return self._words().vectors

    def detect(self, source: str | Path, *, listener: Listener | None = None) -> Detection:
        """The events of one video, with scores, verdict, coverage and provenance.

        Raises:
            VideoError: the video cannot be read.
            EncoderError: the model gave something that is no embedding.
            NormalityError: no memory fits the video, or it has no usual state of its own.
        """
        return self.examine(source, listener=listener).detection

    def examine(self, source: str | Path, *, listener: Listener | None = None) -> Examined:
        """What ``detect`` returns and what it rests on, for whoever writes it out."""
        seconds: dict[str, float] = {}
        with timed(seconds, "prompts"):
            if self.words is not None:
                self.words.prepare()
        with timed(seconds, "embed"):
            watch = self._wordless.watch()
            embedded = self.videos.embed(source, listener=listener, watcher=watch)
        with timed(seconds, "score"):
            found = self._wordless.found(embedded, watch) if self.together else None
            raw, scores, parts = self._scores(embedded, found)
        with timed(seconds, "decide"):
            events, decision = self.judge(scores, embedded.embeddings, video=embedded.info.source)
            if parts is not None:
                events = tuple(raised(event, parts) for event in events)
        coverage = embedded.embeddings.coverage
        detection = Detection(
            info=embedded.info,
            bank=self.bank,
            scores=scores,
            events=events,
            decision=decision,
            coverage=coverage,
            provenance=self._provenance(embedded, seconds, found),
            notice=WITHOUT_WORDS if self.words is None else self.encoder.notice,
            parts=parts,
        )
        if found is not None:
            detection = replace(
                detection,
                coverage=replace(coverage, notes=(*coverage.notes, *found.notes)),
                heat=found.heat,
                cuts_s=found.cuts_s,
            )
        if self.config.evidence.where:
            with timed(seconds, "where"):
                detection = replace(detection, heat=self._where(detection, source))
        return Examined(detection, embedded, raw)

    def _where(self, detection: Detection, source: str | Path) -> Heat | None:
        """Where the words of the events are."""
        with self.videos.open(source) as stream:
            return words_where(
                stream,
                self.encoder,
                self.prompt_vectors,
                detection.events,
                detection.scores,
                self.config.score,
            )

    def _scores(
        self, embedded: Embedded, found: Found | None
    ) -> tuple[Scores, Scores, Scores | None]:
        """The scores before smoothing and after it, and their parts if they have any."""
        raw = None
        if self.words is not None:
            raw = self.words.scores(embedded.embeddings, embedded.features)
        if found is None:
            assert raw is not None
            return raw, smooth(raw, self.config.smoothing), None
        if raw is None:
            weighed = weigh(None, found.parts)
            return weighed.scores, weighed.scores, weighed.parts
        smoothed = smooth(raw, self.config.smoothing)
        before, after = (self._with_words(words, found) for words in (raw, smoothed))
        return before.scores, after.scores, after.parts

    def _with_words(self, words: Scores, found: Found) -> Weighed:
        tails = self._tails(words, found)
        return weigh(surprise_of(words, tails), found.parts)

    def _tails(self, words: Scores, found: Found) -> dict[str, Tail]:
        """What the words say of normal footage: that of the memory, or the video's calm windows."""
        memory = found.memory
        loose = self._words().adapter is not None
        # A memory keeps single pictures; what an adapter makes of them depends on their neighbours.
        if loose or memory is None or memory.vectors is None or self._wordless.itself:
            return calm_tails(words, found.parts)
        edges = np.arange(len(memory.vectors) + 1, dtype=np.float64)
        coverage = Coverage(len(memory.vectors))
        footage = Embeddings(memory.vectors, edges, self.encoder.fingerprint, None, coverage)
        usual = self._words().scores(footage)
        return {label: Tail.fit(usual[label]) for label in usual.labels}

    def score(self, embeddings: Embeddings) -> Scores:
        """Scores of every label in every window by words alone, smoothed as the config says."""
        return smooth(self.raw_scores(embeddings), self.config.smoothing)

    def raw_scores(self, embeddings: Embeddings) -> Scores:
        """Scores of every label in every window by words alone, before smoothing.

        Raises:
            CalibrationError: an adapter needs features, which only ``detect`` has at hand.
        """
        return self._words().scores(embeddings)

    def prompt_scores(self, embeddings: Embeddings) -> Scores:
        """Raw cosine of every sentence in every window (T, sentences), before any formula.

        Raises:
            ValueError: there are no sentences.
        """
        return self._words().cosines(embeddings)

    def segment_scores(self, embeddings: Embeddings, scores: Scores) -> Scores:
        """Scores of stretches judged as one: of their mean pictures, or means of their scores."""
        options = self.config.segments
        # What was learned looks at pictures as far apart as those that it learned from, not at
        # their means, and what changes or is unlike normal is no matter of mean pictures.
        fixed = self.together or self.words is None or self.words.learned
        if options.mean == "embedding" and not fixed:
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

    def _words(self) -> Words:
        if self.words is None:
            raise ValueError("nothing was said to watch for; there are no words to score")
        return self.words

    def _try_rules(self) -> None:
        """Decides on a video of no length, so that rules that do not fit fail now."""
        values = np.zeros((0, len(self.labels)), np.float32)
        nothing = Scores(values, np.zeros(1), self.labels, self.kind)
        events = detect_events(nothing, self.config.events)
        decide(nothing, events, self.config.decision, video="")

    @property
    def _evidence(self) -> str:
        """Fingerprint of all that gives the scores, beside the encoder."""
        words = "" if self.words is None else self.words.fingerprint
        if not self.together:
            return words
        score = str(self.config.score) if self.words is not None else ""
        text = "|".join((words, score, self._wordless.fingerprint))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _provenance(
        self, embedded: Embedded, seconds: dict[str, float], found: Found | None
    ) -> Provenance:
        fitted: dict[str, Any] = {} if self.words is None else self.words.as_fitted()
        if found is not None:
            fitted |= self._wordless.as_fitted(found.memory)
        if self.calibration is not None:
            fitted["calibration"] = self.calibration.as_fitted()
        sentences = self.bank is not None and not self.together
        return Provenance(
            versions=versions(),
            config=self.config.to_dict(),
            encoder=self.encoder.fingerprint,
            encoder_name=self.encoder.name,
            prompts=self._evidence if sentences or self.together else "",
            device=self.encoder.device,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            cached=embedded.cached,
            fitted=fitted,
        )

    def _check(self, calibration: Calibration, asked: Any) -> None:
        """CalibrationError unless it was made for what was asked for, model and evidence."""
        if self.words is not None and not self.together:
            self.words.check(calibration, asked, self.kind)
            return
        check_fits(
            calibration,
            kind=self.kind,
            encoder_fingerprint=self.encoder.fingerprint,
            bank_fingerprint=self._evidence,
        )


def _for_evidence(config: Config, *, words: bool) -> Config:
    """The settings for evidence weighed together, which looks at single pictures."""
    if config.windows.length != 1 or config.windows.stride != 1:
        raise ConfigError(
            f"windows.length is {config.windows.length} and windows.stride "
            f"{config.windows.stride}; change and normality look at single pictures, so both must "
            "be 1"
        )
    # They average over their own past moments; only words are smoothed.
    return config if words else replace(config, smoothing=Smoothing())


def versions() -> dict[str, str]:
    """What the results of a run depend on, by name."""
    names = ("av", "numpy", "onnxruntime", "pillow", "tokenizers")
    return {
        "watchword": watchword.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Puts down how many seconds a stage takes."""
    began = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - began, 4)
