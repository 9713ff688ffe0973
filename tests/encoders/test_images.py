from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from watchword.encoders.images import (
    CLIP_MEAN,
    CLIP_STD,
    Preprocessing,
    normalise,
    prepare,
    read_preprocessing,
    square,
)
from watchword.errors import ModelFileError


@pytest.mark.shared
def test_clip_pictures_equal_openai_s_to_the_bit(shared: Path) -> None:
    golden = np.load(shared / "fixtures" / "clip_preprocess_golden.npz")
    assert len(golden.files) == 7
    for name in golden.files:
        (file,) = (shared / "fixtures" / "clip_preprocess_images").glob(f"{name}.*")
        picture = np.asarray(Image.open(file).convert("RGB"))
        ours = square(picture[None], Preprocessing())[0]
        np.testing.assert_array_equal(ours.transpose(2, 0, 1), golden[name], err_msg=name)


@settings(max_examples=40)
@given(
    width=st.integers(9, 90),
    height=st.integers(9, 90),
    size=st.integers(8, 40),
    resize=st.sampled_from(["shortest_crop", "squash"]),
)
def test_any_shape_becomes_the_formula_of_the_square(
    width: int, height: int, size: int, resize: str
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    how = Preprocessing(image_size=size, resize=resize)
    cut = square(pixels, how)
    assert cut.shape == (2, size, size, 3)
    slow = (cut.astype(np.float32) / np.float32(255) - np.float32(CLIP_MEAN)) / np.float32(CLIP_STD)
    np.testing.assert_array_equal(prepare(pixels, how), slow.transpose(0, 3, 1, 2))


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    assert square(pixels, Preprocessing()) is pixels


def test_without_mean_and_std_white_is_one() -> None:
    plain = Preprocessing(image_size=2, mean=(0, 0, 0), std=(1, 1, 1))
    assert normalise(np.full((1, 2, 2, 3), 255, np.uint8), plain).tolist() == [
        [[[1.0] * 2] * 2] * 3
    ]


def test_a_squashed_picture_keeps_its_edges_and_a_cropped_one_loses_them() -> None:
    pixels = np.zeros((1, 20, 60, 3), np.uint8)
    pixels[:, :, :10] = 255
    assert square(pixels, Preprocessing(image_size=20, resize="squash"))[0, 10, 0, 0] == 255
    assert square(pixels, Preprocessing(image_size=20))[0, 10, 0, 0] == 0


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.float32),
    ],
)
def test_what_is_no_batch_of_pictures_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(N,H,W,3\) is needed"):
        square(pixels, Preprocessing())


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="4x0 pixels are empty"):
        square(np.zeros((1, 0, 4, 3), np.uint8), Preprocessing())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"image_size": 0}, "image_size is 0"),
        ({"resize": "stretch"}, "resize is 'stretch'"),
        ({"interpolation": "area"}, "one of bicubic"),
        ({"std": (1, 0, 1)}, "std above 0"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Preprocessing(**wrong)


def told(folder: Path, name: str, content: dict) -> Preprocessing:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return read_preprocessing(folder)


HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def test_old_and_new_spellings_of_clip_mean_the_same(tmp_path: Path) -> None:
    numbers = {"image_mean": list(CLIP_MEAN), "image_std": list(CLIP_STD), "resample": 3}
    old = {"size": 224, "crop_size": 224, "do_center_crop": True, **numbers}
    new = {
        "size": {"shortest_edge": 224},
        "crop_size": {"height": 224, "width": 224},
        "do_center_crop": True,
        **numbers,
    }
    name = "preprocessor_config.json"
    assert told(tmp_path, name, old) == told(tmp_path, name, new) == Preprocessing()


def test_siglip_squashes(tmp_path: Path) -> None:
    content = {"size": {"height": 256, "width": 256}, "resample": 2, **HALF}
    how = told(tmp_path, "preprocessor_config.json", content)
    half = (0.5, 0.5, 0.5)
    assert how == Preprocessing(256, "squash", "bilinear", half, half)


def test_open_clip_s_file_is_read(tmp_path: Path) -> None:
    content = {
        "size": [256, 256],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "interpolation": "bilinear",
        "resize_mode": "shortest",
    }
    how = told(tmp_path, "visual/preprocess_cfg.json", content)
    assert how == Preprocessing(256, "shortest_crop", "bilinear", (0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(
    "content",
    [
        {"size": {"longest_edge": 512}, **HALF},
        {"size": {"height": 224, "width": 320}, **HALF},
        {"size": {"shortest_edge": 256}, "crop_size": 224, "do_center_crop": True, **HALF},
        {"size": 224, "resample": 0, **HALF},
        {"size": 224},
        [],
    ],
)
def test_a_rule_that_is_not_known_is_refused(tmp_path: Path, content: dict) -> None:
    with pytest.raises(ModelFileError, match="does not say how pictures are prepared"):
        told(tmp_path, "preprocessor_config.json", content)


def test_a_directory_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"holds none of preprocessor_config\.json"):
        read_preprocessing(tmp_path)
