"""Annotations of both formats become spans in seconds, or an error that says where and what."""

from __future__ import annotations

import json

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets.own import read_annotation
from watchword.types import Annotation, Span

OWN = {
    "video": "drive.mp4",
    "duration_s": 12.5,
    "anomalous": None,
    "spans": [{"label": "deer", "start_s": 3, "end_s": 4.25}],
}
SCENE = {
    "video": "video_001.mp4",
    "type": "animal",
    "description": "two deer",
    "total_frames": 192,
    "events": [{"start": 22, "end": 150}],
}


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "truth.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_our_own_format_is_read(written):
    assert read_annotation(written(OWN)) == Annotation(
        "drive.mp4", (Span("deer", 3.0, 4.25),), ("deer",), 12.5
    )


def test_labels_without_a_span_and_the_split_are_kept(written):
    more = {**OWN, "labels": ["fog", "deer"], "split": "test", "anomalous": True}
    found = read_annotation(written(more))
    assert (found.labels, found.split, found.anomalous) == (("fog", "deer"), "test", True)


def test_a_video_without_events_is_read(written):
    found = read_annotation(written({"video": "v", "spans": [], "anomalous": False}))
    assert found == Annotation("v", (), (), anomalous=False)


def test_a_scene_is_read_with_a_frame_rate(written):
    found = read_annotation(written(SCENE), rate=20)
    assert found == Annotation(
        "video_001.mp4", (Span("animal", 1.1, 7.5),), ("animal",), 9.6, anomalous=True
    )


def test_a_scene_is_read_with_the_times_of_its_frames(written):
    pts = np.array([0.0, 0.1, 0.3, 0.6])
    scene = {**SCENE, "events": [{"start": 1, "end": 4}]}
    found = read_annotation(written(scene), pts_s=pts)
    (span,) = found.spans
    assert (span.start_s, span.end_s) == pytest.approx((0.1, 0.9))


def test_a_scene_without_hazard_is_normal(written):
    scene = {**SCENE, "type": "normal - no hazard", "events": []}
    found = read_annotation(written(scene), rate=30)
    assert (found.spans, found.labels, found.anomalous) == ((), (), False)


def without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], "must hold a JSON object with video and spans, or a list of them"),
        (without(OWN, "spans"), "lacks 'spans'"),
        ({**OWN, "sapns": []}, "'sapns' is not known; did you mean 'spans'"),
        ({**OWN, "spans": {}}, "spans must be a list"),
        ({**OWN, "video": 3}, "video must be str, got 3"),
        ({**OWN, "labels": "deer"}, "labels must be a list of text"),
        ({**OWN, "duration_s": "long"}, "duration_s must be 0 or more seconds, got 'long'"),
        ({**OWN, "anomalous": "yes"}, "anomalous must be"),
        ({**OWN, "spans": [3]}, "row 1: a span must hold label"),
        ({**OWN, "spans": [OWN["spans"][0], {"label": "a"}]}, "row 2: lacks 'start_s'"),
        (
            {**OWN, "spans": [{"label": "a", "start_s": 2, "end_s": 2}]},
            "row 1: a span must end after it starts",
        ),
        (
            {**OWN, "spans": [{"label": "a", "start_s": True, "end_s": 2}]},
            "row 1: start_s must be 0 or more seconds, got True",
        ),
        (without(SCENE, "video"), "lacks 'video'; a scene file holds"),
        ({**SCENE, "total_frames": "192"}, "total_frames must be a whole number"),
        ({**SCENE, "events": 3}, "events must be a list"),
        ({**SCENE, "events": [{"start": 1}]}, "row 1: an event must hold frames start and end"),
        ({**SCENE, "events": [{"start": 1, "end": 193}]}, "within the 192 frames"),
        ({**SCENE, "events": [{"start": 5, "end": 5}]}, "end after it starts"),
    ],
)
def test_a_file_that_is_no_annotation_is_refused(written, content, message):
    with pytest.raises(DatasetError, match=message):
        read_annotation(written(content), rate=30)


def test_frame_numbers_without_times_are_refused(written):
    with pytest.raises(DatasetError, match=r"counts frames of 'video_001\.mp4' and states no rate"):
        read_annotation(written(SCENE))


def test_times_that_make_no_sense_are_refused(written):
    with pytest.raises(ValueError, match="rate is 0"):
        read_annotation(written(SCENE), rate=0)
    with pytest.raises(ValueError, match="times that rise strictly"):
        read_annotation(written(SCENE), pts_s=[0.0, 0.0])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_annotation(tmp_path / "nothing.json")


@pytest.mark.shared
def test_every_scene_of_clip_signals_is_read(shared):
    files = sorted((shared / "data" / "clip_hazard_signals" / "annotations").glob("*.json"))
    found = [read_annotation(file, rate=30) for file in files]
    assert len(found) == 14
    assert [a.anomalous for a in found].count(False) == 1
    whole = found[5]
    assert (whole.spans[0].start_s, whole.spans[0].end_s) == (0, whole.duration_s)
