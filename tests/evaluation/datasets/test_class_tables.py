"""Files that only say what a whole video is: seed 2's tables and manifest, seed 4's JSON lines."""

from __future__ import annotations

import json

import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import jsonl_labels, segment_votes

ABUSE = "train_Abuse_Abuse001_x264"
NORMAL = "test_Normal_Normal_Videos_003_x264"
SEGMENTS = f"""segment_uid,video_id,split,true_class,pred_class,score,is_anomaly
{ABUSE}_seg_0000,{ABUSE},train,Abuse,a person fighting,0.242919921875,True
{ABUSE}_seg_0001,{ABUSE},train,Abuse,a person fighting,0.21,False
{NORMAL}_seg_0000,{NORMAL},test,Normal,fire,0.2,False
"""
VIDEOS = """video_id,split,true_class,total_segments,anomaly_segments,anomaly_ratio,video_is_anomaly
test_Abuse_Abuse028_x264,test,Abuse,8,8,1.0,True
test_Normal_Normal_Videos_003_x264,test,NormalVideos,8,8,1.0,True
"""
MANIFEST = "video,class,split\nAbuse/Abuse028_x264.mp4,Abuse,test\nn.mp4,normal,\n"
QUESTION = "Is a vehicle collision likely to happen within 1 to 2 seconds?(0: No, 1: Yes)"


@pytest.fixture
def written(tmp_path):
    def write(content, name="truth.csv"):
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


def told(records):
    return [(r.video, r.split, r.labels, r.anomalous) for r in records]


def test_a_table_of_segments_gives_each_video_once(written):
    path = written(SEGMENTS)
    assert segment_votes.sniff(path)
    found = segment_votes.read(path)
    assert told(found) == [
        ("train_Abuse_Abuse001_x264", "train", ("Abuse",), True),
        ("test_Normal_Normal_Videos_003_x264", "test", (), False),
    ]
    assert [record.where for record in found] == [f"{path}, row 2", f"{path}, row 4"]
    assert all(record.spans == () and not record.needs_clock for record in found)


def test_a_table_of_videos_tells_what_is_true_and_not_what_was_predicted(written):
    path = written(VIDEOS)
    assert segment_votes.sniff(path)
    assert told(segment_votes.read(path)) == [
        ("test_Abuse_Abuse028_x264", "test", ("Abuse",), True),
        ("test_Normal_Normal_Videos_003_x264", "test", (), False),
    ]


def test_a_folder_with_both_tables_is_read_by_its_videos(written, tmp_path):
    written(SEGMENTS, "segments.csv")
    written(VIDEOS, "videos.csv")
    assert segment_votes.sniff(tmp_path)
    assert len(segment_votes.read(tmp_path)) == 2


def test_a_manifest_is_read_as_csv_and_as_json_lines(written):
    expected = [("Abuse/Abuse028_x264.mp4", "test", ("Abuse",), True), ("n.mp4", None, (), False)]
    path = written(MANIFEST)
    assert segment_votes.sniff(path)
    assert told(segment_votes.read(path)) == expected
    lines = (
        '{"video": "Abuse/Abuse028_x264.mp4", "class": "Abuse", "split": "test"}\n\n'
        '{"video": "n.mp4", "class": "normal"}\n'
    )
    path = written(lines, "truth.jsonl")
    assert segment_votes.sniff(path)
    assert told(segment_votes.read(path)) == expected


def test_a_video_that_stands_twice_is_kept_twice_for_the_check_to_find(written):
    twice = written(VIDEOS + "test_Abuse_Abuse028_x264,test,Abuse,8,8,1.0,True\n")
    assert len(segment_votes.read(twice)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("video_id,split\na,b\n", "needed are video_id and true_class, or video and class"),
        (SEGMENTS.splitlines()[0] + "\n", "holds no video"),
        (VIDEOS + "cut,test,Ab\n", "row 4: has . cells under 7 columns"),
        (VIDEOS + "a,test,Abuse,8,8,1.0,True,more\n", "row 4: has . cells under 7 columns"),
        (VIDEOS + "a,test,,8,8,1.0,True\n", "row 4: gives no true_class"),
        (VIDEOS + " ,test,Abuse,8,8,1.0,True\n", "row 4: gives no video_id"),
        (
            SEGMENTS.replace(f"_0001,{ABUSE},train,Abuse", f"_0001,{ABUSE},train,Arson"),
            "row 3: calls 'train_Abuse_Abuse001_x264' 'Arson', while row 2 calls it 'Abuse'",
        ),
        ('{"video": "a", "class": "b"}\n[1]\n', r"row 2: holds \[1\], an object is needed"),
        ('{"video": "a", "class": "b"}\n{"video"\n', "row 2: is not JSON"),
        ('{"video": "a", "class": "b"}\n{"video": "c"}\n', "row 2: gives no class"),
    ],
)
def test_a_broken_table_is_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        segment_votes.read(written(content))


def line(**changes):
    return json.dumps({"video": "x.mp4", "text": QUESTION, "label": "0", **changes}) + "\n"


def test_labels_are_read_as_text_and_as_numbers(written):
    path = written(line() + line(video="y.mp4", label=1) + "\n" + line(video="z.mp4", label="1"))
    assert jsonl_labels.sniff(path)
    found = jsonl_labels.read(path)
    assert told(found) == [
        ("x.mp4", None, (), False),
        ("y.mp4", None, (), True),
        ("z.mp4", None, (), True),
    ]
    assert found[2].where == f"{path}, row 4"


def test_the_question_is_not_handed_on(written):
    assert "collision" not in repr(jsonl_labels.read(written(line())))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (line() + line(label="yes"), "row 2: label must be 0 or 1, got 'yes'"),
        (line(label=2), "row 1: label must be 0 or 1, got 2"),
        (line(label=0.5), "row 1: label must be 0 or 1, got 0.5"),
        (line(label=None), "row 1: label must be 0 or 1, got None"),
        (line(video=""), "row 1: video must be text"),
        (line(video=7), "row 1: video must be text, got 7"),
        ('{"video": "a.mp4", "text": "?"}', "row 1: lacks 'label'"),
        (line() + line()[:20], "row 2: is not JSON"),
    ],
)
def test_broken_lines_are_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        jsonl_labels.read(written(content))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not a table",
        "{",
        '{"video": "a.mp4", "label": "deer", "text": "?"}',
        '{"video": "a.mp4", "label": "deer", "start_s": 1, "end_s": 2}',
        "video,label,start_s,end_s\n",
        "file_name,risk\n",
        "\0\0",
    ],
)
def test_other_files_are_not_taken_for_these(written, content):
    path = written(content)
    assert not segment_votes.sniff(path)
    assert not jsonl_labels.sniff(path)


def test_the_two_do_not_take_each_others_files(written):
    assert not jsonl_labels.sniff(written('{"video": "a", "class": "Abuse"}'))
    assert not segment_votes.sniff(written(line()))


def test_a_folder_or_a_missing_file_is_no_table(tmp_path):
    for reader in (segment_votes, jsonl_labels):
        assert not reader.sniff(tmp_path)
        assert not reader.sniff(tmp_path / "nothing")
        with pytest.raises(DatasetError, match="cannot be read"):
            reader.read(tmp_path / "nothing.csv")
