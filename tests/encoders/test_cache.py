"""The embedding cache: what comes back, and what is refused."""

from __future__ import annotations

import errno
import hashlib
import json
import tracemalloc
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from watchword.encoders.cache import CacheKey, EmbeddingCache, Encoded
from watchword.errors import CacheMismatch, OutputError
from watchword.features import Features, to_codes
from watchword.types import Coverage, Embeddings

KEY = CacheKey(video="v", sampling="s", encoder="e")


def unit(rows: int, width: int) -> NDArray[np.float32]:
    made = np.random.default_rng(width).standard_normal((rows, width)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[2] = np.nan
    return made


def encoded(rows: int = 5, *, width: int | None = 12) -> Encoded:
    """Rows of a video, with features of their own, or without where ``width`` is None."""
    coverage = Coverage(rows, failed=1, covered_s=0.4, expected_s=0.5, notes=("one frame lost",))
    edges = np.arange(rows + 1) / 10
    embeddings = Embeddings(unit(rows, 8), edges, "e", "v", coverage)
    values = embeddings.vectors if width is None else to_codes(unit(rows, width))
    return Encoded(embeddings, Features(values, edges, "e", "v"))


def check_equal(found: Encoded | None, truth: Encoded) -> None:
    assert found is not None
    np.testing.assert_array_equal(found.embeddings.vectors, truth.embeddings.vectors)
    np.testing.assert_array_equal(found.embeddings.edges_s, truth.embeddings.edges_s)
    np.testing.assert_array_equal(found.features.values, truth.features.values)
    np.testing.assert_array_equal(found.features.edges_s, truth.features.edges_s)


@pytest.mark.parametrize("width", [12, None])
def test_what_was_put_comes_back_equal_to_the_last_bit(tmp_path: Path, width: int | None) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, encoded(width=width))
    found = cache.get(KEY)
    check_equal(found, encoded(width=width))
    assert found is not None
    assert found.embeddings.coverage == encoded().embeddings.coverage
    assert (found.embeddings.encoder, found.embeddings.video) == ("e", "v")
    assert (found.features.encoder, found.features.video) == ("e", "v")
    assert (found.features.codes is None) == (width is None)


def test_an_entry_is_a_safetensors_file_like_any_other(tmp_path: Path) -> None:
    path = EmbeddingCache(tmp_path).put(KEY, encoded())
    ours = load_file(path)
    save_file(ours, tmp_path / "theirs")
    theirs = load_file(tmp_path / "theirs")
    truth = encoded()
    np.testing.assert_array_equal(theirs["vectors"], truth.embeddings.vectors)
    np.testing.assert_array_equal(theirs["edges_s"], truth.embeddings.edges_s)
    np.testing.assert_array_equal(theirs["features"], truth.features.values)


def test_features_that_are_the_vectors_are_kept_once(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, encoded(width=None))
    assert sorted(load_file(path)) == ["edges_s", "vectors"]
    found = cache.get(KEY)
    assert found is not None
    assert np.shares_memory(found.features.values, found.embeddings.vectors)


def test_an_entry_of_the_format_before_is_refused_under_its_name(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    # As the first format named its entries, and what it wrote.
    named = hashlib.sha256(b"1\nv\ns\ne").hexdigest()[:40]
    path = tmp_path / f"{named}.safetensors"
    truth = encoded()
    arrays = {"vectors": truth.embeddings.vectors, "edges_s": truth.embeddings.edges_s}
    told = {"format": "1", "key": json.dumps(asdict(KEY)), "checksum": "0"}
    save_file({name: array.copy() for name, array in arrays.items()}, path, told)
    with pytest.raises(CacheMismatch, match="format is '1', this version reads 2"):
        cache.get(KEY)
    assert cache.put(KEY, truth) == path
    check_equal(cache.get(KEY), truth)


def test_tables_of_unequal_length_are_refused(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    more = encoded(6).features
    cache.put(KEY, Encoded(encoded(5).embeddings, more))
    with pytest.raises(CacheMismatch, match="do not fit"):
        cache.get(KEY)


def test_parts_are_the_whole_and_one_at_a_time_is_held(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    assert cache.parts(KEY, 7) is None
    many = encoded(50_000)
    cache.put(KEY, many)
    parts = cache.parts(KEY, 700)
    assert parts is not None
    found = list(parts)
    assert [len(part) for part in found] == [700] * 71 + [300]
    vectors = np.concatenate([part.embeddings.vectors for part in found])
    np.testing.assert_array_equal(vectors, many.embeddings.vectors)
    values = np.concatenate([part.features.values for part in found])
    np.testing.assert_array_equal(values, many.features.values)
    starts = np.concatenate([part.embeddings.edges_s[:-1] for part in found])
    ends = found[-1].embeddings.edges_s[-1]
    np.testing.assert_array_equal([*starts, ends], many.embeddings.edges_s)
    assert found[0].embeddings.coverage == many.embeddings.coverage
    del found, vectors, values, starts
    tracemalloc.start()
    try:
        for part in cache.parts(KEY, 700) or ():
            assert len(part) in (700, 300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Times are held whole, 8 bytes a row, and the rows of the part (here 44 bytes a row) not.
    assert peak < many.embeddings.edges_s.nbytes + many.embeddings.vectors.nbytes // 4


def test_parts_of_a_damaged_or_lost_file_are_refused(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, encoded())
    parts = cache.parts(KEY, 2)
    assert parts is not None
    assert len(next(parts)) == 2
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(CacheMismatch, match="is refused"):
        next(parts)
    # The end of the file is the end of the features.
    path.write_bytes(whole[:-3] + b"xxx")
    with pytest.raises(CacheMismatch, match="checksum"):
        cache.parts(KEY, 2)


@pytest.mark.parametrize("part", ["video", "sampling", "encoder"])
def test_another_video_sampling_or_encoder_finds_nothing(tmp_path: Path, part: str) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, encoded())
    assert cache.get(replace(KEY, **{part: "other"})) is None


def test_every_damaged_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, encoded())
    whole = path.read_bytes()
    truth = encoded()
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
        check_equal(found, truth)
    assert refused > 20


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_file_cut_short_is_refused_with_the_reason(tmp_path: Path, keep: int) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, encoded())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CacheMismatch, match=r"is refused: .*cache clear"):
        cache.get(KEY)


def test_an_entry_put_under_another_name_is_refused(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    path = cache.put(KEY, encoded())
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
        EmbeddingCache(tmp_path).put(KEY, encoded())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        EmbeddingCache(tmp_path / "file" / "cache").put(KEY, encoded())


def test_info_lists_entries_and_names_damaged_ones(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, encoded())
    (tmp_path / "0000.safetensors").write_bytes(b"nothing")
    damaged, good = cache.entries()
    assert "is refused" in damaged.problem
    assert (good.windows, good.encoder, good.problem) == (5, "e", "")


def test_clear_removes_entries_and_unfinished_files_only(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(KEY, encoded())
    (tmp_path / "x.part").write_bytes(b"123")
    (tmp_path / "notes.txt").write_text("mine")
    count, freed = cache.clear()
    assert count == 2
    assert freed > 100
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
