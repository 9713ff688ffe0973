"""Pixel truth of every kind gives the same (T,H,W), or an error that names file and frame."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from watchword.errors import DatasetError
from watchword.evaluation.datasets.masks import marked_frames, mask_count, read_masks

SHAPE = (5, 6, 11)


@pytest.fixture
def masks():
    made = np.random.default_rng(0).random(SHAPE) < 0.3
    made[2] = False
    return made


def pictures(folder, masks, *, first=1, name="{:03d}.bmp", value=255):
    folder.mkdir()
    for number, mask in enumerate(masks, start=first):
        Image.fromarray(mask.astype(np.uint8) * value).save(folder / name.format(number))
    return folder


def cell(masks):
    made = np.empty((1, len(masks)), object)
    for frame, mask in enumerate(masks):
        made[0, frame] = mask.astype(np.uint8)
    return made


def as_bmp(path, masks):
    return pictures(path / "Test001_gt", masks)


def as_png_from_0(path, masks):
    return pictures(path / "gt", masks, first=0, name="{:06d}.png", value=1)


def as_mat(path, masks):
    savemat(path / "1_label.mat", {"volLabel": cell(masks)})
    return path / "1_label.mat"


def as_npy(path, masks):
    np.save(path / "01_0014.npy", masks.astype(np.uint8))
    return path / "01_0014.npy"


def as_npz(path, masks):
    np.savez(path / "m.npz", mask=np.packbits(masks, axis=-1), shape=np.array(masks.shape))
    return path / "m.npz"


@pytest.mark.parametrize("write", [as_bmp, as_png_from_0, as_mat, as_npy, as_npz])
def test_every_kind_gives_the_same_masks(tmp_path, masks, write):
    path = write(tmp_path, masks)
    found = read_masks(path)
    assert found.dtype == bool
    assert np.array_equal(found, masks)
    assert np.array_equal(read_masks(str(path)), masks)
    assert np.array_equal(marked_frames(path), masks.any(axis=(1, 2)))
    assert mask_count(path) == SHAPE[0]


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_any_colour_are_read(tmp_path, masks, mode):
    folder = tmp_path / "gt"
    folder.mkdir()
    for number, mask in enumerate(masks, start=1):
        grey = Image.fromarray(mask.astype(np.uint8) * 255)
        wide = Image.fromarray(mask.astype(np.uint16) * 255)
        made = wide if mode == "I;16" else grey.convert(mode)
        made.save(folder / f"{number}.png")
    assert np.array_equal(read_masks(folder), masks)


def test_frames_are_ordered_by_number_and_other_files_are_passed_over(tmp_path):
    masks = np.eye(12, dtype=bool)[:, :, None]
    folder = pictures(tmp_path / "gt", masks, name="frame_{}.bmp")
    (folder / "._frame_1.bmp").write_bytes(b"\0\5\26\7")
    (folder / "Thumbs.db").write_bytes(b"\0")
    assert np.array_equal(read_masks(folder), masks)


def test_a_gap_between_frames_is_refused(tmp_path, masks):
    folder = pictures(tmp_path / "gt", masks)
    (folder / "003.bmp").unlink()
    for reader in (read_masks, marked_frames, mask_count):
        with pytest.raises(DatasetError, match=r"lacks frame 3; .* every later frame"):
            reader(folder)


def test_pictures_that_begin_late_are_refused(tmp_path, masks):
    with pytest.raises(DatasetError, match="lacks frame 1"):
        read_masks(pictures(tmp_path / "gt", masks, first=61))


def test_names_that_do_not_count_are_refused(tmp_path, masks):
    folder = pictures(tmp_path / "gt", masks)
    (folder / "01.bmp").write_bytes((folder / "001.bmp").read_bytes())
    with pytest.raises(DatasetError, match=r"01.bmp: has the same number as 001.bmp"):
        read_masks(folder)
    (folder / "01.bmp").rename(folder / "mask.bmp")
    with pytest.raises(DatasetError, match=r"mask.bmp: must end in the number of its frame"):
        read_masks(folder)


def test_a_damaged_picture_and_one_of_other_size_are_refused(tmp_path, masks):
    folder = pictures(tmp_path / "gt", masks)
    (folder / "004.bmp").write_bytes((folder / "004.bmp").read_bytes()[:70])
    with pytest.raises(DatasetError, match=r"004.bmp: cannot be read as a picture"):
        read_masks(folder)
    Image.new("L", (3, 3)).save(folder / "004.bmp")
    with pytest.raises(DatasetError, match=r"frame 3 is \(3, 3\), those before are \(6, 11\)"):
        read_masks(folder)


def test_a_matlab_file_without_the_cell_is_refused(tmp_path, masks):
    path = tmp_path / "1_label.mat"
    savemat(path, {"gt": np.zeros((3, 3))})
    with pytest.raises(DatasetError, match="must hold the cell volLabel, got gt"):
        read_masks(path)
    savemat(path, {"volLabel": masks})
    with pytest.raises(DatasetError, match="volLabel must be a cell 1xN of masks"):
        read_masks(path)
    savemat(path, {"volLabel": cell([masks, masks])})
    with pytest.raises(DatasetError, match="mask of frame 0 must be HxW"):
        read_masks(path)


def test_a_matlab_7_3_file_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "1_label.mat"
    # What MATLAB writes before the HDF5 part: text, version 2.0, byte order.
    head = b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(124) + b"\x00\x02IM"
    path.write_bytes(head + bytes(384) + b"\x89HDF\r\n\x1a\n" + bytes(64))
    with pytest.raises(DatasetError, match=r"version 7.3 .*'-v7'"):
        read_masks(path)


@pytest.mark.parametrize("ending", [".mat", ".npy", ".npz"])
def test_damaged_array_files_are_refused(tmp_path, masks, ending):
    write = {".mat": as_mat, ".npy": as_npy, ".npz": as_npz}[ending]
    path = write(tmp_path, masks)
    whole = path.read_bytes()
    for content in (b"", b"no array", whole[: len(whole) // 2], whole[: len(whole) - 20]):
        path.write_bytes(content)
        with pytest.raises(DatasetError, match="cannot be read"):
            read_masks(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_masks(tmp_path / f"nothing{ending}")


@pytest.mark.parametrize("write", [as_npy, as_npz])
def test_flipped_bytes_give_masks_or_a_dataset_error(tmp_path, masks, write):
    path = write(tmp_path, masks)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    for _ in range(300):
        bad = bytearray(whole)
        for at in rng.integers(0, len(bad), 3):
            bad[at] = rng.integers(256)
        path.write_bytes(bad)
        with contextlib.suppress(DatasetError):
            read_masks(path)


def test_arrays_of_other_shapes_are_refused(tmp_path, masks):
    path = tmp_path / "m.npy"
    np.save(path, np.zeros(9))
    with pytest.raises(DatasetError, match=r"must hold masks \(T,H,W\), got an array \(9,\)"):
        read_masks(path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(DatasetError, match="Python objects, which may run code"):
        read_masks(path)
    np.save(path, np.full((1, 2, 2), "a"))
    with pytest.raises(DatasetError, match="mask of frame 0 must be HxW numbers"):
        read_masks(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"masks": np.zeros((1, 1, 1), np.uint8)}, "it must hold mask and shape"),
        ({"mask": np.zeros((5, 6, 1), np.uint8), "shape": [5, 6, 11]}, "is not packed from shape"),
        ({"mask": np.zeros((5, 6, 2), np.uint8), "shape": [5, 6]}, "is not packed from shape"),
        ({"mask": np.zeros((5, 6, 2), bool), "shape": [5, 6, 11]}, "must be packed bits"),
        ({"mask": np.zeros((0, 6, 2), np.uint8), "shape": [0, 6, 11]}, "holds no masks"),
    ],
)
def test_packed_masks_that_do_not_add_up_are_refused(tmp_path, content, message):
    np.savez(tmp_path / "m.npz", **content)
    with pytest.raises(DatasetError, match=message):
        read_masks(tmp_path / "m.npz")


def test_other_paths_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no masks"):
        read_masks(tmp_path)
    with pytest.raises(DatasetError, match="is no folder of mask pictures"):
        read_masks(tmp_path / "mask.mp4")


@pytest.mark.shared
def test_the_shared_masks_lie_within_the_frames_that_are_marked(shared):
    folder = shared / "data" / "ucsd_ped2"
    clips = [c for c in json.loads((folder / "labels.json").read_text()) if "mask" in c]
    assert len(clips) == 6
    for clip in clips:
        found = read_masks(folder / clip["mask"])
        assert found.shape == (clip["n_frames"], clip["height"], clip["width"])
        marked = np.zeros(len(found), bool)
        for start, end in clip["anomaly_intervals"]:
            marked[start:end] = True
        assert np.array_equal(marked_frames(folder / clip["mask"]), found.any(axis=(1, 2)))
        # A shift by a frame would show at both ends.
        assert not found[~marked].any()
        assert found[marked].any(axis=(1, 2)).mean() > 0.9
