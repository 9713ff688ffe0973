"""Files and folders that appear whole or not at all, and never in place of what a user made.

Everything is written in a hidden folder beside its place and moved there by renaming at the end. An
error, a full disk or an interruption removes the hidden folder and leaves what was there untouched.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchword.errors import OutputError


@contextmanager
def new_file(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A place to write a file that appears at ``path`` when the block ends well.

    Raises:
        OutputError: something is there already and may not be replaced; no space, no permission.
    """
    path = Path(path)
    with _explained(path):
        check_file(path, overwrite=overwrite)
        with _beside(path) as made:
            yield made
            made.replace(path)


@contextmanager
def new_folder(
    path: str | Path, *, mark: str, ours: Callable[[str], bool], overwrite: bool = False
) -> Iterator[Path]:
    """A folder to fill that appears at ``path`` when the block ends well.

    A folder that is there already is replaced only with ``overwrite`` and if it holds the file
    ``mark``; only files whose names are ``ours`` go, all others in it stay.

    Raises:
        OutputError: the folder may not be replaced; no space, no permission.
    """
    path = Path(path)
    with _explained(path):
        check_folder(path, mark=mark, overwrite=overwrite)
        with _beside(path) as made:
            made.mkdir()
            yield made
            if path.is_dir():
                _replace_files(made, path, mark=mark, ours=ours)
            else:
                made.rename(path)


def check_file(path: Path, *, overwrite: bool) -> None:
    """Nothing, if a file may be made at ``path``; OutputError that says why not otherwise."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the path of a file")
    if path.exists() and not overwrite:
        raise _taken(path)


def check_folder(path: Path, *, mark: str, overwrite: bool) -> None:
    """Nothing, if a folder may be made at ``path``; OutputError that says why not otherwise."""
    if not holds_something(path):
        return
    if not path.is_dir():
        raise OutputError(f"{path} is a file; choose another folder")
    if not (path / mark).is_file():
        raise OutputError(
            f"{path} was not made by Watchword (it has no {mark}), so nothing in it is touched; "
            "choose another folder"
        )
    if not overwrite:
        raise _taken(path)


def holds_something(path: Path) -> bool:
    """Whether a file, or a folder that is not empty, lies at ``path``."""
    if path.is_dir():
        return next(path.iterdir(), None) is not None
    return path.exists()


def _taken(path: Path) -> OutputError:
    return OutputError(
        f"{path} is there already; choose another path, or replace it with --overwrite "
        "(overwrite=True in Python)"
    )


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A path of the same name in a hidden folder on the same disk, removed in the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=".watchword-", dir=path.parent))
    try:
        yield hidden / path.name
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _replace_files(made: Path, path: Path, *, mark: str, ours: Callable[[str], bool]) -> None:
    """Moves files one by one, ``mark`` last: until then the folder still says what it was."""
    names = sorted((file.name for file in made.iterdir()), key=lambda name: (name == mark, name))
    for old in path.iterdir():
        if ours(old.name) and old.name not in names:
            old.unlink()
    for name in names:
        (made / name).replace(path / name)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise OutputError(f"{path} cannot be written: {_reason(exc)}") from exc


def _reason(exc: OSError) -> str:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; make room or choose another place"
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission; choose another place"
    problem = exc.strerror or (os.strerror(exc.errno) if exc.errno else str(exc))
    return f"{problem}; choose another place"
