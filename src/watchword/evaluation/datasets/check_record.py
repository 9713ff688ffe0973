"""What does not add up in one record: within itself, and beside its video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.datasets.masks import mask_count
from watchword.evaluation.datasets.record import FrameClock, FrameSpan, Record
from watchword.types import Span

# Containers and annotators round durations; more than this is another video or another cut of it.
_DURATION_S = 0.5

# A stated rate that is off by more than this moves frames by seconds within minutes.
_RATE_SHARE = 0.01

# Seconds are written with few digits.
_ROUNDING_S = 0.1


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not add up.

    Attributes:
        video: the video it is about; "" if it is about the whole.
        where: file and row that say so, or the folder of the videos.
        sentence: what it is, for people.
        serious: whether numbers that rest on it would be wrong, rather than less than they seem.
    """

    video: str
    where: str
    sentence: str
    serious: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A record beside its video.

    Attributes:
        record: what the truth file says.
        video: where the video lies; None if it was not looked for or not found.
        own: the times of its own frames; None if they are not known.
        asked: the rate that the user wants to count with, as a clock.
        problem: why the video could not be looked at.
    """

    record: Record
    video: Path | None = None
    own: FrameClock | None = None
    asked: FrameClock | None = None
    problem: Problem | None = None

    @property
    def clock(self) -> FrameClock | None:
        """What frames are turned into seconds with; None leaves it to what the record states."""
        return self.asked or self.own

    @property
    def frames(self) -> int | None:
        """Frames of the video, by itself or else as the record says."""
        known = self.own or self.record.frame_clock
        counted = None if known is None else known.frames
        return self.record.frame_count if counted is None else counted

    @property
    def length_s(self) -> float | None:
        """Seconds of the video, by itself or else as the record says."""
        known = self.own or self.record.frame_clock
        if known is not None and known.edges_s is not None:
            return float(known.edges_s[-1])
        if self.record.duration_s is not None:
            return self.record.duration_s
        rate = self.record.rate if self.asked is None else self.asked.rate
        return self.frames / rate if self.frames and rate else None


def problems_of_record(seen: Seen) -> Iterator[Problem]:
    """What is wrong with one record, the serious first."""
    if seen.problem is not None:
        yield seen.problem
    yield from _of_spans(seen)
    yield from _of_accident(seen)
    yield from _of_masks(seen)
    yield from _of_video(seen)
    for one, other in _overlapping(seen.record.spans):
        same = "stands twice" if one == other else f"overlaps {_said(other)}: they count as two"
        yield _problem(seen, f"{_said(one)} {same}", serious=False)


def _problem(seen: Seen, sentence: str, *, serious: bool = True) -> Problem:
    return Problem(seen.record.video, seen.record.where, sentence, serious)


def _of_spans(seen: Seen) -> Iterator[Problem]:
    record, frames, length_s = seen.record, seen.frames, seen.length_s
    if record.anomalous is False and record.spans:
        yield _problem(seen, "is called normal but has events")
    for span in record.spans:
        if isinstance(span, Span):
            if length_s is not None and span.end_s > length_s + _ROUNDING_S:
                yield _problem(seen, f"{_said(span)} ends after the video of {length_s:.2f} s")
        elif not 0 <= span.start < span.end:
            yield _problem(seen, f"{_said(span)} must start at 0 or later and end after it starts")
        elif frames is not None and span.end > frames:
            yield _problem(seen, f"{_said(span)} ends after the video of {frames} frames")


def _of_accident(seen: Seen) -> Iterator[Problem]:
    moment, frames, length_s = seen.record.accident, seen.frames, seen.length_s
    if isinstance(moment, int):
        if frames is not None and not 0 <= moment < frames:
            yield _problem(
                seen, f"its accident at frame {moment} is not in the video of {frames} frames"
            )
    elif moment is not None and length_s is not None and moment > length_s + _ROUNDING_S:
        yield _problem(
            seen, f"its accident at {moment:g} s is not in the video of {length_s:.2f} s"
        )


def _of_masks(seen: Seen) -> Iterator[Problem]:
    masks = seen.record.masks
    if masks is None:
        return
    try:
        count = mask_count(masks)
    except DatasetError as exc:
        yield _problem(seen, f"its masks cannot be used: {exc}")
        return
    if seen.frames is not None and count != seen.frames:
        yield _problem(seen, f"{masks} masks {count} frames, the video has {seen.frames}")


def _of_video(seen: Seen) -> Iterator[Problem]:
    """Where what the record says of its video disagrees with the video's own frames."""
    record, own = seen.record, seen.own
    if own is None or own.edges_s is None:
        return
    frames, length_s = len(own.edges_s) - 1, float(own.edges_s[-1])
    if record.frame_count is not None and record.frame_count != frames:
        yield _problem(
            seen, f"is said to have {record.frame_count} frames, {seen.video} has {frames}"
        )
    if record.duration_s is not None and abs(record.duration_s - length_s) > _DURATION_S:
        yield _problem(
            seen, f"is said to last {record.duration_s:.2f} s, {seen.video} lasts {length_s:.2f} s"
        )
    rate = frames / (length_s - float(own.edges_s[0]))
    if record.rate is not None and abs(record.rate / rate - 1) > _RATE_SHARE:
        yield _problem(
            seen,
            f"is said to have {record.rate:g} frames a second, {seen.video} has {rate:.4g}; the "
            "video's own frame times count",
            serious=False,
        )


def _overlapping(
    spans: Iterable[FrameSpan | Span],
) -> Iterator[tuple[FrameSpan | Span, FrameSpan | Span]]:
    """Neighbours of one label that share time."""
    by_label: dict[str, list[FrameSpan | Span]] = defaultdict(list)
    for span in spans:
        by_label[span.label].append(span)
    for same in by_label.values():
        for one, other in pairwise(sorted(same, key=_ends)):
            if _ends(other)[0] < _ends(one)[1]:
                yield one, other


def _ends(span: FrameSpan | Span) -> tuple[float, float]:
    return (span.start_s, span.end_s) if isinstance(span, Span) else (span.start, span.end)


def _said(span: FrameSpan | Span) -> str:
    if isinstance(span, Span):
        return f"{span.label!r} at [{span.start_s:g}, {span.end_s:g}) s"
    return f"{span.label!r} at frames [{span.start}, {span.end})"
