"""What a temporal adapter is worth where it was not trained: train on one set, test on another.

    python benchmarks/adapter_transfer.py FOLDER [--write] [--seeds 5] [--sets a,b] [--jobs 2]

FOLDER holds a folder a set with clips and their ``labels.json``; embeddings come from the cache.
Each cell is AUC over all pictures of the tested set together, mean and spread over seeds. An
adapter that is tested on the set that it was trained on is five adapters, each tested on the groups
(cameras, scenes, subjects) that it did not see. "head" is the linear head of ``fit`` on the same
rows, in the same splits. "untrained" is what an adapter gives before its first step; "centre" is
higher the nearer the middle of its video; "change" learns nothing. ``--write`` puts the tables into
docs/adapter.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from watchword.config import Config, apply
from watchword.errors import CalibrationError
from watchword.evaluation.metrics.frame import roc_auc
from watchword.evidence.adapter import Source, load_adapter
from watchword.evidence.change import change
from watchword.evidence.head import score_head
from watchword.features import Features
from watchword.pipeline.embed import VideoEncoder
from watchword.run.fitting import TruthOptions, find_pairs
from watchword.run.training import objective_for, prompts_for, training_videos
from watchword.train.adapter.config_file import AdapterConfig
from watchword.train.adapter.fit import fit_adapter
from watchword.train.adapter.options import AdapterOptions, Origin
from watchword.train.adapter.windows import TrainingVideo
from watchword.train.examples import LabelledVideo
from watchword.train.folds import grouped_folds
from watchword.train.head import FitOptions, fit_head
from watchword.types import Annotation, Coverage, Embeddings, Span

SETS = ("ucsd_ped2", "cuhk_avenue", "ucf_crime", "dada", "cctv_accident", "gmdcsa24")
SOURCES = get_args(Source)
FOLDS = 5
# The highest rate at which the pictures of all sets are equally far apart.
RATE = 5
PAGE = Path(__file__).parents[1] / "docs" / "adapter.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"

Rows = NDArray[np.float32]
Videos = Sequence[TrainingVideo]
# From videos to learn from and videos to test on to the scores of these.
Scorer = Callable[[Videos, Videos], list[Rows]]


@dataclass(frozen=True)
class Asked:
    """What is trained on what."""

    folder: Path
    sets: tuple[str, ...]
    seeds: int
    options: dict[str, object]


@dataclass
class Cell:
    """AUC over all pictures, and mean over videos, a seed each."""

    micro: list[float] = field(default_factory=list)
    macro: list[float] = field(default_factory=list)

    def add(self, videos: Videos, scores: Sequence[Rows]) -> None:
        """One more seed."""
        pairs = [(one.frame_labels, own) for one, own in zip(videos, scores, strict=True)]
        self.micro.append(auc(*(np.concatenate(part) for part in zip(*pairs, strict=True))))
        self.macro.append(float(np.nanmean([auc(truth, own) for truth, own in pairs])))

    def __str__(self) -> str:
        spread = f" ± {np.std(self.micro, ddof=1):.3f}" if len(self.micro) > 1 else ""
        return f"{np.mean(self.micro):.3f}{spread}" if self.micro else "–"


def auc(truth: NDArray[np.bool_], values: Rows) -> float:
    """Over the pictures that were measured; NaN for one class."""
    known = ~np.isnan(values)
    truth, values = truth[known], values[known]
    found = roc_auc(truth, values) if truth.any() and not truth.all() else None
    return np.nan if found is None else found


def read(folder: Path, encoder: VideoEncoder, source: Source) -> tuple[TrainingVideo, ...]:
    """All videos of a set whose pictures are labelled."""
    truth = TruthOptions(folder / "labels.json")
    found = training_videos(encoder, find_pairs([], truth), truth, source=source)
    return tuple(one for one in found.videos if one.frame_labels is not None)


def as_embeddings(video: TrainingVideo) -> Embeddings:
    """Its rows, for what reads embeddings."""
    return Embeddings(
        video.rows, video.edges_s, "made", video.fingerprint, Coverage(len(video.rows))
    )


def by_adapter(
    train: Videos, test: Videos, *, options: AdapterOptions, origin: Origin
) -> list[Rows]:
    """Probability of each picture of the tested videos."""
    with tempfile.TemporaryDirectory() as folder:
        fit_adapter(train, options, origin=origin, folder=Path(folder) / "run")
        adapter = load_adapter(Path(folder) / "run")
    return [adapter.adapt(one.rows)[1] for one in test]


def by_head(train: Videos, test: Videos) -> list[Rows]:
    """Likewise by a linear head."""
    labelled = [LabelledVideo(annotation(one), as_embeddings(one)) for one in train]
    every_s = max(1.0, sum(one.edges_s[-1] - one.edges_s[0] for one in train) / 15_000)
    fitting = FitOptions(
        window_s=2,
        every_s=every_s,
        merged="abnormal",
        sizes=(),
        samples=1,
        folds=2,
        unvalidated=True,
    )
    head = fit_head(labelled, fitting).head
    return [score_head(as_embeddings(one), head).values[:, 0] for one in test]


def annotation(video: TrainingVideo) -> Annotation:
    """Its labels as an event a stretch."""
    steps = np.diff(np.concatenate([[0], video.frame_labels.astype(int), [0]]))
    ends = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    spans = [Span("abnormal", float(video.edges_s[a]), float(video.edges_s[b])) for a, b in ends]
    return Annotation(
        video.name, tuple(spans), ("abnormal",), anomalous=bool(spans), group=video.group
    )


def left_out(videos: Videos, score: Scorer, seed: int) -> tuple[list[TrainingVideo], list[Rows]]:
    """Videos with the scores that what was trained without their group gives them."""
    holds = np.array([bool(one.video_label) for one in videos])
    fold = grouped_folds([one.group for one in videos], holds, folds=FOLDS, seed=seed)
    tested: list[TrainingVideo] = []
    scores: list[Rows] = []
    for number in np.unique(fold):
        held = [one for one, own in zip(videos, fold, strict=True) if own == number]
        train = [one for one, own in zip(videos, fold, strict=True) if own != number]
        tested += held
        scores += score(train, held)
    return tested, scores


def free(asked: Asked) -> dict[str, dict[str, Cell]]:
    """What learns nothing, by set: cells by name."""
    encoder = VideoEncoder(apply(Config(), {"sampling": {"rate": RATE}}))
    found: dict[str, dict[str, Cell]] = {}
    for name in asked.sets:
        own: dict[str, Cell] = {
            one: Cell() for one in ("centre", "sentences", "change", "motion prompts")
        }
        seen = {source: read(asked.folder / name, encoder, source) for source in SOURCES}
        test = seen["features"]
        middles = [-np.abs(np.linspace(-1, 1, len(one.rows))) for one in test]
        features = [Features(one.rows, one.edges_s, "made", one.fingerprint) for one in test]
        own["centre"].add(test, middles)
        own["change"].add(test, [change(one).values[:, 0] for one in features])
        for title, source in (("sentences", "vectors"), ("motion prompts", "motion")):
            normal, abnormal = prompts_for(source, encoder, AdapterConfig())
            own[title].add(seen[source], [o.rows @ (abnormal - normal) for o in seen[source]])
        found[name] = own
    return found


def learned(task: tuple[Source, str], asked: Asked) -> dict[str, tuple[Cell, Cell]]:
    """By tested set, the cells of head and adapters trained on the set of the task."""
    source, trained = task
    encoder = VideoEncoder(apply(Config(), {"sampling": {"rate": RATE}}))
    origin = Origin(
        encoder.encoder.fingerprint,
        encoder.encoder.name,
        prompts_for(source, encoder, AdapterConfig()),
    )
    sets = {name: read(asked.folder / name, encoder, source) for name in asked.sets}
    train = sets[trained]
    cells = {name: (Cell(), Cell()) for name in asked.sets}
    base = AdapterOptions(source=source, objective=objective_for(train), threads=1, **asked.options)
    try:
        for seed in range(-1, asked.seeds):
            score: Scorer = partial(
                by_adapter, options=replace(base, seed=max(0, seed)), origin=origin
            )
            score, which = (by_head, 0) if seed < 0 else (score, 1)
            away = [name for name in asked.sets if name != trained]
            given = score(train, [one for name in away for one in sets[name]])
            for name in away:
                mine = len(sets[name])
                cells[name][which].add(sets[name], given[:mine])
                given = given[mine:]
            cells[trained][which].add(*left_out(train, score, max(0, seed)))
    except CalibrationError as exc:
        print(f"{source}, {trained}: {exc}", flush=True)
    return cells


Found = dict[tuple[Source, str], dict[str, tuple[Cell, Cell]]]


def tables(nothing: dict[str, dict[str, Cell]], found: Found, asked: Asked) -> Iterator[str]:
    """The lines that say it all."""
    names = list(next(iter(nothing.values())))
    yield "Without training:"
    yield ""
    yield f"| tested on | always | {' | '.join(names)} |"
    yield "|---" * (len(names) + 2) + "|"
    for tested, own in nothing.items():
        yield f"| {tested} | 0.500 | {' | '.join(str(own[name]) for name in names)} |"
    yield ""
    yield (
        f"Trained (AUC over all pictures; adapters: mean ± spread over {asked.seeds} seeds; "
        "trained and tested on one set: on groups left out):"
    )
    yield ""
    heads = [f"{source}: {what}" for source in SOURCES for what in ("head", "adapter")]
    yield f"| trained on | tested on | {' | '.join(heads)} |"
    yield "|---" * (len(heads) + 2) + "|"
    for trained in asked.sets:
        for tested in asked.sets:
            cells = [str(cell) for source in SOURCES for cell in found[source, trained][tested]]
            yield f"| {trained} | {tested} | {' | '.join(cells)} |"
    yield ""
    yield "Means over sets (micro / mean over videos):"
    yield ""
    yield "| | " + " | ".join(heads) + " | change | motion prompts |"
    yield "|---" * (len(heads) + 3) + "|"
    for title, same in (("same set, other groups", True), ("other set", False)):
        pairs = [(a, b) for a in asked.sets for b in asked.sets if (a == b) == same]
        columns = [
            [found[source, a][b][which] for a, b in pairs] for source in SOURCES for which in (0, 1)
        ]
        columns += [[nothing[b][name] for _, b in pairs] for name in ("change", "motion prompts")]
        yield f"| {title} | " + " | ".join(map(both, columns)) + " |"


def both(cells: Sequence[Cell]) -> str:
    """Means of both figures over cells."""
    known = [cell for cell in cells if cell.micro]
    micro, macro = (np.mean([np.mean(getattr(o, n)) for o in known]) for n in ("micro", "macro"))
    return f"{micro:.3f} / {macro:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--options", type=json.loads, default={}, help="fields of AdapterOptions")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/adapter.md")
    given = parser.parse_args()
    asked = Asked(given.folder, tuple(given.sets.split(",")), given.seeds, given.options)
    nothing = free(asked)
    tasks: list[tuple[Source, str]] = [(source, name) for source in SOURCES for name in asked.sets]
    found: Found = {}
    with ProcessPoolExecutor(given.jobs) as pool:
        for task, cells in zip(tasks, pool.map(partial(learned, asked=asked), tasks), strict=True):
            found[task] = cells
            shown = ", ".join(f"{name} {head} {own}" for name, (head, own) in cells.items())
            print(f"{task}: {shown}", flush=True)
    text = "\n".join(tables(nothing, found, asked))
    print(text)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN)
        tail = rest.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
