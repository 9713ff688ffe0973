"""Every format that truth is read from, and the one door to all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets import (
    activitynet,
    avenue,
    ccd,
    clip_signals,
    cvat,
    dad,
    dada,
    dota,
    jsonl_labels,
    label_studio,
    labels_json,
    meta_json,
    nexar,
    own_json,
    own_table,
    segment_votes,
    shanghaitech,
    ucf_crime,
    ucsd,
    xd_violence,
)
from watchword.evaluation.datasets.record import Record

_FROM_0 = "frames from 0, end not included"
_FROM_1 = "frames from 1, last one included"
_SECONDS = "seconds, end not included"
_WHOLE = "whole videos, no times"


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write truth down.

    Attributes:
        name: what ``--format`` calls it.
        title: where it comes from, for people.
        convention: how it numbers time.
        sniff: whether a file or folder looks like it; never raises.
        read: its records; raises DatasetError.
    """

    name: str
    title: str
    convention: str
    sniff: Callable[[Path], bool]
    read: Callable[[Path], tuple[Record, ...]]


FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format(
            "own-json",
            "Watchword's JSON",
            f"{_SECONDS}; or {_FROM_0}",
            own_json.sniff,
            own_json.read,
        ),
        Format(
            "own-table",
            "a CSV or JSONL of one's own",
            f"{_SECONDS}; or {_FROM_0}",
            own_table.sniff,
            own_table.read,
        ),
        Format(
            "clip-signals",
            "scene JSON of CLIP Signals for Hazardous Scenes",
            _FROM_0,
            clip_signals.sniff,
            clip_signals.read,
        ),
        Format(
            "segment-votes",
            "segment and video CSV of Video Anomaly Detection with CLIP",
            _WHOLE,
            segment_votes.sniff,
            segment_votes.read,
        ),
        Format(
            "meta-json", "meta.json of VideoAnomalyCLIP", _FROM_0, meta_json.sniff, meta_json.read
        ),
        Format(
            "jsonl-labels",
            "questions with 0 or 1, one a line (crash risk)",
            _WHOLE,
            jsonl_labels.sniff,
            jsonl_labels.read,
        ),
        Format("ucf-crime", "UCF-Crime", _FROM_0, ucf_crime.sniff, ucf_crime.read),
        Format("xd-violence", "XD-Violence", _FROM_0, xd_violence.sniff, xd_violence.read),
        Format("ucsd", "UCSD Ped1 and Ped2", _FROM_1, ucsd.sniff, ucsd.read),
        Format("avenue", "CUHK Avenue", "a mask a frame, from 0", avenue.sniff, avenue.read),
        Format(
            "shanghaitech",
            "ShanghaiTech Campus",
            "0 or 1 a frame, from 0",
            shanghaitech.sniff,
            shanghaitech.read,
        ),
        Format("dota", "DoTA", f"{_FROM_0}, of the clip", dota.sniff, dota.read),
        Format("dad", "DAD, boxes or features", "accident at frame 90 from 0", dad.sniff, dad.read),
        Format("ccd", "CCD, Crash-1500.txt", "0 or 1 a frame, from 0", ccd.sniff, ccd.read),
        Format("dada", "DADA-2000 and MM-AU, table as CSV", _FROM_1, dada.sniff, dada.read),
        Format("nexar", "Nexar collisions", "seconds of alert and event", nexar.sniff, nexar.read),
        Format("activitynet", "ActivityNet JSON", _SECONDS, activitynet.sniff, activitynet.read),
        Format(
            "label-studio",
            "Label Studio JSON",
            f"{_FROM_1}; older exports seconds",
            label_studio.sniff,
            label_studio.read,
        ),
        Format("cvat", "CVAT 1.1 XML", "frames from 0; outside=1 ends", cvat.sniff, cvat.read),
        Format(
            "labels-json",
            "labels.json, clips of many sources",
            f"{_FROM_0}; or {_SECONDS}",
            labels_json.sniff,
            labels_json.read,
        ),
    )
}


def format_of(path: str | Path) -> Format:
    """The only format that a file or folder looks like.

    Raises:
        DatasetError: it is not there, looks like none, or like two.
    """
    path = Path(path)
    try:
        path.stat()
    except OSError as exc:
        raise DatasetError(str(path), f"cannot be read: {exc.strerror}") from exc
    fitting = [made for made in FORMATS.values() if _looks_like(made, path)]
    if not fitting:
        raise DatasetError(
            str(path),
            "is in no format that is known; name the one it should be in (--format) to hear what "
            f"is wrong with it: {', '.join(FORMATS)}. The plainest is own-table, a CSV with the "
            "columns video, label, start_s, end_s",
        )
    if len(fitting) > 1:
        raise DatasetError(
            str(path),
            f"may be {' or '.join(made.name for made in fitting)}; say which it is (--format)",
        )
    return fitting[0]


def _looks_like(made: Format, path: Path) -> bool:
    try:
        return made.sniff(path)
    except OSError:
        # A folder inside may not be looked into: reading it says so, if it is this format.
        return False


def parse_records(path: str | Path, *, format: str | None = None) -> tuple[Record, ...]:
    """Everything a truth file says, in its order, videos that stand twice included.

    Args:
        path: file or folder.
        format: a name of FORMATS; None tells it from the content.

    Raises:
        DatasetError: an unknown or ambiguous format, or a file that breaks its format's rules.
    """
    if format is not None and format not in FORMATS:
        raise DatasetError(
            str(path), f"no format is called {format!r}; known are {', '.join(FORMATS)}"
        )
    made = format_of(path) if format is None else FORMATS[format]
    try:
        return made.read(Path(path))
    except OSError as exc:
        raise DatasetError(str(path), f"cannot be read: {exc}") from exc


def read_records(
    path: str | Path, *, format: str | None = None, split: str | None = None
) -> tuple[Record, ...]:
    """The records of a truth file or folder, each video once in a split.

    Args:
        path: file or folder.
        format: a name of FORMATS; None tells it from the content.
        split: keep only this one.

    Raises:
        DatasetError: as for ``parse_records``; a video that stands twice in a split; a split that
            is not there.
    """
    records = parse_records(path, format=format)
    if split is not None:
        splits = tuple(dict.fromkeys(record.split for record in records if record.split))
        if split not in splits:
            had = f"it has {', '.join(splits)}" if splits else "it names no splits"
            raise DatasetError(str(path), f"has no split {split!r}; {had}")
        records = tuple(record for record in records if record.split == split)
    for (video, where), times in Counter((r.video, r.split) for r in records).items():
        if times > 1:
            twice = [r.where for r in records if (r.video, r.split) == (video, where)]
            raise DatasetError(
                str(path), f"names {video!r} {times} times ({', '.join(twice)}); keep one of them"
            )
    if not records:
        raise DatasetError(str(path), "holds no video")
    return records
