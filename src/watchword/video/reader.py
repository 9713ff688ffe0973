"""Opening a video, whatever it is: a file, a folder of pictures or a URL, as batches of frames."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from watchword.errors import VideoError
from watchword.types import Coverage, Frames, VideoInfo
from watchword.video.container import is_url
from watchword.video.decoded import Backend
from watchword.video.folder import FolderBackend, natural_key, picture_files
from watchword.video.pyav import PyavBackend
from watchword.video.sampling import Sampling
from watchword.video.timeline import Picked, picked

VIDEO_SUFFIXES = frozenset(
    (
        *(
            ".3gp",
            ".asf",
            ".avi",
            ".flv",
            ".gif",
            ".h264",
            ".hevc",
            ".m2ts",
            ".m4v",
            ".mkv",
            ".mov",
        ),
        *(".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    )
)

# A video that ends earlier than its header says by more than this share and this many seconds is
# called cut off: containers round their duration, and sound may outlast the picture.
_EARLY_SHARE = 0.02
_EARLY_S = 0.25


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How pictures are decoded.

    Attributes:
        backend: pyav (default), or torchcodec, which can decode on a GPU and is optional.
        device: where torchcodec decodes, cpu (default) or cuda; pyav decodes on the CPU only.
        threads: of the decoder (default 2).
        batch: pictures handed over at a time, at most (default 16); a detector takes as many as
            suit its encoder.
        size: width and height in pixels that pictures are squashed to while they are decoded, or
            None (default) for their own.
        max_pixels: width times height above which pictures are refused before memory is taken
            for them (default 8192 * 8192).
        frame_rate: pictures a second of a folder, whose files store no times (default 10).
        timeout_s: seconds that a server may stay silent (default 30).
    """

    backend: Literal["pyav", "torchcodec"] = "pyav"
    device: str = "cpu"
    threads: int = 2
    batch: int = 16
    size: tuple[int, int] | None = None
    max_pixels: int = 8192 * 8192
    frame_rate: float = 10.0
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if self.backend not in ("pyav", "torchcodec"):
            raise ValueError(f"backend is {self.backend!r}, it must be pyav or torchcodec")
        if self.backend == "pyav" and self.device != "cpu":
            raise ValueError(f"device is {self.device!r}, but pyav decodes on cpu only")
        for name in ("threads", "batch", "max_pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 1 or more")
        for name in ("frame_rate", "timeout_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}, it must be a positive number")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size is {self.size}, it must be width and height, 1 or more each")


class VideoStream:
    """An open video: iterate over it once for batches of ``Frames``; ``with`` closes it.

    ``info`` is known at once. ``coverage`` counts what was read so far and is complete when the
    iteration has ended.
    """

    def __init__(self, backend: Backend, *, sampling: Sampling, batch: int) -> None:
        self.info: VideoInfo = backend.info
        self._backend = backend
        self._sampling = sampling
        self._batch = batch
        self._frames = 0
        self._covered_s = 0.0
        self._read_to_s = 0.0
        self._batches: Generator[Frames] = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frames]:
        return self

    def __next__(self) -> Frames:
        return next(self._batches)

    def close(self) -> None:
        """Let go of the video; closing twice is fine."""
        self._batches.close()
        self._backend.close()

    @property
    def coverage(self) -> Coverage:
        """How much of the range asked for was seen so far."""
        tally = self._backend.tally
        return Coverage(
            frames=self._frames,
            failed=tally.failed,
            covered_s=self._covered_s,
            expected_s=self._expected_s,
            notes=tally.notes,
        )

    @property
    def _ends_s(self) -> float | None:
        """Where the range asked for ends, as far as the container tells."""
        ends = [s for s in (self.info.duration_s, self._sampling.end_s) if s is not None]
        return min(ends) if self.info.duration_s is not None else None

    @property
    def _expected_s(self) -> float | None:
        if self._ends_s is None:
            return None
        return max(0.0, self._ends_s - (self._sampling.start_s or 0.0))

    def _read(self) -> Generator[Frames]:
        waiting: list[Picked] = []
        rate = self.info.rate
        for picture in picked(
            self._backend.pictures(),
            sampling=self._sampling,
            step_s=float(1 / rate) if rate else None,
            tally=self._backend.tally,
        ):
            other_size = waiting and waiting[0].pixels.shape != picture.pixels.shape
            if len(waiting) == self._batch or other_size:
                yield self._batch_of(waiting)
                waiting = []
            waiting.append(picture)
        if waiting:
            yield self._batch_of(waiting)
        self._conclude()

    def _batch_of(self, pictures: Sequence[Picked]) -> Frames:
        frames = Frames(
            np.stack([picture.pixels for picture in pictures]),
            np.array([picture.pts_s for picture in pictures]),
            np.array([picture.duration_s for picture in pictures]),
            self.info,
        )
        self._frames += len(frames)
        self._covered_s += float(frames.duration_s.sum())
        self._read_to_s = float(frames.pts_s[-1] + frames.duration_s[-1])
        return frames

    def _conclude(self) -> None:
        if not self._frames:
            raise VideoError(self.info.source, self._nothing_in_range())
        end_s = self._ends_s
        if end_s is None:
            return
        early_s = end_s - self._read_to_s
        if early_s > _EARLY_S and early_s > _EARLY_SHARE * end_s:
            self._backend.tally.say(
                f"pictures end at {self._read_to_s:.2f} s although {end_s:.2f} s were expected"
            )

    def _nothing_in_range(self) -> str:
        start_s, end_s = self._sampling.start_s or 0.0, self._sampling.end_s
        until = "the end" if end_s is None else f"{end_s:g} s"
        known = self.info.duration_s
        length = "" if known is None else f"; the video is {known:.2f} s long"
        lost = "".join(f"; {note}" for note in self._backend.tally.notes)
        return f"no picture between {start_s:g} s and {until} could be decoded{length}{lost}"


def open_video(
    source: str | Path,
    *,
    sampling: Sampling = Sampling(),  # noqa: B008 - frozen, so shared safely
    options: ReadOptions = ReadOptions(),
) -> VideoStream:
    """An open video file, folder of pictures or http(s) URL, ready to give its frames.

    Time 0 is where a player starts. A picture is shown until the next one that is looked at, or
    until a stretch that could not be decoded; the last one for its stored duration, else for one
    step of the nominal rate, else of the median step, else for 0.1 s.

    Raises:
        VideoError: it cannot be read; the message says why. Iteration may raise it too.
        MissingDependency: torchcodec was asked for and is not installed.
    """
    name = os.fspath(source)
    return VideoStream(_backend(name, sampling, options), sampling=sampling, batch=options.batch)


def _backend(source: str, sampling: Sampling, options: ReadOptions) -> Backend:
    if not is_url(source) and _is_folder(Path(source)):
        _check_folder(Path(source))
        return FolderBackend(
            Path(source),
            frame_rate=options.frame_rate,
            region=sampling.region,
            size=options.size,
            max_pixels=options.max_pixels,
        )
    if options.backend == "torchcodec":
        from watchword.video.torchcodec import TorchcodecBackend

        return TorchcodecBackend(
            source,
            device=options.device,
            region=sampling.region,
            size=options.size,
            max_pixels=options.max_pixels,
            threads=options.threads,
        )
    return PyavBackend(
        source,
        start_s=sampling.start_s or 0.0,
        region=sampling.region,
        size=options.size,
        max_pixels=options.max_pixels,
        threads=options.threads,
        timeout_s=options.timeout_s,
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # Not to be looked at; opening it as a file says why.
        return False


def _check_folder(folder: Path) -> None:
    try:
        if picture_files(folder):
            return
        problem = _what_it_holds(folder)
    except OSError as exc:
        raise VideoError(str(folder), f"the folder cannot be read: {exc.strerror}") from exc
    raise VideoError(str(folder), problem)


def _what_it_holds(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    found = "it is empty" if not names else f"it holds {len(names)} entries such as {names[0]!r}"
    return (
        f"the folder is no video: {found}, but neither pictures nor seg_0000 folders; name a "
        "video file, or a folder of pictures"
    )


def find_videos(patterns: Sequence[str]) -> list[str]:
    """The videos that paths, folders, globs and URLs stand for, each once, in order.

    A folder of pictures (or of ``seg_0000`` folders) is one video; any other folder stands for
    the videos below it. A path that is not there is kept, so that opening it says so.

    Raises:
        VideoError: a folder without video below it, or a glob that matches none.

    >>> find_videos(["https://example.org/a.mp4", "absent.mp4"])
    ['https://example.org/a.mp4', 'absent.mp4']
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        found.update(dict.fromkeys(_stood_for(pattern)))
    return list(found)


def _stood_for(pattern: str) -> list[str]:
    path = Path(pattern)
    if is_url(pattern):
        return [pattern]
    if _is_folder(path):
        try:
            videos = _below(path)
        except OSError as exc:
            raise VideoError(pattern, f"the folder cannot be read: {exc.strerror}") from exc
        if not videos:
            raise VideoError(pattern, _what_it_holds(path))
        return videos
    if not glob.has_magic(pattern) or os.path.exists(pattern):  # noqa: PTH110 - raises nothing
        return [pattern]
    matches = sorted((Path(name) for name in glob.glob(pattern, recursive=True)), key=natural_key)  # noqa: PTH207
    videos = [video for match in matches for video in _below(match)]
    if not videos:
        raise VideoError(pattern, f"no video matches ({len(matches)} other matches)")
    return videos


def _below(path: Path) -> list[str]:
    """The videos at or below a path, in natural order."""
    if path.name.startswith("."):
        return []
    if not path.is_dir():
        return [str(path)] if path.suffix.lower() in VIDEO_SUFFIXES else []
    if picture_files(path):
        return [str(path)]
    return [video for entry in sorted(path.iterdir(), key=natural_key) for video in _below(entry)]
