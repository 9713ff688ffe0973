"""The whole flow on videos made for the purpose, with the fake encoder, which knows colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline_clips import coloured, detector
from watchword.config import Config, apply
from watchword.encoders.base import Seen
from watchword.encoders.fake import FakeEncoder
from watchword.errors import EncoderError, KindMismatch, PromptError, VideoError
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import Progress, VideoEncoder


class CountingEncoder(FakeEncoder):
    """The fake encoder, counting the pictures and sentences that it is asked to encode."""

    pictures = 0
    sentences = 0
    lock = Lock()

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        with self.lock:
            self.pictures += len(prepared)
        return super().see(prepared, maps=maps)

    def encode_texts(self, texts: object, **options: object) -> NDArray[np.float32]:
        self.sentences += len(texts)  # type: ignore[arg-type]
        return super().encode_texts(texts, **options)  # type: ignore[arg-type]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return coloured(tmp_path / "clip.mp4")


def test_an_event_is_found_where_it_is(clip: Path) -> None:
    detection = detector().detect(clip)
    (event,) = detection.events
    assert event.label == "red"
    # Pictures are looked at ten times a second; the first red one starts the event.
    assert event.start_s == pytest.approx(2.0, abs=0.101)
    assert event.end_s == pytest.approx(4.0, abs=0.101)
    assert detection.decision.positive
    assert detection.decision.label == "red"
    assert detection.coverage.failed == 0
    assert detection.coverage.share == pytest.approx(1.0, abs=0.01)
    assert detection.provenance.encoder_name == "fake"


def test_every_frame_finds_it_to_the_frame(clip: Path) -> None:
    (event,) = detector(sampling={"rate": None}).detect(clip).events
    assert (event.start_s, event.end_s) == (pytest.approx(2.0), pytest.approx(4.0))


def test_a_second_question_encodes_no_picture_and_gives_other_events(clip: Path) -> None:
    encoder = CountingEncoder()
    first = detector(encoder)
    first.detect(clip)
    encoded = encoder.pictures
    assert encoded == first.detect(clip).coverage.frames
    other = Detector(["blue"], normal=["red"], config=first.config, encoder=encoder)
    detection = other.detect(clip)
    assert encoder.pictures == encoded
    assert detection.provenance.cached
    assert [round(event.start_s) for event in detection.events] == [0, 4]


def test_sentences_are_encoded_once_a_detector(clip: Path) -> None:
    encoder = CountingEncoder()
    asked = detector(encoder)
    asked.detect(clip)
    asked.detect(clip)
    assert encoder.sentences == 2


@pytest.mark.parametrize(
    "change",
    [{"sampling": {"rate": 5.0}}, {"stillness": {"enabled": True}}, {"read": {"size": (32, 32)}}],
)
def test_what_changes_the_pictures_encodes_again(clip: Path, change: dict[str, object]) -> None:
    encoder = CountingEncoder()
    detector(encoder).detect(clip)
    before = encoder.pictures
    detector(encoder, **change).detect(clip)
    assert encoder.pictures > before


def test_another_content_under_the_same_name_encodes_again(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    path = coloured(tmp_path / "clip.mp4")
    detector(encoder).detect(path)
    before = encoder.pictures
    coloured(path, red=(1, 2))
    (event,) = detector(encoder).detect(path).events
    assert encoder.pictures > before
    assert event.start_s == pytest.approx(1.0, abs=0.101)


def test_a_renamed_file_is_the_same_content(clip: Path) -> None:
    encoder = CountingEncoder()
    detector(encoder).detect(clip)
    before = encoder.pictures
    assert detector(encoder).detect(clip.rename(clip.with_name("other.mp4"))).provenance.cached
    assert encoder.pictures == before


def test_a_damaged_cache_entry_is_said_and_mended(clip: Path, own_home: Path) -> None:
    detector().detect(clip)
    (entry,) = own_home.rglob("*.safetensors")
    entry.write_bytes(entry.read_bytes()[:-50])
    detection = detector().detect(clip)
    assert not detection.provenance.cached
    assert any("encoded again" in note for note in detection.coverage.notes)
    mended = detector().detect(clip)
    assert mended.provenance.cached
    assert mended.coverage.notes == ()


def test_reuse_of_still_pictures_changes_little_and_is_counted(clip: Path) -> None:
    encoder = CountingEncoder()
    detection = detector(encoder, stillness={"enabled": True}).detect(clip)
    assert encoder.pictures < 10
    assert detection.coverage.reused == detection.coverage.frames - encoder.pictures
    assert detection.coverage.reused_share > 0.8
    (event,) = detection.events
    assert event.start_s == pytest.approx(2.0, abs=0.101)


def test_without_the_cache_nothing_is_kept(clip: Path, own_home: Path) -> None:
    detector(cache={"enabled": False}).detect(clip)
    assert list(own_home.rglob("*.safetensors")) == []


def test_a_model_that_gives_nan_is_an_error_and_caches_nothing(clip: Path, own_home: Path) -> None:
    class Broken(FakeEncoder):
        def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
            raise EncoderError("model gave NaN")

    with pytest.raises(EncoderError, match="NaN"):
        detector(Broken()).detect(clip)
    assert list(own_home.rglob("*.safetensors")) == []


def test_a_missing_video_is_an_error() -> None:
    with pytest.raises(VideoError, match=r"nowhere\.mp4"):
        detector().detect("nowhere.mp4")


def test_an_empty_prompt_is_an_error() -> None:
    with pytest.raises((PromptError, ValueError), match="empty"):
        Detector([" "], encoder=FakeEncoder())


def test_listeners_hear_of_progress_up_to_the_end(clip: Path) -> None:
    heard: list[Progress] = []
    detector().detect(clip, listener=heard.append)
    assert heard[-1].total_s == pytest.approx(6.0, abs=0.05)
    assert heard[-1].seen_s == pytest.approx(6.0, abs=0.15)
    assert [p.pictures for p in heard] == sorted(p.pictures for p in heard)


def test_batches_of_any_size_give_the_same_embeddings(clip: Path) -> None:
    class OneByOne(FakeEncoder):
        @property
        def batch_size(self) -> int:
            return 1

    config = replace(Config(), cache=replace(Config().cache, enabled=False))
    whole = VideoEncoder(config, encoder=FakeEncoder()).embed(clip).embeddings
    single = VideoEncoder(config, encoder=OneByOne()).embed(clip).embeddings
    np.testing.assert_array_equal(whole.vectors, single.vectors)
    np.testing.assert_array_equal(whole.edges_s, single.edges_s)


def test_windows_of_length_and_stride_come_out_of_the_same_cache(clip: Path) -> None:
    encoder = CountingEncoder()
    detector(encoder).detect(clip)
    before = encoder.pictures
    detection = detector(encoder, windows={"length": 16, "stride": 8}).detect(clip)
    assert encoder.pictures == before
    assert len(detection.scores) < 10


@pytest.mark.parametrize("segments", [{"frames": 10}, {"frames": 10, "mean": "score"}])
def test_the_balanced_rule_counts_segments(clip: Path, segments: dict[str, object]) -> None:
    balanced = {"rule": "balanced", "share_threshold": 0.3}
    decision = detector(segments=segments, decision=balanced).detect(clip).decision
    # Two of the six seconds are red, and a segment is one second.
    assert decision.score == pytest.approx(2 / 6)
    assert decision.positive


def test_a_kind_without_a_threshold_is_refused_before_the_video_is_read() -> None:
    with pytest.raises(KindMismatch, match=r"cosine scores have no threshold.*events\.enter"):
        Detector(
            ["red"], config=apply(Config(), {"score": {"kind": "cosine"}}), encoder=FakeEncoder()
        )


def test_the_threshold_that_was_taken_stands_in_the_provenance(clip: Path) -> None:
    asked = detector(score={"kind": "margin"}, events={"min_s": 0.0})
    assert asked.detect(clip).provenance.config["events"]["enter"] == 0


def test_a_cache_that_cannot_be_written_costs_no_result(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    detection = detector(cache={"folder": str(tmp_path / "file" / "cache")}).detect(clip)
    assert len(detection.events) == 1
    assert any("not kept for another time" in note for note in detection.coverage.notes)
