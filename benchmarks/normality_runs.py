"""Sets of clips as ``detect`` and ``normal learn`` see them, kept from one run to the next."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from watchword.config import Config, apply
from watchword.encoders.base import Encoder
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import CaseOptions, Cases, load_cases
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.result import Evaluation
from watchword.evidence.normality.memory import NormalMemory
from watchword.evidence.normality.memory_file import read_memory, write_memory
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import VideoEncoder
from watchword.run.batch import BatchOptions, run_batch
from watchword.run.learning import learn_normal
from watchword.run.manifest import Job
from watchword.types import Scores
from watchword.video.reader import find_videos

# Sets that come with normal footage of their camera. They are looked at frame by frame.
MEMORY_SETS = ("ucsd_ped2", "cuhk_avenue")
EVERY_FRAME = {"sampling": {"rate": None}}
# Sets without, and the starter banks that they are asked with.
OTHER_SETS = {
    "dada": "driving",
    "ucf_crime": "surveillance",
    "cctv_accident": "driving",
    "gmdcsa24": "falls",
    "dad": "driving",
}
WITH_CHANGE = {"evidence": {"kinds": ("change", "normality")}}
ALL_KINDS = {"evidence": {"kinds": ("words", "change", "normality")}}
Predictions = Sequence[Prediction]
Rows = list[list[str]]


@dataclass(frozen=True)
class Bench:
    """What every measurement needs: where clips lie, where runs are kept, and one encoder."""

    folder: Path
    runs: Path
    encoder: Encoder

    def clips(self, *parts: str) -> list[str]:
        """The videos of a set, or of a part of it."""
        return list(find_videos([str(self.folder.joinpath(*parts))]))

    def detected(self, name: str, clips: Sequence[str], **asked: Any) -> tuple[Prediction, ...]:
        """What ``detect`` says of the clips, unless it was kept; tells of those that it refuses."""
        folder, done = self.runs / name, self.runs / f"{name}.done"
        if not done.exists():
            changes = {"output": {"report": False}, **asked.pop("changes", {})}
            detector = Detector(config=apply(Config(), changes), encoder=self.encoder, **asked)
            options = BatchOptions(folder, overwrite=True)
            rows = list(run_batch(detector, [Job(clip) for clip in clips], options=options))
            refused = [f"{row.job.source}: {row.error}" for row in rows if row.error]
            if refused:
                many = f"{len(refused)} of {len(clips)} clips"
                print(f"left out of {name}: {many}, the first is {refused[0]}", file=sys.stderr)
            done.touch()
        return read_predictions(folder) if any(folder.glob("*/detection.json")) else ()

    def memory(self, name: str, clips: Sequence[str]) -> NormalMemory:
        """A memory of the clips at every frame, unless it was kept."""
        path = self.runs / f"{name}.normal"
        if not path.exists():
            videos = VideoEncoder(apply(Config(), EVERY_FRAME), encoder=self.encoder)
            write_memory(learn_normal(videos, [Job(clip) for clip in clips]), path)
        return read_memory(path)

    def remembered(self, name: str, *, change: bool = False) -> tuple[Prediction, ...]:
        """What ``detect --normal`` says of tested clips beside a memory of the set's footage."""
        memory = self.memory(name, self.clips(name, "train"))
        changes = {**EVERY_FRAME, **(WITH_CHANGE if change else {})}
        label = f"{name}-memory-change" if change else f"{name}-memory"
        return self.detected(label, self.clips(name, "test"), changes=changes, memory=memory)

    def compared_with_itself(self, name: str) -> tuple[Prediction, ...]:
        """What ``detect --normal self`` says; short clips are refused."""
        if name in MEMORY_SETS:
            clips, changes = self.clips(name, "test"), EVERY_FRAME
            return self.detected(f"{name}-self", clips, changes=changes, memory="self")
        return self.detected(f"{name}-self", self.clips(name), memory="self")

    def plain(self, name: str) -> tuple[Prediction, ...]:
        """What ``detect`` says when nothing else is given."""
        return self.detected(f"{name}-plain", self.clips(name))

    def kept(self, name: str, measure: Callable[[], Rows]) -> Rows:
        """Rows that were measured, unless they were kept."""
        path = self.runs / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(measure()))
        found: Rows = json.loads(path.read_text())
        return found

    def labels(self, name: str) -> list[dict[str, Any]]:
        """What a set says of its clips."""
        found: list[dict[str, Any]] = json.loads((self.folder / name / "labels.json").read_bytes())
        return found

    def cases(self, name: str, predictions: Predictions) -> Cases:
        """The predictions beside the truth of a set."""
        split = "test" if name in MEMORY_SETS else None
        records = read_records(self.folder / name / "labels.json", split=split)
        return load_cases(predictions, records, options=CaseOptions(split=split, partial=True))

    def dated(self, name: str, predictions: Predictions) -> list[Prediction]:
        """Those of videos of which it is known when their events are."""
        cases = self.cases(name, predictions).cases if predictions else ()
        known = {case.prediction.video for case in cases if case.annotation.localised}
        return [one for one in predictions if one.video in known]

    def judged(self, name: str, predictions: Predictions, *, pixels: bool = False) -> Evaluation:
        """The evaluation of the predictions of a set; pixels take a minute, and not the default."""
        if not pixels:
            predictions = [replace(one, maps=None) for one in predictions]
        return evaluate(self.cases(name, predictions), EvaluationOptions(samples=200))


def of_part(predictions: Predictions, label: str) -> list[Prediction]:
    """What one part of the evidence says alone; videos that it says nothing of are left out."""
    return [
        _alone(one, [label])
        for one in predictions
        if one.parts is not None and label in one.parts.labels
    ]


def of_words(predictions: Predictions) -> list[Prediction]:
    """What words say alone; the strongest label counts."""
    return [
        _alone(one, [label for label in one.parts.labels if label.startswith("words")])
        for one in predictions
        if one.parts is not None
    ]


def where_told(predictions: Predictions, part: Predictions) -> list[Prediction]:
    """The predictions at the windows that a part of the evidence tells of, and no others."""
    by_video = {one.video: one.scores for one in part}
    made = []
    for one in predictions:
        told = by_video.get(one.video)
        if told is not None and one.scores is not None:
            silent = np.isnan(told.values).all(axis=1, keepdims=True)
            values = np.where(silent, np.float32(np.nan), one.scores.values)
            made.append(_scored(one, replace(one.scores, values=values)))
    return made


def since_start(predictions: Predictions) -> list[Prediction]:
    """Seconds since the start, which look at no picture."""
    made = []
    for one in predictions:
        assert one.scores is not None
        edges_s = one.scores.edges_s
        starts = (edges_s[:-1] - edges_s[0])[:, None]
        made.append(_scored(one, Scores(starts, edges_s, ("start",), "distance")))
    return made


def _alone(prediction: Prediction, labels: Sequence[str]) -> Prediction:
    parts = prediction.parts
    assert parts is not None
    values = np.stack([parts[label] for label in labels], axis=1)
    return _scored(prediction, replace(parts, values=values, labels=tuple(labels)))


def _scored(prediction: Prediction, scores: Scores) -> Prediction:
    return replace(
        prediction, scores=scores, raw=None, parts=None, maps=None, events=None,
        verdict=None, positive=None,
    )  # fmt: skip
