"""What change is worth on real clips, beside what knows nothing of the picture.

    python benchmarks/change.py FOLDER [--features FILE]

FOLDER holds a folder a set with clips and their ``labels.json``. Change is measured twice: on the
built-in model's 384 numbers for words, as they are cached, and on the 1280 visual features that its
graph gives beside them. "beside its own past" is the same as surprise. Each figure is AUC over all
windows together / mean over videos. "later" leaves the first second of every clip out: a beginning
is quiet, and on clips that start just before their event this alone is worth something, as "time
since the start" shows. FILE keeps the features from one run to the next (.npz).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from watchword.config import Config
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import CaseOptions, load_cases
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.result import Evaluation
from watchword.evidence.change import ChangeOptions, change
from watchword.evidence.cuts import CutOptions, cuts
from watchword.evidence.past import against_past
from watchword.evidence.usual import USUAL_CHANGE
from watchword.features import Features as FeatureRows
from watchword.pipeline.embed import VideoEncoder
from watchword.types import Embeddings, Scores
from watchword.video.reader import ReadOptions, find_videos, open_video

NO_CUTS = CutOptions(below=None)
BATCH = 8


@dataclass(frozen=True)
class Set:
    """A set of clips: its folder and which part is tested."""

    name: str
    part: str = ""
    split: str | None = None


SETS = (
    Set("dada"),
    Set("ucf_crime"),
    Set("cctv_accident"),
    Set("ucsd_ped2", "test", "test"),
    Set("cuhk_avenue", "test", "test"),
    Set("gmdcsa24"),
    Set("dad"),
)


class Features:
    """The built-in model's visual features of clips, as unit rows a picture."""

    def __init__(self, encoder: VideoEncoder, kept: Path | None) -> None:
        self._encoder = encoder
        self._file = kept
        self._rows: dict[str, NDArray[np.float32]] = {}
        if kept is not None and kept.exists():
            with np.load(kept) as saved:
                self._rows = dict(saved)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        graph = files("watchword.encoders") / "mini" / "vision.onnx"
        self._graph = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def of(self, clip: Path, embedded: Embeddings) -> FeatureRows:
        """The features of the pictures that the embeddings were made of."""
        key = str(clip.resolve())
        if key not in self._rows:
            self._rows[key] = self._made(clip)
        return FeatureRows(self._rows[key], embedded.edges_s, "mini features", embedded.video)

    def keep(self) -> None:
        """Write them down for another time."""
        if self._file is not None:
            np.savez(self._file, **self._rows)

    def _made(self, clip: Path) -> NDArray[np.float32]:
        parts = []
        prepare = self._encoder.encoder.prepare
        with open_video(clip, options=ReadOptions(size=(224, 224), batch=BATCH)) as stream:
            for frames in stream:
                feeds = {"pixel_values": prepare(frames.pixels)}
                parts.append(self._graph.run(["features"], feeds)[0])
        rows = np.concatenate(parts)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def judged(
    clips: Mapping[Path, FeatureRows],
    records: tuple[Record, ...],
    score: Callable[[FeatureRows], Scores],
) -> Evaluation:
    """The evaluation of what ``score`` says of the clips."""
    made = [
        Prediction(str(clip), str(clip), scores=score(embedded), path=str(clip))
        for clip, embedded in clips.items()
    ]
    cases = load_cases(made, records, options=CaseOptions(partial=True))
    return evaluate(cases, EvaluationOptions(samples=200))


def as_features(embedded: Embeddings) -> FeatureRows:
    """The vectors for words, weighed as if they were features."""
    return FeatureRows(embedded.vectors, embedded.edges_s, embedded.encoder, embedded.video)


def beside_past(seen: FeatureRows) -> Scores:
    """Change as surprise beside the video's own past."""
    return against_past(change(seen), USUAL_CHANGE).scores


def later(scores: Scores) -> Scores:
    """The scores without those of the first second."""
    values = scores.values.copy()
    values[scores.edges_s[:-1] < scores.edges_s[0] + 1 - 1e-6] = np.nan
    return replace(scores, values=values)


def since_start(embedded: FeatureRows) -> Scores:
    """Seconds since the start, which look at no picture."""
    starts = embedded.edges_s[:-1] - embedded.edges_s[0]
    return Scores(starts[:, None], embedded.edges_s, ("change",), "distance")


def said(evaluation: Evaluation) -> str:
    """AUC over all windows / mean over videos."""
    both = (evaluation["auc_micro"].value, evaluation["auc_macro"].value)
    return " / ".join("–" if value is None else f"{value:.3f}" for value in both)


def prior(evaluation: Evaluation) -> str:
    """The same of a score that is higher the nearer the middle of its video."""
    both = [evaluation[name].baselines.get("centre") for name in ("auc_micro", "auc_macro")]
    return " / ".join("–" if value is None else f"{value:.3f}" for value in both)


def row(one: Set, folder: Path, encoder: VideoEncoder, features: Features) -> str:
    """A line of the table."""
    records = read_records(folder / one.name / "labels.json", split=one.split)
    clips = [Path(clip) for clip in find_videos([str(folder / one.name / one.part)])]
    embedded = {clip: encoder.embed(clip).embeddings for clip in clips}
    words = {clip: as_features(one) for clip, one in embedded.items()}
    seen = {clip: features.of(clip, one) for clip, one in embedded.items()}
    found = sum(len(cuts(embedded)) for embedded in seen.values())
    whole = judged(seen, records, change)
    interval = whole["auc_micro"]
    cells = [
        f"{one.name}, {len(clips)} clips",
        said(judged(words, records, lambda e: change(e, ChangeOptions(cuts=NO_CUTS)))),
        f"**{said(whole)}** ({interval.low:.2f} to {interval.high:.2f})",
        said(judged(seen, records, beside_past)),
        said(judged(seen, records, lambda e: later(change(e)))),
        said(judged(seen, records, lambda e: change(e, ChangeOptions(cuts=NO_CUTS)))),
        str(found),
        prior(whole),
        said(judged(seen, records, since_start)),
    ]
    return "| " + " | ".join(cells) + " |"


def speed(width: int) -> float:
    """Milliseconds for an hour of vectors at 10 a second."""
    rng = np.random.default_rng(0)
    rows = 0.02 * rng.standard_normal((36_000, width), np.float32)
    rows[:, 0] += 1
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    hour = FeatureRows(rows, np.arange(36_001) / 10, "made")
    times = []
    for _ in range(5):
        began = time.perf_counter()
        change(hour)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--features", type=Path)
    asked = parser.parse_args()
    encoder = VideoEncoder(Config())
    features = Features(encoder, asked.features)
    print(
        "| clips | 384 for words, no cuts | visual features | beside own past | later | no cuts "
        "| cuts | centre of the video | time since the start |\n" + "|---" * 9 + "|"
    )
    for one in SETS:
        print(row(one, asked.folder, encoder, features), flush=True)
    features.keep()
    for width in (384, 1280):
        print(f"an hour at 10/s, {width} wide: {speed(width):.0f} ms")


if __name__ == "__main__":
    main()
