"""One door to all formats: each file is known by its content, and by one format only."""

from __future__ import annotations

import contextlib
import json
import re

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets.formats import FORMATS, format_of, parse_records, read_records
from watchword.evaluation.datasets.record import Record

MARKS = "[" + ", ".join("0" * 40 + "1" * 10) + "]"
EXCERPTS = {
    "own-json": ("a.json", {"video": "a.mp4", "spans": []}),
    "own-table": ("a.csv", "video,label,start_s,end_s\na.mp4,deer,1,2\n"),
    "clip-signals": (
        "scene_001.mp4.json",
        {"video": "video_001.mp4", "type": "animal", "total_frames": 192, "events": []},
    ),
    "meta-json": (
        "meta.json",
        {"train": {"campus": [{"video_path": "a.avi", "anomaly": 0, "gt_path": ""}]}},
    ),
    "jsonl-labels": ("train.jsonl", '{"video": "x.mp4", "text": "Is it?", "label": "0"}\n'),
    "ucf-crime": (
        "Temporal_Anomaly_Annotation.txt",
        "Abuse028_x264.mp4  Abuse  165  240  -1  -1  \n",
    ),
    "xd-violence": (
        "annotations.txt",
        "v=S-7rRLrxnVQ__#1_label_B4-0-0 0 1517 1970 3038\n",
    ),
    "dota": (
        "metadata_val.json",
        {
            "0RJPQ_97dcs_000199": {
                "video_start": 199,
                "video_end": 305,
                "anomaly_start": 40,
                "anomaly_end": 70,
                "anomaly_class": "ego: leave_to_right",
                "num_frames": 107,
                "subset": "val",
            }
        },
    ),
    "dad": ("000456.txt", "000001.jpg, 1, car, 10, 20, 30.5, 40, 1\n"),
    "ccd": ("Crash-1500.txt", f"000001,{MARKS},285,082221,Day,Normal,No\n"),
    "dada": (
        "dada.csv",
        "video,type,abnormal start frame,accident frame,abnormal end frame,total frames\n"
        "8,1,75,90,130,172\n",
    ),
    "nexar": ("train.csv", "id,time_of_event,time_of_alert,target\n00822,19.5,18.6,1\n"),
    "activitynet": (
        "gt.json",
        {
            "version": "1.3",
            "taxonomy": [],
            "database": {"a": {"duration": 9.0, "subset": "test", "annotations": []}},
        },
    ),
    "label-studio": (
        "export.json",
        [{"id": 1, "data": {"video": "a.mp4"}, "annotations": [{"result": []}]}],
    ),
    "cvat": ("a.xml", "<?xml version='1.0'?>\n<annotations><version>1.1</version></annotations>"),
    "labels-json": ("labels.json", [{"clip": "a.mp4", "label": "crash"}]),
}


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.mark.parametrize("name", EXCERPTS)
def test_a_file_is_known_by_one_format_only_and_read_with_it(written, name):
    path = written(*EXCERPTS[name])
    assert [known for known in FORMATS if FORMATS[known].sniff(path)] == [name]
    assert format_of(path).name == name
    records = read_records(path)
    assert records == parse_records(path, format=name)
    assert records
    assert all(isinstance(record, Record) for record in records)


@pytest.mark.parametrize("name", EXCERPTS)
def test_the_name_of_a_file_makes_no_format_of_it(written, name):
    path = written(EXCERPTS[name][0], "nothing of the kind\n")
    with pytest.raises(DatasetError, match="is in no format that is known"):
        read_records(path)
    with pytest.raises(DatasetError):
        read_records(path, format=name)


def odd_files(tmp_path):
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "open.json").write_text('{"video": ')
    (tmp_path / "half.json").write_text('{"video" 3, "spans"')
    (tmp_path / "number.json").write_text("3")
    (tmp_path / "list.json").write_text("[3, null]")
    (tmp_path / "empty_list.json").write_text("[]")
    (tmp_path / "text.csv").write_text('video,"start_s\n\n"end_s')
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no archive")
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.xml").write_text("<a><b></a>")
    (tmp_path / "folder").mkdir()
    return [*tmp_path.iterdir(), tmp_path / "absent.json"]


@pytest.mark.parametrize("name", FORMATS)
def test_looking_at_odd_files_never_raises(tmp_path, name):
    for path in odd_files(tmp_path):
        assert FORMATS[name].sniff(path) is False, path


@pytest.mark.parametrize("name", FORMATS)
def test_reading_odd_files_is_an_error_that_names_them(tmp_path, name):
    for path in odd_files(tmp_path):
        if path.suffix == ".npy":
            continue  # ShanghaiTech's marks are such files.
        with pytest.raises(DatasetError) as caught:
            FORMATS[name].read(path)
        assert path.name in str(caught.value)


def test_an_unknown_file_or_format_is_refused_with_the_known_ones(written):
    path = written("a.txt", "hello\n")
    with pytest.raises(
        DatasetError, match=r"no format that is known; .*: own-json, .*labels-json\. The"
    ):
        read_records(path)
    with pytest.raises(DatasetError, match=r"no format is called 'coco'; known are own-json, "):
        read_records(path, format="coco")


@pytest.mark.parametrize("name", ["absent.json", "x" * 300])
def test_a_file_that_is_not_there_is_refused(tmp_path, name):
    for format in (None, "own-json", "dota", "cvat"):
        with pytest.raises(DatasetError, match="cannot be read"):
            read_records(tmp_path / name, format=format)


def test_two_formats_that_fit_are_both_named(written, monkeypatch):
    path = written(*EXCERPTS["nexar"])
    everything = FORMATS["nexar"]
    monkeypatch.setitem(FORMATS, "other", type(everything)("other", "", "", *(lambda p: True,) * 2))
    with pytest.raises(DatasetError, match="may be nexar or other; say which it is"):
        read_records(path)
    assert read_records(path, format="nexar")


SPLITS = "video,label,start_s,end_s,split\na,x,1,2,train\nb,x,1,2,test\na,x,3,4,test\n"


def test_a_split_is_chosen_and_one_that_is_not_there_refused(written):
    path = written("a.csv", SPLITS)
    assert [r.video for r in read_records(path)] == ["a", "b", "a"]
    assert [r.video for r in read_records(path, split="test")] == ["b", "a"]
    with pytest.raises(DatasetError, match="has no split 'val'; it has train, test"):
        read_records(path, split="val")
    with pytest.raises(DatasetError, match="has no split 'val'; it names no splits"):
        read_records(written(*EXCERPTS["ccd"]), split="val")


def test_a_video_that_stands_twice_is_refused_with_both_places(written):
    line = EXCERPTS["ccd"][1]
    path = written("Crash-1500.txt", line + line)
    assert len(parse_records(path)) == 2
    with pytest.raises(DatasetError, match=r"'000001' 2 times \(.*row 1, .*row 2\)"):
        read_records(path)


@pytest.mark.parametrize("known", FORMATS.values(), ids=FORMATS.keys())
def test_each_format_says_how_it_numbers_time(known):
    assert known.title
    assert known.convention
    assert known.name == known.name.lower()


@pytest.mark.shared
def test_real_files_of_the_shared_data_are_told_apart(shared):
    data = shared / "data"
    assert {format_of(p).name for p in data.glob("*/labels.json")} == {"labels-json"}
    scenes = data / "clip_hazard_signals" / "annotations"
    assert format_of(scenes).name == "clip-signals"
    assert {format_of(p).name for p in scenes.glob("*.json")} == {"clip-signals"}
    for other in (
        "clip_hazard_signals/published_results/threshold_sweep.csv",
        "fetv/all_ratings.json",
    ):
        with pytest.raises(DatasetError, match="no format that is known"):
            format_of(data / other)


RICH = {
    **{name: EXCERPTS[name] for name in ("meta-json", "clip-signals", "dota")},
    "own-json": (
        "a.json",
        {
            "video": "a.mp4",
            "labels": ["x"],
            "group": "g",
            "rate": 25,
            "anomalous": True,
            "masks": "m.npz",
            "spans": [{"label": "x", "start_frame": 1, "end_frame": 2}],
        },
    ),
    "labels-json": (
        "labels.json",
        [
            {
                "clip": "S1_a.mp4",
                "label": "accident",
                "n_frames": 3,
                "fps": 10.0,
                "split": "test",
                "mask": "m.npz",
                "anomaly_intervals": [[1, 2]],
                "by_type": {"x": [[1, 2]]},
                "frame_times_s": [0.0, 1.0, 2.0],
                "official": {"accident_s": 1.0},
            },
            {"clip": "S1_b.mp4", "n_frames": 2, "frame_labels": [0, 1]},
            {"clip": "S1_c.mp4", "anomaly_intervals_s": [[0.5, 1.0]], "collision_frame": 3},
        ],
    ),
    "activitynet": (
        "gt.json",
        {
            "database": {
                "a": {
                    "duration": 9.0,
                    "subset": "val",
                    "annotations": [{"label": "x", "segment": [1.0, 2.0]}],
                }
            }
        },
    ),
    "label-studio": (
        "export.json",
        [
            {
                "data": {"video": "a.mp4", "frameRate": 25},
                "annotations": [
                    {
                        "result": [
                            {
                                "type": "timelinelabels",
                                "value": {
                                    "ranges": [{"start": 1, "end": 2}],
                                    "timelinelabels": ["x"],
                                },
                            },
                            {
                                "type": "videorectangle",
                                "value": {
                                    "framesCount": 9,
                                    "sequence": [{"frame": 1, "enabled": True}],
                                    "labels": ["x"],
                                },
                            },
                            {"type": "labels", "value": {"start": 1, "end": 2, "labels": ["x"]}},
                        ]
                    }
                ],
            }
        ],
    ),
}
ODD = (None, True, -1, 2.5, 10**30, "", "x", "nan", [], [None], {}, {"x": 1}, float("inf"))


def variants(value):
    """The value with each of its parts, and itself, replaced by something odd or left out."""
    yield from ODD
    if isinstance(value, dict):
        for key in value:
            yield {name: part for name, part in value.items() if name != key}
            for part in variants(value[key]):
                yield {**value, key: part}
    if isinstance(value, list):
        for at in range(len(value)):
            for part in variants(value[at]):
                yield [*value[:at], part, *value[at + 1 :]]


@pytest.mark.parametrize("name", RICH)
def test_a_part_that_is_odd_is_read_or_refused_but_never_a_crash(written, name):
    read = refused = 0
    for content in variants(RICH[name][1]):
        path = written(RICH[name][0], json.dumps(content))
        FORMATS[name].sniff(path)
        try:
            FORMATS[name].read(path)
            read += 1
        except DatasetError:
            refused += 1
    assert read
    assert refused > read / 10


@pytest.mark.parametrize(
    "name", [name for name, (_, content) in EXCERPTS.items() if isinstance(content, str)]
)
def test_a_word_that_is_odd_is_read_or_refused_but_never_a_crash(written, name):
    file, content = EXCERPTS[name]
    words = re.split(r"([\s,]+)", content)
    for at in range(len(words)):
        for odd in ("", "x", "-5", "nan", "1e400", "9" * 40, '"', "<", "{", "[", "\x00", "é"):
            path = written(file, "".join([*words[:at], odd, *words[at + 1 :]]))
            FORMATS[name].sniff(path)
            with contextlib.suppress(DatasetError):
                FORMATS[name].read(path)


@pytest.mark.shared
def test_every_folder_of_real_data_is_known_as_it_lies(shared):
    unlabelled = {"reference_clipscore", "reference_pacscore"}
    folders = {path for path in (shared / "data").iterdir() if path.is_dir()}
    for folder in sorted(folder for folder in folders if folder.name not in unlabelled):
        inside = folder / "labels.json"
        alone = read_records(inside if inside.is_file() else folder / "annotations")
        assert [(one.where, one.spans) for one in read_records(folder)] == [
            (one.where, one.spans) for one in alone
        ]
