"""Seed 3's meta.json, with every kind of truth that its gt_path may name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from watchword.errors import DatasetError
from watchword.evaluation.datasets import meta_json
from watchword.evaluation.datasets.masks import read_masks

README = {
    "train": {
        "campus_scene": [{"video_path": "training/video_001.avi", "anomaly": 0, "gt_path": ""}]
    },
    "test": {
        "pedestrian": [
            {"video_path": "Test/Test001.avi", "anomaly": 1, "gt_path": "Test/Test001_gt.txt"}
        ]
    },
}


@pytest.fixture
def meta(tmp_path):
    (tmp_path / "Test").mkdir()

    def write(*, text=None, gt="Test/Test001_gt.txt", anomaly=1, whole=None):
        if text is not None:
            (tmp_path / "Test" / "Test001_gt.txt").write_text(text)
        entry = {"video_path": "Test/Test001.avi", "anomaly": anomaly, "gt_path": gt}
        path = tmp_path / "meta.json"
        path.write_text(json.dumps({"test": {"pedestrian": [entry]}} if whole is None else whole))
        return path

    return write


def spans(record):
    return [(span.start, span.end) for span in record.spans]


def test_the_example_of_the_readme_is_read(meta):
    path = meta(text="0\n0\n1\n1\n0\n", whole=README)
    assert meta_json.sniff(path)
    assert meta_json.sniff(path.parent)
    train, test = meta_json.read(path.parent)
    assert (train.video, train.split, train.anomalous, train.spans, train.frame_count) == (
        "training/video_001.avi", "train", False, (), None,
    )  # fmt: skip
    assert (test.video, test.split, test.anomalous) == ("Test/Test001.avi", "test", True)
    assert (spans(test), test.frame_count, test.labels) == ([(2, 4)], 5, ("anomaly",))
    assert (test.group, test.rate, test.masks) == (None, None, None)
    assert test.where == f"{path} (test, pedestrian, entry 1)"


@pytest.mark.parametrize(
    ("text", "expected", "frames"),
    [
        ("1\n0\n0\n1\n", [(0, 1), (3, 4)], 4),
        ("1 0 0 1\n", [(0, 1), (3, 4)], 4),
        ("1,0,0,1", [(0, 1), (3, 4)], 4),
        ("61 180\n", [(61, 180)], None),
        ("0 1\n\n5, 9\n", [(0, 1), (5, 9)], None),
        ("[61:180]\n", [(60, 180)], None),
        ("TestVideoFile{end+1}.gt_frame = [5:90, 140:200];", [(4, 90), (139, 200)], None),
    ],
)
def test_text_says_by_its_rows_how_frames_are_numbered(meta, text, expected, frames):
    (record,) = meta_json.read(meta(text=text))
    assert (spans(record), record.frame_count) == (expected, frames)


def test_truth_in_arrays_is_read(meta, tmp_path):
    marks, masks = np.array([0, 1, 1, 0], np.uint8), np.zeros((4, 2, 3), np.uint8)
    masks[1:3, 1, 1] = 1
    cell = np.empty((1, 4), object)
    cell[0, :] = list(masks)
    np.save(tmp_path / "marks.npy", marks)
    np.save(tmp_path / "masks.npy", masks)
    savemat(tmp_path / "marks.mat", {"gt": marks})
    savemat(tmp_path / "masks.mat", {"volLabel": cell})
    np.savez(tmp_path / "masks.npz", mask=np.packbits(masks > 0, axis=-1), shape=masks.shape)
    (tmp_path / "masks").mkdir()
    for frame, mask in enumerate(masks):
        Image.fromarray(mask * 255).save(tmp_path / "masks" / f"{frame:06d}.png")
    for gt in ("marks.npy", "masks.npy", "marks.mat", "masks.mat", "masks.npz", "masks"):
        (record,) = meta_json.read(meta(gt=gt))
        assert (spans(record), record.frame_count) == ([(1, 3)], 4), gt
        assert record.masks == (tmp_path / gt if "masks" in gt else None)
        if record.masks:
            assert np.array_equal(read_masks(record.masks), masks > 0)


def test_an_event_without_frames_is_somewhere_in_the_video(meta):
    for gt in ("", None):
        (record,) = meta_json.read(meta(gt=gt))
        assert (record.anomalous, record.spans) == (True, ())
        assert not record.annotation().localised


def test_several_scenes_are_groups(meta):
    entry = {"video_path": "a.avi", "anomaly": 0}
    found = meta_json.read(meta(whole={"test": {"01": [entry], "02": [entry]}, "x": {"03": []}}))
    assert [record.group for record in found] == ["01", "02"]


def test_paths_written_on_windows_are_found(meta):
    (record,) = meta_json.read(meta(text="1\n", gt="Test\\Test001_gt.txt"))
    assert record.frame_count == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("0\n1\n2\n", "row 3: must hold 0 or 1 for each frame"),
        ("0\n1\n0.5\n", "row 3: must hold whole numbers, got '0.5'"),
        ("0\none\n", "row 2: must hold whole numbers"),
        ("180 61\n", "row 1: .*end after it starts, got 180 61"),
        ("5 5\n", "row 1: .*end after it starts"),
        ("61 180\n200\n", "one number a row .* or two .*, not both"),
        ("1 2 3\n", "row 1: must hold 0 or 1"),
        ("1 0 1\n0 1 1\n", "one number a row"),
        ("[180:61]\n", "row 1: '180:61' must start at 1 or later and not end before"),
        ("[61:180\n", "row 1: .* must be ranges"),
        ("0\n0\n", r"anomaly is 1, but its truth marks no frame"),
    ],
)
def test_broken_text_is_refused(meta, text, message):
    with pytest.raises(DatasetError, match=message):
        meta_json.read(meta(text=text))


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ([], "must map splits, got list"),
        ({}, "holds no video"),
        ({"test": []}, "must map classes in 'test', got list"),
        ({"test": {"a": {}}}, "test, a must be a list"),
        ({"test": {"a": ["x.avi"]}}, r"\(test, a, entry 1\): must be an object"),
        ({"test": {"a": [{"path": "x.avi"}]}}, "entry 1.: video_path must be text, got None"),
        ({"test": {"a": [{"video_path": "x"}]}}, "anomaly must be 0 or 1, got None"),
        ({"test": {"a": [{"video_path": "x", "anomaly": "1"}]}}, "anomaly must be 0 or 1"),
        (
            {"test": {"a": [{"video_path": "x", "anomaly": 1, "gt_path": 3}]}},
            "gt_path must be text",
        ),
    ],
)
def test_another_structure_is_refused(meta, whole, message):
    with pytest.raises(DatasetError, match=message):
        meta_json.read(meta(whole=whole))


def test_truth_that_is_absent_or_of_no_kind_is_refused(meta, tmp_path):
    with pytest.raises(DatasetError, match=r"entry 1\): gt_path 'no.npy' is not there"):
        meta_json.read(meta(gt="no.npy"))
    (tmp_path / "gt.pkl").touch()
    with pytest.raises(DatasetError, match=r"gt_path 'gt.pkl' must be a folder or end in .txt"):
        meta_json.read(meta(gt="gt.pkl"))
    with pytest.raises(DatasetError, match="anomaly is 0, but its truth marks some"):
        meta_json.read(meta(text="0\n1\n", anomaly=0))
    np.save(tmp_path / "two.npy", np.zeros((2, 3)))
    with pytest.raises(DatasetError, match=r"two.npy: must hold one 0 or 1 a frame"):
        meta_json.read(meta(gt="two.npy"))
    savemat(tmp_path / "two.mat", {"a": [1], "b": [0]})
    with pytest.raises(DatasetError, match=r"or one vector of 0 and 1; got a, b"):
        meta_json.read(meta(gt="two.mat"))


def test_other_files_are_not_taken_for_it(tmp_path):
    path = tmp_path / "meta.json"
    for content in ("", "[]", '{"video": "a"}', '["video_path", "anomaly"]', "\0"):
        path.write_text(content)
        assert not meta_json.sniff(path)
    path.write_text("{")
    with pytest.raises(DatasetError, match="is not JSON"):
        meta_json.read(path)
