"""Videos measured against memories while they are read."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from watchword.encoders.fake import FakeEncoder
from watchword.errors import NormalityError
from watchword.evidence.normality.memory import NormalMemory
from watchword.evidence.normality.scene import Scene
from watchword.pipeline.normality import MemoryWatch, OwnWatch, WatchedCells
from yard_clips import encoding, quick, watching, yard, yard_clip


def cells(info: object, encoder: FakeEncoder | None = None) -> WatchedCells:
    config = quick()
    return WatchedCells(
        config.normality,
        encoder or FakeEncoder(),
        config.change.cuts,
        info,  # type: ignore[arg-type]
    )


def measured(clip: Path, watch: MemoryWatch | OwnWatch, batch: int = 16) -> np.ndarray:
    encoder = FakeEncoder()
    encoder.batch_size = batch
    encoding(encoder).embed(clip, watcher=watch)
    found = watch.measured()
    return np.concatenate([found.values, found.surprise], axis=1)


def test_an_event_is_unlike_the_memory_and_another_calm_day_is_not(
    yards: Path, memory: NormalMemory
) -> None:
    calm = watching(memory=memory).detect(yards / "day.mp4")
    assert calm.events == ()
    found = watching(memory=memory).detect(yards / "event.mp4")
    (event,) = found.events
    assert event.start_s == pytest.approx(8.2, abs=0.5)
    # What things look like is a mean over the last moments: its end comes later.
    assert 8.8 < event.end_s < 13
    assert found.parts is not None
    assert found.parts.labels == ("motion", "appearance")


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_it_does_not_matter_how_the_video_is_cut_up(
    yards: Path, memory: NormalMemory, batch: int
) -> None:
    for watch in (lambda: MemoryWatch([memory], cells, any_scene=False), lambda: OwnWatch(cells)):
        np.testing.assert_allclose(
            measured(yards / "event.mp4", watch(), batch),
            measured(yards / "event.mp4", watch()),
            rtol=1e-3,
            atol=1e-4,
        )


def test_the_memory_of_the_right_camera_is_taken(
    yards: Path, memory: NormalMemory, other_memory: NormalMemory
) -> None:
    for given in ((memory, other_memory), (other_memory, memory)):
        for clip, right in (("day.mp4", memory), ("other.mp4", other_memory)):
            found = watching(memory=given).detect(yards / clip)
            assert found.provenance.fitted["normal"]["fingerprint"] == right.fingerprint


def test_a_memory_of_a_moving_camera_does_not_take_the_place_of_the_right_one(
    yards: Path, memory: NormalMemory, other_memory: NormalMemory
) -> None:
    scene = other_memory.scene
    moving = replace(other_memory, scene=Scene(scene.picture, scene.pictures, 0.1))
    found = watching(memory=(moving, memory)).detect(yards / "day.mp4")
    assert found.provenance.fitted["normal"]["fingerprint"] == memory.fingerprint


def test_memories_of_something_else_are_refused_with_the_reason(
    tmp_path: Path, yards: Path, memory: NormalMemory
) -> None:
    class Other(FakeEncoder):
        name, fingerprint = "other", "other-1"

    def refused(clip: Path, match: str, **options: object) -> None:
        with pytest.raises(NormalityError, match=match):
            watching(memory=memory, **options).detect(clip)

    refused(yards / "day.mp4", r"encoder fake \(fake-1\), not with other", encoder=Other())
    refused(yard_clip(tmp_path / "big.mp4", size=(320, 240)), "160x120, these have 320x240")
    refused(yards / "day.mp4", "5 pictures a second, these come at 2", sampling={"rate": 2.0})
    refused(yards / "other.mp4", "knows another scene.*--any-scene")
    refused(yards / "day.mp4", "cells made as", normality={"motion": {"cells": 9}})


def test_a_scene_that_looks_another_is_measured_where_that_is_asked_for(
    yards: Path, memory: NormalMemory
) -> None:
    options = {"normality": {"motion": {"cells": 8}, "any_scene": True}}
    found = watching(memory=memory, **options).detect(yards / "other.mp4")
    (event,) = found.events
    assert event.end_s - event.start_s > 10


def test_why_none_of_several_memories_fits_is_listed(
    yards: Path, other_memory: NormalMemory
) -> None:
    with pytest.raises(NormalityError, match=r"none of 2 memories fits: 1\. .*; 2\. "):
        watching(memory=(other_memory, other_memory)).detect(yards / "day.mp4")


def test_a_video_shorter_than_a_look_at_its_scene_is_measured(
    tmp_path: Path, memory: NormalMemory
) -> None:
    found = watching(memory=memory).detect(yard_clip(tmp_path / "short.mp4", seconds=1))
    assert len(found.scores) == 5
    assert not np.isnan(found.scores.values).any()


def test_seconds_that_were_lost_at_the_beginning_are_no_other_rate(
    tmp_path: Path, memory: NormalMemory
) -> None:
    paint = yard(seed=4)
    for number in range(40):
        Image.fromarray(paint(number, number / 5)).save(tmp_path / f"{number:02d}.png")
    for number in (1, 2, 3, 5, 6, 7):
        (tmp_path / f"{number:02d}.png").write_bytes(b"damaged")
    found = watching(memory=memory, read={"frame_rate": 5.0}).detect(tmp_path)
    assert np.isnan(found.scores.values).sum() == 2


def test_a_longer_video_holds_no_more_but_what_is_kept_of_each_picture(
    tmp_path: Path, memory: NormalMemory
) -> None:
    class Counted(MemoryWatch):
        def __call__(self, sight: object) -> None:
            super().__call__(sight)  # type: ignore[arg-type]
            held.append(tracemalloc.get_traced_memory()[0])

    held: list[int] = []
    clip = yard_clip(tmp_path / "long.mp4", seconds=120, seed=6)
    source = encoding()
    with source.sights(clip) as stream:
        watch = Counted([memory], cells, any_scene=False)
        watch.begin(stream.info)
        tracemalloc.start()
        for sight in stream:
            watch(sight)
        tracemalloc.stop()
    assert len(held) == 38
    # Heat of 16x16 cells at two bytes each, and four numbers of four bytes.
    a_picture = 16 * 16 * 2 + 4 * 4
    grown = held[-1] - held[9]
    assert grown < 16 * (len(held) - 10) * a_picture * 1.5


def test_what_is_set_down_of_a_video_is_gone_when_it_fails(tmp_path: Path) -> None:
    paint = yard()
    for number in range(20):
        Image.fromarray(paint(number, number / 10)).save(tmp_path / f"{number:02d}.png")
    watch = OwnWatch(cells)
    encoding().embed(tmp_path, watcher=watch)
    with pytest.raises(NormalityError, match="at least 50"):
        watch.measured()
    assert watch._spool._file.closed
