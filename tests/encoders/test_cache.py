"""The embedding cache: what comes back, and what is refused."""

from __future__ import annotations

import errno
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from watchword.encoders.cache import CacheKey, EmbeddingCache
from watchword.errors import CacheMismatch, OutputError
from watchword.types import Coverage, Embeddings

KEY = CacheKey(video="v", sampling="s", encoder="e")


def embeddings(rows: int = 5) -> Embeddings:
    vectors = np.random.default_rng(0).standard_normal((rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[2] = np.nan
    coverage = Coverage(rows, failed=1, covered_s=0.4, expected_s=0.5, notes=("one frame lost",))
    return Embeddings(vectors, np.arange(rows + 1) / 10, "e", "v", coverage)


def test_what_was_put_comes_back_equal_to_the_last_bit(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, embeddings())
    found = cache.get(KEY)
    assert found is not None
    np.testing.assert_array_equal(found.vectors, embeddings().vectors)
    np.testing.assert_array_equal(found.edges_s, embeddings().edges_s)
    assert found.coverage == embeddings().coverage
    assert (found.encoder, found.video) == ("e", "v")


def test_an_entry_is_a_safetensors_file_like_any_other(tmp_path: Path) -> None:
    path = EmbeddingCache(tmp_path).put(KEY, embeddings())
    ours = load_file(path)
    save_file({name: ours[name] for name in ("vectors", "edges_s")}, tmp_path / "theirs")
    np.testing.assert_array_equal(ours["vectors"], embeddings().vectors)
    theirs = load_file(tmp_path / "theirs")
    np.testing.assert_array_equal(theirs["edges_s"], embeddings().edges_s)


def test_parts_are_the_whole_and_one_at_a_time_is_held(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    assert cache.parts(KEY, 7) is None
    many = embeddings(50_000)
    cache.put(KEY, many)
    parts = cache.parts(KEY, 700)
    assert parts is not None
    found = list(parts)
    assert [len(part) for part in found] == [700] * 71 + [300]
    vectors = np.concatenate([part.vectors for part in found])
    np.testing.assert_array_equal(vectors, many.vectors)
    starts = np.concatenate([part.edges_s[:-1] for part in found])
    np.testing.assert_array_equal([*starts, found[-1].edges_s[-1]], many.edges_s)
    assert found[0].coverage == found[-1].coverage == many.coverage
    del found, vectors, starts
    tracemalloc.start()
    try:
        for part in cache.parts(KEY, 700) or ():
            assert len(part) in (700, 300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Times are held whole, 8 bytes a row, and the vectors of the part (here 32 bytes a row) not.
    assert peak < many.edges_s.nbytes + many.vectors.nbytes // 4


def test_parts_of_a_damaged_or_lost_file_are_refused(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, embeddings())
    parts = cache.parts(KEY, 2)
    assert parts is not None
    assert len(next(parts)) == 2
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(CacheMismatch, match="is refused"):
        next(parts)
    path.write_bytes(whole[:-3] + b"xxx")
    with pytest.raises(CacheMismatch, match="checksum"):
        cache.parts(KEY, 2)


@pytest.mark.parametrize("part", ["video", "sampling", "encoder"])
def test_another_video_sampling_or_encoder_finds_nothing(tmp_path: Path, part: str) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, embeddings())
    assert cache.get(replace(KEY, **{part: "other"})) is None


def test_every_damaged_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, embeddings())
    whole = path.read_bytes()
    truth = embeddings()
    refused = 0
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x41
        path.write_bytes(bytes(damaged))
        try:
            found = cache.get(KEY)
        except CacheMismatch:
            refused += 1
            continue
        assert found is not None
        np.testing.assert_array_equal(found.vectors, truth.vectors)
        np.testing.assert_array_equal(found.edges_s, truth.edges_s)
    assert refused > 20


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_file_cut_short_is_refused_with_the_reason(tmp_path: Path, keep: int) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, embeddings())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CacheMismatch, match=r"is refused: .*cache clear"):
        cache.get(KEY)


def test_an_entry_put_under_another_name_is_refused(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, embeddings())
    other = replace(KEY, video="another")
    path.rename(tmp_path / f"{other.digest}.safetensors")
    with pytest.raises(CacheMismatch, match="was made for"):
        cache.get(other)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("watchword.encoders.cache._write", full)
    with pytest.raises(OutputError, match=r"No space left.*--no-cache"):
        EmbeddingCache(tmp_path).put(KEY, embeddings())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        EmbeddingCache(tmp_path / "file" / "cache").put(KEY, embeddings())


def test_info_lists_entries_and_names_damaged_ones(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, embeddings())
    (tmp_path / "0000.safetensors").write_bytes(b"nothing")
    damaged, good = cache.entries()
    assert "is refused" in damaged.problem
    assert (good.windows, good.encoder, good.problem) == (5, "e", "")


def test_clear_removes_entries_and_unfinished_files_only(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, embeddings())
    (tmp_path / "x.part").write_bytes(b"123")
    (tmp_path / "notes.txt").write_text("mine")
    count, freed = cache.clear()
    assert count == 2
    assert freed > 100
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
