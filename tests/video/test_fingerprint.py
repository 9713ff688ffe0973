"""Fingerprints stand for content, and the memo never gives the one of another content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from synthetic import make_folder
from watchword.errors import VideoError
from watchword.video import fingerprint as module
from watchword.video.fingerprint import FingerprintMemo, fingerprint


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"pictures" * 100_000)
    return path


def test_a_file_has_the_sha256_of_its_bytes(clip: Path) -> None:
    assert fingerprint(clip) == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_a_folder_depends_on_the_names_and_bytes_of_its_pictures_only(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames", pictures=3)
    first = fingerprint(folder)
    (folder / "notes.txt").write_text("not a picture")
    assert fingerprint(folder) == first
    (folder / "2.jpg").rename(folder / "3.jpg")
    renamed = fingerprint(folder)
    (folder / "1.jpg").write_bytes((folder / "0.jpg").read_bytes())
    assert len({first, renamed, fingerprint(folder)}) == 3


def test_a_url_has_no_fingerprint(tmp_path: Path) -> None:
    assert fingerprint("https://example.org/a.mp4") is None
    assert FingerprintMemo(tmp_path / "memo").fingerprint("http://example.org/a.mp4") is None


def test_a_missing_file_is_a_video_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"absent.mp4: cannot be read"):
        fingerprint(tmp_path / "absent.mp4")
    with pytest.raises(VideoError, match=r"absent.mp4: cannot be read"):
        FingerprintMemo(tmp_path / "memo").fingerprint(tmp_path / "absent.mp4")


def test_an_unchanged_file_is_not_read_again(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = tmp_path / "deep" / "memo.json"
    first = FingerprintMemo(memo).fingerprint(clip)
    monkeypatch.setattr(module, "_of_file", lambda path: pytest.fail("read again"))
    assert (
        FingerprintMemo(memo).fingerprint(clip)
        == first
        == FingerprintMemo(memo).fingerprint(str(clip))
    )


@pytest.mark.parametrize("same_size", [True, False])
def test_a_changed_file_gets_its_new_fingerprint(
    clip: Path, tmp_path: Path, same_size: bool
) -> None:
    memo = FingerprintMemo(tmp_path / "memo.json")
    memo.fingerprint(clip)
    old = clip.stat()
    data = b"Pictures" * 100_000 if same_size else b"else"
    clip.write_bytes(data)
    os.utime(clip, ns=(old.st_atime_ns, old.st_mtime_ns + 1))
    assert memo.fingerprint(clip) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1]", b'{"%s": 5}', b'{"%s": {"state": 1, "sha256": "x"}}'],
)
def test_a_damaged_memo_is_written_anew(clip: Path, tmp_path: Path, content: bytes) -> None:
    memo = tmp_path / "memo.json"
    memo.write_bytes(content.replace(b"%s", str(clip.resolve()).encode()))
    assert FingerprintMemo(memo).fingerprint(clip) == fingerprint(clip)
    assert FingerprintMemo(memo).fingerprint(clip) == fingerprint(clip)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "memo.json"]


def test_a_memo_that_cannot_be_written_costs_nothing_but_time(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memo = FingerprintMemo(tmp_path / "file" / "memo.json")
    assert memo.fingerprint(clip) == fingerprint(clip)


def test_the_memo_forgets_the_oldest_entries(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT", 2)
    memo = FingerprintMemo(tmp_path / "memo.json")
    paths = [tmp_path / f"{k}.mp4" for k in range(3)]
    for path in paths:
        path.write_bytes(clip.read_bytes())
        memo.fingerprint(path)
    kept = (tmp_path / "memo.json").read_text()
    assert [path.name in kept for path in paths] == [False, True, True]
