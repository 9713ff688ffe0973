"""What a data set holds, counted: videos, labels, seconds and splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from watchword.evaluation.datasets.check_record import Seen
from watchword.evaluation.datasets.record import FrameClock, FrameSpan


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """Events of one label.

    Attributes:
        label: its name.
        events: how many spans bear it.
        videos: in how many videos; those that are only known as a whole to hold it count too.
        seconds: how long they last together; None if one is in frames whose times are not known.
    """

    label: str
    events: int
    videos: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a data set holds.

    Attributes:
        videos: how many.
        with_events: of these, the ones with events that have times.
        whole: the ones that hold an event and nobody said when.
        normal: the ones where nothing happens.
        unsaid: the ones of which nobody said.
        found: the ones whose video was found; None if none was looked for.
        labels: by label, the most frequent first.
        splits: videos by split; None is no split.
    """

    videos: int
    with_events: int
    whole: int
    normal: int
    unsaid: int
    found: int | None
    labels: tuple[LabelSummary, ...]
    splits: dict[str | None, int]


def summarise(seen: Sequence[Seen], *, looked: bool) -> Summary:
    """The counts of records that were looked at; ``looked`` says whether videos were looked for."""
    records = [one.record for one in seen]
    without = Counter(record.anomalous for record in records if not record.spans)
    return Summary(
        videos=len(records),
        with_events=sum(bool(record.spans) for record in records),
        whole=without[True],
        normal=without[False],
        unsaid=without[None],
        found=sum(one.video is not None for one in seen) if looked else None,
        labels=_labels(seen),
        splits=dict(Counter(record.split for record in records)),
    )


def _labels(seen: Sequence[Seen]) -> tuple[LabelSummary, ...]:
    videos: Counter[str] = Counter()
    lengths: dict[str, list[float | None]] = defaultdict(list)
    for one in seen:
        record = one.record
        named = record.labels if record.anomalous is True and not record.spans else ()
        videos.update(dict.fromkeys([*named, *(span.label for span in record.spans)]).keys())
        for span in record.spans:
            seconds = _seconds(span, one) if isinstance(span, FrameSpan) else span.duration_s
            lengths[span.label].append(seconds)
    return tuple(
        LabelSummary(label, len(lengths[label]), count, _sum(lengths[label]))
        for label, count in videos.most_common()
    )


def _seconds(span: FrameSpan, one: Seen) -> float | None:
    clock = one.clock or one.record.frame_clock
    if clock is None and one.record.rate is not None:
        clock = FrameClock(rate=one.record.rate)
    if clock is None:
        return None
    # A span that does not lie in its video is one of the problems; here its part inside counts.
    frames = span.end if clock.frames is None else clock.frames
    start, end = min(span.start, frames), min(span.end, frames)
    return clock.at(end) - clock.at(start)


def _sum(lengths: Sequence[float | None]) -> float | None:
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None
