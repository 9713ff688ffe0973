"""labels.json: every way in which its clips are labelled, and all thirteen real files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import labels_json
from watchword.evaluation.datasets.check import look_at, problems_of
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.datasets.masks import mask_count
from watchword.evaluation.datasets.record import FrameSpan
from watchword.types import Span


@pytest.fixture
def one(tmp_path):
    def read(entry):
        path = tmp_path / "labels.json"
        path.write_text(json.dumps([{"clip": "a.mp4", "n_frames": 100, "fps": 20.0, **entry}]))
        assert labels_json.sniff(path)
        (record,) = labels_json.read(path)
        return record

    return read


def test_the_folder_says_what_its_file_says(one, tmp_path):
    one({"anomaly_intervals": [[0, 1]]})
    assert labels_json.sniff(tmp_path)
    assert labels_json.read(tmp_path) == labels_json.read(tmp_path / "labels.json")
    (tmp_path / "empty").mkdir()
    assert not labels_json.sniff(tmp_path / "empty")


def test_intervals_are_frames_from_0_with_the_end_outside(one):
    record = one({"anomaly_intervals": [[0, 1], [99, 100]], "split": "test", "mask": "m.npz"})
    assert record.annotation().spans == (Span("anomaly", 0.0, 0.05), Span("anomaly", 4.95, 5.0))
    assert (record.split, record.masks.name, record.anomalous) == ("test", "m.npz", True)


def test_seconds_are_not_converted(one):
    record = one({"label": "Fall", "anomaly_intervals_s": [[3.4, 4.9]], "fps": 7.0})
    assert not record.needs_clock
    assert record.annotation().spans == (Span("Fall", 3.4, 4.9),)


def test_marks_a_frame_become_runs(one):
    record = one({"frame_labels": [0, 1, 1, 0, 1], "n_frames": 5})
    assert record.spans == (FrameSpan("anomaly", 1, 3), FrameSpan("anomaly", 4, 5))
    assert one({"frame_labels": [0, 0], "n_frames": 2}).anomalous is False


@pytest.mark.parametrize(
    ("entry", "anomalous", "labels"),
    [
        ({"anomaly_intervals": [], "label": "crash"}, False, ()),
        ({"anomaly_intervals": None}, True, ("anomaly",)),
        ({"label": "crash"}, True, ("crash",)),
        ({"label": "crash, no interval"}, True, ("crash",)),
        ({"label": "near-crash, no interval given"}, True, ("near-crash",)),
        ({"label": "no_crash"}, False, ()),
        ({"label": "normal driving"}, False, ()),
        ({"label": "noise"}, True, ("noise",)),
        ({"label": "video-text"}, None, ()),
        ({}, None, ()),
    ],
)
def test_clips_without_intervals_are_what_their_label_says(one, entry, anomalous, labels):
    record = one(entry)
    assert (record.anomalous, record.labels, record.spans) == (anomalous, labels, ())


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ({"cls": "Arson"}, "Arson"),
        ({"label": "fire"}, "fire"),
        ({"text": "a car crosses", "cause": "no brake"}, "anomaly"),
        ({"by_type": {"running": [[10, 20]], "throwing": []}}, "running"),
        ({"by_type": {"running": [[10, 19]]}}, "anomaly"),
    ],
)
def test_spans_bear_class_label_or_type_but_no_text(one, entry, label):
    assert one({**entry, "anomaly_intervals": [[10, 20]]}).spans == (FrameSpan(label, 10, 20),)


@pytest.mark.parametrize(
    ("entry", "accident"),
    [
        ({"accident_frame": 93}, 93),
        ({"accident_frame": None}, None),
        ({"collision_frame": 83, "label": "accident"}, 83),
        ({"label": "accident"}, 90),
        ({"label": "fire"}, None),
        ({"official": {"accident_s": 4.6}}, 4.6),
    ],
)
def test_the_accident_is_where_the_entry_says(one, entry, accident):
    assert one({"anomaly_intervals": [[90, 100]], **entry}).accident == accident


def test_pictures_with_times_have_a_clock_and_no_accident_after_them(one):
    entry = {
        "n_frames": 3,
        "fps": None,
        "frame_times_s": [0.0, 0.97, 1.93],
        "frame_labels": [0, 1, 1],
        "official": {"abnormal_start_s": 0.9, "accident_s": 2.9, "abnormal_end_s": 3.1},
    }
    record = one(entry)
    (span,) = record.annotation().spans
    assert (span.start_s, span.end_s) == pytest.approx((0.97, 2.89))
    assert record.accident is None
    assert one({**entry, "official": {"accident_s": 2.8}}).accident == 2.8


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"anomaly_intervals": [[5, 5]]}, r"entry 1, row 1: 'anomaly' at frames \[5, 5\)"),
        ({"anomaly_intervals": [[5]]}, r"anomaly_intervals must be \[start, end\]"),
        ({"anomaly_intervals": [[5.5, 7]]}, "anomaly_intervals must be a whole number"),
        ({"anomaly_intervals_s": [[3, 2]]}, "a span must end after it starts"),
        ({"frame_labels": [0, 1]}, "has 2 frame_labels for 100 frames"),
        ({"frame_labels": [0, 2], "n_frames": 2}, "must hold 0 or 1"),
        ({"frame_times_s": [0.0, 0.0], "n_frames": 2}, "frame_times_s: .* rise strictly"),
        ({"frame_times_s": [0.0, 1.0]}, "has 2 frame_times_s for 100 frames"),
        ({"clip": ""}, "clip is empty"),
        ({"fps": 0}, "fps must be a number above 0"),
    ],
)
def test_entries_that_break_the_form_are_refused(one, entry, message):
    with pytest.raises(DatasetError, match=message):
        one(entry)


# Videos, of these anomalous, normal and not said; spans, accidents and masks; groups.
REAL = {
    "ccd": (2, 2, 0, 0, 2, 2, 0, 0),
    "cctv_accident": (15, 15, 0, 0, 15, 0, 0, 0),
    "crash_cctv": (61, 34, 27, 0, 0, 0, 0, 0),
    "cuhk_avenue": (5, 3, 2, 0, 4, 0, 3, 0),
    "dad": (5, 5, 0, 0, 5, 5, 0, 0),
    "dada": (25, 25, 0, 0, 22, 21, 0, 0),
    "dada_sparse": (50, 26, 3, 21, 26, 25, 0, 0),
    "fetv": (79, 0, 0, 79, 0, 0, 0, 0),
    "fight_surv": (180, 90, 90, 0, 0, 0, 0, 0),
    "gmdcsa24": (9, 6, 3, 0, 6, 0, 0, 2),
    "misc": (14, 5, 8, 1, 1, 0, 0, 0),
    "ucf_crime": (14, 12, 2, 0, 13, 0, 0, 0),
    "ucsd_ped2": (22, 6, 16, 0, 6, 0, 6, 0),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_every_real_file_reads_sensibly(shared: Path, name: str):
    records = read_records(shared / "data" / name / "labels.json")
    said = Counter(record.anomalous for record in records)
    spans = sum(len(record.spans) for record in records)
    accidents = sum(record.accident is not None for record in records)
    masks = [record for record in records if record.masks is not None]
    groups = {record.group for record in records} - {None}
    found = (len(records), said[True], said[False], said[None], spans, accidents, len(masks))
    assert (*found, len(groups)) == REAL[name]
    for record in masks:
        assert mask_count(record.masks) == record.frame_count


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_videos_have_the_frames_that_their_labels_count(shared: Path, name: str):
    folder = shared / "data" / name
    records = read_records(folder / "labels.json")
    for record in records:
        clock = clock_for(record, videos=folder, path=None, rate=None)
        assert (clock is None) == (not record.needs_clock)
        if clock is not None:
            assert clock.frames == record.frame_count, record.video
        annotation = None if late(record) else record.annotation(clock)
        if annotation is not None and record.rate and clock is not None:
            for span, frames in zip(annotation.spans, record.spans, strict=True):
                assert span.start_s == pytest.approx(frames.start / record.rate, abs=0.03)
                assert span.end_s == pytest.approx(frames.end / record.rate, abs=0.03)


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_files_add_up_but_for_the_one_known_interval(shared: Path, name: str):
    folder = shared / "data" / name
    seen = look_at(read_records(folder / "labels.json"), videos=folder)
    assert all(one.video is not None for one in seen)
    serious = [p for p in problems_of(seen, videos=folder) if p.serious]
    if name != "ucf_crime":
        assert serious == []
        return
    (problem,) = serious
    assert problem.video == "test_panel_crop/Arson016_x264.mp4"
    assert "[1000, 1796) ends after the video of 1795 frames" in problem.sentence


def late(record) -> bool:
    """Whether it is the interval of UCF-Crime that ends one frame after its cropped video."""
    return record.video == "test_panel_crop/Arson016_x264.mp4"
