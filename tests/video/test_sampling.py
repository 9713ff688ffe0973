"""Which frames are picked, and how people write times and regions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.frame_picker import picked_at_rate
from watchword.video.sampling import FramePicker, Sampling, parse_region, parse_time


def picks(sampling: Sampling, pts_s: list[float]) -> list[float]:
    picker = FramePicker(sampling)
    return [pts for pts in pts_s if picker.wants(pts)]


def test_thirty_frames_a_second_at_ten_gives_every_third() -> None:
    pts = [k / 30 for k in range(31)]
    assert picks(Sampling(rate=10), pts) == pts[::3]


def test_a_source_slower_than_the_rate_gives_every_frame_once() -> None:
    pts = [k / 4 for k in range(9)]
    assert picks(Sampling(rate=10), pts) == pts


def test_the_grid_begins_where_the_range_begins() -> None:
    pts = [k / 100 for k in range(100)]
    assert picks(Sampling(rate=2, start_s=0.25, end_s=0.8), pts) == [0.25, 0.75]


def test_the_end_of_the_range_is_not_in_it() -> None:
    assert picks(Sampling(rate=None, start_s=1, end_s=2), [0.5, 1.0, 1.5, 2.0]) == [1.0, 1.5]


def test_every_nth_counts_from_the_first_frame_in_the_range() -> None:
    pts = [float(k) for k in range(10)]
    assert picks(Sampling(rate=None, every=3, start_s=2), pts) == [2, 5, 8]


def test_after_a_long_gap_the_grid_does_not_catch_up() -> None:
    assert picks(Sampling(rate=10), [0.0, 1e9, 1e9 + 0.05, 1e9 + 0.1]) == [0.0, 1e9, 1e9 + 0.1]


times = st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True).map(sorted)


@given(
    times,
    st.sampled_from([1, 2, 3, 7, 10, 25, 30]),
    st.integers(0, 100),
    st.one_of(st.none(), st.integers(101, 400)),
)
def test_picks_are_those_of_the_plain_search(
    ticks: list[int], rate: int, start: int, end: int | None
) -> None:
    pts = [Fraction(tick, 30) for tick in ticks]
    end_s = None if end is None else end / 30
    wanted = picked_at_rate(
        pts, Fraction(rate), Fraction(start, 30), Fraction(10**6 if end is None else end, 30)
    )
    sampling = Sampling(rate=rate, start_s=start / 30, end_s=end_s)
    assert picks(sampling, [float(p) for p in pts]) == [float(p) for p in wanted]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rate": 0}, "rate is 0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"every": 0, "rate": None}, "every is 0"),
        ({"every": 2}, "every counts frames, so it needs rate None"),
        ({"start_s": -1.0}, "start_s is -1"),
        ({"end_s": float("inf")}, "end_s is inf"),
        ({"start_s": 2.0, "end_s": 2.0}, "end_s is 2.0, it must lie after start_s, 2.0"),
        ({"region": (0, 0, 0, 5)}, "width and height 1 or more"),
        ({"region": (-1, 0, 5, 5)}, "x and y must be 0 or more"),
        ({"region": (1, 2, 3)}, "four whole numbers"),
    ],
)
def test_a_sampling_that_makes_no_sense_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampling(**fields)


def test_the_fingerprint_is_equal_only_for_the_same_pixels() -> None:
    different = [
        Sampling(),
        Sampling(rate=5),
        Sampling(rate=None),
        Sampling(rate=None, every=2),
        Sampling(start_s=1),
        Sampling(end_s=1),
        Sampling(region=(0, 0, 8, 8)),
    ]
    assert len({sampling.fingerprint for sampling in different}) == len(different)
    assert Sampling(rate=5).fingerprint == Sampling(rate=5.0).fingerprint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("62.5", 62.5), ("1:02.5", 62.5), ("0:00", 0), ("1:01:02.5", 3662.5), (" 7 ", 7), (".5", 0.5)],
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "1:60", "1:60:00", "1:2:3:4", "1:", "nan", "1e3"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must be seconds \(62.5\)"):
        parse_time(text)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,0,3,4"])
def test_what_is_no_region_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="x,y,width,height"):
        parse_region(text)


def test_a_region_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="width and height 1 or more"):
        parse_region("0,0,0,10")
