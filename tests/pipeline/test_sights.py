"""Pictures with all that the encoder sees: one pass beside ``embed``, and what is kept of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file, save_file

from pipeline_clips import coloured
from watchword.config import Config, apply
from watchword.encoders.base import Encoder, Seen
from watchword.encoders.catalog import load_encoder
from watchword.encoders.fake import FakeEncoder
from watchword.features import from_codes, to_codes
from watchword.pipeline import embed
from watchword.pipeline.embed import Embedded, Progress, VideoEncoder
from watchword.pipeline.stream import Sight
from watchword.types import VideoInfo
from watchword.video.reader import ReadOptions, open_video


class Featured(FakeEncoder):
    """The fake encoder with features: the sixteen by sixteen colours. It counts pictures."""

    feature_dim = 768
    fingerprint = "featured-1"

    def __init__(self) -> None:
        self.pictures = 0
        self._lock = Lock()

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        with self._lock:
            self.pictures += len(prepared)
        rows = prepared.reshape(len(prepared), -1) + np.float32(0.01)
        return replace(
            super().see(prepared, maps=maps),
            features=rows / np.linalg.norm(rows, axis=1, keepdims=True),
        )


class Watched:
    """Keeps what it is shown: which videos, and their pictures."""

    def __init__(self) -> None:
        self.videos: list[VideoInfo] = []
        self.sights: list[Sight] = []

    def begin(self, info: VideoInfo) -> None:
        self.videos.append(info)

    def __call__(self, sight: Sight) -> None:
        assert self.videos, "pictures before the video was named"
        self.sights.append(sight)


def videos(encoder: Encoder | None = None, **sections: object) -> VideoEncoder:
    return VideoEncoder(apply(Config(), sections), encoder=encoder or Featured())


def seen(source: VideoEncoder, clip: Path) -> list[Sight]:
    with source.sights(clip) as stream:
        return list(stream)


def joined(sights: list[Sight], name: str) -> NDArray[np.float32]:
    return np.concatenate([getattr(sight, name) for sight in sights])


def features(embedded: Embedded) -> NDArray[np.float32]:
    return embedded.features.rows(slice(None))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return coloured(tmp_path / "clip.mp4")


@pytest.fixture
def holed(tmp_path: Path) -> Path:
    """Forty pictures that change, of which two in a row cannot be read."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (32, 24), (6 * number, 100, 200)).save(folder / f"{number:02d}.png")
    for number in (21, 22):
        (folder / f"{number}.png").write_bytes(b"damaged")
    return folder


def test_a_sight_holds_the_pictures_and_what_the_encoder_makes_of_them(clip: Path) -> None:
    source = videos()
    sights = seen(source, clip)
    with open_video(clip, options=ReadOptions(batch=16)) as stream:
        pixels = np.concatenate([frames.pixels for frames in stream])
    np.testing.assert_array_equal(joined(sights, "pixels"), pixels)
    whole = source.encoder.see(source.encoder.prepare(pixels), maps=True)
    assert whole.maps is not None
    np.testing.assert_array_equal(joined(sights, "vectors"), whole.vectors)
    np.testing.assert_array_equal(joined(sights, "maps"), whole.maps)
    assert np.abs(joined(sights, "features") - whole.features).max() < 0.01
    assert not joined(sights, "after_hole").any()


def test_sights_fill_the_cache_for_words(clip: Path) -> None:
    source = videos()
    sights = seen(source, clip)
    encoded = source.encoder.pictures
    embedded = source.embed(clip)
    assert embedded.cached
    assert source.encoder.pictures == encoded == len(embedded.embeddings)
    np.testing.assert_array_equal(joined(sights, "vectors"), embedded.embeddings.vectors)
    np.testing.assert_array_equal(joined(sights, "features"), features(embedded))


def test_a_watcher_sees_all_while_the_video_is_encoded_once(clip: Path) -> None:
    source = videos(cache={"enabled": False})
    watched = Watched()
    embedded = source.embed(clip, watcher=watched)
    assert source.encoder.pictures == len(embedded.embeddings) == sum(map(len, watched.sights))
    assert watched.videos == [embedded.info]
    plain = videos(cache={"enabled": False}).embed(clip)
    np.testing.assert_array_equal(embedded.embeddings.vectors, plain.embeddings.vectors)
    np.testing.assert_array_equal(features(embedded), features(plain))
    assert embedded.embeddings.coverage == plain.embeddings.coverage


def test_a_watcher_gets_its_pictures_although_the_cache_has_the_vectors(clip: Path) -> None:
    source = videos()
    source.embed(clip)
    watched = Watched()
    assert not source.embed(clip, watcher=watched).cached
    assert sum(map(len, watched.sights)) == 60


def test_a_second_pass_begins_anew_and_gives_the_same(clip: Path) -> None:
    source = videos()
    first, second = seen(source, clip), seen(source, clip)
    for name in ("pixels", "maps", "features", "pts_s"):
        np.testing.assert_array_equal(joined(first, name), joined(second, name))


def test_a_pass_that_is_left_early_keeps_nothing_and_leaves_no_thread(
    clip: Path, own_home: Path
) -> None:
    with videos().sights(clip) as stream:
        next(stream)
    assert not list(own_home.rglob("*.safetensors"))
    assert not any(t.name.startswith("watchword-ahead") for t in threading.enumerate())


def test_a_hole_is_flagged_in_sights_and_a_row_of_nan_in_what_is_kept(holed: Path) -> None:
    source = videos()
    sights = seen(source, holed)
    assert len(joined(sights, "pixels")) == 38
    (after,) = np.flatnonzero(joined(sights, "after_hole"))
    assert joined(sights, "pts_s")[after] == pytest.approx(2.3)
    for embedded in (source.embed(holed), videos(cache={"enabled": False}).embed(holed)):
        lost = np.isnan(embedded.embeddings.vectors[:, 0])
        np.testing.assert_array_equal(np.flatnonzero(lost), [21])
        np.testing.assert_array_equal(np.isnan(features(embedded)).all(axis=1), lost)
        np.testing.assert_array_equal(features(embedded)[~lost], joined(sights, "features"))


def test_a_hole_between_two_batches_is_flagged_too(holed: Path) -> None:
    source = videos()
    source.encoder.batch_size = 21
    sights = seen(source, holed)
    assert [len(sight) for sight in sights] == [21, 17]
    assert sights[1].after_hole.tolist() == [True] + [False] * 16


def test_reused_pictures_have_the_maps_and_features_of_the_one_before(tmp_path: Path) -> None:
    for number in range(40):
        Image.new("RGB", (32, 24), (2 * number, 100, 200)).save(tmp_path / f"{number:02d}.png")
    source = videos(stillness={"enabled": True})
    sights = seen(source, tmp_path)
    # Two grey levels a picture: every third differs by the threshold from the last that was new.
    fresh = np.repeat(np.arange(0, 40, 3), 3)[:40]
    assert source.encoder.pictures == 14
    pixels = joined(sights, "pixels")
    assert pixels[:, 0, 0, 0].tolist() == list(range(0, 80, 2))
    own = source.encoder.see(source.encoder.prepare(pixels), maps=True)
    assert own.maps is not None
    assert own.features is not None
    np.testing.assert_array_equal(joined(sights, "maps"), own.maps[fresh])
    kept = from_codes(to_codes(own.features))
    np.testing.assert_array_equal(joined(sights, "features"), kept[fresh])


def test_features_stay_a_row_a_picture_where_windows_are_longer(clip: Path) -> None:
    long = videos(windows={"length": 16, "stride": 8}).embed(clip)
    each = videos().embed(clip)
    assert len(long.embeddings) < len(long.features) == len(each.embeddings)
    np.testing.assert_array_equal(long.features.edges_s, each.embeddings.edges_s)


def test_batches_have_the_same_features_fresh_and_from_the_cache(holed: Path) -> None:
    source = videos()
    for cached in (False, True):
        with source.batches(holed) as stream:
            assert stream.cached == cached
            rows = np.concatenate([batch.features for batch in stream])
        np.testing.assert_array_equal(rows, features(source.embed(holed)))


def test_an_encoder_without_features_gives_its_vectors(clip: Path) -> None:
    source = videos(FakeEncoder())
    (first, *_) = seen(source, clip)
    np.testing.assert_array_equal(first.features, first.vectors)
    for _ in range(2):
        embedded = source.embed(clip)
        assert np.shares_memory(embedded.features.values, embedded.embeddings.vectors)


def test_an_encoder_without_maps_gives_none(clip: Path) -> None:
    class Mapless(FakeEncoder):
        map_shape = None

        def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
            return super().see(prepared)

    assert all(sight.maps is None for sight in seen(videos(Mapless()), clip))


def test_an_entry_without_features_of_an_older_format_is_encoded_again(
    clip: Path, own_home: Path
) -> None:
    truth = videos().embed(clip)
    (path,) = own_home.rglob("*.safetensors")
    arrays = load_file(path)
    del arrays["features"]
    save_file(arrays, path, {"format": "1"})
    again = videos().embed(clip)
    (note,) = again.embeddings.coverage.notes
    assert "encoded again" in note
    assert "format is '1'" in note
    np.testing.assert_array_equal(features(again), features(truth))
    assert videos().embed(clip).cached


def test_damaged_features_are_said_and_mended(clip: Path, own_home: Path) -> None:
    truth = videos().embed(clip)
    (path,) = own_home.rglob("*.safetensors")
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    again = videos().embed(clip)
    assert any("checksum" in note for note in again.embeddings.coverage.notes)
    np.testing.assert_array_equal(features(again), features(truth))
    assert videos().embed(clip).cached


def test_too_many_pictures_are_let_go_and_said(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "KEPT", 40)
    source = videos()
    with source.sights(clip) as stream:
        assert sum(map(len, stream)) == 60
        assert any("memory stays flat" in note for note in stream.coverage.notes)
    assert not source.embed(clip).cached


def test_listeners_hear_of_a_pass_up_to_its_end(clip: Path) -> None:
    heard: list[Progress] = []
    with videos().sights(clip, listener=heard.append) as stream:
        assert sum(map(len, stream)) == heard[-1].pictures == 60


def test_what_the_watcher_raises_ends_the_pass(clip: Path, own_home: Path) -> None:
    class Full(Watched):
        def __call__(self, sight: Sight) -> None:
            raise RuntimeError("full")

    with pytest.raises(RuntimeError, match="full"):
        videos().embed(clip, watcher=Full())
    assert not list(own_home.rglob("*.safetensors"))
    assert not any(t.name.startswith("watchword-ahead") for t in threading.enumerate())


@pytest.mark.shared
@pytest.mark.parametrize("name", ["ucsd_ped2/test/Test001.mp4", "dada"])
def test_the_built_in_model_sees_real_clips_alike_in_every_way(shared: Path, name: str) -> None:
    path = shared / "data" / name
    clip = path if path.suffix else sorted(path.glob("*.mp4"))[0]
    source = VideoEncoder(Config(), encoder=load_encoder("mini"))
    sights = seen(source, clip)
    maps = joined(sights, "maps")
    assert maps.shape[1:] == source.encoder.map_shape == (112, 14, 14)
    prepared = source.encoder.prepare(joined(sights, "pixels"))
    whole = source.encoder.see(prepared, maps=True)
    assert whole.features is not None
    np.testing.assert_array_equal(whole.maps, maps)
    np.testing.assert_array_equal(whole.vectors, joined(sights, "vectors"))
    assert np.linalg.norm(joined(sights, "features") - whole.features, axis=1).max() < 0.02
    kept = source.embed(clip)
    assert kept.cached
    np.testing.assert_array_equal(features(kept), joined(sights, "features"))
