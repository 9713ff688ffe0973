"""Exports hold the events at the times they have, in the other program's own way of counting."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic import frame_number, make_folder, make_video
from watchword.errors import OutputError
from watchword.output.export.numbering import Numbering, number_frames
from watchword.output.export.options import ExportOptions
from watchword.output.export.writers import WRITERS, export, find_writer
from watchword.types import Detection, Event, Prompt, PromptBank, Span, VideoInfo

ODD = "a <b>bold</b> & {\\an8} --> deer\r\nsecond 'line' 🦌"


@pytest.fixture
def odd(make_detection: Callable[..., Detection], video: Path) -> Detection:
    """One event whose label holds everything that caption formats give a meaning to."""
    bank = PromptBank((Prompt("x", ODD),))
    return make_detection(video, bank=bank, events=(Event(ODD, 1.0, 2.5, score=0.9, peak_s=1.0),))


def captions(path: Path) -> list[tuple[float, float]]:
    """(start, end) of each caption, as FFmpeg reads it."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        packets = [p for p in container.demux(stream) if p.size]
        return [
            (float(p.pts * p.time_base), float((p.pts + p.duration) * p.time_base))
            for p in packets
            if p.pts is not None and p.duration is not None
        ]


@pytest.mark.parametrize("ending", [".vtt", ".srt"])
def test_captions_stand_where_the_events_are(
    detection: Detection, tmp_path: Path, ending: str
) -> None:
    found = captions(export(detection, tmp_path / f"events{ending}"))
    assert found == [(1.0, 2.5), (4.0, 4.4)]


@pytest.mark.parametrize(("ending", "steering"), [(".vtt", "[<>]"), (".srt", "[<>{}]")])
def test_a_label_cannot_break_out_of_its_caption(
    odd: Detection, tmp_path: Path, ending: str, steering: str
) -> None:
    path = export(odd, tmp_path / f"events{ending}")
    assert captions(path) == [(1.0, 2.5)]
    cue = path.read_text(encoding="utf-8").rstrip("\n").split("\n")[-1]
    assert cue.endswith("second 'line' 🦌 (mini 0.90)")
    assert not re.search(steering, cue)


def test_a_vtt_file_carries_the_models_notice(odd: Detection, tmp_path: Path) -> None:
    path = export(replace(odd, notice="small --> things\nare missed"), tmp_path / "events.vtt")
    lines = path.read_text().split("\n")
    assert lines[:4] == ["WEBVTT", "", "NOTE Found by mini. small --&gt; things are missed", ""]


def test_an_edl_cuts_the_frames_of_each_event(detection: Detection, tmp_path: Path) -> None:
    lines = export(detection, tmp_path / "events.edl").read_text().splitlines()
    assert lines[:3] == ["TITLE: drive.mp4", "FCM: NON-DROP FRAME", ""]
    assert [line for line in lines if line[:3].isdigit()] == [
        "001  AX       V     C        00:00:01:00 00:00:02:05 00:00:01:00 00:00:02:05",
        "002  AX       V     C        00:00:04:00 00:00:04:04 00:00:04:00 00:00:04:04",
    ]
    assert "* COMMENT: deer (mini 0.88)" in lines


def test_an_edl_at_29_97_says_that_its_timecode_is_slow(
    detection: Detection, tmp_path: Path
) -> None:
    late = replace(detection, events=(Event("deer", 1001.0, 1002.001, score=0.9, peak_s=1001.0),))
    path = export(late, tmp_path / "events.edl", options=ExportOptions(rate=29.97))
    text = path.read_text()
    assert "29.970 frames a second are counted as 30" in text
    # 1001 s at 30000/1001 are 30,000 frames, which non-drop timecode calls 1000 s.
    assert "00:16:40:00 00:16:41:00" in text


def test_an_edl_of_a_thousand_events_is_refused(detection: Detection, tmp_path: Path) -> None:
    event = detection.events[0]
    export(replace(detection, events=(event,) * 999), tmp_path / "most.edl")
    with pytest.raises(OutputError, match="at most 999 events, got 1000; raise the threshold"):
        export(replace(detection, events=(event,) * 1000), tmp_path / "more.edl")
    assert not (tmp_path / "more.edl").exists()


def test_label_studio_gets_frames_from_one_and_inclusive(
    detection: Detection, tmp_path: Path
) -> None:
    (task,) = json.loads(export(detection, tmp_path / "e.labelstudio.json").read_text())
    assert task["data"] == {"video": detection.info.source, "frameRate": 10.0}
    (prediction,) = task["predictions"]
    assert [region["value"] for region in prediction["result"]] == [
        {"ranges": [{"start": 11, "end": 25}], "timelinelabels": ["deer"]},
        {"ranges": [{"start": 41, "end": 44}], "timelinelabels": ["debris"]},
    ]
    assert {region["type"] for region in prediction["result"]} == {"timelinelabels"}


def test_cvat_gets_tracks_from_zero_that_end_outside(odd: Detection, tmp_path: Path) -> None:
    to_the_end = Event(ODD, 5.5, 6.0, score=0.9, peak_s=5.5)
    both = replace(odd, events=(*odd.events, to_the_end))
    root = ET.parse(export(both, tmp_path / "e.cvat.xml")).getroot()
    assert root.findtext("version") == "1.1"
    assert root.findtext("meta/task/size") == "60"
    boxes = [
        [(box.get("frame"), box.get("outside")) for box in track] for track in root.findall("track")
    ]
    assert boxes == [[("10", "0"), ("25", "1")], [("55", "0")]]
    corner = root.find("track/box")
    assert corner is not None
    assert [corner.get(k) for k in ("xtl", "ytl", "xbr", "ybr")] == [
        "0.00",
        "0.00",
        "160.00",
        "120.00",
    ]
    names = {track.get("label") for track in root.findall("track")}
    assert names == {root.findtext("meta/task/labels/label/name")}


def test_fiftyone_gets_supports_from_one_and_inclusive(
    detection: Detection, tmp_path: Path
) -> None:
    labels = json.loads(export(detection, tmp_path / "e.fiftyone.json").read_text())
    assert labels["classes"] == ["deer", "debris"]
    assert [
        (e["label"], e["support"], e["timestamps"], e["confidence"])
        for e in labels["labels"]["drive"]
    ] == [(0, [11, 25], [1.0, 2.5], 0.875), (1, [41, 44], [4.0, 4.4], 0.75)]


def test_the_plain_formats_are_those_of_a_run(detection: Detection, tmp_path: Path) -> None:
    document = json.loads(export(detection, tmp_path / "e.json").read_text())
    assert document["schema_version"] == "1"
    with export(detection, tmp_path / "e.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["deer", "debris"]


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_an_event_without_a_score_is_exported_without_one(
    detection: Detection, tmp_path: Path, ending: str
) -> None:
    unscored = replace(detection, events=(Event("deer", 1.0, 2.5),))
    path = export(unscored, tmp_path / f"e{ending}")
    texts = [path, *path.glob("*.csv")] if path.is_dir() else [path]
    for text in texts:
        if text.suffix in (".mp4", ".clips"):
            continue
        written = text.read_text()
        assert "deer" in written
        assert re.search(r"\bnan\b", written, re.IGNORECASE) is None


def test_uneven_frames_are_numbered_by_their_own_times(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    times_s = [0.0, 0.1, 0.9, 1.0, 1.5, 2.4, 2.5, 2.6, 4.0, 4.1]
    make_video(tmp_path / "uneven.mp4", times_s=times_s)
    uneven = make_detection(tmp_path / "uneven.mp4")
    labels = json.loads(export(uneven, tmp_path / "e.fiftyone.json").read_text())
    assert [e["support"] for e in labels["labels"]["uneven"]] == [[4, 6], [9, 10]]
    for ending in (".edl", ".labelstudio.json"):
        with pytest.raises(OutputError, match="not evenly spaced; give the frames a second"):
            export(uneven, tmp_path / f"e{ending}")
        export(uneven, tmp_path / f"e{ending}", options=ExportOptions(rate=25))


def test_a_video_that_is_gone_needs_a_rate_to_be_numbered(
    make_detection: Callable[..., Detection], tmp_path: Path
) -> None:
    gone = make_detection(tmp_path / "gone.mp4")
    with pytest.raises(OutputError, match=r"cannot be counted: .*gone\.mp4: .*as rate"):
        export(gone, tmp_path / "e.cvat.xml")
    root = ET.parse(export(gone, tmp_path / "e.cvat.xml", options=ExportOptions(rate=10))).getroot()
    assert root.find("meta/task/size") is None
    assert [box.get("frame") for box in root.iter("box")] == ["10", "25", "40", "44"]


def test_frames_are_numbered_as_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    make_video(path, seconds=3, options={"bf": "3", "g": "30"})
    numbering = number_frames(VideoInfo(str(path), 160, 120, rate=Fraction(25)))
    assert numbering.rate == 25
    assert numbering.times_s is not None
    with av.open(str(path)) as container:
        shown = [(frame.time, frame_number(frame.to_ndarray(format="rgb24")))
                 for frame in container.decode(video=0)]  # fmt: skip
    assert [number for _, number in shown] == list(range(75))
    np.testing.assert_allclose(numbering.times_s, [at_s for at_s, _ in shown], atol=1e-9)


def test_a_folder_of_pictures_is_numbered_by_its_rate(tmp_path: Path) -> None:
    make_folder(tmp_path / "frames", pictures=12)
    info = VideoInfo(str(tmp_path / "frames"), 160, 120, rate=Fraction(10))
    assert number_frames(info).frames(Span("", 0.3, 0.5)) == (3, 5)
    with pytest.raises(OutputError, match="without a rate"):
        number_frames(replace(info, rate=None))


@given(
    rate=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(10)]),
    first=st.integers(0, 100_000),
    length=st.integers(1, 5000),
)
def test_a_span_between_frames_comes_back_as_these_frames(
    rate: Fraction, first: int, length: int
) -> None:
    span = Span("", float(first / rate), float((first + length) / rate))
    assert Numbering(None, rate).frames(span) == (first, first + length)


@given(start_s=st.floats(0, 20), length_s=st.floats(0.001, 3))
def test_the_frames_of_a_span_are_those_that_come_on_screen_in_it(
    start_s: float, length_s: float
) -> None:
    times_s = np.cumsum(np.random.default_rng(5).choice([0.04, 0.5, 2.0], 60)) - 0.04
    span = Span("", start_s, start_s + length_s)
    first, end = Numbering(times_s, None).frames(span)
    inside = [n for n, at_s in enumerate(times_s) if start_s - 1e-5 <= at_s < span.end_s - 1e-5]
    on_screen = max((n for n, at_s in enumerate(times_s) if at_s < start_s), default=0)
    assert list(range(first, end)) == (inside or [on_screen])


def test_the_longest_ending_decides_and_an_unknown_one_lists_those_there_are() -> None:
    assert find_writer("a.LabelStudio.json").name == "Label Studio"
    assert find_writer("a.b.json").name == "JSON"
    assert find_writer("out/clips").name == "clips"
    with pytest.raises(OutputError, match=r"ending of 'a\.docx'; known endings are \.vtt, \.srt"):
        find_writer("a.docx")


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_what_a_user_has_is_replaced_only_when_asked(
    detection: Detection, tmp_path: Path, ending: str
) -> None:
    path = export(detection, tmp_path / f"e{ending}")
    with pytest.raises(OutputError, match="is there already"):
        export(detection, path)
    assert export(detection, path, overwrite=True) == path
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"rate": 0}, "rate is 0"), ({"crf": 52}, "crf is 52"), ({"bars": 0}, "bars is 0")],
)
def test_settings_out_of_range_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExportOptions(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ending",
    [".vtt", ".srt", ".edl", ".labelstudio.json", ".cvat.xml", ".fiftyone.json", ".csv", ".json"],
)
def test_every_export_names_the_model(detection: Detection, tmp_path: Path, ending: str) -> None:
    path = export(detection, tmp_path / f"e{ending}")
    assert detection.provenance.encoder_name in path.read_text(encoding="utf-8")


def test_every_format_holds_an_event_that_needed_no_words(
    unusual: Detection, tmp_path: Path
) -> None:
    for ending in WRITERS:
        export(unusual, tmp_path / f"e{ending}")
    said = "unusual (mini 3.60: motion 3.6, change 1.3)"
    for ending in (".vtt", ".srt", ".edl"):
        assert said in (tmp_path / f"e{ending}").read_text()
    labels = json.loads((tmp_path / "e.fiftyone.json").read_text())["labels"]
    ((found,),) = labels.values()
    assert found["attributes"]["raised_by"] == "motion=3.6;change=1.3"
    for table in (tmp_path / "e.csv", tmp_path / "e.clips" / "clips.csv"):
        with table.open(newline="") as file:
            assert [row["raised_by"] for row in csv.DictReader(file)] == ["motion=3.6;change=1.3"]
