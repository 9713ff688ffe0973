"""How well videos, pictures and texts agree, with the fake encoder, which knows colours."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline_clips import BLUE, RED, coloured
from synthetic import make_video
from watchword.config import Config, apply
from watchword.encoders.base import Seen, encode_images
from watchword.encoders.fake import FakeEncoder
from watchword.errors import PromptError, VideoError
from watchword.evaluation.metrics.clipscore import PREFIX
from watchword.pipeline import embed
from watchword.pipeline.agreement import Agreement
from watchword.pipeline.embed import Progress, VideoEncoder
from watchword.pipeline.long_texts import encode_text, pieces
from watchword.video.picture import read_picture


class CountingEncoder(FakeEncoder):
    """The fake encoder, counting the pictures that it is asked to encode."""

    pictures = 0
    lock = Lock()

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        with self.lock:
            self.pictures += len(prepared)
        return super().see(prepared, maps=maps)


def agreement(encoder: FakeEncoder | None = None, **sections: object) -> Agreement:
    config = apply(Config(), {"sampling": {"rate": None}, **sections})
    return Agreement(config, encoder=encoder or FakeEncoder())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """150 pictures: blue, red from 2 to 4 s, blue."""
    return coloured(tmp_path / "clip.mp4")


def picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


# The stream that all of it rests on.


def whole(videos: VideoEncoder, clip: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    with videos.batches(clip) as stream:
        batches = list(stream)
    starts = np.concatenate([batch.pts_s for batch in batches])
    end = batches[-1].pts_s[-1] + batches[-1].duration_s[-1]
    return np.concatenate([batch.vectors for batch in batches]), np.append(starts, end)


def test_batches_are_the_embeddings_fresh_and_from_the_cache(clip: Path) -> None:
    encoder = CountingEncoder()
    videos = agreement(encoder).videos
    streamed, edges = whole(videos, clip)
    assert encoder.pictures == 150
    kept = videos.embed(clip)
    assert kept.cached
    assert encoder.pictures == 150
    np.testing.assert_array_equal(streamed, kept.embeddings.vectors)
    np.testing.assert_array_equal(edges, kept.embeddings.edges_s)
    again, again_edges = whole(videos, clip)
    np.testing.assert_array_equal(again, streamed)
    np.testing.assert_allclose(again_edges, edges, atol=1e-12)


def test_a_lost_stretch_is_one_row_of_nan_in_the_stream(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(40):
        picture(folder / f"{number}.png", RED if number >= 20 else BLUE)
    for number in range(14, 20):
        (folder / f"{number}.png").write_bytes(b"damaged")
    videos = agreement(cache={"enabled": False}).videos
    vectors, edges = whole(videos, folder)
    assert np.flatnonzero(np.isnan(vectors[:, 0])).tolist() == [14]
    assert edges[14:16] == pytest.approx([1.4, 2.0])
    np.testing.assert_array_equal(vectors, videos.embed(folder).embeddings.vectors)
    (red,) = agreement().video_text(folder, "red")
    assert (red.frames, red.failed) == (34, 6)
    assert red.mean == pytest.approx(np.nanmean(red.cosines))
    assert any("6 pictures lost" in note for note in red.notes)


def test_a_stream_that_is_left_early_closes_and_keeps_nothing(clip: Path, own_home: Path) -> None:
    with agreement().videos.batches(clip) as stream:
        next(stream)
    assert list(own_home.rglob("*.safetensors")) == []
    agreement().videos.batches(clip).close()


def test_long_videos_are_streamed_but_not_kept(
    clip: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "KEPT", 100)
    (found,) = agreement().video_text(clip, "red")
    assert found.frames == 150
    assert any("not kept" in note and "100 pictures" in note for note in found.notes)
    assert list(own_home.rglob("*.safetensors")) == []


def test_memory_does_not_grow_with_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Python allocates; the decoder's own memory is tested in tests/video.
    monkeypatch.setattr(embed, "KEPT", 64)

    def peak(seconds: float) -> int:
        clip = coloured(tmp_path / f"{seconds}.mp4", seconds=seconds)
        agreement(cache={"folder": str(tmp_path / "c")}).video_text(clip, "red")
        tracemalloc.start()
        try:
            agreement(cache={"folder": str(tmp_path / "c")}).video_text(clip, "red")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(4), peak(40)
    # 900 pictures more: less than a hundredth of what holding them would take (52 MB).
    assert long - short < 500_000


def test_progress_is_told(clip: Path) -> None:
    heard: list[Progress] = []
    agreement().video_text(clip, "red", listener=heard.append)
    assert heard[-1].pictures == 150


# Video and text.


def test_every_frame_has_the_cosine_of_its_vector_and_the_text(clip: Path) -> None:
    (found,) = agreement().video_text(clip, "red")
    vectors = agreement().videos.embed(clip).embeddings.vectors
    expected = vectors.astype(np.float64) @ FakeEncoder().encode_texts(["red"])[0]
    np.testing.assert_allclose(found.cosines, expected, atol=1e-6)
    np.testing.assert_allclose(found.pts_s, np.arange(150) / 25, atol=1e-6)
    assert found.frames == 150
    assert found.mean == pytest.approx(expected.mean(), abs=1e-6)
    assert found.median == pytest.approx(np.median(expected), abs=1e-6)
    assert found.definitions["std"] == pytest.approx(np.std(expected), abs=1e-6)
    assert found.model == "fake"


def test_the_prefix_is_put_before_the_text_and_nothing_else(clip: Path) -> None:
    (bare,) = agreement().video_text(clip, "red")
    (spelled,) = agreement().video_text(clip, f"{PREFIX}red")
    assert bare.definitions["hessel_prefixed"] == pytest.approx(spelled.definitions["hessel"])
    assert bare.definitions["hessel_prefixed"] != pytest.approx(bare.definitions["hessel"])


def test_several_texts_encode_the_video_once_and_change_nothing(clip: Path) -> None:
    encoder = CountingEncoder()
    several = agreement(encoder, cache={"enabled": False}).video_text(clip, ["red", "blue", "a"])
    assert encoder.pictures == 150
    for one, text in zip(several, ["red", "blue", "a"], strict=True):
        (alone,) = agreement().video_text(clip, text)
        assert alone.second == one.second == text
        assert alone.definitions == pytest.approx(one.definitions, abs=1e-12, nan_ok=False)


def test_references_give_refclipscore_and_their_absence_a_reason(clip: Path) -> None:
    (bare,) = agreement().video_text(clip, "red")
    assert bare.definitions["ref_clipscore"] is None
    assert "reference" in bare.undefined["ref_clipscore"]
    (found,) = agreement().video_text(clip, "red", references=["blue", "a red wall"])
    rows = FakeEncoder().encode_texts(["red", "blue", "a red wall"]).astype(np.float64)
    nearest = max(0.0, *(rows[1:] @ rows[0]))
    scores = 2.5 * np.maximum(found.cosines, 0)
    expected = np.mean(2 * scores * nearest / (scores + nearest))
    assert found.definitions["ref_clipscore"] == pytest.approx(expected, abs=1e-6)
    assert found.definitions["ref_clipscore_prefixed"] is not None


def test_sampling_looks_at_fewer_pictures(clip: Path) -> None:
    (found,) = agreement(sampling={"rate": None, "every": 10}).video_text(clip, "red")
    assert found.frames == 15


# Long texts.


def test_a_long_text_is_an_error_that_counts(clip: Path) -> None:
    with pytest.raises(PromptError, match="102 tokens, the model takes 77"):
        agreement().video_text(clip, "red " * 100)


def test_a_text_that_only_fits_without_the_prefix_lacks_only_those_scores(clip: Path) -> None:
    (found,) = agreement().video_text(clip, "red " * 74, references=["red"])
    assert found.definitions["hessel"] is not None
    assert found.definitions["hessel_prefixed"] is None
    assert found.definitions["ref_clipscore_prefixed"] is None
    assert found.definitions["ref_clipscore"] is not None
    assert any("no score with the prefix" in note and "79 tokens" in note for note in found.notes)


def test_truncation_is_announced_and_keeps_the_beginning(clip: Path) -> None:
    text = "red " * 75 + "blue " * 25
    (found,) = agreement().video_text(clip, text, long="truncate")
    assert any("102 tokens" in note and "last 25" in note for note in found.notes)
    vector, _ = encode_text(FakeEncoder(), text, long="truncate")
    np.testing.assert_array_equal(vector, FakeEncoder().encode_texts(["red " * 75])[0])


def test_chunks_are_the_mean_of_their_unit_vectors_weighted_by_tokens() -> None:
    encoder = FakeEncoder()
    first, second = "red " * 60 + "wall.", "blue " * 29 + "sky."
    vector, notes = encode_text(encoder, f"{first} {second}", long="chunks")
    parts = encoder.encode_texts([first, second]).astype(np.float64)
    mean = (61 * parts[0] + 30 * parts[1]) / 91
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert "2 parts" in notes[0]


def test_chunks_lose_no_word_and_all_fit() -> None:
    text = "One two three. " + "word " * 50 + "end. Last one!"
    parts = pieces(text, lambda part: len(part.split()) <= 7)
    assert " ".join(parts).split() == text.split()
    assert all(len(part.split()) <= 7 for part in parts)


def test_a_text_that_fits_is_left_alone_by_every_way() -> None:
    for long in ("error", "truncate", "chunks"):
        vector, notes = encode_text(FakeEncoder(), "red wall", long=long)
        np.testing.assert_array_equal(vector, FakeEncoder().encode_texts(["red wall"])[0])
        assert notes == ()


def test_wrong_texts_are_refused(clip: Path) -> None:
    with pytest.raises(PromptError, match="empty"):
        agreement().video_text(clip, "  ")
    with pytest.raises(ValueError, match="no text"):
        agreement().video_text(clip, [])
    with pytest.raises(ValueError, match="'cut'"):
        agreement().video_text(clip, "red", long="cut")  # type: ignore[arg-type]
    with pytest.raises(PromptError, match="alone"):
        pieces("a verylongword", lambda part: len(part) < 5)


# Pictures.


def test_a_video_and_a_picture(clip: Path, tmp_path: Path) -> None:
    red, blue = picture(tmp_path / "r.png", RED), picture(tmp_path / "b.png", BLUE)
    encoder = CountingEncoder()
    results = agreement(encoder, cache={"enabled": False}).video_image(clip, [red, blue])
    assert encoder.pictures == 152
    assert [one.second for one in results] == [str(red), str(blue)]
    # Two of six seconds are red.
    assert np.mean(results[0].cosines > 0.99) == pytest.approx(1 / 3)
    assert np.mean(results[1].cosines > 0.99) == pytest.approx(2 / 3)
    assert results[0].definitions["hessel_prefixed"] is None
    assert results[0].definitions["vbench_background_consistency"] is not None


def test_two_pictures_agree_as_their_vectors_do(tmp_path: Path) -> None:
    red, mixed = picture(tmp_path / "r.png", RED), picture(tmp_path / "m.png", (120, 20, 120))
    found = agreement().image_image(red, mixed)
    rows = encode_images(FakeEncoder(), np.stack([read_picture(red), read_picture(mixed)])).astype(
        np.float64
    )
    assert found.mean == pytest.approx(rows[0] @ rows[1], abs=1e-6)
    assert found.frames == 1
    assert found.definitions["consecutive_consistency"] is None
    assert agreement().image_image(red, red).mean == pytest.approx(1.0)
    (text,) = agreement().image_text(red, "red")
    assert text.mean is not None
    assert text.mean > 0.8


def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = 200
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    upright = read_picture(tmp_path / "turned.png")
    assert upright.shape == (60, 40, 3)
    assert (upright[:30] == 200).all()
    assert (upright[30:] == 0).all()


def test_a_picture_and_the_same_frame_are_the_same_to_the_built_in_model(tmp_path: Path) -> None:
    # It takes its frames scaled by the decoder, so a picture file must be scaled likewise.
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    folder = tmp_path / "video"
    folder.mkdir()
    Image.fromarray(np.kron(pixels, np.ones((6, 6, 1), np.uint8))).save(folder / "0.png")
    (found,) = Agreement().video_image(folder, folder / "0.png")
    assert found.mean == pytest.approx(1.0, abs=1e-6)
    assert "not CLIP" in found.notice


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("absent.png", None, "no such file"),
        ("empty.png", b"", "empty"),
        ("text.png", b"no picture at all", "cannot be read as a picture"),
        ("cut.png", "cut", "cannot be read as a picture"),
        ("folder", "folder", "is a folder"),
        ("moving.gif", "moving", "3 pictures; give it as a video"),
    ],
)
def test_bad_pictures_say_what_is_wrong(
    tmp_path: Path, name: str, content: bytes | str | None, problem: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "cut":
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:3000])
    elif content == "folder":
        path.mkdir()
    elif content == "moving":
        frames = [Image.new("P", (8, 8), number) for number in range(3)]
        frames[0].putpalette(list(range(256)) * 3)
        for frame in frames:
            frame.putpalette([value for n in range(256) for value in (n * 80 % 256, n, 0)])
        frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(VideoError, match=problem):
        agreement().image_text(path, "red")


def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="more than the 100 pixels allowed"):
        agreement(read={"max_pixels": 100}).image_text(picture(tmp_path / "a.png", RED), "red")


# Two videos.


def test_equal_videos_agree_by_every_alignment(clip: Path) -> None:
    for align in ("frame", "time", "best"):
        found = agreement().video_video(clip, clip, align=align)
        assert found.frames == 150
        assert found.cosines.min() == pytest.approx(1.0, abs=1e-6)
        assert found.notes[0].startswith(f"aligned by {align}: ")
        assert not any("left out" in note for note in found.notes)


def test_the_longer_video_is_left_out_from_where_it_is_alone(clip: Path, tmp_path: Path) -> None:
    short = coloured(tmp_path / "short.mp4", seconds=3)
    for align in ("frame", "time"):
        for first, second in ((clip, short), (short, clip)):
            found = agreement().video_video(first, second, align=align)
            assert found.frames == 75
            said = f"{clip} is longer: it was left out from 3.00 s on"
            assert said in found.notes, (align, first)


def test_frames_and_time_differ_between_videos_of_other_rates(tmp_path: Path) -> None:
    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        return np.full((48, 64, 3), RED if at_s >= 1 else BLUE, np.uint8)

    slow, fast = tmp_path / "slow.mp4", tmp_path / "fast.mp4"
    make_video(slow, seconds=2, rate=10, size=(64, 48), painter=paint)
    make_video(fast, seconds=2, rate=30, size=(64, 48), painter=paint)
    by_time = agreement().video_video(slow, fast, align="time")
    assert by_time.frames == 20
    assert by_time.cosines.min() > 0.99
    np.testing.assert_allclose(by_time.matched_s, by_time.pts_s, atol=1e-3)
    assert not any("left out" in note for note in by_time.notes)
    back = agreement().video_video(fast, slow, align="time")
    assert back.frames == 60
    assert back.cosines.min() > 0.99
    by_frame = agreement().video_video(slow, fast, align="frame")
    assert by_frame.frames == 20
    # The second ten of the slow video are red, those of the fast one are blue.
    assert by_frame.cosines[10:].max() < 0.5
    assert any("left out from 0.67 s on" in note for note in by_frame.notes)


def test_alignment_by_time_agrees_with_a_plain_search(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        return np.full((48, 64, 3), rng.integers(0, 255, 3), np.uint8)

    times = [np.concatenate([[0.0], np.cumsum(rng.uniform(0.02, 0.2, 60))]) for _ in range(2)]
    paths = [tmp_path / "a.mkv", tmp_path / "b.mkv"]
    for path, at in zip(paths, times, strict=True):
        make_video(path, times_s=at.tolist(), size=(64, 48), painter=paint)
    videos = agreement().videos
    one, other = (videos.embed(path).embeddings for path in paths)
    found = agreement().video_video(paths[0], paths[1], align="time")
    expected = [
        float(vector @ other.vectors[np.flatnonzero(other.edges_s[:-1] <= at + 2e-3)[-1]])
        for vector, at in zip(one.vectors, one.edges_s[:-1], strict=True)
        if at + 2e-3 < other.edges_s[-1]
    ]
    np.testing.assert_allclose(found.cosines, expected, atol=1e-5)


def test_the_best_match_is_the_most_similar_picture(clip: Path, tmp_path: Path) -> None:
    reversed_ = coloured(tmp_path / "r.mp4", seconds=4, red=(0, 1))
    found = agreement().video_video(clip, reversed_, align="best")
    assert found.cosines.min() > 0.99
    assert found.matched_s is not None
    assert (found.matched_s[60:90] < 1).all()
    assert (found.matched_s[:40] >= 1).all()
    assert any("100 vectors" in note and "held" in note for note in found.notes)


def test_lost_pictures_are_said_where_frames_are_counted(tmp_path: Path) -> None:
    whole_, holed = tmp_path / "whole", tmp_path / "holed"
    for folder in (whole_, holed):
        folder.mkdir()
        for number in range(30):
            picture(folder / f"{number}.png", RED if number >= 15 else BLUE)
    (holed / "5.png").write_bytes(b"damaged")
    by_frame = agreement().video_video(whole_, holed, align="frame")
    assert by_frame.frames == 29
    assert any("use time" in note for note in by_frame.notes)
    assert any(note.startswith(f"{holed}: 1 picture lost") for note in by_frame.notes)
    by_time = agreement().video_video(whole_, holed, align="time")
    assert by_time.frames == 29
    assert np.flatnonzero(np.isnan(by_time.cosines)).tolist() == [5]
    assert np.nanmin(by_time.cosines) > 0.99


def test_bad_videos_and_words_are_refused(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    for first, second in ((clip, tmp_path / "bad.mp4"), (tmp_path / "bad.mp4", clip)):
        with pytest.raises(VideoError, match=r"bad\.mp4"):
            agreement().video_video(first, second)
    with pytest.raises(ValueError, match="'middle'"):
        agreement().video_video(clip, clip, align="middle")  # type: ignore[arg-type]


def test_json_holds_everything_by_name(clip: Path) -> None:
    (found,) = agreement().video_text(clip, "red")
    plain = found.to_json(verbose=True)
    assert plain["definitions"]["raw_cosine"]["value"] == found.mean
    assert plain["definitions"]["ref_clipscore"]["undefined"]
    assert len(plain["cosines"]) == len(plain["pts_s"]) == 150
