"""Which names mean the same video, in two lists that were written by different people.

Names are compared from their end: the file's name without its ending first, then as many folders as
both sides have, so that ``clips/a/001.mp4`` finds ``a/001`` where ``b/001`` is there too. Names of
the form ``split_Class_name`` also find ``name``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from watchword.errors import DatasetError

# Only these are taken off: names of videos may hold dots.
_ENDINGS = re.compile(
    r"\.(mp4|m4v|avi|mov|mkv|webm|mpe?g|ts|mts|m2ts|wmv|flv|3gp|ogv|gif|npy|npz|json|csv)$", re.I
)
_SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation")

Key = tuple[str, ...]


class Named(Protocol):
    """Something about one video that says where it was read."""

    @property
    def video(self) -> str:
        """Path or name of the video."""

    @property
    def where(self) -> str:
        """File and row, for errors."""


def name_key(video: str) -> Key:
    r"""The folders of a name and its last part without a media file's ending.

    >>> name_key("C:\\clips\\a.mp4")
    ('C:', 'clips', 'a')
    """
    # macOS writes an accented letter as two, which is the same name.
    composed = unicodedata.normalize("NFC", video.strip())
    parts = [part for part in re.split(r"[\\/]+", composed) if part not in ("", ".")]
    if not parts:
        return ("",)
    return (*parts[:-1], _ENDINGS.sub("", parts[-1]) or parts[-1])


def short_names(videos: Sequence[str]) -> tuple[str, ...]:
    """For each name as little of its end as tells it from the others.

    >>> short_names(["a/001.mp4", "b/001.mp4", "b/002.mp4"])
    ('a/001', 'b/001', '002')
    """
    keys = [name_key(video) for video in videos]
    index = _Index(keys)
    return tuple("/".join(key[-index.telling(key) :]) for key in keys)


def refuse_twins(items: Sequence[Named], what: str) -> None:
    """Nothing, if no video is named twice.

    Raises:
        DatasetError: two of them name the same video; both places are told.
    """
    first: dict[Key, Named] = {}
    for item in items:
        other = first.setdefault(name_key(item.video), item)
        if other is not item:
            raise DatasetError(
                item.where,
                f"{item.video!r} has a second {what}; the first is {other.video!r} in "
                f"{other.where}; keep one of them",
            )


def match_names(left: Sequence[Named], right: Sequence[Named]) -> dict[int, int]:
    """Position on the right of each position on the left that has a partner.

    Raises:
        DatasetError: a name could mean several of the other side; all of them are told.
    """
    left_keys = [name_key(item.video) for item in left]
    right_keys = [name_key(item.video) for item in right]
    of_left = _best(left_keys, right_keys)
    of_right = _best(right_keys, left_keys)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    found = True
    # A pair that is settled takes both out of others' choices, which may settle those.
    while found:
        found = False
        for one in range(len(left)):
            if one in pairs:
                continue
            open_right = [two for two in of_left[one] if two not in taken]
            if len(open_right) != 1:
                continue
            open_left = [back for back in of_right[open_right[0]] if back not in pairs]
            if open_left == [one]:
                pairs[one] = open_right[0]
                taken.add(open_right[0])
                found = True
    _refuse_doubt(left, right, of_left, pairs, taken)
    _refuse_doubt(right, left, of_right, {two: one for one, two in pairs.items()}, set(pairs))
    return pairs


def _refuse_doubt(
    items: Sequence[Named],
    others: Sequence[Named],
    best: Sequence[Sequence[int]],
    paired: dict[int, int],
    taken: set[int],
) -> None:
    for number, item in enumerate(items):
        options = [others[other] for other in best[number] if other not in taken]
        if number not in paired and len(options) > 1:
            named = "; ".join(f"{option.video!r} in {option.where}" for option in options[:3])
            raise DatasetError(
                item.where,
                f"{item.video!r} could mean {len(options)} videos of the other side ({named}); "
                "name them with their folders",
            )


class _Index:
    """Where each end of a name occurs, and each ``name`` inside ``split_Class_name``."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._ends: dict[Key, list[int]] = defaultdict(list)
        self._inner: dict[str, list[int]] = defaultdict(list)
        for number, key in enumerate(keys):
            for length in range(1, len(key) + 1):
                self._ends[key[-length:]].append(number)
            for inner in inner_names(key[-1]):
                self._inner[inner].append(number)

    def telling(self, key: Key) -> int:
        """How many parts of the end tell a key from the others."""
        lengths = range(1, len(key))
        return next((n for n in lengths if len(self._ends[key[-n:]]) == 1), len(key))

    def best(self, key: Key) -> list[int]:
        """Those that share the longest end with a key."""
        for length in range(len(key), 0, -1):
            if key[-length:] in self._ends:
                return self._ends[key[-length:]]
        if key[-1] in self._inner:
            return self._inner[key[-1]]
        inner = (self._ends[(name,)] for name in inner_names(key[-1]) if (name,) in self._ends)
        return next(inner, [])


def _best(keys: Sequence[Key], others: Sequence[Key]) -> list[list[int]]:
    index = _Index(others)
    return [index.best(key) for key in keys]


def inner_names(stem: str) -> Iterator[str]:
    """What may be the video's own name in ``split_Class_name``, the longest first.

    >>> list(inner_names("test_Abuse_Abuse028_x264"))
    ['Abuse028_x264', 'x264']
    """
    parts = stem.split("_")
    if parts[0].lower() in _SPLITS:
        for start in range(2, len(parts)):
            yield "_".join(parts[start:])
