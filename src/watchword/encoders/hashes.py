"""What a file holds, as a sha256 that is worked out once for as long as the file is unchanged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path


def sha256(path: Path) -> str:
    """64 hex digits over all bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class HashMemo:
    """Hashes by path, size and time of change, kept in one small JSON file.

    The file only saves time: if it is damaged or cannot be written, hashes are worked out again.

    Args:
        path: where the memo lies; made on the first hash.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def sha256(self, file: Path) -> str:
        """The sha256 of a file; read again only if its size or time of change is another."""
        state = file.stat()
        key, stamp = str(file.resolve()), f"{state.st_size}-{state.st_mtime_ns}-{state.st_ino}"
        known = self._read()
        kept = known.get(key)
        if kept and kept.startswith(stamp + " "):
            return kept.rpartition(" ")[2]
        digest = sha256(file)
        self._write({**known, key: f"{stamp} {digest}"})
        return digest

    def _read(self) -> dict[str, str]:
        try:
            told = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        whole = isinstance(told, dict) and all(isinstance(value, str) for value in told.values())
        return told if whole else {}

    def _write(self, known: dict[str, str]) -> None:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(known, file)
            Path(draft).replace(self.path)
