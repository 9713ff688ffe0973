from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub_server import COMMIT, Hub, serve
from models import make_clip_directory
from watchword.encoders import hub as hub_module
from watchword.encoders.catalog import load_encoder
from watchword.encoders.specs import EncoderSpec, FileSpec
from watchword.encoders.store import (
    cache_folder,
    default_encoder,
    installed,
    path,
    pull,
    remove,
    set_default_encoder,
    store_folder,
    verify,
)
from watchword.errors import ConfigError, EncoderError, ModelFileError, UnknownEncoder

NAME = "hf:someone/clip"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that holds a small CLIP as someone/clip."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = make_clip_directory(tmp_path / "upstream")
    with serve() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        served.repos["someone/clip"] = {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        } | {"README.md": b"text", "onnx/vision_model_fp16.onnx": b"large"}
        yield served


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's client waits seconds between its tries."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def left_behind() -> list[str]:
    """Everything in the store that is no whole model."""
    return [
        entry.name for entry in store_folder().iterdir() if not (entry / "manifest.json").is_file()
    ]


def pinned(hub: Hub, **wrong: object) -> EncoderSpec:
    """A catalogue entry for the hub's model, its files pinned; ``wrong`` for the tokenizer."""
    files = []
    for name in ("onnx/vision_model.onnx", "onnx/text_model.onnx", "tokenizer.json"):
        content = hub.repos["someone/clip"][name]
        told = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        files.append(FileSpec(name, **(told | (wrong if name == "tokenizer.json" else {}))))
    return EncoderSpec(NAME, repo="someone/clip", revision=COMMIT, files=tuple(files))


def test_a_model_of_the_hub_is_fetched_once_and_runs(hub: Hub) -> None:
    encoder = load_encoder(NAME)
    assert encoder.encode_texts(["a cat"]).shape == (1, 16)
    asked = len(hub.requests)
    again = load_encoder(NAME)
    assert len(hub.requests) == asked
    assert again.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(again.encode_texts(["a cat"]), encoder.encode_texts(["a cat"]))


def test_only_what_the_encoder_needs_is_fetched(hub: Hub) -> None:
    folder = pull(NAME)
    have = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert have == {
        "onnx/vision_model.onnx",
        "onnx/text_model.onnx",
        "tokenizer.json",
        "config.json",
        "preprocessor_config.json",
        "manifest.json",
    }


def test_weights_kept_beside_a_graph_come_with_it_and_strays_do_not(hub: Hub) -> None:
    hub.repos["someone/clip"] |= {
        "onnx/vision_model.onnx_data": b"weights",
        "onnx/vision_model.onnx_/../../../stray": b"stray",
    }
    assert (pull(NAME) / "onnx" / "vision_model.onnx_data").read_bytes() == b"weights"
    assert not any("stray" in request for request in hub.requests)


def test_the_manifest_records_where_each_byte_came_from(hub: Hub) -> None:
    told = json.loads((pull(NAME) / "manifest.json").read_text())
    assert (told["repo"], told["revision"]) == ("someone/clip", COMMIT)
    content = hub.repos["someone/clip"]["tokenizer.json"]
    assert told["files"]["tokenizer.json"] == {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_pulled_model_is_listed_found_and_removed(hub: Hub) -> None:
    folder = pull(NAME)
    (model,) = installed()
    assert (model.name, model.path, model.revision) == (NAME, folder, COMMIT)
    assert model.bytes == sum(f.stat().st_size for f in folder.rglob("*.*")) - (
        (folder / "manifest.json").stat().st_size
    )
    assert path(NAME) == folder
    remove(NAME)
    assert installed() == ()
    assert not folder.exists()


def test_progress_is_told_in_bytes(hub: Hub) -> None:
    seen: dict[str, tuple[int, int | None]] = {}
    pull(NAME, progress=lambda file, done, total: seen.update({file: (done, total)}))
    size = len(hub.repos["someone/clip"]["onnx/vision_model.onnx"])
    assert seen["onnx/vision_model.onnx"] == (size, size)


def test_nothing_is_shown_while_fetching(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    pull(NAME)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_an_unpinned_entry_records_the_commit_it_came_from(hub: Hub) -> None:
    spec = EncoderSpec(NAME, repo="someone/clip", files=(FileSpec("tokenizer.json"),))
    assert json.loads((pull(spec) / "manifest.json").read_text())["revision"] == COMMIT


def test_pinned_files_that_match_are_kept(hub: Hub) -> None:
    folder = pull(pinned(hub))
    assert (folder / "manifest.json").is_file()


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"bytes": 5}])
def test_a_file_that_is_not_what_the_catalogue_says_leaves_nothing(
    hub: Hub, wrong: dict[str, object]
) -> None:
    digest = hashlib.sha256(hub.repos["someone/clip"]["tokenizer.json"]).hexdigest()
    with pytest.raises(ModelFileError, match=rf"sha256 {digest}; expected were"):
        pull(pinned(hub, **wrong))
    assert left_behind() == []
    assert installed() == ()


def test_a_connection_that_breaks_leaves_nothing_and_a_second_pull_succeeds(
    hub: Hub, no_waiting: None
) -> None:
    hub.cut = "onnx/vision_model.onnx"
    with pytest.raises(EncoderError, match=r"vision_model\.onnx could not be fetched"):
        pull(NAME)
    assert left_behind() == []
    hub.cut = None
    assert (pull(NAME) / "onnx" / "vision_model.onnx").read_bytes() == hub.repos["someone/clip"][
        "onnx/vision_model.onnx"
    ]


def test_no_hub_at_all_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EncoderError, match="check the connection"):
        pull(NAME)


def test_a_file_from_a_hub_that_is_gone_is_said(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, no_waiting: None
) -> None:
    spec = pinned(hub)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EncoderError, match="check the connection"):
        pull(spec)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hf:someone/nothing", "no such repository"),
        (f"{NAME}@v9", "no such revision"),
        ("hf:some one/clip", "is no repository name"),
    ],
)
def test_a_wrong_address_is_said(hub: Hub, name: str, says: str) -> None:
    with pytest.raises(EncoderError, match=says):
        pull(name)
    assert left_behind() == []


def test_a_file_the_repository_has_not_is_said(hub: Hub) -> None:
    spec = EncoderSpec("x", repo="someone/clip", files=(FileSpec("vision.onnx"),))
    with pytest.raises(EncoderError, match=r"file vision\.onnx: the repository has no such file"):
        pull(spec)


def test_a_repository_without_a_model_is_refused(hub: Hub) -> None:
    hub.repos["someone/pickle"] = {"pytorch_model.bin": b"", "config.json": b"{}"}
    with pytest.raises(ModelFileError, match="other weights are not loaded"):
        pull("hf:someone/pickle")
    assert not any("pytorch_model" in request for request in hub.requests)


@pytest.mark.parametrize("switch", ["WATCHWORD_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_asks_nobody_and_says_what_is_missing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv(switch, "1")
    with pytest.raises(ModelFileError, match=r"onnx/vision_model\.onnx.*models pull clip-vit-b32"):
        load_encoder("clip-vit-b32")
    assert hub.requests == []


def test_offline_runs_what_is_here(hub: Hub) -> None:
    pull(NAME)
    asked = len(hub.requests)
    assert load_encoder(NAME, offline=True).dim == 16
    assert len(hub.requests) == asked


def test_a_file_that_changed_afterwards_is_refused(hub: Hub) -> None:
    folder = pull(NAME)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes() + b" ")
    with pytest.raises(ModelFileError, match=r"has changed since it was fetched.*models pull"):
        load_encoder(NAME)


def test_a_change_that_keeps_size_and_time_is_found_by_the_full_check(hub: Hub) -> None:
    folder = pull(NAME)
    verify(NAME)
    tokenizer = folder / "tokenizer.json"
    before = tokenizer.stat()
    content = bytearray(tokenizer.read_bytes())
    content[5] ^= 1
    tokenizer.write_bytes(content)
    os.utime(tokenizer, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelFileError, match="has changed"):
        verify(NAME, full=True)


def test_a_file_that_was_deleted_is_named(hub: Hub) -> None:
    (pull(NAME) / "tokenizer.json").unlink()
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is missing"):
        load_encoder(NAME)


def test_a_damaged_hash_memo_costs_time_only(hub: Hub, own_home: Path) -> None:
    pull(NAME)
    verify(NAME)
    (own_home / "hashes.json").write_text("{")
    verify(NAME)


def test_a_full_disk_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub_module, "hf_hub_download", full)
    with pytest.raises(EncoderError, match="the disk is full; free some space"):
        pull(NAME)
    assert left_behind() == []


def test_a_home_that_cannot_be_written_is_said(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WATCHWORD_HOME", str(tmp_path / "file"))
    with pytest.raises(EncoderError, match="set WATCHWORD_HOME"):
        pull(NAME)
    with pytest.raises(ConfigError, match="set WATCHWORD_HOME"):
        set_default_encoder("fake")


def test_built_in_models_are_neither_fetched_nor_removed() -> None:
    assert (path("mini") / "vision.onnx").is_file()
    with pytest.raises(EncoderError, match="mini is built in; there is nothing to fetch"):
        pull("mini")
    with pytest.raises(ModelFileError, match="mini is built in and stays"):
        remove("mini")
    with pytest.raises(ModelFileError, match="made of code alone"):
        path("fake")


def test_an_unknown_name_lists_the_known_ones() -> None:
    for ask in (path, pull, remove, load_encoder, set_default_encoder):
        with pytest.raises(UnknownEncoder, match=r"no encoder is called 'clip'; known are mini, c"):
            ask("clip")


def test_the_default_is_mini_until_another_is_chosen(tmp_path: Path) -> None:
    assert default_encoder() == "mini"
    set_default_encoder("clip-vit-b32")
    assert default_encoder() == "clip-vit-b32"
    set_default_encoder(str(tmp_path))
    assert default_encoder() == str(tmp_path.resolve())


def test_damaged_settings_are_refused(own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "settings.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"settings\.json is damaged; remove it"):
        default_encoder()


def test_everything_lies_under_watchword_home(own_home: Path) -> None:
    assert store_folder() == own_home / "models"
    assert cache_folder() == own_home / "cache"
