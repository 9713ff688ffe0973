"""Crash risk of a drive: a probability curve like any other score, and the events in it.

A light model looks at every picture, a responder answers a question about the last seconds twice a
second, and a cascade asks only where the light model is unsure. Whatever gives the curve, what
follows is the same: smoothing, events, verdict, report. All of it is causal.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.config import Config
from watchword.encoders.base import Encoder
from watchword.encoders.store import cache_folder
from watchword.events.decide import decide
from watchword.events.tracker import detect_events
from watchword.evidence.answers.base import Clip, Responder
from watchword.evidence.answers.endpoint import Endpoint
from watchword.evidence.answers.question import CRASH, Question
from watchword.evidence.cascade import Bought, CascadeOptions, choose_windows, merge
from watchword.evidence.head import check_head
from watchword.evidence.light import Light, score_light
from watchword.evidence.segments import segment_scores
from watchword.evidence.smooth import smooth
from watchword.pipeline.clips import SlideOptions, Slider, Window
from watchword.pipeline.detector import timed, versions
from watchword.pipeline.embed import Embedded, Listener, Progress, VideoEncoder
from watchword.types import (
    Coverage,
    Decision,
    Detection,
    Event,
    Provenance,
    Scores,
    VideoInfo,
)
from watchword.video.fingerprint import FingerprintMemo
from watchword.video.reader import open_video

NOTICE = (
    "A probability of risk is no warning system: it was not tested for one, and what it says of "
    "a road it has not seen is a guess."
)

# What a cascade's curve is made of.
PARTS = ("light", "answers")


@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """What a drive came to.

    Attributes:
        detection: as ``detect`` gives it; of a cascade its parts are ``light`` and ``answers``, the
            latter as they were given and NaN where nothing was asked.
        raw_scores: its scores before smoothing.
        bought: what a cascade's budget was spent on; None where there is no cascade.
    """

    detection: Detection
    raw_scores: Scores
    bought: Bought | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    info: VideoInfo
    scores: Scores
    coverage: Coverage
    cached: bool = False
    bought: Bought | None = None
    parts: Scores | None = None


class RiskWatch:
    """Tells the risk of drives by a light model, a responder, or both as a cascade.

    Args:
        light: what scores every picture; None if there is none.
        responder: what answers the question; None if there is none.
        question: what is asked; its label names the scores.
        slide: of how much of the past, and how often.
        cascade: when the responder is asked, where there is a light model too; None is its
            defaults.
        config: settings of reading, encoding, smoothing, events and verdict; None is the defaults.
            Smoothing is always causal.
        encoder: a loaded encoder for the light model; None loads the one the config names.
        answers_fitted: what the responder was trained on, for provenance; None if on nothing of
            ours.

    Raises:
        CalibrationError: the light model was fitted on another encoder.
        ValueError: neither light model nor responder, or a cascade of one thing.
    """

    def __init__(
        self,
        *,
        light: Light | None = None,
        responder: Responder | None = None,
        question: Question = CRASH,
        slide: SlideOptions | None = None,
        cascade: CascadeOptions | None = None,
        config: Config | None = None,
        encoder: Encoder | None = None,
        answers_fitted: Mapping[str, Any] | None = None,
    ) -> None:
        if light is None and responder is None:
            raise ValueError("risk comes from a light model or a responder; give one, or both")
        if cascade is not None and (light is None or responder is None):
            raise ValueError("a cascade needs both: a light model, and a responder to ask")
        self.light, self.responder, self.question = light, responder, question
        self.slide = slide or SlideOptions()
        self.cascade = cascade or CascadeOptions()
        self._answers_fitted = answers_fitted
        config = config or Config()
        self.config = replace(
            config,
            smoothing=replace(config.smoothing, causal=True),
            events=config.events.settled("probability"),
        )
        self.label = light.label if light is not None and responder is None else question.label
        self._videos: VideoEncoder | None = None
        if light is not None:
            self._videos = VideoEncoder(self.config, encoder=encoder)
            used = self._videos.encoder
            check_head(light.head, encoder=used.fingerprint, encoder_name=used.name)

    def watch(self, source: str | Path, *, listener: Listener | None = None) -> Risk:
        """The risk of one drive.

        Raises:
            VideoError: it cannot be read.
            AnswerError: the responder cannot answer.
            CalibrationError: the light model was fitted at another rate of pictures.
        """
        seconds: dict[str, float] = {}
        with timed(seconds, "score"):
            found = self._measured(source, listener)
        scores = smooth(found.scores, self.config.smoothing)
        with timed(seconds, "decide"):
            events, decision = self._judge(scores, found.info.source)
        coverage = found.coverage
        if found.bought is not None:
            notes = (*coverage.notes, found.bought.sentence)
            coverage = replace(coverage, notes=notes)
        detection = Detection(
            info=found.info,
            bank=None,
            scores=scores,
            events=events,
            decision=decision,
            coverage=coverage,
            provenance=self._provenance(seconds, cached=found.cached),
            notice=NOTICE,
            parts=found.parts,
        )
        return Risk(detection, found.scores, found.bought)

    @property
    def _threshold(self) -> float:
        enter = self.config.events.enter
        assert enter is not None  # filled in by ``settled``
        return enter

    def _measured(self, source: str | Path, listener: Listener | None) -> _Measured:
        if self.light is None:
            return self._answered(source, listener)
        assert self._videos is not None
        embedded = self._videos.embed(source, listener=listener)
        scores = score_light(embedded.embeddings, embedded.features, self.light)
        if self.responder is None:
            coverage = embedded.embeddings.coverage
            return _Measured(embedded.info, scores, coverage, embedded.cached)
        return self._both(source, embedded, scores)

    def _answered(self, source: str | Path, listener: Listener | None) -> _Measured:
        """An answer a window."""
        with open_video(source, sampling=self.config.sampling, options=self.config.read) as stream:
            info = self._identified(stream.info)
            windows = _slid(stream, Slider(self.slide), info, listener)
            edges, values = self._ask(windows)
            coverage = stream.coverage
        return _Measured(info, self._scores(edges, values, info), coverage)

    def _both(self, source: str | Path, embedded: Embedded, cheap: Scores) -> _Measured:
        """The light model's curve, and answers where it is unsure."""
        edges = _grid(cheap.edges_s, self.slide.stride_s)
        first = _last_in(cheap, edges)
        chosen, unsure = choose_windows(first, self._threshold, self.cascade)
        answers = np.full(len(first), np.nan, np.float32)
        if chosen.any():
            wanted = frozenset(np.flatnonzero(chosen).tolist())
            with open_video(
                source, sampling=self.config.sampling, options=self.config.read
            ) as stream:
                slider = Slider(self.slide, wanted=wanted)
                _, given = self._ask(_slid(stream, slider, stream.info, None))
            # Both see the same pictures; a last window of rounding's length has no answer.
            count = min(len(given), len(answers))
            answers[:count] = given[:count]
        merged = merge(first, answers, self.cascade)
        info = embedded.info
        scores = self._scores(edges, merged, info)
        alone = self._scores(edges, first, info)
        bought = self._bought(alone, scores, unsure, int((~np.isnan(answers)).sum()))
        coverage = embedded.embeddings.coverage
        both = np.stack([alone.values[:, 0], answers], axis=1)
        parts = replace(scores, values=both, labels=PARTS)
        return _Measured(info, scores, coverage, embedded.cached, bought, parts)

    def _ask(self, windows: Iterator[Window]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """(T+1,) edges and (T,) answers, NaN where there is no clip; a batch of clips at a time."""
        assert self.responder is not None
        edges: list[float] = []
        values: list[float] = []
        waiting: list[tuple[int, Clip]] = []
        for window in windows:
            edges = edges or [window.start_s]
            edges.append(window.end_s)
            values.append(np.nan)
            if window.clip is not None:
                waiting.append((window.number, window.clip))
            if len(waiting) == self.responder.batch_size:
                self._take(waiting, values)
        self._take(waiting, values)
        return np.array(edges), np.array(values, np.float32)

    def _take(self, waiting: list[tuple[int, Clip]], values: list[float]) -> None:
        if not waiting:
            return
        assert self.responder is not None
        given = self.responder.answer([clip for _, clip in waiting], self.question)
        for (number, _), value in zip(waiting, given, strict=True):
            values[number] = float(value)
        waiting.clear()

    def _scores(
        self, edges: NDArray[np.float64], values: NDArray[np.floating], info: VideoInfo
    ) -> Scores:
        series = np.asarray(values, np.float32)[:, None]
        name = "light" if self.responder is None else self.responder.name
        made_by = f"{name} cascade" if self.light is not None else name
        return Scores(series, edges, (self.label,), "probability", info.fingerprint, made_by)

    def _judge(self, scores: Scores, video: str) -> tuple[tuple[Event, ...], Decision]:
        rule = self.config.decision
        events = detect_events(scores, self.config.events)
        segmented = rule.rule == "balanced"
        judged = segment_scores(scores, self.config.segments) if segmented else scores
        return events, decide(judged, events, rule, video=video)

    def _bought(self, alone: Scores, both: Scores, unsure: int, asked: int) -> Bought:
        """What the answers changed, smoothed and judged as the result is."""
        smoothed = [smooth(scores, self.config.smoothing) for scores in (alone, both)]
        (before, first), (after, second) = (self._judge(scores, "") for scores in smoothed)
        over = [scores.values[:, 0] >= self._threshold for scores in smoothed]
        return Bought(
            windows=len(alone),
            unsure=unsure,
            allowed=self.cascade.calls(len(alone)),
            asked=asked,
            crossed=int((over[0] != over[1]).sum()),
            events=(len(before), len(after)),
            turned=first.positive != second.positive,
        )

    def _identified(self, info: VideoInfo) -> VideoInfo:
        options = self.config.cache
        if not options.enabled:
            return info
        folder = Path(options.folder).expanduser() if options.folder else cache_folder()
        memo = FingerprintMemo(folder / "fingerprints.json")
        return replace(info, fingerprint=memo.fingerprint(info.source))

    def _provenance(self, seconds: dict[str, float], *, cached: bool) -> Provenance:
        fitted: dict[str, Any] = {} if self.light is None else {"risk": self.light.as_fitted()}
        if self._answers_fitted is not None:
            fitted["answers"] = dict(self._answers_fitted)
        names, prints, device = [], [], "cpu"
        if self._videos is not None:
            used = self._videos.encoder
            names, prints, device = [used.name], [used.fingerprint], used.device
        prompts = ""
        if self.responder is not None:
            names.append(self.responder.name)
            prints.append(self.responder.fingerprint)
            prompts = hashlib.sha256(self.question.text.encode()).hexdigest()[:16]
        return Provenance(
            versions=versions(),
            config=self.config.to_dict(),
            encoder="+".join(prints),
            encoder_name=" and ".join(names),
            prompts=prompts,
            device=device,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            cached=cached,
            fitted=fitted,
            asked=self._asked(),
        )

    def _asked(self) -> dict[str, Any]:
        """The question and of what it is asked, for provenance; empty if nothing is."""
        if self.responder is None:
            return {}
        told: dict[str, Any] = {
            "question": self.question.text,
            "digits": self.question.digits,
            "label": self.question.label,
            "of": "server" if isinstance(self.responder, Endpoint) else "folder",
            **asdict(self.slide),
        }
        told["pictures"] = min(self.slide.pictures, self.responder.pictures)
        return told if self.light is None else {**told, "cascade": asdict(self.cascade)}


def _slid(
    stream: Any, slider: Slider, info: VideoInfo, listener: Listener | None
) -> Iterator[Window]:
    seen = 0
    for frames in stream:
        yield from slider.extend(frames)
        seen += len(frames)
        if listener is not None:
            ends_s = float(frames.pts_s[-1] + frames.duration_s[-1])
            listener(Progress(ends_s, info.duration_s, seen))
    yield from slider.finish()


def _grid(edges_s: NDArray[np.float64], stride_s: float) -> NDArray[np.float64]:
    """Edges of windows as a `Slider` of the same pictures makes them."""
    first, last = float(edges_s[0]), float(edges_s[-1])
    inner = first + stride_s * np.arange(1, int((last - first) / stride_s) + 1)
    return np.array([first, *inner[inner < last - 1e-6], last])


def _last_in(scores: Scores, edges_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """(T,) the last measured value of the pictures that are on screen in each window, else NaN."""
    values = scores.values[:, 0]
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    ends = np.searchsorted(scores.edges_s[:-1], edges_s[1:] - 1e-6) - 1
    starts = np.searchsorted(scores.edges_s[1:], edges_s[:-1] + 1e-6, side="right")
    found = last[np.maximum(ends, 0)]
    return np.where(found >= starts, values[np.maximum(found, 0)], np.float32(np.nan))
