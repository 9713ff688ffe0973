"""The check names what does not add up, with and without the videos, and leaves the rest alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthetic import make_video
from watchword.errors import DatasetError
from watchword.evaluation.datasets.check import check_dataset, look_at
from watchword.evaluation.datasets.record import FrameSpan, Record
from watchword.evaluation.datasets.summary import LabelSummary, summarise
from watchword.types import Span

EVENT = Record(
    video="a.mp4",
    where="truth.json, entry 1",
    spans=(FrameSpan("deer", 3, 8),),
    labels=("deer",),
    anomalous=True,
    frame_count=20,
    rate=10.0,
)
NORMAL = Record(
    video="b.mp4", where="truth.json, entry 2", anomalous=False, frame_count=20, rate=10.0
)


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_video(folder / name, seconds=2, rate=10, size=(32, 32))
    return folder


def sentences(records, videos=None, **more):
    found = check_dataset(records, videos=videos, **more)
    return [(problem.serious, problem.video, problem.sentence) for problem in found]


def test_what_adds_up_is_left_alone(videos):
    seconds = replace(EVENT, spans=(Span("deer", 0.3, 2.05),), duration_s=2.2)
    assert sentences([EVENT, NORMAL]) == []
    assert sentences([EVENT, NORMAL], videos) == []
    assert sentences([seconds, NORMAL], videos) == []
    to_the_end = replace(EVENT, spans=(FrameSpan("deer", 19, 20),), accident=19)
    assert sentences([to_the_end, NORMAL], videos) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"spans": (FrameSpan("deer", 19, 21),)},
            "'deer' at frames [19, 21) ends after the video of 20 frames",
        ),
        (
            {"spans": (FrameSpan("deer", -1, 2),)},
            "'deer' at frames [-1, 2) must start at 0 or later and end after it starts",
        ),
        (
            {"spans": (FrameSpan("deer", 5, 5),)},
            "'deer' at frames [5, 5) must start at 0 or later and end after it starts",
        ),
        (
            {"spans": (Span("deer", 1.0, 2.2),), "duration_s": 2.0},
            "'deer' at [1, 2.2) s ends after the video of 2.00 s",
        ),
        ({"anomalous": False}, "is called normal but has events"),
        ({"accident": 20}, "its accident at frame 20 is not in the video of 20 frames"),
        ({"accident": 2.5}, "its accident at 2.5 s is not in the video of 2.00 s"),
    ],
)
@pytest.mark.parametrize("looked", [False, True])
def test_events_that_are_not_in_their_video_are_serious(videos, change, sentence, looked):
    records = [replace(EVENT, **change), NORMAL]
    assert sentences(records, videos if looked else None) == [(True, "a.mp4", sentence)]


def test_the_video_knows_better_than_its_record(videos):
    longer = replace(EVENT, frame_count=30, spans=(FrameSpan("deer", 3, 21),))
    path = videos / "a.mp4"
    assert sentences([longer, NORMAL]) == []
    assert sentences([longer, NORMAL], videos) == [
        (True, "a.mp4", "'deer' at frames [3, 21) ends after the video of 20 frames"),
        (True, "a.mp4", f"is said to have 30 frames, {path} has 20"),
    ]
    by_time = replace(EVENT, duration_s=2.6, rate=11.0, frame_count=None)
    assert sentences([by_time, NORMAL], videos) == [
        (True, "a.mp4", f"is said to last 2.60 s, {path} lasts 2.00 s"),
        (
            False,
            "a.mp4",
            f"is said to have 11 frames a second, {path} has 10; the video's own frame times count",
        ),
    ]


def test_one_frame_more_or_less_is_said(videos):
    assert sentences([replace(EVENT, frame_count=19), NORMAL], videos) == [
        (True, "a.mp4", f"is said to have 19 frames, {videos / 'a.mp4'} has 20")
    ]


def test_missing_unreadable_and_stray_videos_are_said(videos):
    (videos / "c.mp4").write_bytes(b"no video")
    lost = replace(EVENT, video="absent.mp4")
    broken = replace(EVENT, video="c.mp4")
    found = sentences([lost, broken, NORMAL], videos)
    assert found[0] == (False, "", "no annotation names 1 video: a.mp4")
    assert found[1] == (True, "absent.mp4", f"there is no such video in {videos}")
    assert found[2][:2] == (True, "c.mp4")
    assert "is not a video that FFmpeg can read" in found[2][2]
    assert len(found) == 3


def test_overlapping_and_repeated_events_are_notes():
    spans = (FrameSpan("deer", 3, 8), FrameSpan("deer", 7, 9), FrameSpan("fog", 0, 20))
    assert sentences([replace(EVENT, spans=spans), NORMAL]) == [
        (
            False,
            "a.mp4",
            "'deer' at frames [3, 8) overlaps 'deer' at frames [7, 9): they count as two",
        )
    ]
    touching = (FrameSpan("deer", 3, 8), FrameSpan("deer", 8, 9))
    assert sentences([replace(EVENT, spans=touching), NORMAL]) == []
    twice = (FrameSpan("deer", 3, 8), FrameSpan("deer", 3, 8))
    assert sentences([replace(EVENT, spans=twice), NORMAL]) == [
        (False, "a.mp4", "'deer' at frames [3, 8) stands twice")
    ]


def test_what_is_on_both_sides_of_a_split_is_serious():
    train = [replace(EVENT, split="train", group="g"), replace(NORMAL, split="train")]
    test = [
        replace(EVENT, video="c.mp4", split="test", group="g"),
        replace(NORMAL, video="./b.mp4", split="test", where="truth.json, entry 4"),
    ]
    assert sentences(train) == []
    assert sentences([*train, *test]) == [
        (True, "", "group 'g' is in more than one split: test, train"),
        (True, "b.mp4", "is in more than one split: test, train"),
    ]


def test_a_video_that_stands_twice_is_serious_and_a_shared_name_a_note():
    again = replace(EVENT, where="truth.json, entry 9")
    assert sentences([EVENT, again, NORMAL]) == [
        (True, "a.mp4", "stands 2 times, first in truth.json, entry 1")
    ]
    other = replace(EVENT, video="night/a.mp4")
    assert sentences([EVENT, other, NORMAL]) == [
        (False, "", "a.mp4, night/a.mp4 are all called 'a': save results with the folder's name")
    ]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([EVENT], "the data holds no normal video: nothing can be told of whole videos"),
        ([NORMAL], "the data holds normal videos only: no AUC can be told from it"),
        (
            [replace(NORMAL, anomalous=None)],
            "nobody said of any video of the data whether anything happens in it",
        ),
    ],
)
def test_data_of_one_class_is_a_note(records, sentence):
    assert sentences(records) == [(False, "", sentence)]


def test_no_videos_at_all_is_serious():
    assert sentences([]) == [(True, "", "there are no videos")]


def test_frames_that_nothing_can_turn_into_seconds_are_a_note(videos):
    lost = replace(EVENT, rate=None)
    note = (
        "1 video annotated in frames without a rate: name the folder of the videos (--videos) or "
        "the rate (--rate)"
    )
    assert sentences([lost, NORMAL]) == [(False, "", note)]
    assert sentences([lost, NORMAL], rate=10.0) == []
    assert sentences([lost, NORMAL], videos) == []


def test_masks_must_be_there_and_count_the_frames_of_the_video(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((19, 2, 2), np.uint8))
    short = replace(EVENT, masks=tmp_path / "a.npy")
    assert sentences([short, NORMAL]) == [
        (True, "a.mp4", f"{tmp_path / 'a.npy'} masks 19 frames, the video has 20")
    ]
    ((serious, _, sentence),) = sentences([replace(short, masks=tmp_path / "b.npy"), NORMAL])
    assert serious
    assert sentence.startswith(f"its masks cannot be used: {tmp_path / 'b.npy'}")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="is no folder"):
        check_dataset([EVENT], videos=tmp_path / "absent")


def test_the_summary_counts_what_there_is(videos):
    records = [
        replace(EVENT, split="train", spans=(FrameSpan("deer", 3, 8), Span("fog", 0.0, 1.5))),
        replace(EVENT, video="x.mp4", spans=(), labels=("deer",)),
        NORMAL,
        replace(NORMAL, video="y.mp4", anomalous=None),
        replace(EVENT, video="z.mp4", spans=(FrameSpan("fire", 0, 1),), rate=None),
    ]
    found = summarise(look_at(records, videos=videos), looked=True)
    assert (found.videos, found.with_events, found.whole) == (5, 2, 1)
    assert (found.normal, found.unsaid, found.found) == (1, 1, 2)
    assert found.splits == {"train": 1, None: 4}
    deer, *others = found.labels
    assert (deer.label, deer.events, deer.videos) == ("deer", 1, 2)
    assert deer.seconds == pytest.approx(0.5)
    assert set(others) == {LabelSummary("fog", 1, 1, 1.5), LabelSummary("fire", 1, 1, None)}
    assert summarise(look_at(records, videos=None), looked=False).found is None
