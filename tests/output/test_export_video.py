"""Clips and annotated videos hold the right pictures at the right times."""

from __future__ import annotations

import csv
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthetic import coloured, frame_number, make_folder, make_video
from watchword.errors import OutputError, VideoError
from watchword.output.export.annotated import Painter
from watchword.output.export.writers import export
from watchword.types import Detection, Event, Prompt, PromptBank


def decoded(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.time or 0.0), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base)


def test_a_clip_holds_exactly_the_pictures_of_its_event(
    detection: Detection, tmp_path: Path
) -> None:
    folder = export(detection, tmp_path / "e.clips")
    with (folder / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["event-001-deer.mp4", "event-002-debris.mp4"]
    for row, numbers in zip(rows, (range(10, 25), range(40, 44)), strict=True):
        clip = decoded(folder / row["file"])
        assert [frame_number(picture) for _, picture in clip] == list(numbers)
        np.testing.assert_allclose([at_s for at_s, _ in clip], np.arange(len(clip)) / 10, atol=1e-4)
        expected_s = float(row["end_s"]) - float(row["start_s"])
        assert length_s(folder / row["file"]) == pytest.approx(expected_s, abs=1e-3)


def test_a_clip_that_starts_between_pictures_starts_with_the_one_on_screen(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    make_video(tmp_path / "v.mkv", times_s=[0.0, 0.5, 2.0, 2.1, 4.0], options={"g": "3", "bf": "0"})
    event = Event("deer", 1.0, 3.0, score=0.9, peak_s=1.0)
    folder = export(make_detection(tmp_path / "v.mkv", events=(event,)), tmp_path / "e.clips")
    clip = decoded(folder / "event-001-deer.mp4")
    assert [(round(at_s, 3), frame_number(picture)) for at_s, picture in clip] == [
        (0.0, 1), (1.0, 2), (1.1, 3),
    ]  # fmt: skip
    assert length_s(folder / "event-001-deer.mp4") == pytest.approx(2.0, abs=1e-3)


def test_odd_sizes_keep_their_pixels_and_colours_stay(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    size = (161, 121)
    path = tmp_path / "red.avi"
    make_video(path, seconds=1, size=size, painter=coloured(size=size, background=(200, 30, 40)))
    with av.open(str(path)) as container:
        before = next(container.decode(video=0)).to_ndarray(format="rgb24")
    event = Event("deer", 0.0, 0.5, score=0.9, peak_s=0.0)
    folder = export(make_detection(path, events=(event,)), tmp_path / "e.clips")
    (_, picture), *_ = decoded(folder / "event-001-deer.mp4")
    assert picture.shape == (122, 162, 3)
    np.testing.assert_allclose(picture[:121, :161].mean((0, 1)), before.mean((0, 1)), atol=4)


def test_labels_become_plain_file_names(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    labels = ("../../etc/Ünïcode \\ name?", "鹿", "CON" * 40)
    bank = PromptBank(tuple(Prompt(label, label) for label in labels))
    events = tuple(Event(label, k, k + 0.5, score=0.9, peak_s=k) for k, label in enumerate(labels))
    folder = export(make_detection(video, bank=bank, events=events), tmp_path / "e.clips")
    assert sorted(path.name for path in folder.iterdir()) == [
        "clips.csv",
        "event-001-etc-unicode-name.mp4",
        "event-002-event.mp4",
        f"event-003-{('con' * 40)[:60]}.mp4",
    ]
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == list(labels)


def test_a_folder_of_pictures_gives_clips_too(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    make_folder(tmp_path / "frames", pictures=30)
    event = Event("deer", 1.0, 1.3, score=0.9, peak_s=1.0)
    folder = export(make_detection(tmp_path / "frames", events=(event,)), tmp_path / "e.clips")
    clip = decoded(folder / "event-001-deer.mp4")
    assert [frame_number(picture) for _, picture in clip] == [10, 11, 12]


def test_an_event_behind_the_end_of_the_video_gives_no_clip_but_an_error(
    detection: Detection, tmp_path: Path
) -> None:
    late = replace(detection, events=(Event("deer", 60.0, 61.0, score=0.9, peak_s=60.0),))
    with pytest.raises(OutputError, match=r"event-001-deer\.mp4 would hold no picture"):
        export(late, tmp_path / "e.clips")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".clips", ".mp4"])
def test_a_video_that_is_gone_is_a_video_error_and_leaves_nothing(
    make_detection: Callable[..., Detection], tmp_path: Path, ending: str
) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: cannot be read again"):
        export(make_detection(tmp_path / "gone.mp4"), tmp_path / f"e{ending}")
    assert list(tmp_path.iterdir()) == []


def test_an_annotated_video_keeps_every_frame_at_its_time(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    times_s = make_video(
        tmp_path / "v.mp4", times_s=[0.0, 0.04, 0.5, 0.52, 2.0, 5.0], size=(320, 240)
    )
    path = export(make_detection(tmp_path / "v.mp4", size=(320, 240)), tmp_path / "e.mp4")
    found = decoded(path)
    np.testing.assert_allclose([at_s for at_s, _ in found], times_s, atol=1e-9)
    assert [frame_number(picture) for _, picture in found] == list(range(6))


def test_a_banner_stands_while_an_event_lasts_and_the_bars_follow_the_scores(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    size = (320, 240)
    path = tmp_path / "grey.mp4"
    make_video(
        path, seconds=6, rate=10, size=size, painter=coloured(size=size, background=(90, 90, 90))
    )
    found = decoded(export(make_detection(path, size=size), tmp_path / "e.mp4"))
    for number, (_, picture) in enumerate(found):
        in_event = 10 <= number < 25 or 40 <= number < 44
        banner = picture[2, -4].astype(int)
        assert (banner[0] > banner[2] + 80) == in_event


def test_what_was_not_measured_has_no_bar(detection: Detection) -> None:
    painter = Painter(detection, bars=4)

    def blue(at_s: float) -> int:
        picture = np.asarray(painter.paint(Image.new("RGB", (320, 240)), at_s)).astype(int)
        return int(((picture[..., 2] > 200) & (picture[..., 0] < 120)).sum())

    assert blue(2.9) > 50
    assert blue(3.05) == 0


def test_memory_stays_flat_however_long_the_video_is(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    script = (
        "import resource, sys, pickle\n"
        "from watchword.output.export.writers import export\n"
        "export(pickle.load(open(sys.argv[1], 'rb')), sys.argv[2])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for seconds in (4, 24):
        path = tmp_path / f"{seconds}.mp4"
        make_video(path, seconds=seconds, size=(640, 360))
        made = make_detection(path, size=(640, 360), rate=Fraction(25))
        (tmp_path / "d.pickle").write_bytes(pickle.dumps(made))
        result = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "d.pickle", tmp_path / f"e{seconds}.mp4"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(result.stdout))
    # 500 pictures more would be 340 MB.
    assert peaks[1] - peaks[0] < 30_000


def test_heat_lies_over_the_picture_of_its_moment_and_its_regions_are_outlined_in_an_event(
    unusual: Detection,
) -> None:
    heat = unusual.heat.values.copy()
    heat[40:44, 1:3, 5:7] = 4.0
    painter = Painter(replace(unusual, heat=replace(unusual.heat, values=heat)), bars=1)
    plain = Painter(unusual, bars=1, heat=False)

    def hot(at_s: float) -> tuple[int, int]:
        picture, bare = (
            np.asarray(p.paint(Image.new("RGB", (320, 240), (90, 90, 90)), at_s)).astype(int)
            for p in (painter, plain)
        )
        place = picture[40:120, 200:280]
        reddened = (place[..., 0] > place[..., 2] + 50).sum()
        assert (bare[40:120, 200:280] == 90).all()
        return int(reddened), int((place == 255).all(axis=2).sum())

    (in_event, outlined), (later, unlined), calm = hot(1.5), hot(4.1), hot(3.0)
    assert in_event > 4000
    assert later > 4000
    assert outlined > 200
    assert unlined == 0
    assert calm == (0, 0)


def test_the_colours_of_the_heat_are_explained_in_the_picture(unusual: Detection) -> None:
    with_heat, without = (
        np.asarray(Painter(made, bars=1).paint(Image.new("RGB", (320, 240)), 3.0)).astype(int)
        for made in (unusual, replace(unusual, heat=None))
    )
    foot = slice(222, 234)
    reddest = (with_heat[foot, 280:, 0] - with_heat[foot, 280:, 2]).max()
    assert reddest > 60
    assert (without[foot, 280:, 0] - without[foot, 280:, 2]).max() <= 0
