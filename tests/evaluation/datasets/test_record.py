"""From what a file says to seconds: the clock, and the one frame that lists are often wrong by."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets.record import FrameClock, FrameSpan, Record, clock_of_pts
from watchword.types import Span

# Of variable rate: frame 2 is shown for a whole second.
CLOCK = clock_of_pts([0.0, 0.1, 0.2, 1.2, 1.3])


def record(*spans: FrameSpan | Span, **facts: object) -> Record:
    return Record("a.mp4", "truth.txt, row 3", spans, **facts)  # type: ignore[arg-type]


def test_frames_become_the_times_at_which_they_are_shown() -> None:
    truth = record(FrameSpan("x", 1, 3), FrameSpan("y", 4, 5), accident=2).annotation(CLOCK)
    assert [(s.start_s, s.end_s) for s in truth.spans] == [(0.1, 1.2), (1.3, pytest.approx(1.4))]
    assert truth.accident_s == 0.2
    assert truth.duration_s == pytest.approx(1.4)
    assert truth.notes == ()


def test_an_end_one_frame_late_is_put_right_and_said() -> None:
    truth = record(FrameSpan("x", 1, 6), FrameSpan("y", 0, 2)).annotation(CLOCK)
    assert truth.spans[0].end_s == pytest.approx(1.4)
    assert truth.notes == ("1 of 2 events end one frame after the video; they end with it.",)


@pytest.mark.parametrize("span", [(1, 7), (5, 6), (-1, 2), (3, 3), (4, 2)])
def test_any_other_span_outside_the_video_is_refused_with_its_row(span: tuple[int, int]) -> None:
    with pytest.raises(DatasetError, match=r"row 3: 'x' at frames .* within the 5 frames"):
        record(FrameSpan("x", *span)).annotation(CLOCK)


def test_without_a_clock_the_stated_rate_serves_and_its_absence_is_said() -> None:
    assert record(FrameSpan("x", 15, 30), rate=30.0).annotation().spans[0].start_s == 0.5
    with pytest.raises(DatasetError, match=r"counts frames .*--videos.*--rate"):
        record(FrameSpan("x", 15, 30)).annotation()
    # A frame that the stated count does not hold is refused without a video, too.
    with pytest.raises(DatasetError, match="within the 20 frames"):
        record(FrameSpan("x", 15, 30), rate=30.0, frame_count=20).annotation()


def test_seconds_may_be_rounded_past_the_end_but_not_lie_there() -> None:
    assert record(Span("x", 1.0, 2.05), duration_s=2.0).annotation().spans[0].end_s == 2.05
    with pytest.raises(DatasetError, match=r"must lie within the 2\.00 s"):
        record(Span("x", 1.0, 2.2), duration_s=2.0).annotation()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"rate": 25.0, "edges_s": np.arange(3.0)},
        {"rate": 0.0},
        {"edges_s": np.array([0.0, 0.0, 1.0])},
        {"edges_s": np.array([0.0])},
    ],
)
def test_a_clock_is_times_that_rise_or_a_rate(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"clock needs|rate is|rise strictly"):
        FrameClock(**facts)  # type: ignore[arg-type]
