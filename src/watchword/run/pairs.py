"""What is to be compared with what: two folders with equal stems, a manifest, or seed 5's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from watchword.errors import DatasetError
from watchword.evaluation.datasets.csv_file import csv_rows_of
from watchword.evaluation.datasets.text_file import json_rows_of, text_of
from watchword.video.container import is_url
from watchword.video.folder import PICTURE_SUFFIXES, natural_key
from watchword.video.reader import VIDEO_SUFFIXES, find_videos

PairKind = Literal[
    "video-to-text", "video-to-image", "video-to-video", "image-to-text", "image-to-image"
]

# Columns of a manifest: what is looked at, what it is compared with, and which pairs there are.
_LOOKED_AT = ("video", "image")
_COMPARED: Mapping[tuple[str, str], PairKind] = {
    ("video", "text"): "video-to-text",
    ("video", "image"): "video-to-image",
    ("video", "image2"): "video-to-image",
    ("video", "video2"): "video-to-video",
    ("image", "text"): "image-to-text",
    ("image", "image2"): "image-to-image",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things to compare; ``problem`` says why that cannot be done, ``second`` is then empty.

    ``second`` is a path, or the text itself. ``references`` are texts, for RefCLIPScore.
    """

    first: str
    second: str
    kind: PairKind
    references: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def name(self) -> str:
        """The file's name, as seed 5's table has it."""
        return self.first.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs in order, and files that were passed over because nothing belongs to them."""

    pairs: tuple[Pair, ...]
    alone: tuple[str, ...] = ()


def pairs_by_stem(videos: str | Path, references: str | Path) -> Pairs:
    """Each video of one folder with every picture, video or .txt of the same stem in another.

    A .txt file is one text, its line breaks read as spaces. A video without a reference is a pair
    with its problem.

    Raises:
        DatasetError: a folder cannot be read, or no video has a reference.
        VideoError: there is no video.
    """
    by_stem: dict[str, list[Path]] = {}
    for file in _files(Path(references)):
        if file.suffix.lower() in {".txt", *PICTURE_SUFFIXES, *VIDEO_SUFFIXES}:
            by_stem.setdefault(file.stem, []).append(file)
    found = find_videos([str(Path(videos))])
    stems = {Path(video).stem for video in found}
    if not stems & by_stem.keys():
        raise DatasetError(
            str(references),
            f"holds no picture, video or .txt named as one of the {len(found)} videos in {videos}, "
            f"such as {Path(found[0]).stem}.txt",
        )
    pairs = [
        pair
        for video in found
        for pair in _of_video(video, by_stem.get(Path(video).stem, ()), str(references))
    ]
    alone = [str(file) for stem, files in by_stem.items() if stem not in stems for file in files]
    return Pairs(tuple(pairs), tuple(alone))


def pairs_of_seed(results: str | Path, inputs: str | Path) -> Pairs:
    """Seed 5's pairs: ``source{a}_{b}.mp4`` of one folder with ``original{b}.mp4`` of another.

    Raises:
        DatasetError: a folder cannot be read, or holds no such file.
    """
    originals = set(_files(Path(inputs)))
    pairs, alone = [], []
    for file in _files(Path(results)):
        parts = file.stem.split("_")
        if file.suffix != ".mp4" or not file.stem.startswith("source") or len(parts) < 2:
            continue
        if len(parts) > 2:
            alone.append(str(file))
            continue
        original = Path(inputs) / f"original{parts[1]}.mp4"
        problem = None if original in originals else f"{original} is not there to compare with"
        pairs.append(Pair(str(file), str(original), "video-to-video", problem=problem))
    if not pairs:
        raise DatasetError(str(results), "holds no file named source1_2.mp4 or the like")
    return Pairs(tuple(pairs), tuple(alone))


def read_pairs(manifest: str | Path) -> Pairs:
    """The pairs of a CSV or JSONL manifest, in order.

    A row names a ``video`` or an ``image``, and a ``text``, an ``image2`` (or ``image``, beside a
    video) or a ``video2``. Columns that begin with ``ref`` are reference texts (in JSONL also a
    list). Paths are relative to the manifest; other columns are left alone.

    Raises:
        DatasetError: unreadable, without a row, or a row that is no such pair.
    """
    path = Path(manifest)
    if path.suffix.lower() == ".csv":
        rows: Iterator[tuple[int, Mapping[str, Any]]] = csv_rows_of(path)
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = json_rows_of(path)
    else:
        raise DatasetError(str(path), f"ends in {path.suffix!r}; a manifest is .csv or .jsonl")
    pairs = tuple(_of_row(path, number, row) for number, row in rows)
    if not pairs:
        raise DatasetError(str(path), "holds no pair")
    return Pairs(pairs)


def _of_row(path: Path, number: int, row: Mapping[str, Any]) -> Pair:
    given = [
        name for name in ("video", "image", "text", "image2", "video2") if _said(row.get(name))
    ]
    kind = _COMPARED.get((given[0], given[1])) if len(given) == 2 else None
    if kind is None:
        raise DatasetError(
            str(path),
            f"gives {', '.join(given) or 'nothing'} (columns: {', '.join(row)}); a pair is a video "
            "with a text, image or video2, or an image with a text or image2",
            row=number,
        )
    first, second = (str(row[name]).strip() for name in given)
    return Pair(
        _located(path, first),
        second if given[1] == "text" else _located(path, second),
        kind,
        references=_references(path, number, row) if given[1] == "text" else (),
    )


def _references(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for name, value in row.items():
        if not name.startswith("ref") or not _said(value):
            continue
        several = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in several):
            raise DatasetError(str(path), f"{name} is {value!r}, texts are needed", row=number)
        found.extend(several)
    return tuple(found)


def _said(value: Any) -> bool:
    return value is not None and bool(str(value).strip())


def _located(manifest: Path, name: str) -> str:
    return name if is_url(name) else str(manifest.parent / name)


def _of_video(video: str, files: Sequence[Path], where: str) -> Iterator[Pair]:
    if not files:
        said = f"no picture, video or .txt named {Path(video).stem} in {where}"
        yield Pair(video, "", "video-to-text", problem=said)
    for file in files:
        suffix = file.suffix.lower()
        if suffix == ".txt":
            try:
                yield Pair(video, " ".join(text_of(file).split()), "video-to-text")
            except DatasetError as exc:
                yield Pair(video, "", "video-to-text", problem=str(exc))
        elif suffix in PICTURE_SUFFIXES:
            yield Pair(video, str(file), "video-to-image")
        else:
            yield Pair(video, str(file), "video-to-video")


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(
            (file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")),
            key=natural_key,
        )
    except OSError as exc:
        raise DatasetError(str(folder), f"the folder cannot be read: {exc.strerror}") from exc
