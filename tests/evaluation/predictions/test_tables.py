"""Tables of anybody's are read as they are meant, and refused with the row where they are not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.predictions.read import read_predictions
from watchword.types import Event


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_events_are_read_and_a_video_may_have_none(file):
    table = "video,start_s,end_s,score,label\na.mp4,1,2.5,0.9,deer\nb.mp4,,,,\na.mp4,4,5,,\n"
    a, b = read_predictions(file(table))
    assert a.video == "a.mp4"
    assert a.events is not None
    assert a.events[0].label == "deer"
    assert (a.events[0].start_s, a.events[0].end_s, a.events[0].score) == (1.0, 2.5, 0.9)
    assert a.events[1].label == "event"
    assert math.isnan(a.events[1].score)
    assert (b.video, b.events, b.scores, b.verdict) == ("b.mp4", (), None, None)


def test_our_own_events_csv_is_such_a_table(file):
    table = (
        "video,label,start_s,end_s,duration_s,score,peak_s,model\na,x,1.0,2.0,1.0,0.5,1.5,mini\n"
    )
    (a,) = read_predictions(file(table))
    assert a.events == (Event("x", 1.0, 2.0, 0.5, 1.5),)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,2,1,0.5,x", "row 2: starts at 2 s and ends at 1 s"),
        ("a,1,1,0.5,x", "row 2: starts at 1 s"),
        ("a,-1,1,0.5,x", "row 2: start_s is '-1', it must be 0 or more seconds"),
        ("a,one,1,0.5,x", "row 2: start_s is 'one', it must be a number"),
        ("a,nan,1,0.5,x", "row 2: start_s is 'nan'"),
        ("a,0,1,inf,x", "row 2: score is inf, it must be finite"),
        ("a,0,1,high,x", "row 2: score is 'high', it must be a number"),
        (",0,1,0.5,x", "row 2: has no video"),
        ("a,,1,0.5,x", "row 2: has no start_s"),
        ("v,,,,", "row 2: says that nothing was found in 'v', other rows do"),
        ("a,0,1,0.5", "row 2: must have 5 cells"),
        ("a,0,1,0.5,x,y", "row 2: must have 5 cells"),
    ],
)
def test_an_event_that_makes_no_sense_is_named_by_row(file, row, problem):
    with pytest.raises(DatasetError) as caught:
        read_predictions(file(f"video,start_s,end_s,score,label\nv,0,1,0.5,x\n{row}\n"))
    assert problem in str(caught.value)
    assert caught.value.row == 2


def test_frames_are_read_with_a_rate_and_an_empty_score_is_not_measured(file):
    table = file("video,frame,score\na,0,0.1\na,1,\nb,0,0.5\na,2,0.3\n")
    a, b = read_predictions(table, rate=10)
    np.testing.assert_array_equal(a.scores.values[:, 0], np.float32([0.1, np.nan, 0.3]))
    np.testing.assert_allclose(a.scores.edges_s, [0, 0.1, 0.2, 0.3])
    assert (a.scores.kind, a.scores.labels, a.rate) == ("cosine", ("score",), 10)
    assert len(b.scores) == 1
    assert read_predictions(table, rate=10, kind="contrast")[0].scores.kind == "contrast"


def test_scores_below_zero_and_written_nan_are_read(file):
    (a,) = read_predictions(file("video,frame,score\na,0,-0.5\na,1,nan\n"), rate=1, kind="margin")
    np.testing.assert_array_equal(a.scores.values[:, 0], np.float32([-0.5, np.nan]))


def test_frames_without_a_rate_ask_for_it(file):
    with pytest.raises(DatasetError, match="--rate"):
        read_predictions(file("video,frame,score\na,0,0.1\n"))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("a,0,1\na,2,1", "row 2: is frame 2 of 'a', frame 1 comes next"),
        ("a,0,1\na,0,1", "row 2: is frame 0 of 'a', frame 1 comes next"),
        ("a,1,1", "row 1: is frame 1 of 'a', frame 0 comes next"),
        ("a,0,1\na,0.5,1", "row 2: frame is '0.5', it must be a whole number"),
        ("a,-1,1", "row 1: frame is '-1'"),
    ],
)
def test_frames_must_be_complete(file, rows, problem):
    with pytest.raises(DatasetError) as caught:
        read_predictions(file(f"video,frame,score\n{rows}\n"), rate=10)
    assert problem in str(caught.value)


def test_times_give_windows_that_touch(file):
    (a,) = read_predictions(file("video,time_s,score,label\na,0,1,x\na,0.5,2,x\na,2,3,x\n"))
    np.testing.assert_allclose(a.scores.edges_s, [0, 0.5, 2, 3.5])
    assert a.scores.labels == ("x",)


def test_labels_become_columns_if_they_are_scored_at_the_same_times(file):
    rows = "a,0,1,x\na,0,3,y\na,1,2,x\n"
    (a,) = read_predictions(file(f"video,time_s,score,label\n{rows}a,1,4,y\n"))
    np.testing.assert_array_equal(a.scores.values, [[1, 3], [2, 4]])
    with pytest.raises(DatasetError, match="row 2: 'y' and 'x' of 'a' must be scored at the same"):
        read_predictions(file(f"video,time_s,score,label\n{rows}a,1.5,4,y\n"))


def test_times_must_rise_and_be_two(file):
    with pytest.raises(DatasetError, match=r"row 2: time_s is 0 after 1; times must rise"):
        read_predictions(file("video,time_s,score\na,1,1\na,0,1\n"))
    with pytest.raises(DatasetError, match="row 1: is the only one of its video"):
        read_predictions(file("video,time_s,score\na,1,1\n"))


def test_verdicts_and_their_flags(file):
    table = "video,score,positive\na,0.5,true\nb,,\nc,0.1,False\n"
    found = read_predictions(file(table))
    assert [(p.verdict, p.positive) for p in found] == [(0.5, True), (None, None), (0.1, False)]
    with pytest.raises(DatasetError, match=r"row 1: positive is 'maybe'"):
        read_predictions(file("video,score,positive\na,0.5,maybe\n"))


def test_a_video_that_stands_twice_is_named_with_both_rows(file):
    with pytest.raises(DatasetError, match="row 3: 'a' stands already in row 1"):
        read_predictions(file("video,score\na,0.5\nb,1\na,0.5\n"))


def test_seed_5_gives_means_as_verdicts(file):
    text = "Filename,Mean_CLIP_Score,Median_CLIP_Score\nsource1_2.mp4,0.262500,0.261230\n"
    (found,) = read_predictions(file(text))
    assert (found.video, found.verdict) == ("source1_2.mp4", 0.2625)
    with pytest.raises(DatasetError, match="row 1: Median_CLIP_Score is 'n/a'"):
        read_predictions(file(text.replace("0.261230", "n/a")))


def test_jsonl_is_read_by_the_same_rules(file):
    lines = [
        {"video": "a", "start_s": 1, "end_s": 2, "score": None, "label": "x"},
        {"video": "b", "start_s": None, "end_s": None, "score": None},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n"
    a, b = read_predictions(file(text, "mine.jsonl"))
    assert a.events is not None
    assert math.isnan(a.events[0].score)
    assert b.events == ()
    with pytest.raises(DatasetError, match="row 2: is not JSON"):
        read_predictions(file('{"video": "a", "score": 1}\n{"video"\n', "mine.jsonl"))
    with pytest.raises(DatasetError, match="row 1: score is True, it must be a number"):
        read_predictions(file('{"video": "a", "score": true}\n', "mine.jsonl"))


def test_activitynet_results_are_events(file):
    results = {"results": {"v": [{"label": "x", "score": 0.9, "segment": [1.2, 9.8]}], "w": []}}
    v, w = read_predictions(file(json.dumps({"version": "VERSION 1.3", **results}), "r.json"))
    assert (v.events[0].label, v.events[0].end_s, w.events) == ("x", 9.8, ())


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"score": 0.9, "segment": [1, 2]}, "needs label"),
        ({"label": "x", "score": 0.9, "segment": [1]}, "segment must be"),
        ({"label": "x", "score": "0.9", "segment": [1, 2]}, "score must be a number"),
        ({"label": "x", "score": 0.9, "segment": [2, 1]}, "it must begin at 0"),
        ({"label": "x", "score": 0.9, "segment": [-1, 1]}, "it must begin at 0"),
    ],
)
def test_an_activitynet_entry_that_makes_no_sense_is_named(file, entry, problem):
    with pytest.raises(DatasetError) as caught:
        read_predictions(file(json.dumps({"results": {"v": [entry]}}), "r.json"))
    assert problem in str(caught.value)
    assert "[v], row 1" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("a sentence\n", "what can be read is"),
        ("video,score\n", "holds no rows"),
        ("video,score,score\na,1,2\n", "names a column twice: video, score, score"),
        ('video,score\n"a,1\n', "is no CSV"),
        ("name,value\na,1\n", "has the columns name, value; what can be read is"),
    ],
)
def test_tables_that_are_none_are_refused(file, text, problem):
    with pytest.raises(DatasetError) as caught:
        read_predictions(file(text))
    assert problem in str(caught.value)
