"""The whole flow where more speaks than words: change, normality, and words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chi2

from synthetic import make_video
from watchword.config import apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import ConfigError, NormalityError
from watchword.evidence.normality.memory import NormalMemory
from watchword.pipeline.detector import WITHOUT_WORDS, Detector
from watchword.types import Detection
from yard_clips import quick, watching, yard, yard_clip

ALONE = "Told by change alone, since the video cannot be compared with itself: "
CHANGE = {"evidence": {"kinds": ["words", "change"]}}


def mean_odds(kinds: Sequence[np.ndarray]) -> np.ndarray:
    """The harmonic mean of the chances of kinds (T,), as far as they were measured."""
    odds = np.nanmean([10.0 ** np.asarray(kind, np.float64) for kind in kinds], axis=0)
    return np.maximum(np.log10(odds), 0)


def chance_of_sum(parts: np.ndarray) -> np.ndarray:
    """Fisher's chance of the sum of the parts (T,P) of a kind, as far as they were measured."""
    known = (~np.isnan(parts)).sum(axis=1)
    total = np.nansum(parts, axis=1, dtype=np.float64)
    said = -chi2.logsf(2 * np.log(10) * total, 2 * np.maximum(known, 1)) / np.log(10)
    return np.where(known > 0, said, np.nan)


def test_what_happens_suddenly_is_found_without_a_word(eventful: Detection) -> None:
    (event,) = eventful.events
    assert event.label == "unusual"
    assert event.start_s == pytest.approx(8.2, abs=0.5)
    assert event.end_s == pytest.approx(9.0, abs=0.5)
    assert eventful.decision.positive
    assert eventful.scores.kind == "surprise"
    assert eventful.bank is None
    assert eventful.notice == WITHOUT_WORDS


def test_a_calm_video_has_no_event(yards: Path) -> None:
    calm = watching().detect(yards / "calm.mp4")
    assert calm.events == ()
    assert not calm.decision.positive


def test_the_parts_and_what_they_are_made_into_stay_visible(eventful: Detection) -> None:
    parts = eventful.parts
    assert parts is not None
    assert parts.labels == ("change", "motion", "appearance")
    np.testing.assert_array_equal(parts.edges_s, eventful.scores.edges_s)
    whole = mean_odds([parts["change"], chance_of_sum(parts.values[:, 1:])])
    np.testing.assert_allclose(eventful.scores["unusual"], whole, atol=1e-4)
    (event,) = eventful.events
    at = np.searchsorted(parts.edges_s, event.peak_s, side="right") - 1
    said = {name: float(parts[name][at]) for name in parts.labels}
    assert dict(event.raised_by) == pytest.approx(said)
    strengths = [value for _, value in event.raised_by]
    assert strengths == sorted(strengths, reverse=True)


def test_heat_lies_over_the_same_windows(eventful: Detection) -> None:
    heat = eventful.heat
    assert heat is not None
    assert heat.values.shape == (80, 16, 16)
    np.testing.assert_array_equal(heat.edges_s, eventful.scores.edges_s)


def test_provenance_says_that_the_video_was_its_own_measure(eventful: Detection) -> None:
    fitted = eventful.provenance.fitted["normal"]
    assert fitted["itself"]
    assert [Path(video).name for video in fitted["videos"]] == ["event.mp4"]
    assert eventful.provenance.config["evidence"]["kinds"] == ["change", "normality"]


def test_a_cut_is_a_cut_and_no_event(tmp_path: Path) -> None:
    calm = yard()

    def paint(index: int, at_s: float) -> np.ndarray:
        picture = calm(index, at_s)
        return picture if at_s < 8 else (picture // 4 + np.array((0, 0, 190))).astype(np.uint8)

    make_video(tmp_path / "cut.mp4", seconds=16, rate=5, painter=paint)
    found = watching(evidence={"kinds": ["change"]}).detect(tmp_path / "cut.mp4")
    assert found.cuts_s == (pytest.approx(8.0),)
    assert found.events == ()
    assert found.heat is None


@pytest.mark.parametrize("seconds", [0.2, 3.0])
def test_a_short_video_is_told_by_change_alone_and_says_so(tmp_path: Path, seconds: float) -> None:
    clip = yard_clip(tmp_path / "short.mp4", seconds=seconds)
    found = watching().detect(clip)
    assert found.parts is not None
    assert found.parts.labels == ("change",)
    assert found.heat is None
    (note,) = found.coverage.notes
    assert note.startswith(ALONE)
    assert "at least 50 over 10 s" in note
    with pytest.raises(NormalityError, match="at least 50 over 10 s"):
        watching(memory="self").detect(clip)


@pytest.mark.parametrize(
    ("name", "reason"), [("black", "frozen"), ("frozen", "frozen"), ("tiny", "16x16 are too small")]
)
def test_what_shows_nothing_usual_is_told_by_change_alone(
    tmp_path: Path, name: str, reason: str
) -> None:
    clip = tmp_path / f"{name}.mp4"
    if name == "tiny":
        yard_clip(clip, size=(16, 16))
    else:
        still = yard()(0, 0.0) if name == "frozen" else np.zeros((120, 160, 3), np.uint8)
        lossless = {"crf": "0"}
        make_video(clip, seconds=16, rate=5, painter=lambda index, at_s: still, options=lossless)
    found = watching().detect(clip)
    assert found.events == ()
    (note,) = found.coverage.notes
    assert note.startswith(ALONE)
    assert reason in note
    with pytest.raises(NormalityError, match=reason):
        watching(memory="self").detect(clip)


def test_words_beside_change_need_a_video_that_says_what_is_usual(tmp_path: Path) -> None:
    clip = yard_clip(tmp_path / "short.mp4", seconds=3)
    with pytest.raises(NormalityError, match="weigh words alone"):
        watching(["red"], **CHANGE).detect(clip)
    assert watching(["red"]).detect(clip).parts is None


def test_what_goes_on_throughout_a_video_is_usual_in_it(tmp_path: Path) -> None:
    clip = yard_clip(tmp_path / "all.mp4", event=(0.0, 16.0))
    found = watching(evidence={"kinds": ["normality"]}).detect(clip)
    # But for the moment in which the mean of its first pictures settles.
    assert sum(event.end_s - event.start_s for event in found.events) < 1
    assert found.coverage.notes == ()


def test_words_beside_change_name_what_was_sudden(yards: Path) -> None:
    found = watching(["red"], **CHANGE).detect(yards / "event.mp4")
    (event,) = found.events
    assert event.label == "red"
    assert found.parts is not None
    assert found.parts.labels == ("words: red", "change")
    assert {name for name, _ in event.raised_by} == {"words: red", "change"}
    assert found.scores.kind == "surprise"
    whole = mean_odds([found.parts["words: red"], found.parts["change"]])
    np.testing.assert_allclose(found.scores["red"], whole, atol=1e-4)


def test_labels_may_have_the_names_of_parts(yards: Path, memory: NormalMemory) -> None:
    kinds = {"evidence": {"kinds": ["words", "change", "normality"]}}
    asked = watching(["red", "change", "motion", "unusual"], memory=memory, **kinds)
    found = asked.detect(yards / "event.mp4")
    assert found.scores.labels == ("red", "change", "motion", "unusual")
    assert found.parts is not None
    assert found.parts.labels == (
        *("words: red", "words: change", "words: motion", "words: unusual"),
        *("change", "motion", "appearance"),
    )
    for event in found.events:
        words = [name for name, _ in event.raised_by if name.startswith("words: ")]
        assert words == [f"words: {event.label}"]


def test_words_beside_a_memory_are_measured_by_what_they_say_of_it(
    yards: Path, memory: NormalMemory
) -> None:
    asked = watching(["red"], memory=memory)
    calm, found = asked.detect(yards / "day.mp4"), asked.detect(yards / "event.mp4")
    assert calm.parts is not None
    assert found.parts is not None
    assert np.nanmedian(calm.parts["words: red"]) < 1
    assert np.nanmax(found.parts["words: red"]) > 3
    assert calm.events == ()
    assert [event.label for event in found.events] == ["red"]
    assert found.provenance.fitted["normal"]["fingerprint"] == memory.fingerprint
    assert not found.provenance.fitted["normal"]["itself"]


def test_what_could_not_be_decoded_is_nan_everywhere_in_the_same_place(tmp_path: Path) -> None:
    paint = yard()
    for number in range(160):
        Image.fromarray(paint(number, number / 10)).save(tmp_path / f"{number:03d}.png")
    for number in (100, 101, 102):
        (tmp_path / f"{number}.png").write_bytes(b"damaged")
    kinds = {"evidence": {"kinds": ["words", "change", "normality"]}}
    found = watching(["red"], memory="self", sampling={"rate": 10.0}, **kinds).detect(tmp_path)
    assert found.parts is not None
    assert found.heat is not None
    lost = np.isnan(found.scores["red"])
    np.testing.assert_array_equal(np.flatnonzero(lost), [100])
    assert found.scores.edges_s[100:102] == pytest.approx([10.0, 10.3])
    np.testing.assert_array_equal(np.isnan(found.parts["change"]), lost)
    np.testing.assert_array_equal(np.isnan(found.parts["appearance"]), lost)
    # Motion begins anew behind the hole, and at the beginning.
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.parts["motion"])), [0, 100, 101])
    np.testing.assert_array_equal(np.isnan(found.heat.values).all(axis=(1, 2)), lost)


def test_only_single_pictures_are_weighed_together() -> None:
    with pytest.raises(ConfigError, match=r"windows\.length is 16"):
        watching(windows={"length": 16})


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        (None, {"evidence": {"kinds": ["words"]}}, "say what to watch for"),
        (["red"], {"evidence": {"kinds": ["change"]}}, "add words"),
        (None, {"memory": "self", "evidence": {"kinds": ["change"]}}, "add normality"),
        (None, {"memory": ()}, "no memory is given"),
    ],
)
def test_evidence_that_contradicts_what_is_given_is_refused(
    prompts: list[str] | None, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        watching(prompts, **options)


def test_an_encoder_without_maps_has_motion_alone(yards: Path) -> None:
    class Mapless(FakeEncoder):
        map_shape = None

    found = watching(encoder=Mapless()).detect(yards / "event.mp4")
    assert found.parts is not None
    assert found.parts.labels == ("change", "motion")
    with pytest.raises(NormalityError, match="no maps"):
        watching(encoder=Mapless(), normality={"parts": ["appearance"]}).detect(yards / "calm.mp4")


def test_the_fingerprint_of_the_evidence_is_of_all_that_makes_the_scores(
    yards: Path, memory: NormalMemory, other_memory: NormalMemory
) -> None:
    def prints(detector: Detector) -> str:
        return detector.detect(yards / "day.mp4").provenance.prompts

    change = {"evidence": {"kinds": ["change"]}}
    one = prints(watching(memory=memory))
    assert one == prints(watching(memory=memory))
    others = [
        prints(watching(**change)),
        prints(watching(**change, change={"step_s": 0.3})),
        prints(watching(["red"], memory=memory)),
        prints(watching(["green"], memory=memory)),
        prints(watching(["red"], memory=memory, score={"kind": "margin"})),
        prints(watching(memory=(memory, other_memory))),
    ]
    assert len({one, *others}) == 1 + len(others)


def test_words_alone_are_as_they_were(yards: Path) -> None:
    found = watching(["red"]).detect(yards / "event.mp4")
    assert found.scores.kind == "contrast"
    assert (found.parts, found.heat, found.cuts_s) == (None, None, ())
    assert "normal" not in found.provenance.fitted


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("odd.mkv", {"size": (97, 61), "pix_fmt": "yuv444p"}),
        ("ten.mp4", {"pix_fmt": "yuv420p10le"}),
        ("interlaced.mp4", {"options": {"flags": "+ilme+ildct"}}),
        ("variable.mkv", {"times_s": [0.2 * i + 0.07 * (i % 3) for i in range(90)]}),
    ],
)
def test_unusual_kinds_of_video_are_measured(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    found = watching().detect(yard_clip(tmp_path / name, **options))
    assert found.parts is not None
    assert found.parts.labels == ("change", "motion", "appearance")
    assert not np.isnan(found.scores.values).any()
    assert found.events == ()


def test_pictures_without_colour_are_measured_by_what_moves(tmp_path: Path) -> None:
    clip = yard_clip(tmp_path / "grey.mp4", pix_fmt="gray")
    config = {"normality": {"motion": {"cells": 8}, "parts": ["motion"]}}
    found = Detector(config=apply(quick(), config), encoder=FakeEncoder()).detect(clip)
    assert found.parts is not None
    assert found.parts.labels == ("change", "motion")
    assert found.events == ()
