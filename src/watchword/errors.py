"""What can go wrong in the world, as one short tree.

A wrong argument is a ``ValueError`` or ``TypeError``. What else a caller may want to handle::

    WatchwordError
    ├── VideoError           a video, folder or URL cannot be read
    ├── EncoderError         a model cannot be loaded, or gave something that is no embedding
    │   ├── UnknownEncoder   no encoder of that name
    │   └── ModelFileError   a model's file is absent, damaged, or not what it should be
    ├── MissingDependency    an optional package or execution provider is not installed
    ├── PromptError          a prompt bank or a prompt is unusable
    ├── ConfigError          a setting is unknown or out of range
    ├── CacheMismatch        a cache entry is damaged or was made for something else
    ├── DatasetError         a manifest or an annotation cannot be read
    ├── KindMismatch         scores of one kind met a rule made for another
    ├── CalibrationError     a calibration cannot be made from this data, or was made for other
    ├── NormalityError       normal footage teaches nothing, or a memory of it knows another scene
    ├── AnswerError          a video-language model or a server gave nothing that answers
    ├── LeakageError         an evaluation would rest on what its test data told beforehand
    └── OutputError          a result cannot be written

Each message says what was got, what is allowed, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class WatchwordError(Exception):
    """Parent of everything Watchword raises about the world outside it."""


class VideoError(WatchwordError):
    """A video, folder or URL cannot be read: ``source`` names it, ``at_s`` says where, if known."""

    def __init__(self, source: str, problem: str, *, at_s: float | None = None) -> None:
        self.source = source
        self.problem = problem
        self.at_s = at_s
        where = "" if at_s is None else f" at {at_s:.2f} s"
        super().__init__(f"{source}{where}: {problem}")


class EncoderError(WatchwordError):
    """A model cannot be loaded, or gave something that is no embedding."""


class UnknownEncoder(EncoderError):
    """No encoder has that name: the message lists the known ones."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(
            f"no encoder is called {name!r}; known are {', '.join(self.known)}, "
            "a local model directory, or hf:OWNER/REPO"
        )


class ModelFileError(EncoderError):
    """A model's file is absent, damaged, or does not hold what its catalogue entry says."""


class MissingDependency(WatchwordError):
    """Something optional was asked for and is not installed: the message says how to get it."""

    def __init__(self, what: str, install: str) -> None:
        self.what = what
        self.install = install
        super().__init__(f"{what} is not installed; install it with: {install}")


class PromptError(WatchwordError):
    """A prompt bank or a prompt is unusable; ``file`` and ``line`` say where, if known."""

    def __init__(self, problem: str, *, file: str | None = None, line: int | None = None) -> None:
        self.file = file
        self.line = line
        where = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(where + problem)


class ConfigError(WatchwordError):
    """A setting is unknown or has a value that is not allowed."""


class CacheMismatch(WatchwordError):
    """A cache entry is damaged, or was made for another video, sampling or encoder."""


class DatasetError(WatchwordError):
    """A manifest or an annotation cannot be read; ``row`` counts from 1 when known."""

    def __init__(self, file: str, problem: str, *, row: int | None = None) -> None:
        self.file = file
        self.row = row
        where = file if row is None else f"{file}, row {row}"
        super().__init__(f"{where}: {problem}")


class KindMismatch(WatchwordError):
    """Scores of one kind were given to a rule made for another."""


class CalibrationError(WatchwordError):
    """A calibration cannot be made from this data, or was made for something else."""


class NormalityError(WatchwordError):
    """Normal footage teaches nothing, or a memory of it is damaged or knows something else."""


class AnswerError(WatchwordError):
    """A model or a server gave nothing that answers: no memory, no connection, no yes and no no."""


class LeakageError(WatchwordError):
    """An evaluation would rest on what its test data told beforehand (strict mode only)."""


class OutputError(WatchwordError):
    """A result cannot be written: no space, no permission, or something is already there."""
