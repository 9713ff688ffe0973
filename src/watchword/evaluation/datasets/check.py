"""What does not add up in a truth file, before anything rests on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from watchword.errors import DatasetError, VideoError
from watchword.evaluation.datasets.check_record import Problem, Seen, problems_of_record
from watchword.evaluation.datasets.clock import clock_of_video, unclocked
from watchword.evaluation.datasets.locate import find_video, videos_below
from watchword.evaluation.datasets.record import FrameClock, Record

_SHOWN = 5


def check_dataset(
    records: Sequence[Record], *, videos: Path | None, rate: float | None = None
) -> tuple[Problem, ...]:
    """What does not add up in the records and, where their folder is known, in the videos.

    Args:
        records: of one truth file or folder, duplicates included.
        videos: folder of the videos; None checks what can be said without them.
        rate: frames a second to count with, instead of the videos' own frame times.

    Raises:
        DatasetError: there is no such folder.
    """
    return problems_of(look_at(records, videos=videos, rate=rate), videos=videos)


def look_at(
    records: Sequence[Record], *, videos: Path | None, rate: float | None = None
) -> tuple[Seen, ...]:
    """Each record beside its video; no frame is decoded.

    Raises:
        DatasetError: there is no such folder.
    """
    asked = None if rate is None else FrameClock(rate=rate, origin="the rate that was asked for")
    if videos is None:
        return tuple(Seen(record, asked=asked) for record in records)
    below = videos_below(videos)
    return tuple(_look(record, videos, below, asked) for record in records)


def problems_of(seen: Sequence[Seen], *, videos: Path | None) -> tuple[Problem, ...]:
    """What does not add up in records that were looked at: of the whole first, then by record."""
    records = [one.record for one in seen]
    if not records:
        return (_note("there are no videos", serious=True),)
    return (
        *_of_splits(records),
        *_of_groups(records),
        *_of_names(records),
        *(_of_clocks(seen) if videos is None else _of_strays(seen, videos)),
        *(problem for one in seen for problem in problems_of_record(one)),
    )


def _look(record: Record, videos: Path, below: Sequence[Path], asked: FrameClock | None) -> Seen:
    video: Path | None = None
    try:
        video = find_video(record.video, videos, among=below)
        if video is not None:
            return Seen(record, video, clock_of_video(video, record), asked)
        why = f"there is no such video in {videos}"
    except (DatasetError, VideoError) as exc:
        why = str(exc)
    return Seen(record, video, None, asked, Problem(record.video, record.where, why))


def _note(sentence: str, *, where: str = "", serious: bool = False) -> Problem:
    return Problem("", where, sentence, serious)


def _of_splits(records: Sequence[Record]) -> Iterator[Problem]:
    by_split: dict[str | None, list[Record]] = defaultdict(list)
    for record in records:
        by_split[record.split].append(record)
    for split, inside in by_split.items():
        name = "the data" if split is None else f"split {split!r}"
        said = {_positive(record) for record in inside}
        if said == {None}:
            yield _note(f"nobody said of any video of {name} whether anything happens in it")
        elif said <= {False, None}:
            yield _note(f"{name} holds normal videos only: no AUC can be told from it")
        elif said <= {True, None}:
            yield _note(f"{name} holds no normal video: nothing can be told of whole videos")
    unsaid = sum(_positive(record) is None for record in records)
    if 0 < unsaid < len(records):
        yield _note(f"of {_count(unsaid)} nobody said whether anything happens in it")


def _positive(record: Record) -> bool | None:
    return True if record.spans else record.anomalous


def _of_groups(records: Sequence[Record]) -> Iterator[Problem]:
    splits: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if record.group is not None and record.split is not None:
            splits[record.group].add(record.split)
    for group, found in splits.items():
        if len(found) > 1:
            yield _note(
                f"group {group!r} is in more than one split: {_listed(found)}", serious=True
            )


def _of_names(records: Sequence[Record]) -> Iterator[Problem]:
    """Videos that stand twice, and names that only a folder tells apart."""
    by_path: dict[str, list[Record]] = defaultdict(list)
    by_name: dict[str, set[str]] = defaultdict(set)
    for record in records:
        path = PurePosixPath(record.video.replace("\\", "/"))
        by_path[str(path)].append(record)
        by_name[path.stem].add(str(path))
    for video, same in by_path.items():
        splits = {record.split for record in same}
        if len(splits) > 1:
            named = _listed(str(split) for split in splits)
            yield Problem(video, same[-1].where, f"is in more than one split: {named}")
        if len(splits) < len(same):
            first = same[0].where
            yield Problem(video, same[-1].where, f"stands {len(same)} times, first in {first}")
    for name, paths in by_name.items():
        if len(paths) > 1:
            yield _note(
                f"{_listed(paths)} are all called {name!r}: save results with the folder's name"
            )


def _of_clocks(seen: Sequence[Seen]) -> Iterator[Problem]:
    lost = unclocked([one.record for one in seen if one.clock is None])
    if lost:
        yield _note(
            f"{_count(len(lost))} annotated in frames without a rate: name the folder of the "
            "videos (--videos) or the rate (--rate)"
        )


def _of_strays(seen: Sequence[Seen], videos: Path) -> Iterator[Problem]:
    named = {one.video.resolve() for one in seen if one.video is not None}
    strays = [video for video in videos_below(videos) if video.resolve() not in named]
    if strays:
        shown = _listed(str(video.relative_to(videos)) for video in strays)
        yield _note(f"no annotation names {_count(len(strays))}: {shown}", where=str(videos))


def _count(number: int) -> str:
    return "1 video" if number == 1 else f"{number} videos"


def _listed(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = "" if len(listed) <= _SHOWN else f" and {len(listed) - _SHOWN} more"
    return ", ".join(listed[:_SHOWN]) + more
