from dataclasses import replace

import numpy as np
import pytest

from normal_footage import SETTING, learned, street
from watchword.errors import NormalityError
from watchword.evidence.normality.memory import PartOptions, check_memory
from watchword.evidence.normality.scene import SAME_SCENE, SIZE, Scene, SceneBuilder, likeness


@pytest.fixture(scope="module")
def memory():
    return replace(learned([street(20)]), scene=picture(0))


def picture(seed, *, light=1.0, moving=False):
    """A scene of walls that meet at all angles."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / SIZE[0] - 0.5
    walls = np.zeros(SIZE)
    for angle, at, step in zip(*rng.uniform(0, 1, (3, 12)), strict=True):
        beyond = x * np.cos(7 * angle) + y * np.sin(7 * angle) > 0.8 * at - 0.3
        walls += 20 * step * beyond
    return Scene((walls**light).astype(np.float32), 100, 0.2 if moving else 0.9)


def test_footage_of_the_same_camera_is_accepted(memory):
    check_memory(memory, SETTING, rate=12, scene=picture(0))
    check_memory(memory, SETTING)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoder": "x", "encoder_name": "big"}, "with the encoder mini .* not with big"),
        ({"width": 320, "height": 180}, "640x360, these have 320x180: another size; learn"),
        ({"width": 480}, "another size and another shape"),
        ({"cells": {"seen": {"size": 3}}}, "from cells made as"),
    ],
)
def test_a_memory_refuses_what_it_was_not_made_for(memory, change, reason):
    with pytest.raises(NormalityError, match=reason):
        check_memory(memory, replace(SETTING, **change))


@pytest.mark.parametrize("rate", [7.9, 12.6])
def test_a_memory_refuses_another_rate(memory, rate):
    with pytest.raises(NormalityError, match=r"look at 10 pictures a second \(--rate\)"):
        check_memory(memory, SETTING, rate=rate)


def test_a_memory_refuses_another_scene(memory):
    with pytest.raises(NormalityError, match=r"another scene.*--any-scene"):
        check_memory(memory, SETTING, scene=picture(1))


def test_cameras_that_move_are_not_compared(memory):
    check_memory(memory, SETTING, scene=picture(1, moving=True))
    check_memory(replace(memory, scene=picture(1, moving=True)), SETTING, scene=picture(0))


def test_light_does_not_make_another_scene():
    day = picture(0)
    night = Scene(40 - 0.1 * day.picture, 100, 0.9)
    lamp = Scene(day.picture * np.linspace(0.2, 1, SIZE[1], dtype=np.float32), 100, 0.9)
    assert likeness(day, night) > 0.9
    assert likeness(day, lamp) > 0.6
    assert likeness(day, picture(0, light=0.5)) > 0.8
    assert abs(likeness(day, picture(1))) < 0.25
    assert likeness(day, Scene(np.zeros(SIZE), 1, 0.9)) == 0


def test_a_camera_that_drives_is_seen_to_move():
    rng = np.random.default_rng(0)
    street_long = rng.integers(0, 255, (72, 2000, 3), np.uint8).repeat(2, axis=0)
    pictures = {
        "stands": [street_long[:, :192]] * 30,
        "drives": [street_long[:, 40 * i : 40 * i + 192] for i in range(30)],
    }
    moving = {}
    for name, frames in pictures.items():
        builder = SceneBuilder()
        builder.update(np.stack(frames))
        moving[name] = builder.scene().moving
    assert moving == {"stands": False, "drives": True}


def test_a_scene_of_pictures_too_small_for_it_is_refused():
    with pytest.raises(ValueError, match="from 48x36 on"):
        SceneBuilder().update(np.zeros((1, 20, 20, 3), np.uint8))


@pytest.mark.parametrize(
    "wrong",
    [{"keep": -1}, {"top": 0}, {"reach": -1}, {"window_s": -1}, {"local": 2}, {"stirred": -1}],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PartOptions(**wrong)


def test_the_fingerprint_tells_memories_apart(memory):
    assert memory.fingerprint == replace(memory, notes=("said",)).fingerprint
    assert memory.fingerprint != learned([street(20, seed=1)]).fingerprint


def test_a_memory_of_nothing_is_no_memory(memory):
    with pytest.raises(ValueError, match="needs a part"):
        replace(memory, parts={})
    part = memory.parts["seen"]
    with pytest.raises(ValueError, match="usual must be positive"):
        replace(part, usual=np.zeros_like(part.usual))
    with pytest.raises(ValueError, match="scale must be positive"):
        replace(part, scale=-part.scale)
    with pytest.raises(ValueError, match="entries must hold"):
        replace(part, entries=np.full_like(part.entries, np.nan))


@pytest.mark.shared
def test_real_cameras_are_told_apart_and_known_again(shared):
    from watchword.video.reader import ReadOptions, open_video
    from watchword.video.sampling import Sampling

    def scene(clip):
        builder = SceneBuilder()
        with open_video(
            shared / "data" / clip,
            sampling=Sampling(rate=2),
            options=ReadOptions(size=(224, 224), threads=1),
        ) as video:
            for frames in video:
                builder.update(frames.pixels)
        return builder.scene()

    ped2 = scene("ucsd_ped2/train/Train001.mp4"), scene("ucsd_ped2/train/Train012.mp4")
    avenue = scene("cuhk_avenue/train/12.mp4"), scene("cuhk_avenue/train/16.mp4")
    assert not any(one.moving for one in (*ped2, *avenue))
    assert likeness(*ped2) > 2 * SAME_SCENE
    assert likeness(*avenue) > 2 * SAME_SCENE
    assert max(likeness(one, other) for one in ped2 for other in avenue) < SAME_SCENE / 2
