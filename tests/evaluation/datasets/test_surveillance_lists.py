"""UCF-Crime and XD-Violence: lists of frame pairs, taken as [start, end) from 0."""

from __future__ import annotations

import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import ucf_crime, xd_violence
from watchword.evaluation.datasets.record import FrameSpan, Record

# Two blanks between words and two at the end, as in the official file.
UCF = (
    "Abuse028_x264  Abuse  165  240  -1  -1  \n"
    "Arson011_x264  Arson  150  420  680  1267  \n"
    "Normal_Videos_003_x264  Normal  -1  -1  -1  -1  \n"
)
XD = (
    "v=S-7rRLrxnVQ__#1_label_B4-0-0 0 1517 1970 3038\n"
    "Casino.Royale.2006__#00-50-05_00-51-16_label_B1-B2-B6 10 20\n"
)
XD_MULTI = "v=S-7rRLrxnVQ__#1_label_B4-0-0 B4 0 1517 B4 1970 3038\n"


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "truth.txt"
        path.write_text(content)
        return path

    return write


def test_ucf_crime_is_read(written):
    path = written(UCF)
    assert ucf_crime.sniff(path)
    abuse, arson, normal = ucf_crime.read(path)
    assert abuse == Record(
        video="Abuse028_x264",
        where=f"{path}, row 1",
        spans=(FrameSpan("Abuse", 165, 240),),
        labels=("Abuse",),
        anomalous=True,
        split="test",
        rate=30.0,
    )
    assert arson.spans == (FrameSpan("Arson", 150, 420), FrameSpan("Arson", 680, 1267))
    assert (normal.video, normal.spans, normal.labels, normal.anomalous) == (
        "Normal_Videos_003_x264", (), (), False,
    )  # fmt: skip


def test_ucf_frames_become_seconds_at_30_a_second_without_the_last(written):
    (span,) = ucf_crime.read(written(UCF))[0].annotation().spans
    assert (span.start_s, span.end_s) == (5.5, 8.0)


def test_ucf_names_with_an_ending_and_other_line_ends_are_read(written):
    path = written(UCF.replace("x264", "x264.mp4").replace("\n", "\r\n") + "\r\n")
    assert ucf_crime.sniff(path)
    assert ucf_crime.read(path)[0].video == "Abuse028_x264.mp4"


def test_an_event_of_one_frame_at_the_start_is_read(written):
    (record,) = ucf_crime.read(written("A_x264  Abuse  0  1  -1  -1"))
    assert record.spans == (FrameSpan("Abuse", 0, 1),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (UCF + "Abuse030_x264  Abuse  1", "row 4: must hold a video, its class and 4 .* 3 words"),
        ("A  Abuse  1  2  -1  -1  3", "row 1: .*got 7 words"),
        ("A  Abuse  one  2  -1  -1", "row 1: frames must be whole numbers, got 'one 2'"),
        ("A  Abuse  1.5  2  -1  -1", "row 1: frames must be whole numbers"),
        ("A  Abuse  240  165  -1  -1", "row 1: .*end after it starts .*got 240 165"),
        ("A  Abuse  165  165  -1  -1", "row 1: .*end after it starts"),
        ("A  Abuse  -1  165  -1  -1", "row 1: .*start at frame 0"),
        ("A  Abuse  165  -1  -1  -1", "row 1: .*end after it starts"),
        ("A  Abuse  -1  -1  -1  -1", "row 1: A is Abuse but has no event"),
        ("A  Normal  1  2  -1  -1", "row 1: A is Normal but has an event"),
    ],
)
def test_a_broken_ucf_list_is_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        ucf_crime.read(written(content))


def test_xd_violence_is_read(written):
    path = written(XD)
    assert xd_violence.sniff(path)
    riot, several = xd_violence.read(path)
    assert riot == Record(
        video="v=S-7rRLrxnVQ__#1_label_B4-0-0",
        where=f"{path}, row 1",
        spans=(FrameSpan("riot", 0, 1517), FrameSpan("riot", 1970, 3038)),
        labels=("riot",),
        anomalous=True,
        split="test",
        rate=24.0,
    )
    assert several.labels == ("fighting-shooting-car accident",)


def test_xd_violence_with_a_code_an_event_is_read(written):
    path = written(XD_MULTI + "x__#1_label_B1-B2-0.mp4 B1 0 24 B2 12 48\n")
    assert xd_violence.sniff(path)
    riot, two = xd_violence.read(path)
    assert riot.spans == (FrameSpan("riot", 0, 1517), FrameSpan("riot", 1970, 3038))
    assert two.spans == (FrameSpan("fighting", 0, 24), FrameSpan("shooting", 12, 48))
    assert two.labels == ("fighting", "shooting")
    assert [span.end_s for span in two.annotation().spans] == [1.0, 2.0]


def test_normal_names_that_were_added_to_xd_are_normal(written):
    name = "A.Beautiful.Mind.2001__#00-01-45_00-02-50_label_A"
    (record,) = xd_violence.read(written(name))
    assert (record.video, record.anomalous, record.spans, record.labels) == (name, False, (), ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("video_1.mp4 0 10", "row 1: 'video_1.mp4' must end in _label_"),
        (XD + "x_label_B1-0-0 0 10 20", "row 3: must hold pairs of frames.* got 3 words"),
        ("x_label_B1-0-0 B1 0 10 B1 20", "row 1: must hold pairs"),
        ("x_label_B1-0-0 0 ten", "row 1: must hold pairs of frames.* got '0 ten'"),
        ("x_label_B1-0-0 10 10", "row 1: .*end after it starts, got 10 10"),
        ("x_label_B1-0-0 -5 10", "row 1: .*start at frame 0"),
        ("x_label_B1-0-0", "row 1: .*has no events; the line is cut off"),
        ("x_label_A 0 10", r"row 1: .*is normal \(A\) but has events"),
        ("x_label_B3-0-0 0 10", "row 1: code 'B3' is not known; known are B1 fighting"),
        ("x_label_0-0-0 0 10", "row 1: code '0' is not known"),
        ("x_label_B1-0-0 C 0 10", "row 1: code 'C' is not known"),
    ],
)
def test_a_broken_xd_list_is_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        xd_violence.read(written(content))


@pytest.mark.parametrize("content", ["", "a b", "Abuse/Abuse028_x264.mp4\n", "0\n1\n", "\0"])
def test_other_texts_are_not_taken_for_these(written, content):
    path = written(content)
    assert not ucf_crime.sniff(path)
    assert not xd_violence.sniff(path)


def test_the_two_do_not_take_each_others_files(written, tmp_path):
    assert not xd_violence.sniff(written(UCF))
    assert not ucf_crime.sniff(written(XD))
    assert not ucf_crime.sniff(tmp_path)
    assert not xd_violence.sniff(tmp_path / "nothing")
