"""Finding the video that a truth file names, in a folder that may be laid out otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from watchword.errors import DatasetError, VideoError


def videos_below(folder: Path) -> tuple[Path, ...]:
    """Every video in a folder, in natural order; folders of pictures are videos, too.

    Raises:
        DatasetError: there is no such folder.
    """
    from watchword.video.reader import find_videos

    if not folder.is_dir():
        raise DatasetError(str(folder), "is no folder; name the one the videos lie in")
    try:
        return tuple(Path(name) for name in find_videos([str(folder)]))
    except VideoError:
        return ()


def find_video(name: str, folder: Path, *, among: Sequence[Path] | None = None) -> Path | None:
    """The video in the folder that a truth file calls ``name``; None if there is none.

    That is the path itself below the folder; else the only one whose path ends in as many of the
    same last parts as any does. The ending of the file, and ActivityNet's ``v_`` before its name,
    make no difference.

    Args:
        name: path or name from a truth file.
        folder: where the videos lie.
        among: ``videos_below(folder)``, if it is known already.

    Raises:
        DatasetError: several videos could be meant, or the folder is not there.
    """
    wanted = tuple(part for part in PurePosixPath(name.replace("\\", "/")).parts if part != "/")
    if not wanted:
        return None
    if (folder / name).exists():
        return folder / name
    for tail in (wanted[skipped:] for skipped in range(len(wanted))):
        found = [
            video
            for video in (videos_below(folder) if among is None else among)
            if _ends_in(video.relative_to(folder).parts, tail)
        ]
        if len(found) > 1:
            raise DatasetError(
                str(folder),
                f"{name!r} may be {found[0]} or {found[1]}; name the folder that holds only one",
            )
        if found:
            return found[0]
    return None


def _ends_in(parts: tuple[str, ...], tail: tuple[str, ...]) -> bool:
    if len(parts) < len(tail) or parts[len(parts) - len(tail) : -1] != tail[:-1]:
        return False
    return bool(_names(parts[-1]) & _names(tail[-1]))


def _names(last: str) -> set[str]:
    """What a file may be called: its name without ending, and without ActivityNet's v_."""
    stem = PurePosixPath(last).stem if _has_ending(last) else last
    return {stem, stem.removeprefix("v_")}


def _has_ending(last: str) -> bool:
    from watchword.video.reader import VIDEO_SUFFIXES

    return PurePosixPath(last).suffix.lower() in VIDEO_SUFFIXES
