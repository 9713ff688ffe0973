"""Seed 2's tables give segments and verdicts, and nothing of the truth that stands in them."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.predictions.read import read_predictions

HEADER = "segment_uid,video_id,split,true_class,pred_class,score,is_anomaly"
VIDEO = "train_Abuse_Abuse001_x264"
SEGMENTS = f"""{HEADER}
{VIDEO}_seg_0000,{VIDEO},train,Abuse,a person fighting,0.242919921875,True
{VIDEO}_seg_0001,{VIDEO},train,Abuse,a car crash,0.19,False
{VIDEO}_seg_0002,{VIDEO},train,Abuse,,,False
"""
VIDEOS = """video_id,split,true_class,total_segments,anomaly_segments,anomaly_ratio,video_is_anomaly
train_Abuse_Abuse001_x264,train,Abuse,3,1,0.5,True
"""


def test_segments_alone_count_segments(tmp_path):
    (tmp_path / "s.csv").write_text(SEGMENTS)
    (found,) = read_predictions(tmp_path / "s.csv")
    assert (found.video, found.scores, found.verdict) == (VIDEO, None, 0.5)
    np.testing.assert_array_equal(found.segments.edges_s, [0, 1, 2, 3])
    expected = np.float32([0.242919921875, 0.19, np.nan])
    np.testing.assert_array_equal(found.segments.values[:, 0], expected)
    assert found.made.sentences == ("a person fighting", "a car crash")


def test_every_video_was_asked_with_every_class_that_any_was_called(tmp_path):
    calm = "calm_seg_0000,calm,train,Normal,a quiet street,0.2,False\n"
    (tmp_path / "s.csv").write_text(SEGMENTS + calm)
    found = read_predictions(tmp_path / "s.csv")
    assert [one.made.sentences for one in found] == [
        ("a person fighting", "a car crash", "a quiet street")
    ] * 2


def test_with_a_rate_segments_are_sixteen_pictures_long(tmp_path):
    (tmp_path / "s.csv").write_text(SEGMENTS)
    (found,) = read_predictions(tmp_path / "s.csv", rate=8)
    np.testing.assert_allclose(found.scores.edges_s, [0, 2, 4, 6])


def test_a_folder_of_both_tables_takes_the_verdict_of_the_second(tmp_path):
    (tmp_path / "segments.csv").write_text(SEGMENTS)
    (tmp_path / "videos.csv").write_text(VIDEOS)
    (found,) = read_predictions(tmp_path)
    assert (found.verdict, found.positive, len(found.segments)) == (0.5, True, 3)
    (alone,) = read_predictions(tmp_path / "videos.csv")
    assert (alone.verdict, alone.positive, alone.segments) == (0.5, True, None)


def test_tables_that_disagree_are_refused(tmp_path):
    (tmp_path / "segments.csv").write_text(SEGMENTS)
    (tmp_path / "videos.csv").write_text(VIDEOS.replace("Abuse,3,", "Abuse,4,"))
    with pytest.raises(DatasetError, match=r"row 1: total_segments is 4, .* has 3"):
        read_predictions(tmp_path)
    (tmp_path / "videos.csv").write_text(VIDEOS.replace("train_Abuse_Abuse001_x264", "other"))
    with pytest.raises(DatasetError, match=r"total_segments is 3, .* has 0 of 'other'"):
        read_predictions(tmp_path)
    more = "other_seg_0000,other,train,Abuse,x,0.1,False\n"
    (tmp_path / "segments.csv").write_text(SEGMENTS + more)
    (tmp_path / "videos.csv").write_text(VIDEOS)
    with pytest.raises(DatasetError, match="lacks 'other'"):
        read_predictions(tmp_path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("_seg_0001", "_seg_0002"), "row 3: .* stands already in row 2"),
        (("_seg_0001", "_seg_0003"), "row 2: is segment 3 .* segment 1 comes next"),
        (("_seg_0001", "_part_1"), "row 2: segment_uid is .* it must end in _seg_0000"),
        (("0.19,", "high,"), "row 2: score is 'high', it must be a number"),
        (("0.19,False", "0.19,perhaps"), "row 2: is_anomaly is 'perhaps'"),
    ],
)
def test_segments_that_make_no_sense_are_named_by_row(tmp_path, change, problem):
    (tmp_path / "s.csv").write_text(SEGMENTS.replace(*change))
    with pytest.raises(DatasetError, match=problem):
        read_predictions(tmp_path / "s.csv")


def test_a_share_outside_its_range_is_refused(tmp_path):
    (tmp_path / "v.csv").write_text(VIDEOS.replace(",0.5,", ",50,"))
    with pytest.raises(DatasetError, match="row 1: anomaly_ratio is 50"):
        read_predictions(tmp_path / "v.csv")
