"""Seed 4's folders of questions about the next seconds: read, and checked before training.

A folder holds ``train.jsonl``, ``val.jsonl`` and ``test.jsonl``, one object a line with ``video``,
``text`` and ``label`` (1 is yes), and the videos in folders ``train``, ``val`` and ``test``. A line
may also have ``start_s``, ``end_s``, ``group``, ``lead_s``, ``cut_from`` and ``cut_fingerprint``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from watchword.errors import DatasetError, VideoError
from watchword.evaluation.datasets import jsonl_labels
from watchword.evaluation.datasets.text_file import json_rows_of
from watchword.train.risk.examples import SPLITS, RiskDataset, RiskExample, Split
from watchword.video.fingerprint import fingerprint
from watchword.video.reader import ReadOptions, open_video
from watchword.video.sampling import Sampling

_SHOWN = 5
_WANTED = (
    'it needs lines such as {"video": "a.mp4", "text": "...?", "label": 1}, and the videos in '
    "folders train, val and test; watchword risk data writes such a folder"
)


def read_risk_dataset(folder: str | Path, *, check_clips: bool = True) -> RiskDataset:
    """What a folder holds, checked before any time is spent on it.

    A video is looked for in the folder of its split, then beside the JSONL file.

    Args:
        folder: with ``train.jsonl`` and, as far as there are any, ``val.jsonl``, ``test.jsonl``.
        check_clips: whether the first picture of each stretch is decoded, which finds those that
            cannot be read.

    Raises:
        DatasetError: no train.jsonl, an empty split, a label other than 0 and 1, a line without
            video, label or text, a clip that is not there or cannot be read, or a video or a group
            that stands in two splits.
    """
    folder = Path(folder)
    found: dict[Split, tuple[RiskExample, ...]] = dict.fromkeys(SPLITS, ())
    notes = []
    for split in SPLITS:
        file = folder / f"{split}.jsonl"
        if file.is_file():
            found[split] = tuple(_examples(file, split))
        elif split == "train":
            raise DatasetError(str(folder), f"holds no train.jsonl; {_WANTED}")
        else:
            notes.append(f"there is no {split}.jsonl")
    dataset = RiskDataset(folder, found["train"], found["val"], found["test"])
    notes += _refuse_one_sided(dataset)
    _refuse_shared(dataset)
    if check_clips:
        _refuse_unreadable(dataset)
    return replace(dataset, notes=tuple(notes))


def _examples(file: Path, split: Split) -> Iterator[RiskExample]:
    rows = json_rows_of(file)
    for record, (row, said) in zip(jsonl_labels.read(file), rows, strict=True):
        text = said.get("text")
        if not isinstance(text, str) or not text.strip():
            raise DatasetError(str(file), f"text must be a question, got {text!r}", row=row)
        video = _place(record.video, file, split, row)
        times = {name: _seconds(said, name, file, row) for name in ("start_s", "end_s", "lead_s")}
        try:
            yield RiskExample(
                video=video,
                text=text,
                label=int(bool(record.anomalous)),
                group=str(said.get("group") or video.resolve()),
                cut_from=_text(said, "cut_from", file, row),
                cut_fingerprint=_text(said, "cut_fingerprint", file, row),
                **times,
            )
        except ValueError as exc:
            raise DatasetError(str(file), str(exc), row=row) from exc


def _place(video: str, file: Path, split: Split, row: int) -> Path:
    for place in (file.parent / split / video, file.parent / video):
        if place.exists():
            return place
    raise DatasetError(
        str(file), f"names {video!r}, which is not in {file.parent / split}; {_WANTED}", row=row
    )


def _seconds(said: Mapping[str, Any], name: str, file: Path, row: int) -> float | None:
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise DatasetError(str(file), f"{name} must be seconds, got {value!r}", row=row)
    if name != "lead_s" and value < 0:
        raise DatasetError(str(file), f"{name} must be 0 or more, got {value!r}", row=row)
    return float(value)


def _text(said: Mapping[str, Any], name: str, file: Path, row: int) -> str | None:
    value = said.get(name)
    if value is not None and not isinstance(value, str):
        raise DatasetError(str(file), f"{name} must be text, got {value!r}", row=row)
    return value or None


def _refuse_one_sided(dataset: RiskDataset) -> list[str]:
    """Notes on splits whose answers are all the same; DatasetError if training's are."""
    notes = []
    for split, count in dataset.counts.items():
        if count["yes"] + count["no"] and not (count["yes"] and count["no"]):
            told = (
                f"{split}.jsonl has {count['yes']} examples with label 1 and {count['no']} with 0"
            )
            if split == "train":
                raise DatasetError(str(dataset.folder), f"{told}; both are needed to learn")
            notes.append(f"{told}, so nothing can be ranked there")
    return notes


def _refuse_shared(dataset: RiskDataset) -> None:
    """DatasetError if a group, a path or the same bytes stand in two splits."""
    where: dict[str, dict[str, Split]] = defaultdict(dict)
    for split, one in dataset:
        where[f"the group {one.group!r}"].setdefault(split, split)
        where[f"the video {one.video.resolve()}"].setdefault(split, split)
    shared = [(what, tuple(splits)) for what, splits in where.items() if len(splits) > 1]
    shared += list(_same_bytes(dataset))
    if shared:
        what, splits = shared[0]
        raise DatasetError(
            str(dataset.folder),
            f"{what} stands in {' and '.join(splits)} ({len(shared)} such cases); what is tested "
            "would have been learned. Put all clips of a drive or camera into one split",
        )


def _same_bytes(dataset: RiskDataset) -> Iterator[tuple[str, tuple[Split, ...]]]:
    """Files that are equal and stand in different splits; only those of one size are read."""
    sizes: dict[int, dict[Path, Split]] = defaultdict(dict)
    for split, one in dataset:
        if one.video.is_file():
            sizes[one.video.stat().st_size][one.video] = split
    for alike in sizes.values():
        if len(set(alike.values())) < 2:
            continue
        seen: dict[str | None, tuple[Path, Split]] = {}
        for path, split in alike.items():
            first, other = seen.setdefault(fingerprint(path), (path, split))
            if other != split:
                yield f"{path.name}, which is the same file as {first.name},", (other, split)


def _refuse_unreadable(dataset: RiskDataset) -> None:
    problems = []
    seen = set()
    for _, one in dataset:
        if (one.video, one.start_s) in seen:
            continue
        seen.add((one.video, one.start_s))
        try:
            sampling = Sampling(rate=None, start_s=one.start_s, end_s=one.end_s)
            with open_video(one.video, sampling=sampling, options=ReadOptions(batch=1)) as stream:
                next(stream)
        except VideoError as exc:
            problems.append(str(exc))
    if problems:
        raise DatasetError(
            str(dataset.folder),
            f"{len(problems)} clips cannot be read: {'; '.join(problems[:_SHOWN])}"
            + ("; ..." if len(problems) > _SHOWN else "")
            + ". Take them out of the JSONL, or mend them",
        )
