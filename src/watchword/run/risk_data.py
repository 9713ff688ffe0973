"""Data sets of questions about the next seconds, made from annotated videos."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from watchword.errors import DatasetError, OutputError, VideoError
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.datasets.record import Record
from watchword.evidence.answers.question import CRASH
from watchword.output.atomic import check_folder, new_folder
from watchword.output.export.encoding import VideoWriter
from watchword.run.fitting import Found
from watchword.run.manifest import Job
from watchword.run.risk_folder import read_risk_dataset
from watchword.train.risk.examples import SPLITS, RiskDataset, Split
from watchword.train.risk.windows import Window, WindowOptions, choose_windows
from watchword.types import Annotation
from watchword.video.fingerprint import fingerprint
from watchword.video.reader import open_video
from watchword.video.sampling import Sampling

MARK = "dataset.json"
FORMAT = "watchword risk dataset 1"
QUESTION = CRASH.text


@dataclass(frozen=True, slots=True)
class RiskDataOptions:
    """How a data set is written.

    Attributes:
        windows: which stretches of a video are taken.
        text: the question of every line.
        shares: of the groups that go to train, val and test (default 0.7, 0.15, 0.15), where the
            truth has no splits of its own.
        own_splits: whether a split that the truth states stays (default yes).
        cut: whether stretches are cut out as videos (default), which programs made for seed 4 need;
            otherwise lines name the videos where they lie, with ``start_s`` and ``end_s``.
        crf: quality of what is cut, 0 (lossless) to 51 (default 18).
        rate: frames a second, for truth that counts frames and videos without times.
        seed: of the draw of splits.
    """

    windows: WindowOptions = field(default_factory=WindowOptions)
    text: str = QUESTION
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    own_splits: bool = True
    cut: bool = True
    crf: int = 18
    rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.shares) != 3 or min(self.shares) < 0 or not self.shares[0] > 0:
            raise ValueError(
                f"shares is {self.shares}, it must be three numbers from 0 up, for train, val and "
                "test, and the first more than 0"
            )
        if not self.text.strip():
            raise ValueError("text is empty, it must be a question")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf is {self.crf}, it must be 0 to 51")


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one video gives."""

    job: Job
    group: str
    split: str | None
    windows: tuple[Window, ...]

    @property
    def yes(self) -> int:
        return sum(one.label for one in self.windows)


def write_risk_dataset(
    found: Found, folder: str | Path, options: RiskDataOptions, *, overwrite: bool = False
) -> RiskDataset:
    """A folder with stretches of annotated videos, as training reads it.

    Args:
        found: videos and what is true of them.
        folder: where to.
        options: which stretches, and how.
        overwrite: replace what an earlier run wrote there; other files stay.

    Raises:
        DatasetError: no stretch with the answer yes, or none with no, could be had for training.
        OutputError: the folder is taken, or cannot be written.
    """
    folder = Path(folder)
    check_folder(folder, mark=MARK, overwrite=overwrite)
    taken, notes = _take(found, options)
    if not any(one.yes for one in taken) or all(one.yes == len(one.windows) for one in taken):
        have = f"{sum(o.yes for o in taken)} with yes, {sum(len(o.windows) - o.yes for o in taken)}"
        raise DatasetError(
            str(folder),
            f"{len(found.pairs)} videos give {have} with no; both are needed. Stretches are "
            f"{options.windows.clip_s:g} s long and end before the event; take a shorter clip_s "
            f"or clear_s, or add videos that are normal. {'; '.join(notes)}",
        )
    splits = _splits(taken, options, notes)
    ours = {*SPLITS, *(f"{split}.jsonl" for split in SPLITS), MARK}
    with new_folder(folder, mark=MARK, ours=ours.__contains__, overwrite=overwrite) as made:
        counts = _fill(made, folder, splits, options, notes)
        told = {"format": FORMAT, "options": asdict(options), "counts": counts, "notes": notes}
        (made / MARK).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        # The same video twice in the truth may be in two splits: nothing is replaced then.
        read_risk_dataset(made, check_clips=False)
        # Files are moved one by one, folders as a whole, so an old one must make room.
        for split in SPLITS:
            shutil.rmtree(folder / split, ignore_errors=True)
    dataset = read_risk_dataset(folder, check_clips=False)
    return replace(dataset, notes=(*notes, *dataset.notes))


def _take(found: Found, options: RiskDataOptions) -> tuple[list[_Taken], list[str]]:
    """What each video gives, and sentences on those that give nothing."""
    taken, notes = [], list(found.notes)
    short = vague = 0
    for job, record in found.pairs:
        try:
            annotation, length_s = _annotation(job, record, options)
        except VideoError as exc:
            notes.append(f"left out: {exc}")
            continue
        windows = choose_windows(annotation, length_s, options.windows)
        vague += not annotation.localised and annotation.accident_s is None
        short += annotation.localised and not any(o.label for o in windows) and annotation.positive
        if windows:
            taken.append(_Taken(job, record.group or record.video, record.split, windows))
    if vague:
        notes.append(f"{vague} videos are called positive and do not say when; they were left out")
    if short:
        notes.append(
            f"{short} videos with an event have less than {options.windows.clip_s:g} s before each "
            "end asked for, so they give no stretch with the answer yes"
        )
    return taken, notes


def _annotation(job: Job, record: Record, options: RiskDataOptions) -> tuple[Annotation, float]:
    clock = clock_for(record, videos=None, path=job.source, rate=options.rate)
    annotation = record.annotation(clock)
    if annotation.duration_s is not None:
        return annotation, annotation.duration_s
    with open_video(job.source) as stream:
        if stream.info.duration_s is None:
            raise VideoError(job.source, "does not say how long it is")
        return annotation, stream.info.duration_s


def _splits(
    taken: Sequence[_Taken], options: RiskDataOptions, notes: list[str]
) -> dict[Split, list[_Taken]]:
    """The videos by split: their own, else groups dealt by the shares, those with events first."""
    names = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
    own = [names.get(str(one.split).lower(), str(one.split).lower()) for one in taken]
    if options.own_splits and set(own) <= set(SPLITS):
        kept: dict[Split, list[_Taken]] = {
            split: [o for o, s in zip(taken, own, strict=True) if s == split] for split in SPLITS
        }
        notes.append("splits are those that the truth states")
        if kept["val"] or not options.shares[1]:
            return kept
        # Nothing of a test may choose the model, so validation is a part of training.
        part = options.shares[0], options.shares[1], 0.0
        return {**_dealt(kept["train"], part, options.seed), "test": kept["test"]}
    return _dealt(taken, options.shares, options.seed)


def _dealt(
    taken: Sequence[_Taken], shares: tuple[float, float, float], seed: int
) -> dict[Split, list[_Taken]]:
    groups: dict[str, list[_Taken]] = defaultdict(list)
    for one in taken:
        groups[one.group].append(one)
    names = sorted(groups)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    order.sort(key=lambda name: not any(one.yes for one in groups[name]))
    parts: dict[Split, list[_Taken]] = {split: [] for split in SPLITS}
    load = np.zeros((2, 3))
    wanted = np.asarray(shares) / sum(shares)
    for name in order:
        kind = int(any(one.yes for one in groups[name]))
        # To the split that lacks most of what it should have of this kind.
        lacks = wanted * (load[kind].sum() + 1) - load[kind]
        to = int(np.argmax(np.where(wanted > 0, lacks, -np.inf)))
        load[kind, to] += 1
        parts[SPLITS[to]] += groups[name]
    return parts


def _fill(
    made: Path,
    folder: Path,
    splits: Mapping[Split, Sequence[_Taken]],
    options: RiskDataOptions,
    notes: list[str],
) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for split, videos in splits.items():
        lines: list[dict[str, Any]] = []
        for video in videos:
            try:
                lines += _lines(video, made / split, options)
            except (VideoError, OutputError) as exc:
                notes.append(f"left out: {exc}")
        yes = sum(line["label"] for line in lines)
        counts[split] = {"yes": yes, "no": len(lines) - yes}
        if lines:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (made / f"{split}.jsonl").write_text(text, encoding="utf-8")
    if not counts["train"]["yes"] or not counts["train"]["no"]:
        raise DatasetError(str(folder), f"training would have {counts['train']}; both are needed")
    return counts


def _lines(video: _Taken, clips: Path, options: RiskDataOptions) -> list[dict[str, Any]]:
    source = Path(video.job.source).resolve()
    short = hashlib.sha256(str(source).encode()).hexdigest()[:6]
    whole = fingerprint(source) if options.cut else None
    lines = []
    for number, window in enumerate(video.windows):
        line: dict[str, Any] = {"video": str(source), "text": options.text, "label": window.label}
        times: dict[str, Any] = {"start_s": window.start_s, "end_s": window.end_s}
        if options.cut:
            line["video"] = f"{source.stem}-{short}-{number:02d}.mp4"
            clips.mkdir(exist_ok=True)
            _cut(source, window, clips / line["video"], options.crf)
            times = {"cut_from": str(source), "cut_start_s": window.start_s}
            times["cut_fingerprint"] = whole
        line |= {**times, "group": video.group}
        if window.lead_s is not None:
            line["lead_s"] = round(window.lead_s, 6)
        lines.append(line)
    return lines


def _cut(source: Path, window: Window, path: Path, crf: int) -> None:
    """The pictures that begin in the stretch, encoded anew: nothing of what follows gets in."""
    sampling = Sampling(rate=None, start_s=window.start_s, end_s=window.end_s)
    first = True
    with (
        open_video(source, sampling=sampling) as stream,
        VideoWriter(path, tick=Fraction(1, 90_000), crf=crf) as writer,
    ):
        for frames in stream:
            for pixels, at_s, lasts_s in zip(
                frames.pixels, frames.pts_s, frames.duration_s, strict=True
            ):
                # The first is shown from the start on, so that all are of the same length.
                begins_s = window.start_s if first else float(at_s)
                ends_s = min(float(at_s + lasts_s), window.end_s)
                first = False
                writer.write(
                    Image.fromarray(pixels),
                    time_s=begins_s - window.start_s,
                    duration_s=ends_s - begins_s,
                )
