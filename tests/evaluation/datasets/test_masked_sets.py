"""UCSD, Avenue and ShanghaiTech, in the folders they are delivered in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from watchword.errors import DatasetError
from watchword.evaluation.datasets import avenue, shanghaitech, ucsd
from watchword.evaluation.datasets.frame_labels import checked_marks, marks_of, spans_of
from watchword.evaluation.datasets.masks import read_masks
from watchword.evaluation.datasets.record import FrameSpan

SCRIPT = """TestVideoFile = {};
TestVideoFile{end+1}.gt_frame = [61:180];
TestVideoFile{end+1}.gt_frame = [5:90, 140:200];   % two events
"""


def spans(record):
    return [(span.start, span.end) for span in record.spans]


# Frame labels


@given(st.lists(st.booleans(), max_size=40))
def test_marks_become_spans_and_marks_again(marks):
    found = spans_of(marks, "a")
    assert marks_of(found, len(marks)).tolist() == marks
    # Runs are maximal: between two of them lies a frame that is not marked.
    assert all(before.end < after.start for before, after in pairwise(found))


@pytest.mark.parametrize("span", [(-1, 2), (0, 6), (3, 3)])
def test_a_span_outside_the_frames_has_no_marks(span):
    with pytest.raises(ValueError, match="must lie within 5 frames"):
        marks_of([FrameSpan("a", *span)], 5)


def test_rows_and_columns_are_marks_too():
    for shape in ((3,), (1, 3), (3, 1)):
        for kind in (np.uint8, np.float64, bool):
            found = checked_marks(np.array([0, 1, 1], kind).reshape(shape), "f")
            assert found.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (np.zeros((2, 3)), r"one 0 or 1 a frame \(T,\), got an array \(2, 3\)"),
        (np.float64(1), r"got an array \(\)"),
        (np.zeros(0), "holds no frames"),
        (np.array(["a"]), "must hold numbers 0 and 1"),
        (np.array([0, 1, 2]), "got 2 at frame 2"),
        (np.array([0, np.nan]), "got nan at frame 1"),
        (np.array([0.5]), "got 0.5 at frame 0"),
        (np.array([-1]), "got -1 at frame 0"),
    ],
)
def test_other_arrays_are_no_marks(found, message):
    with pytest.raises(DatasetError, match=message):
        checked_marks(np.asarray(found), "f.npy")


# UCSD


@pytest.fixture
def ped2(tmp_path):
    test = tmp_path / "UCSDped2" / "Test"
    test.mkdir(parents=True)
    (test / "UCSDped2.m").write_text(SCRIPT)
    (test / "._UCSDped2.m").write_bytes(b"\0\5\26\7")
    return test.parent


def frames(folder, count, ending="tif"):
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        Image.new("L", (4, 3)).save(folder / f"{number:03d}.{ending}")
    (folder / f"._001.{ending}").write_bytes(b"\0\5\26\7")
    return folder


def test_ucsd_ranges_count_from_1_and_hold_their_last_frame(ped2):
    assert ucsd.sniff(ped2)
    first, second = ucsd.read(ped2)
    assert (first.video, first.split, first.rate) == ("Test001", "test", 10.0)
    assert first.where == f"{ped2 / 'Test' / 'UCSDped2.m'}, row 2"
    assert (spans(first), spans(second)) == ([(60, 180)], [(4, 90), (139, 200)])
    assert first.spans[0].label == "anomaly"
    # Frame 61 of MATLAB is shown from 6.0 s on, frame 180 until 18.0 s.
    (span,) = first.annotation().spans
    assert (span.start_s, span.end_s) == (6.0, 18.0)


def test_the_script_alone_and_its_folder_are_read_too(ped2):
    for path in (ped2 / "Test", ped2 / "Test" / "UCSDped2.m"):
        assert ucsd.sniff(path)
        assert [record.video for record in ucsd.read(path)] == ["Test001", "Test002"]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ("[1:1]", [(0, 1)]),
        ("[7]", [(6, 7)]),
        ("[1:94 110:200]", [(0, 94), (109, 200)]),
        ("[ 1 : 94 , 110 : 200 ]", [(0, 94), (109, 200)]),
        ("[]", []),
    ],
)
def test_ranges_as_matlab_allows_them(tmp_path, ranges, expected):
    path = tmp_path / "UCSDped1.m"
    path.write_text(f"TestVideoFile{{end+1}}.gt_frame = {ranges}")
    (record,) = ucsd.read(path)
    assert spans(record) == expected
    assert record.anomalous == bool(expected)


def test_frames_and_masks_beside_the_script_are_counted(ped2):
    test = ped2 / "Test"
    frames(test / "Test001", 180)
    frames(test / "Test001_gt", 180, "bmp")
    frames(test / "Test002", 200)
    frames(ped2 / "Train" / "Train001", 120)
    first, second, train = ucsd.read(ped2)
    assert (first.frame_count, first.masks) == (180, test / "Test001_gt")
    assert read_masks(first.masks).shape == (180, 3, 4)
    assert (second.frame_count, second.masks) == (200, None)
    assert (train.video, train.split, train.anomalous, train.frame_count, train.spans) == (
        "Train001", "train", False, 120, (),
    )  # fmt: skip
    assert len(ucsd.read(test)) == 2


def test_masks_of_another_length_are_refused(ped2):
    frames(ped2 / "Test" / "Test001", 180)
    frames(ped2 / "Test" / "Test001_gt", 179, "bmp")
    with pytest.raises(DatasetError, match="holds 179 masks for the 180 frames of Test001"):
        ucsd.read(ped2)


def test_a_range_past_the_last_frame_is_refused(ped2):
    frames(ped2 / "Test" / "Test002", 199)
    with pytest.raises(DatasetError, match="row 3: marks frame 200 of Test002, which has 199"):
        ucsd.read(ped2)


def test_a_video_without_a_line_is_refused(ped2):
    frames(ped2 / "Test" / "Test003", 10)
    with pytest.raises(DatasetError, match="has 2 lines, but there is Test003"):
        ucsd.read(ped2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("TestVideoFile = {};", "holds no gt_frame line"),
        (SCRIPT + "TestVideoFile{end+1}.gt_frame = [61:1", "row 4: .* must be TestVideoFile"),
        (SCRIPT + "sal_frame={};", "row 4: .* must be TestVideoFile"),
        (SCRIPT.replace("61:180", "180:61"), "row 2: '180:61' must start at 1 or later and not"),
        (SCRIPT.replace("61:180", "0:180"), "row 2: '0:180' must start at 1"),
        (SCRIPT.replace("61:180", "a:180"), "row 2: 'a:180' is no range"),
        (SCRIPT.replace("61:180", "1:2:180"), "row 2: '1:2:180' is no range"),
    ],
)
def test_a_broken_script_is_refused(ped2, content, message):
    (ped2 / "Test" / "UCSDped2.m").write_text(content)
    with pytest.raises(DatasetError, match=message):
        ucsd.read(ped2)


# Avenue


@pytest.fixture
def avenue_set(tmp_path):
    folder = tmp_path / "ground_truth_demo" / "testing_label_mask"
    folder.mkdir(parents=True)
    for number, marked in ((10, []), (2, [1, 2])):
        cell = np.empty((1, 4), object)
        for frame in range(4):
            cell[0, frame] = np.zeros((3, 5), np.uint8)
            cell[0, frame][2, 4] = frame in marked
        savemat(folder / f"{number}_label.mat", {"volLabel": cell})
    (tmp_path / "training_videos").mkdir()
    (tmp_path / "training_videos" / "02.avi").touch()
    return tmp_path


def test_avenue_frames_are_marked_where_any_pixel_is(avenue_set):
    assert avenue.sniff(avenue_set)
    second, tenth, train = avenue.read(avenue_set)
    assert (second.video, second.split, second.rate) == ("testing_videos/02.avi", "test", 25.0)
    assert (second.frame_count, spans(second), second.anomalous) == (4, [(1, 3)], True)
    assert read_masks(second.masks).sum() == 2
    assert (tenth.video, tenth.spans, tenth.anomalous) == ("testing_videos/10.avi", (), False)
    assert (train.video, train.split, train.anomalous, train.masks) == (
        "training_videos/02.avi", "train", False, None,
    )  # fmt: skip


def test_the_masks_alone_are_read_too(avenue_set):
    folder = avenue_set / "ground_truth_demo" / "testing_label_mask"
    assert avenue.sniff(folder)
    assert len(avenue.read(folder)) == 2
    assert avenue.sniff(folder / "2_label.mat")
    assert [r.video for r in avenue.read(folder / "2_label.mat")] == ["testing_videos/02.avi"]


def test_a_folder_without_avenue_masks_is_refused(tmp_path):
    (tmp_path / "ped2.mat").touch()
    assert not avenue.sniff(tmp_path)
    assert not avenue.sniff(tmp_path / "ped2.mat")
    with pytest.raises(DatasetError, match=r"holds no 1_label.mat"):
        avenue.read(tmp_path)


def test_a_damaged_avenue_file_is_named(avenue_set):
    file = avenue_set / "ground_truth_demo" / "testing_label_mask" / "2_label.mat"
    file.write_bytes(file.read_bytes()[:150])
    with pytest.raises(DatasetError, match=r"2_label.mat: cannot be read as a MATLAB file"):
        avenue.read(avenue_set)


# ShanghaiTech


@pytest.fixture
def campus(tmp_path):
    for folder in ("testing/test_frame_mask", "testing/test_pixel_mask", "training/videos"):
        (tmp_path / folder).mkdir(parents=True)
    np.save(tmp_path / "testing/test_frame_mask/01_0014.npy", np.array([0, 1, 1, 0, 1], np.int8))
    np.save(tmp_path / "testing/test_frame_mask/12_0151.npy", np.zeros(7))
    np.save(tmp_path / "testing/test_pixel_mask/01_0014.npy", np.ones((5, 2, 3), np.uint8))
    (tmp_path / "training/videos/01_001.avi").touch()
    return tmp_path


def test_shanghaitech_is_read(campus):
    assert shanghaitech.sniff(campus)
    first, normal, train = shanghaitech.read(campus)
    assert (first.video, first.split, first.rate, first.group) == (
        "01_0014", "test", 24.0, "camera 01",
    )  # fmt: skip
    assert (first.frame_count, spans(first)) == (5, [(1, 3), (4, 5)])
    assert read_masks(first.masks).shape == (5, 2, 3)
    assert (normal.anomalous, normal.frame_count, normal.masks) == (False, 7, None)
    assert (train.video, train.split, train.anomalous, train.group) == (
        "01_001.avi", "train", False, "camera 01",
    )  # fmt: skip


def test_parts_of_shanghaitech_and_its_frames_are_read(campus):
    for part in ("testing", "testing/test_frame_mask"):
        assert shanghaitech.sniff(campus / part)
        assert len(shanghaitech.read(campus / part)) == 2
    (campus / "training/videos/01_001.avi").unlink()
    (campus / "training/frames/01_002").mkdir(parents=True)
    assert shanghaitech.read(campus)[-1].video == "01_002"


def test_shanghaitech_masks_of_another_length_are_refused(campus):
    np.save(campus / "testing/test_pixel_mask/01_0014.npy", np.ones((4, 2, 3)))
    with pytest.raises(DatasetError, match="holds 4 masks for the 5 frames of 01_0014"):
        shanghaitech.read(campus)


def test_a_frame_mask_that_is_none_is_named(campus):
    np.save(campus / "testing/test_frame_mask/12_0151.npy", np.zeros((7, 2, 2)))
    with pytest.raises(DatasetError, match=r"12_0151.npy: must hold one 0 or 1 a frame"):
        shanghaitech.read(campus)


def test_none_of_the_three_takes_what_is_not_its_own(ped2, campus, tmp_path):
    readers = (ucsd, avenue, shanghaitech)
    for path in (tmp_path / "nothing", ped2.parent / "training", tmp_path / "UCSDped2" / "Test.m"):
        assert not any(reader.sniff(path) for reader in readers)
    assert [reader.sniff(ped2) for reader in readers] == [True, False, False]
    assert [reader.sniff(campus) for reader in readers] == [False, False, True]
    for reader in readers:
        with pytest.raises(DatasetError, match=r"holds no|cannot be read"):
            reader.read(tmp_path / "nothing")
