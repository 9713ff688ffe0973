"""Seed 1's scene files: frames from 0, the end not included, named after the file."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.datasets import clip_signals
from watchword.evaluation.datasets.record import FrameSpan, Record

# As in the repository, blanks and line breaks included.
SCENE = """{
  "video": "video_001.mp4",
  "type" : "animal",
  "description": "two deer running onto the road",
  "total_frames": 192,
  "target_hazard" :  "deer",

  "singular_hazard": false,
  "group_hazard": true,

  "appears_frame": 22,
  "hazard_start_frame": 22,
  "hazard_end_frame": 150,
  "last_visible_frame": 160,
  "still_in_frame_at_end": false,

  "events": [
    { "start": 22, "end": 150 }
  ]
}
"""
NORMAL = {
    "video": "scene_005.mp4",
    "type": "normal - no hazard",
    "total_frames": 5125,
    "events": [],
}


@pytest.fixture
def scenes(tmp_path):
    (tmp_path / "scene_001.mp4.json").write_text(SCENE)
    (tmp_path / "scene_005.mp4.json").write_text(json.dumps(NORMAL))
    return tmp_path


def test_a_scene_is_named_after_its_file_and_counts_frames_from_0(scenes):
    file = scenes / "scene_001.mp4.json"
    assert clip_signals.sniff(file)
    assert clip_signals.read(file) == (
        Record(
            video="scene_001.mp4",
            where=str(file),
            spans=(FrameSpan("animal", 22, 150),),
            labels=("animal",),
            anomalous=True,
            frame_count=192,
        ),
    )


def test_a_folder_gives_every_scene_and_passes_over_sentences(scenes):
    (scenes / "scene_001_prompts.json").write_text('{"prompts": ["a deer"]}')
    (scenes / "._scene_001.mp4.json").write_bytes(b"\0\5\26\7")
    assert clip_signals.sniff(scenes)
    found = clip_signals.read(scenes)
    assert [(r.video, r.anomalous, r.labels) for r in found] == [
        ("scene_001.mp4", True, ("animal",)),
        ("scene_005.mp4", False, ()),
    ]


@pytest.mark.parametrize(
    ("file", "video"),
    [
        ("truth.json", "video_001.mp4"),
        ("drive.v2.json", "video_001.mp4"),
        ("scene_001.mp4.json", "scene_001.mp4"),
    ],
)
def test_a_lone_file_is_named_after_itself_only_if_it_ends_as_a_video(tmp_path, file, video):
    path = tmp_path / file
    path.write_text(SCENE)
    assert clip_signals.read(path)[0].video == video


def test_in_a_folder_every_scene_is_named_after_its_file(tmp_path):
    (tmp_path / "deer.json").write_text(SCENE)
    assert clip_signals.read(tmp_path)[0].video == "deer"


def test_older_files_have_no_type(tmp_path):
    path = tmp_path / "video_0024.mp4.json"
    path.write_text(re.sub(r'"type".*\n', "", SCENE))
    assert clip_signals.read(path)[0].spans == (FrameSpan("hazard", 22, 150),)


def scene(**changes):
    return json.dumps({**json.loads(SCENE), **changes})


def test_a_hazard_may_fill_the_video_or_one_frame(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(scene(events=[{"start": 0, "end": 192}, {"start": 191, "end": 192}]))
    assert [(s.start, s.end) for s in clip_signals.read(path)[0].spans] == [(0, 192), (191, 192)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{", "is not JSON"),
        ("[1]", "is no scene file"),
        ('{"prompts": []}', "is no scene file; one holds video, total_frames, events"),
        (scene(total_frames=0), "total_frames must be a whole number, got 0"),
        (scene(total_frames=True), "total_frames must be a whole number"),
        (scene(events={}), "events must be a list"),
        (scene(events=[{"start": 1, "end": "2"}]), "row 1: an event must hold frames"),
        (scene(events=[{"start": 1, "end": 193}]), r"row 1: event \[1, 193\) .* 192 frames"),
        (scene(events=[{"start": -1, "end": 3}]), "row 1"),
        (scene(events=[{"start": 1, "end": 3}, {"start": 9, "end": 9}]), "row 2: .*end after"),
    ],
)
def test_a_broken_scene_is_refused(tmp_path, content, message):
    path = tmp_path / "s.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=message):
        clip_signals.read(path)
    with pytest.raises(DatasetError, match=message):
        clip_signals.read(tmp_path)


def test_other_files_and_folders_are_not_taken_for_scenes(tmp_path):
    (tmp_path / "a.json").write_text('{"video": "v.mp4", "spans": []}')
    (tmp_path / "b.json").write_bytes(b"\0\1\2")
    assert not clip_signals.sniff(tmp_path)
    assert not clip_signals.sniff(tmp_path / "a.json")
    assert not clip_signals.sniff(tmp_path / "nothing.json")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DatasetError, match="holds no scene file"):
        clip_signals.read(empty)


@pytest.mark.shared
def test_all_scenes_of_the_repository_are_read(shared):
    folder = shared / "data" / "clip_hazard_signals"
    found = clip_signals.read(folder / "annotations")
    assert [record.video for record in found] == [f"scene_{n:03d}.mp4" for n in range(1, 15)]
    assert [record.video for record in found if not record.anomalous] == ["scene_005.mp4"]
    assert found[5].spans == (FrameSpan("accident", 0, 749),)
    assert sum(span.end - span.start for record in found for span in record.spans) == 3200
    for record in found:
        scores = np.load(folder / "clip_scores" / f"{record.video.removesuffix('.mp4')}.npy")
        # The files are off by a frame or more, and scene_005 by 275.
        assert 0 < scores.shape[1] - record.frame_count <= 275


@pytest.mark.shared
def test_the_older_scenes_beside_their_scores_are_read(shared):
    found = clip_signals.read(shared / "data" / "clip_hazard_signals" / "old_video_scores")
    assert [record.video for record in found] == [
        f"video_00{n}.mp4" for n in ("24", "25", "30", "31")
    ]


def test_a_folder_with_annotations_in_it_is_read_as_seed_1_lays_it_out(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "clip_scores").mkdir()
    (tmp_path / "annotations" / "scene_001.mp4.json").write_text(SCENE)
    assert clip_signals.sniff(tmp_path)
    assert not clip_signals.sniff(tmp_path / "clip_scores")
    assert clip_signals.read(tmp_path) == clip_signals.read(tmp_path / "annotations")
    assert [record.video for record in clip_signals.read(tmp_path)] == ["scene_001.mp4"]
