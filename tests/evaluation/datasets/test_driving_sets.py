"""Dashcam data sets: each from lines of its real form, with the borders of its frame numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import ccd, dad, dada, dota, nexar
from watchword.evaluation.datasets.record import FrameSpan
from watchword.types import Span

DOTA = {
    "video_start": 199,
    "video_end": 305,
    "anomaly_start": 40,
    "anomaly_end": 70,
    "anomaly_class": "ego: leave_to_right",
    "num_frames": 107,
    "subset": "train",
}


def save(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_dota_metadata_counts_frames_of_the_clip(tmp_path):
    path = save(tmp_path / "metadata_train.json", {"0RJPQ_97dcs_000199": DOTA})
    assert dota.sniff(path)
    assert dota.sniff(tmp_path)
    (record,) = dota.read(tmp_path)
    assert (record.video, record.split, record.group) == (
        "0RJPQ_97dcs_000199",
        "train",
        "0RJPQ_97dcs",
    )
    annotation = record.annotation()
    assert annotation.spans == (Span("ego: leave_to_right", 4.0, 7.0),)
    assert annotation.duration_s == pytest.approx(10.7)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (106, 107), (0, 107)])
def test_dota_frames_reach_from_the_first_to_the_last(tmp_path, start, end):
    clip = {**DOTA, "anomaly_start": start, "anomaly_end": end}
    (record,) = dota.read(save(tmp_path / "metadata_val.json", {"v_1": clip}))
    (span,) = record.annotation().spans
    assert (span.start_s, span.end_s) == (start / 10, end / 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"anomaly_end": 108}, "ends at frame 108 of the 107"),
        ({"anomaly_end": 40}, "end after"),
        ({"anomaly_start": -1}, "anomaly_start must be a whole number"),
        ({"anomaly_class": None}, "anomaly_class must be"),
    ],
)
def test_dota_clips_that_do_not_add_up_are_refused(tmp_path, change, message):
    path = save(tmp_path / "metadata_val.json", {"v_1": {**DOTA, **change}})
    with pytest.raises(DatasetError, match=f"entry 1.*{message}"):
        dota.read(path)


def test_dota_annotations_of_single_clips_say_the_same(tmp_path):
    clip = {
        "video_name": "0RJPQ_97dcs_000199",
        "num_frames": 107,
        "ignore": False,
        "ego_involve": True,
        "night": False,
        "anomaly_start": 40,
        "anomaly_end": 70,
        "accident_id": 8,
        "accident_name": "leave_to_right",
        "labels": [{"frame_id": 0, "accident_id": 0, "accident_name": "normal", "objects": []}],
    }
    save(tmp_path / "0RJPQ_97dcs_000199.json", clip)
    save(tmp_path / "b_000001.json", {**clip, "video_name": "b_000001", "ego_involve": False})
    assert dota.sniff(tmp_path)
    first, second = dota.read(tmp_path)
    assert first.spans == (FrameSpan("ego: leave_to_right", 40, 70),)
    assert second.spans == (FrameSpan("other: leave_to_right", 40, 70),)


BOXES = "000001.jpg, 1, car, 10, 20, 30.5, 40, 0\n000091.jpg, 1, car, 10, 20, 30, 40, {}\n"


@pytest.mark.parametrize("between", [", ", "\t", " "])
def test_dad_boxes_make_a_clip_positive_from_frame_90(tmp_path, between):
    save(tmp_path / "training" / "000456.txt", BOXES.format(1).replace(", ", between))
    save(tmp_path / "testing" / "000001.txt", BOXES.format(0).replace(", ", between))
    assert dad.sniff(tmp_path)
    normal, crash = dad.read(tmp_path)
    assert (normal.video, normal.anomalous, normal.accident) == ("000001", False, None)
    assert (normal.split, crash.split) == ("testing", "training")
    annotation = crash.annotation()
    assert annotation.spans == (Span("accident", 4.5, 5.0),)
    assert (annotation.accident_s, annotation.duration_s) == (4.5, 5.0)


def test_dad_features_name_their_clips_and_label_them_in_the_second_column(tmp_path):
    path = tmp_path / "testing" / "batch_001.npz"
    path.parent.mkdir()
    np.savez(
        path,
        data=np.zeros((2, 100, 1, 1)),
        det=np.zeros((2, 100, 19, 6)),
        labels=np.array([[0, 1], [1, 0]]),
        ID=np.array(["000456", "000001"]),
    )
    assert dad.sniff(path)
    crash, normal = dad.read(path)
    assert (crash.video, crash.anomalous, crash.accident) == ("000456", True, 90)
    assert (normal.video, normal.anomalous, normal.spans) == ("000001", False, ())
    assert crash.split == "testing"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"det": np.zeros((50, 19, 6)), "labels": [0, 1]}, "clips of 50 frames.*Crash-1500.txt"),
        ({"det": np.zeros((100, 19, 6)), "labels": [1, 1]}, "labels must be 0 1 or 1 0"),
        ({"det": np.zeros((100, 19, 6)), "labels": [0, 0, 1]}, r"must be \(n,2\)"),
        ({"det": np.zeros((100, 19, 6))}, "cannot be read as features"),
        (
            {"det": np.zeros((100, 19, 6)), "labels": np.array([0, 1], object)},
            "cannot be read as features",
        ),
    ],
)
def test_dad_features_of_other_shapes_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DatasetError, match=message):
        dad.read(tmp_path / "a.npz")


def test_dad_lines_that_are_no_boxes_are_refused(tmp_path):
    path = save(tmp_path / "a.txt", BOXES.format(1) + "000092.jpg, 1, car, 10, 20, 30\n")
    with pytest.raises(DatasetError, match="row 3: must hold picture, track, class"):
        dad.read(path)


def marks(*ones: int) -> str:
    return "[" + ", ".join(str(int(k in ones)) for k in range(50)) + "]"


def test_ccd_marks_count_from_0_at_ten_a_second(tmp_path):
    path = save(
        tmp_path / "Crash-1500.txt",
        f"000001,{marks(*range(32, 50))},285,082221,Day,Normal,No\n"
        f"000002,{marks(0)},10,082221,Night,Rainy,Yes\n"
        f"000003,{marks(49)},10,082222,Day,Snowy,Yes\n",
    )
    assert ccd.sniff(path)
    found = [record.annotation() for record in ccd.read(path)]
    assert [a.spans for a in found] == [
        (Span("crash", 3.2, 5.0),),
        (Span("crash", 0.0, 0.1),),
        (Span("crash", 4.9, 5.0),),
    ]
    assert [a.accident_s for a in found] == [3.2, 0.0, 4.9]
    assert [a.group for a in found] == ["082221", "082221", "082222"]
    assert {a.duration_s for a in found} == {5.0}


def test_ccd_folder_tells_the_two_clips_of_one_number_apart(tmp_path):
    save(tmp_path / "Crash-1500.txt", f"000001,{marks(40)},285,082221,Day,Normal,No\n")
    save(tmp_path / "Normal" / "000001.mp4", "")
    assert ccd.sniff(tmp_path)
    crash, normal = ccd.read(tmp_path)
    assert (crash.video, crash.anomalous) == ("Crash-1500/000001.mp4", True)
    assert (normal.video, normal.anomalous) == ("Normal/000001.mp4", False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"000001,{marks()},285,082221,Day,Normal,No", "marks no crash in '000001'"),
        ("000001,[0, 2],285,082221,Day,Normal,No", "must hold clip"),
        ("000001 285 082221", "must hold clip"),
    ],
)
def test_ccd_lines_of_another_form_are_refused(tmp_path, line, message):
    with pytest.raises(DatasetError, match=f"row 1: {message}"):
        ccd.read(save(tmp_path / "Crash-1500.txt", line + "\n"))


DADA = (
    'video,"weather(sunny,rainy,snowy,foggy)1-4","light(day,night)1-2",type,'
    "whether an accident occurred (1/0),abnormal start frame,accident frame,"
    "abnormal end frame,total frames,texts\n"
)


def test_dada_frames_count_from_1_and_the_end_is_inside(tmp_path):
    path = save(
        tmp_path / "dada.csv",
        DADA + '8,1,1,1,1,75,90,130,172,"a pedestrian, crossing"\n'
        "3,1,1,12,1,1,1,172,172,first to last\n"
        "4.0,1,1,12.0,0,70.0,-1,70.0,200.0,one frame\n"
        "5,1,1,12,0,-1,-1,-1,200,nothing\n",
    )
    assert dada.sniff(path)
    records = dada.read(path)
    assert [r.video for r in records] == ["1_008", "12_003", "12_004", "12_005"]
    assert [r.spans for r in records] == [
        (FrameSpan("accident", 74, 130),),
        (FrameSpan("accident", 0, 172),),
        (FrameSpan("accident", 69, 70),),
        (),
    ]
    assert [r.accident for r in records] == [89, 0, None, None]
    assert [r.anomalous for r in records] == [True, True, True, False]
    assert records[0].annotation().accident_s == pytest.approx(89 / 30)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("8,1,1,1,1,75,90,173,172,x\n", "row 2: marks frame 173 of a video of 172"),
        ("8,1,1,1,1,75,173,100,172,x\n", "row 2: marks frame 173 of a video of 172"),
        ("8,1,1,1,1,75,90,-1,172,x\n", "only one of"),
        ("8,1,1,1,1,0,90,130,172,x\n", "abnormal start frame is 0"),
        ("8,1,1,1,1,75,90,74,172,x\n", r"\[74, 74\)"),
        ("8,1,1,1,1,7x,90,130,172,x\n", "abnormal start frame must be a whole number"),
        ("8,1,1,,1,75,90,130,172,x\n", "type must be a whole number"),
    ],
)
def test_dada_rows_that_do_not_add_up_are_refused(tmp_path, row, message):
    with pytest.raises(DatasetError, match=message):
        dada.read(save(tmp_path / "dada.csv", DADA + row))


def test_dada_spreadsheet_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(DatasetError, match="save the sheet with the clips as CSV"):
        dada.read(save(tmp_path / "dada.xlsx", "PK"))


@pytest.mark.shared
def test_dada_table_and_the_frames_made_of_it_agree(shared, tmp_path):
    """The half-open frames of labels.json, written back as the table counts them."""
    entries = json.loads((shared / "data" / "dada" / "labels.json").read_text())
    placed = [e for e in entries if e["anomaly_intervals"]]
    rows = "".join(
        f"{e['dada_video']},{e['weather']},{e['light']},{e['dada_type']},1,"
        f"{e['anomaly_intervals'][0][0] + 1},"
        f"{-1 if e['accident_frame'] is None else e['accident_frame'] + 1},"
        f"{e['anomaly_intervals'][0][1]},{e['n_frames']},x\n"
        for e in placed
    )
    records = dada.read(save(tmp_path / "dada.csv", DADA + rows))
    assert [r.video for r in records] == [e["clip"].removesuffix(".mp4") for e in placed]
    assert [[s.start, s.end] for r in records for s in r.spans] == [
        e["anomaly_intervals"][0] for e in placed
    ]
    assert [r.accident for r in records] == [e["accident_frame"] for e in placed]


NEXAR = "id,time_of_event,time_of_alert,target\n00822,19.5,18.633,1\n02059,,,0\n"


def test_nexar_seconds_are_taken_as_they_are_and_ids_as_text(tmp_path):
    path = save(tmp_path / "train.csv", NEXAR)
    assert nexar.sniff(path)
    crash, normal = nexar.read(path)
    assert (crash.video, crash.split, crash.anomalous) == ("00822", "train", True)
    assert crash.spans == (Span("collision", 18.633, 19.5),)
    assert crash.annotation().accident_s == 19.5
    assert (normal.video, normal.spans, normal.anomalous) == ("02059", (), False)


def test_nexar_folders_say_which_videos_are_positive(tmp_path):
    head = "file_name,time_of_event,time_of_alert,light_conditions,weather,scene\n"
    save(
        tmp_path / "train/positive/metadata.csv", head + "00822.mp4,19.5,19.5,Normal,Clear,Urban\n"
    )
    save(tmp_path / "train/negative/metadata.csv", head + "00001.mp4,,,Normal,Clear,Urban\n")
    for path in (tmp_path, tmp_path / "train"):
        assert nexar.sniff(path)
        crash, normal = nexar.read(path)
        assert (crash.video, crash.split) == ("positive/00822.mp4", "train")
        assert (crash.spans, crash.accident, crash.anomalous) == ((), 19.5, True)
        assert (normal.video, normal.anomalous) == ("negative/00001.mp4", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NEXAR + "00001,3.0,4.0,1\n", "row 4: has its alert at 4 s, after its event at 3 s"),
        (NEXAR + "00001,3.0,2.0,0\n", "row 4: has the time of an event but is negative"),
        (NEXAR + "00001,3.0,2.0,yes\n", "row 4: target must be 0 or 1"),
        ("id,time_of_event,time_of_alert\n1,2,1\n", "does not say which videos are positive"),
        ("time_of_event,time_of_alert,target\n2,1,1\n", "needs a column id or file_name"),
    ],
)
def test_nexar_rows_that_do_not_add_up_are_refused(tmp_path, text, message):
    with pytest.raises(DatasetError, match=message):
        nexar.read(save(tmp_path / "train.csv", text))
