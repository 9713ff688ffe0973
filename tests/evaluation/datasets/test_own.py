"""Annotations of one's own: JSON of one or many videos, CSV and JSONL tables; what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import own_json, own_table
from watchword.evaluation.datasets.own import read_annotation
from watchword.evaluation.datasets.record import FrameSpan
from watchword.types import Span


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


ONE = {"video": "a.mp4", "spans": [{"label": "deer", "start_s": 3, "end_s": 4.25}]}


def test_a_list_of_videos_is_read_with_all_that_may_be_said(written):
    more = {
        "video": "b.mp4",
        "split": "test",
        "group": "camera 2",
        "masks": "m/b.npz",
        "accident_s": 4.0,
        "rate": 25,
        "frame_count": 100,
        "duration_s": 4.0,
        "spans": [{"label": "deer", "start_frame": 0, "end_frame": 100}],
    }
    path = written("truth.json", [ONE, more])
    assert own_json.sniff(path)
    first, second = own_json.read(path)
    assert (first.spans, first.anomalous) == ((Span("deer", 3.0, 4.25),), None)
    assert second.spans == (FrameSpan("deer", 0, 100),)
    assert (second.split, second.group, second.accident) == ("test", "camera 2", 4.0)
    assert second.masks == path.parent / "m" / "b.npz"
    assert second.annotation().spans == (Span("deer", 0.0, 4.0),)
    assert second.where == f"{path}, entry 2"


@pytest.mark.parametrize(
    ("told", "anomalous"), [({}, False), ({"anomalous": None}, None), ({"anomalous": True}, True)]
)
def test_no_spans_is_normal_unless_it_is_said_otherwise(written, told, anomalous):
    (record,) = own_json.read(written("truth.json", {"video": "a", "spans": [], **told}))
    assert record.anomalous is anomalous


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([ONE, 3], "entry 2: must be a JSON object"),
        ({**ONE, "anomalous": False}, "called not anomalous but has spans"),
        ({**ONE, "gruop": "x"}, "did you mean 'group'"),
        ({**ONE, "rate": 0}, "rate must be a number above 0"),
        ({**ONE, "frame_count": 2.5}, "frame_count must be a whole number"),
        (
            {**ONE, "spans": [*ONE["spans"], {"label": "a", "start_frame": 1, "end_frame": 2}]},
            "some spans in seconds and some in frames",
        ),
        (
            {**ONE, "spans": [{"label": "a", "start_frame": 2, "end_frame": 2}]},
            r"row 1: 'a' at frames \[2, 2\)",
        ),
        ({**ONE, "spans": [{"label": " ", "start_s": 1, "end_s": 2}]}, "label is empty"),
    ],
)
def test_an_object_that_breaks_the_rules_is_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        own_json.read(written("truth.json", content))


TABLE = """\
video,label,start_s,end_s,split,group,anomalous,duration_s
a.mp4,deer,3,4.25,test,camera 1,,60
a.mp4,fog,0,60,test,,,
b.mp4,,,,test,camera 2,,
c.mp4,fire,,,train,,true,
d.mp4,,,,train,,yes,
"""


def test_a_table_gathers_the_rows_of_a_video(written):
    path = written("truth.csv", TABLE)
    assert own_table.sniff(path)
    a, b, c, d = own_table.read(path)
    assert a.spans == (Span("deer", 3.0, 4.25), Span("fog", 0.0, 60.0))
    assert (a.anomalous, a.split, a.group, a.duration_s) == (True, "test", "camera 1", 60.0)
    assert (a.labels, a.where) == (("deer", "fog"), f"{path}, row 2")
    assert (b.spans, b.anomalous, b.group) == ((), False, "camera 2")
    assert (c.spans, c.anomalous, c.labels) == ((), True, ("fire",))
    assert (d.spans, d.anomalous, d.labels) == ((), True, ())


def test_frames_of_a_table_count_from_0_and_the_end_is_not_inside(written):
    path = written(
        "truth.csv",
        "video,label,start_frame,end_frame,rate,frame_count\n"
        "a.mp4,first,0,1,10,50\na.mp4,last,49,50,10,50\na.mp4,all,0,50,10,50\n",
    )
    (record,) = own_table.read(path)
    assert record.annotation().spans == (
        Span("first", 0.0, 0.1),
        Span("last", 4.9, 5.0),
        Span("all", 0.0, 5.0),
    )


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(written):
    path = written("truth.csv", "\ufeffvideo,label,start_s,end_s\r\na.mp4,deer,1,2\r\n")
    (record,) = own_table.read(path)
    assert record.spans == (Span("deer", 1.0, 2.0),)


def test_lines_of_json_may_be_rows_or_objects_with_spans(written):
    lines = [
        {"video": "a.mp4", "label": "deer", "start_s": 1, "end_s": 2},
        {"video": "a.mp4", "label": "deer", "start_s": 5, "end_s": 6.5},
        {"video": "b.mp4"},
        {**ONE, "video": "c.mp4"},
    ]
    path = written("truth.jsonl", "\n".join(map(json.dumps, lines)))
    assert own_table.sniff(path)
    assert not own_json.sniff(path)
    a, b, c = own_table.read(path)
    assert a.spans == (Span("deer", 1.0, 2.0), Span("deer", 5.0, 6.5))
    assert (b.anomalous, b.where) == (False, f"{path}, row 3")
    assert c.spans == (Span("deer", 3.0, 4.25),)


HEAD = "video,label,start_s,end_s,anomalous,duration_s\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("video,label,start_s,end_s,score\n", "'score' is not known"),
        ("video,lable,start_s,end_s\na,b,1,2\n", "'lable' is not known; did you mean 'label'"),
        ("label,start_s,end_s\n", "lacks column video"),
        ("video,video,start_s,end_s\na,b,1,2\n", "more than one column video"),
        (HEAD, "holds no row"),
        (HEAD + "a.mp4,deer,3,4\n", "row 2: has 4 cells under 6 columns"),
        (HEAD + "a.mp4,deer,3,,,\n", "row 2: an event needs label, start_s and end_s"),
        (HEAD + "a.mp4,,3,4,,\n", "row 2: an event needs label"),
        (HEAD + "a.mp4,deer,4,3,,\n", "row 2: a span must end after it starts"),
        (HEAD + "a.mp4,deer,-1,3,,\n", "start_s must be 0 or more seconds, got '-1'"),
        (HEAD + "a.mp4,deer,nan,3,,\n", "start_s must be 0 or more seconds, got 'nan'"),
        (HEAD + "a.mp4,deer,0:04,3,,\n", "start_s must be 0 or more seconds, got '0:04'"),
        (HEAD + "a.mp4,deer,,,,\n", "has the label 'deer' and no times"),
        (HEAD + "a.mp4,deer,1,2,no,\n", "not anomalous but has an event"),
        (HEAD + "a.mp4,,,,maybe,\n", "anomalous must be true or false, got 'maybe'"),
        (HEAD + ",deer,1,2,,\n", "row 2: video is empty"),
        (HEAD + "a,deer,1,2,,\na,,,,,\n", "row 3: 'a' stands in row 2 too"),
        (HEAD + "a,,,,,\na,,,,,\n", "row 3: 'a' stands in row 2 too"),
        (HEAD + "a,deer,1,2,,9\na,deer,3,4,,8\n", "row 3: says duration_s 8.0 of 'a'"),
        (
            "video,label,start_s,end_s,start_frame,end_frame\na,x,1,2,,\na,x,,,1,2\n",
            "row 3: gives 'a' in seconds and in frames",
        ),
    ],
)
def test_a_table_that_breaks_the_rules_is_refused_with_its_row(written, content, message):
    with pytest.raises(DatasetError, match=message):
        own_table.read(written("truth.csv", content))


def test_one_annotation_is_read_from_any_format_that_holds_one_video(written):
    found = read_annotation(written("truth.csv", "video,label,start_s,end_s\na,deer,1,2\n"))
    assert found.spans == (Span("deer", 1.0, 2.0),)
    line = "Abuse028_x264.mp4  Abuse  165  240  -1  -1  \n"
    assert read_annotation(written("a.txt", line), rate=30).spans == (Span("Abuse", 5.5, 8.0),)
    with pytest.raises(DatasetError, match="is about 2 videos where one is needed"):
        read_annotation(written("truth.json", [ONE, {"video": "b", "spans": []}]))


def test_a_table_is_not_taken_for_one_without_its_columns(tmp_path: Path):
    for name, text in {"a.csv": "video,score\na,1\n", "a.jsonl": "{", "b.csv": ""}.items():
        (tmp_path / name).write_text(text)
        assert not own_table.sniff(tmp_path / name)
    assert not own_table.sniff(tmp_path / "absent.csv")


def test_a_table_without_times_speaks_of_whole_videos(written):
    path = written("truth.csv", "video,label,split\na.mp4,fight,test\nb.mp4,,test\n")
    assert own_table.sniff(path)
    fight, quiet = own_table.read(path)
    assert (fight.labels, fight.anomalous, fight.spans) == (("fight",), True, ())
    assert (quiet.labels, quiet.anomalous) == ((), False)
    assert not own_table.sniff(written("scores.csv", "video,label,score\na.mp4,fight,0.5\n"))


@pytest.mark.parametrize("label", ["0", "1", "False", "yes"])
def test_a_verdict_is_no_name_of_an_event(written, label):
    path = written("truth.csv", f"video,label\na.mp4,{label}\n")
    with pytest.raises(DatasetError, match=r"row 2.*no name of an event; call the column 'anom"):
        own_table.read(path)
