"""Which clock turns frames into seconds, and how a named video is found."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from synthetic import make_folder, make_video
from watchword.errors import DatasetError, VideoError
from watchword.evaluation.datasets.clock import clock_for, unclocked
from watchword.evaluation.datasets.locate import find_video
from watchword.evaluation.datasets.record import FrameSpan, Record, clock_of_pts
from watchword.types import Span


def record(**told):
    return Record(**{"video": "a.mp4", "where": "w", "spans": (FrameSpan("x", 1, 2),), **told})


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_the_order_is_asked_rate_own_times_times_of_the_file_stated_rate(tmp_path):
    make_video(tmp_path / "a.mp4", times_s=[0, 0.5, 0.6, 2.0])
    asked = record(rate=5.0, frame_clock=clock_of_pts([0.0, 7.0, 9.0]))
    known = {"videos": tmp_path, "path": None}
    assert clock_for(asked, **known, rate=4.0).at(1) == 0.25
    assert clock_for(asked, **known, rate=None).at(1) == pytest.approx(0.5)
    away = {"videos": None, "path": None, "rate": None}
    assert clock_for(asked, **away).at(1) == 7.0
    assert clock_for(record(rate=5.0), **away).at(1) == 0.2
    assert clock_for(record(), **away) is None


def test_the_place_where_it_was_seen_helps_if_it_is_still_there(tmp_path):
    make_video(tmp_path / "a.mp4", times_s=[0, 0.5, 0.6])
    path = str(tmp_path / "a.mp4")
    assert clock_for(record(), videos=None, path=path, rate=None).frames == 3
    assert clock_for(record(), videos=None, path=path + "x", rate=None) is None
    assert clock_for(record(), videos=None, path="https://e.org/a.mp4", rate=None) is None


def test_a_record_without_frames_needs_no_clock(tmp_path):
    touch(tmp_path, "a.mp4")
    for told in (record(spans=(Span("x", 1, 2),), accident=1.5), record(spans=())):
        assert clock_for(told, videos=tmp_path, path=None, rate=30.0) is None
    with pytest.raises(VideoError):
        clock_for(record(spans=(), accident=3), videos=tmp_path, path=None, rate=None)


def test_a_variable_rate_moves_frames_to_where_they_are_shown(tmp_path):
    make_video(tmp_path / "a.mp4", times_s=[0, 0.04, 0.08, 1.5, 1.54])
    told = record(spans=(FrameSpan("x", 2, 4), FrameSpan("end", 4, 5)), rate=25.0)
    spans = told.annotation(clock_for(told, videos=tmp_path, path=None, rate=None)).spans
    assert spans[0].start_s == pytest.approx(0.08)
    assert spans[0].end_s == pytest.approx(1.54)
    assert spans[1].end_s == pytest.approx(1.58)


def test_ntsc_frames_do_not_drift(tmp_path):
    make_video(tmp_path / "a.mp4", seconds=3, rate=Fraction(30000, 1001))
    told = record(spans=(FrameSpan("x", 0, 90),), rate=30.0)
    (span,) = told.annotation(clock_for(told, videos=tmp_path, path=None, rate=None)).spans
    assert span.end_s == pytest.approx(90 * 1001 / 30000)


def test_a_folder_of_pictures_gives_their_number_at_the_stated_times(tmp_path):
    make_folder(tmp_path / "clip", pictures=4)
    told = record(video="clip", spans=(FrameSpan("x", 3, 4),))
    known = {"videos": tmp_path, "path": None, "rate": None}
    assert clock_for(told, **known) is None
    rated = record(video="clip", spans=told.spans, rate=2.0)
    assert clock_for(rated, **known).frames == 4
    assert rated.annotation(clock_for(rated, **known)).spans == (Span("x", 1.5, 2.0),)
    timed = record(video="clip", spans=told.spans, frame_clock=clock_of_pts([0, 1, 2, 4]), rate=2.0)
    assert timed.annotation(clock_for(timed, **known)).spans == (Span("x", 4.0, 6.0),)


def test_a_span_after_the_last_frame_of_the_video_is_refused(tmp_path):
    make_video(tmp_path / "a.mp4", times_s=[0, 0.5, 0.6])
    told = record(spans=(FrameSpan("x", 1, 5),), frame_count=5, rate=10.0)
    clock = clock_for(told, videos=tmp_path, path=None, rate=None)
    with pytest.raises(DatasetError, match="within the 3 frames of"):
        told.annotation(clock)


def test_records_that_nothing_can_clock_are_named():
    known = record(rate=5.0), record(spans=()), record(frame_clock=clock_of_pts([0, 1]))
    lost = record(accident=3, spans=())
    assert unclocked([*known, lost]) == (lost,)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("train/a.mp4", "train/a.mp4"),
        ("train/a.avi", "train/a.mp4"),
        ("data/videos/test/a.mp4", "test/a.mp4"),
        ("b", "deep/b.avi"),
        ("elsewhere/b.mp4", "deep/b.avi"),
        ("c.d", "c.d.mp4"),
        ("sJFgo9H6zNo", "v_sJFgo9H6zNo.mp4"),
        ("01_0014", "frames/01_0014"),
        ("windows\\b.avi", "deep/b.avi"),
        ("absent", None),
        ("", None),
        ("/", None),
    ],
)
def test_a_video_is_found_by_the_end_of_its_path(tmp_path, name, found):
    touch(tmp_path, "train/a.mp4", "test/a.mp4", "deep/b.avi", "c.d.mp4", "v_sJFgo9H6zNo.mp4")
    touch(tmp_path, "deep/notes.txt")
    make_folder(tmp_path / "frames" / "01_0014", pictures=2)
    expected = None if found is None else tmp_path / found
    assert find_video(name, tmp_path) == expected


@pytest.mark.parametrize("name", ["a.mp4", "a", "elsewhere/a.mp4"])
def test_a_name_that_several_videos_could_bear_is_refused(tmp_path, name):
    touch(tmp_path, "train/a.mp4", "test/a.mp4")
    with pytest.raises(DatasetError, match=r"may be .*test/a\.mp4 or .*train/a\.mp4"):
        find_video(name, tmp_path)


def test_a_folder_of_videos_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="is no folder"):
        find_video("a.mp4", tmp_path / "absent")
