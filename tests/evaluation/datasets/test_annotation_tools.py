"""Exports of annotation tools, with the borders of the frames that each counts in its own way."""

from __future__ import annotations

import json

import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import activitynet, cvat, label_studio
from watchword.evaluation.datasets.record import FrameSpan
from watchword.types import Span


@pytest.fixture
def written(tmp_path):
    def write(content, name="export.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def database(**videos):
    return {"version": "1.3", "taxonomy": [], "database": videos}


DISCUS = {
    "duration": 82.7,
    "subset": "validation",
    "resolution": "640x360",
    "url": "https://www.youtube.com/watch?v=sJFgo9H6zNo",
    "annotations": [{"label": "Discus throw", "segment": [1.2, 9.8]}],
}


def test_activitynet_segments_are_seconds(written):
    empty = {"duration": 10.0, "subset": "validation", "annotations": []}
    withheld = {"duration": 10.0, "subset": "testing", "annotations": []}
    path = written(database(a=DISCUS, b=empty, c=withheld))
    assert activitynet.sniff(path)
    a, b, c = activitynet.read(path)
    assert a.annotation().spans == (Span("Discus throw", 1.2, 9.8),)
    assert (a.video, a.split, a.duration_s, a.needs_clock) == ("a", "validation", 82.7, False)
    assert [r.anomalous for r in (a, b, c)] == [True, False, None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": [{"label": "x", "segment": [2, 2]}]}, "a, row 1: a span must end after"),
        ({"annotations": [{"label": "x", "segment": [2]}]}, "segment must be"),
        ({"annotations": [{"segment": [1, 2]}]}, "label must be str"),
        ({"annotations": {}}, "annotations must be a list"),
        ({"duration": "long"}, "duration must be a number above 0"),
    ],
)
def test_activitynet_entries_that_break_the_form_are_refused(written, change, message):
    with pytest.raises(DatasetError, match=message):
        activitynet.read(written(database(a={**DISCUS, **change})))


def test_activitynet_begins_with_a_taxonomy_that_may_be_long(written):
    nodes = [{"nodeName": f"node {k}", "parentId": k} for k in range(5000)]
    path = written({"version": "1.3", "taxonomy": nodes, "database": {"a": DISCUS}})
    assert path.stat().st_size > 100_000
    assert activitynet.sniff(path)


def timeline(*ranges, labels=("Moving",)):
    return {
        "type": "timelinelabels",
        "from_name": "timelineLabels",
        "to_name": "video",
        "value": {
            "ranges": [{"start": start, "end": end} for start, end in ranges],
            "timelinelabels": list(labels),
        },
    }


def task(*results, data=None, **more):
    data = data or {"video": "drive.mp4"}
    return {"id": 1, "data": data, "annotations": [{"id": 7, "result": list(results), **more}]}


def test_label_studio_frames_count_from_1_and_the_last_is_inside(written):
    path = written([task(timeline((1, 1), (3, 5)), timeline((10, 10), labels=("a", "b")))])
    assert label_studio.sniff(path)
    (record,) = label_studio.read(path)
    assert record.spans == (
        FrameSpan("Moving", 0, 1),
        FrameSpan("Moving", 2, 5),
        FrameSpan("a", 9, 10),
        FrameSpan("b", 9, 10),
    )
    assert record.rate is None
    with pytest.raises(DatasetError, match="states no rate"):
        record.annotation()


def test_label_studio_rate_is_taken_from_the_data(written):
    path = written(
        [
            task(
                timeline((3, 5)),
                data={"video": "/data/upload/1/0a1b2c3d-drive.mp4", "frameRate": 10},
            )
        ]
    )
    (record,) = label_studio.read(path)
    assert record.video == "drive.mp4"
    assert record.annotation().spans == (Span("Moving", 0.2, 0.5),)


@pytest.mark.parametrize(
    ("kind", "start", "end", "span"),
    [
        ("timelinelabels", 3, 5, FrameSpan("x", 2, 5)),
        ("timelinelabels", 3.0, 5.5, Span("x", 3.0, 5.5)),
        ("labels", 3, 5, Span("x", 3.0, 5.0)),
    ],
)
def test_label_studio_old_starts_and_ends_are_frames_or_seconds(written, kind, start, end, span):
    old = {"type": kind, "value": {"start": start, "end": end, kind: ["x"]}}
    (record,) = label_studio.read(written([task(old)]))
    assert record.spans == (span,)


def keyframes(*keys, frames=510):
    sequence = [
        {"frame": f, "enabled": on, "x": 1, "y": 2, "width": 3, "height": 4} for f, on in keys
    ]
    value = {"framesCount": frames, "duration": 21.23, "sequence": sequence, "labels": ["hand"]}
    return {"type": "videorectangle", "value": value}


@pytest.mark.parametrize(
    ("keys", "spans"),
    [
        ([(1, True)], [(0, 510)]),
        ([(1, True), (40, False)], [(0, 40)]),
        ([(5, True), (9, True), (12, False), (100, True), (510, False)], [(4, 12), (99, 510)]),
        ([(7, False)], [(6, 7)]),
    ],
)
def test_label_studio_tracks_last_until_they_are_disabled(written, keys, spans):
    (record,) = label_studio.read(written([task(keyframes(*keys))]))
    assert record.spans == tuple(FrameSpan("hand", *span) for span in spans)
    assert record.frame_count == 510


def test_label_studio_says_normal_only_of_what_somebody_looked_at(written):
    predicted = {"model_version": "m", "score": 0.9, "result": [timeline((3, 5))]}
    tasks = [
        task(),
        task(timeline((3, 5)), was_cancelled=True),
        {"data": {"video": "c.mp4"}, "annotations": [], "predictions": [predicted]},
        {"data": {"video": "/data/local-files/?d=cam/d.mp4"}, "predictions": [predicted]},
    ]
    found = label_studio.read(written(tasks))
    assert [r.anomalous for r in found] == [False, None, None, None]
    assert [r.spans for r in found] == [(), (), (), ()]
    assert found[3].video == "cam/d.mp4"


def test_label_studio_takes_the_ground_truth_of_several_people(written):
    two = task(timeline((3, 5)))
    two["annotations"].append({"result": [timeline((1, 9))]})
    with pytest.raises(DatasetError, match="task 1: was annotated 2 times"):
        label_studio.read(written([two]))
    two["annotations"][1]["ground_truth"] = True
    (record,) = label_studio.read(written([two]))
    assert record.spans == (FrameSpan("Moving", 0, 9),)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (task(timeline((0, 5))), "row 1: starts at frame 0, but frames count from 1"),
        (task(timeline((6, 5))), r"'Moving' at frames \[5, 5\)"),
        (task(timeline((3, 5), labels=())), "a region has no label"),
        (task(timeline((3, 5)), data={"image": "a.jpg"}), "data names no video"),
        (task(timeline((3.5, 5))), "start must be a whole number"),
    ],
)
def test_label_studio_regions_that_make_no_sense_are_refused(written, found, message):
    with pytest.raises(DatasetError, match=message):
        label_studio.read(written([found]))


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>1</id><name>cam</name><size>{size}</size>
<mode>interpolation</mode><start_frame>{start}</start_frame><frame_filter>{step}</frame_filter>
<labels><label><name>crash</name></label><label><name>fire</name></label></labels>
<source>cam.mp4</source></task></meta>{body}</annotations>
"""


def xml(body, *, size=100, start=0, step=""):
    return CVAT.format(body=body, size=size, start=start, step=step)


def track(*boxes, label="crash"):
    shapes = "".join(
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="0" ytl="0" '
        'xbr="9" ybr="9" z_order="0"><attribute name="who">x</attribute></box>'
        for frame, outside in boxes
    )
    return f'<track id="0" label="{label}" source="manual">{shapes}</track>'


@pytest.mark.parametrize(
    ("boxes", "spans"),
    [
        ([(10, 0), (30, 1)], [(10, 30)]),
        ([(0, 0), (1, 1)], [(0, 1)]),
        ([(0, 0)], [(0, 100)]),
        ([(99, 0)], [(99, 100)]),
        ([(10, 0), (11, 0), (12, 0), (13, 1), (50, 0), (60, 1), (70, 1)], [(10, 13), (50, 60)]),
        ([(5, 1), (10, 0), (99, 1)], [(10, 99)]),
    ],
)
def test_cvat_tracks_end_at_the_frame_that_is_outside(written, boxes, spans):
    path = written(xml(track(*boxes)), "cam.xml")
    assert cvat.sniff(path)
    (record,) = cvat.read(path)
    assert record.spans == tuple(FrameSpan("crash", *span) for span in spans)
    assert (record.video, record.frame_count, record.anomalous) == ("cam.mp4", 100, True)
    assert record.labels == ("crash", "fire")


def test_cvat_tags_hold_over_runs_of_images(written):
    def image(number, *labels):
        tags = "".join(f'<tag label="{label}" source="manual"></tag>' for label in labels)
        return f'<image id="{number}" name="frame_{number:06}" width="9" height="9">{tags}</image>'

    body = image(0, "crash") + image(1, "crash", "fire") + image(2) + image(3, "crash") + image(4)
    (record,) = cvat.read(written(xml(body, size=5), "cam.xml"))
    assert sorted(record.spans, key=lambda s: (s.label, s.start)) == [
        FrameSpan("crash", 0, 2),
        FrameSpan("crash", 3, 4),
        FrameSpan("fire", 1, 2),
    ]


def test_cvat_task_without_marks_is_normal(written):
    (record,) = cvat.read(written(xml(""), "cam.xml"))
    assert (record.spans, record.anomalous) == ((), False)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xml(track((10, 0))).replace("<annotations>", BOMB + "<annotations>"), "document type"),
        ("<!DOCTYPE annotations SYSTEM 'file:///etc/passwd'><annotations/>", "document type"),
        ("<annotations><track>", "is not XML"),
        ("<others/>", "must hold annotations, got others"),
        (xml(track((10, 0)), start=50), "is of a part of the video"),
        (xml(track((10, 0)), step="step=5"), "is of a part of the video"),
        (xml(track((10, 0), label="")), "a track has no label"),
        (xml(track((100, 0))), "has a box at frame 100 of a task of 100 frames"),
        (xml(track((-1, 0))), "frame must be a whole number"),
        (xml('<track id="4" label="crash"></track>'), "track 4 of 'crash' has no box"),
        (
            xml("").replace("</task>", "</task><task><name>b</name></task>"),
            "holds 2 tasks; export each task by itself",
        ),
    ],
)
def test_cvat_files_that_make_no_sense_are_refused(written, text, message):
    with pytest.raises(DatasetError, match=message):
        cvat.read(written(text, "cam.xml"))
