"""What a video's content hashes to, and a memo that spares hashing an unchanged file again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from watchword.errors import VideoError
from watchword.video.container import is_url
from watchword.video.folder import picture_files

# Entries kept; the oldest go first. The whole memo is read at every look-up, so it stays small.
_KEPT = 2000


def fingerprint(source: str | Path) -> str | None:
    """SHA-256 of a video's content, in hexadecimal; None for a URL, which may change any time.

    Of a file every byte counts, of a folder the names and bytes of its pictures in order.

    Raises:
        VideoError: the content cannot be read.
    """
    name = os.fspath(source)
    if is_url(name):
        return None
    path = Path(name)
    try:
        if not path.is_dir():
            return _of_file(path)
        whole = hashlib.sha256()
        for picture in picture_files(path):
            whole.update(f"{picture.relative_to(path).as_posix()}\0{_of_file(picture)}\n".encode())
        return whole.hexdigest()
    except OSError as exc:
        raise VideoError(name, f"cannot be read: {exc.strerror}") from exc


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FingerprintMemo:
    """Remembers fingerprints in a small file, by path, size, time of change and inode.

    A memo that is damaged or cannot be written only costs hashing again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def fingerprint(self, source: str | Path) -> str | None:
        """What ``fingerprint`` gives, from memory if the video has not changed since."""
        name = os.fspath(source)
        if is_url(name):
            return None
        key, state = str(Path(name).resolve()), _state(name)
        known = self._load()
        entry = known.get(key)
        if isinstance(entry, dict) and entry.get("state") == state:
            value = entry.get("sha256")
            if isinstance(value, str) and len(value) == 64:
                return value
        value = fingerprint(name)
        if _state(name) == state:
            # Otherwise it changed while it was read, and the hash stands for neither state.
            known.pop(key, None)
            self._save({**known, key: {"state": state, "sha256": value}})
        return value

    def _load(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _save(self, known: dict[str, Any]) -> None:
        kept = dict(list(known.items())[-_KEPT:])
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self._file.parent, prefix=self._file.name, delete=False, encoding="utf-8"
            ) as draft:
                json.dump(kept, draft)
            # Renaming is atomic: another process sees the old memo or the new one, never half.
            Path(draft.name).replace(self._file)


def _state(name: str) -> str:
    """Changes when a file, or any picture of a folder, is written, replaced or renamed."""
    path = Path(name)
    try:
        files = picture_files(path) if path.is_dir() else [path]
        stats = [(str(file), file.stat()) for file in files]
    except OSError as exc:
        raise VideoError(name, f"cannot be read: {exc.strerror}") from exc
    text = repr([(file, s.st_size, s.st_mtime_ns, s.st_ino) for file, s in stats])
    return hashlib.sha256(text.encode()).hexdigest()
