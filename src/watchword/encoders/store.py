"""The models on this machine: fetched once, checked, kept, and removed; and which is the default.

Everything lies under ``$WATCHWORD_HOME`` (or the system's folder for user data): ``models/NAME/``
with a ``manifest.json`` that names every file's size and sha256, and ``settings.json``. A model
appears whole or not at all: files come into a draft folder that is renamed when all of them match.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from watchword.encoders.directory import LAYOUTS, SMALL_FILES, WEIGHTS, read_json
from watchword.encoders.hashes import HashMemo, sha256
from watchword.encoders.hub import Progress, fetch, is_offline, list_files
from watchword.encoders.specs import CATALOG, EncoderSpec, FileSpec
from watchword.errors import ConfigError, EncoderError, ModelFileError, UnknownEncoder

FORMAT = 1
DEFAULT = "mini"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model in the store: its name, folder, where it came from, and its size in bytes."""

    name: str
    path: Path
    repo: str
    revision: str
    licence: str
    bytes: int


def home() -> Path:
    """The folder that holds everything Watchword keeps for this user."""
    told = os.environ.get("WATCHWORD_HOME")
    return Path(told).expanduser() if told else platformdirs.user_data_path("watchword")


def store_folder() -> Path:
    """Where fetched models lie."""
    return home() / "models"


def cache_folder() -> Path:
    """Where embeddings are kept: under WATCHWORD_HOME if set, else the system's cache folder."""
    if os.environ.get("WATCHWORD_HOME"):
        return home() / "cache"
    return platformdirs.user_cache_path("watchword")


def hash_memo() -> HashMemo:
    """Hashes of model files that have not changed since they were last read."""
    return HashMemo(home() / "hashes.json")


def default_encoder() -> str:
    """Name of the encoder used when none is named: the user's choice, or ``mini``."""
    return str(_settings().get("encoder", DEFAULT))


def set_default_encoder(name: str) -> None:
    """Makes an encoder this user's default.

    Raises:
        UnknownEncoder: it is no catalogue name, hf: name or existing directory.
        ConfigError: the settings cannot be written.
    """
    if name not in CATALOG and not name.startswith("hf:"):
        if not Path(name).expanduser().is_dir():
            raise UnknownEncoder(name, CATALOG)
        # A relative name would mean another folder tomorrow.
        name = str(Path(name).expanduser().resolve())
    path = home() / "settings.json"
    settings = {**_settings(), "encoder": name}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
        draft.replace(path)
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be written: {exc}; set WATCHWORD_HOME to a folder that can"
        ) from exc


def _settings() -> dict[str, Any]:
    path = home() / "settings.json"
    try:
        return read_json(path)
    except ModelFileError as exc:
        raise ConfigError(f"{path} is damaged; remove it, or mend it: {exc}") from exc


def spec_of(name: str) -> EncoderSpec:
    """The spec of a catalogue name, or one for ``hf:OWNER/REPO[@REVISION]``.

    Raises:
        UnknownEncoder: it is neither.
    """
    if name in CATALOG:
        return CATALOG[name]
    repo, _, revision = name.removeprefix("hf:").partition("@")
    if not name.startswith("hf:") or repo.count("/") != 1:
        raise UnknownEncoder(name, CATALOG)
    return EncoderSpec(
        name, repo=repo, revision=revision or "main", licence="see the repository's page"
    )


def installed() -> tuple[Installed, ...]:
    """The models in the store, by name. Built-in ones are not among them."""
    found = []
    for manifest in sorted(store_folder().glob("*/manifest.json")):
        told = read_json(manifest)
        size = sum(int(file["bytes"]) for file in told.get("files", {}).values())
        found.append(
            Installed(
                name=str(told.get("name", manifest.parent.name)),
                path=manifest.parent,
                repo=str(told.get("repo", "")),
                revision=str(told.get("revision", "")),
                licence=str(told.get("licence", "")),
                bytes=size,
            )
        )
    return tuple(found)


def path(name: str) -> Path:
    """The folder of a model that is here.

    Raises:
        UnknownEncoder: no encoder has that name.
        ModelFileError: it has not been fetched; the message says how.
    """
    spec = spec_of(name)
    if spec.name == "mini":
        return Path(__file__).parent / "mini"
    if not spec.repo:
        raise ModelFileError(f"{name} has no files: it is made of code alone")
    folder = _folder(spec)
    if not (folder / "manifest.json").is_file():
        missing = ", ".join(file.path for file in spec.files) or "every file"
        raise ModelFileError(
            f"{name} is not on this machine (missing: {missing}); fetch it on a connected machine "
            f"with: watchword models pull {name}, or copy a folder that holds it to {folder}"
        )
    return folder


def remove(name: str) -> None:
    """Deletes a fetched model.

    Raises:
        ModelFileError: it is built in, is not here, or cannot be deleted.
    """
    if not spec_of(name).repo:
        raise ModelFileError(f"{name} is built in and stays")
    folder = path(name)
    try:
        # The manifest first: without it what may be left counts as nothing.
        (folder / "manifest.json").unlink()
        shutil.rmtree(folder)
    except OSError as exc:
        raise ModelFileError(f"{folder} cannot be removed: {exc}") from exc


def verify(name: str, *, full: bool = False) -> Path:
    """The folder of a model after its files were compared with its manifest.

    Files whose size and time of change are as when they were last read are taken as unchanged;
    ``full`` reads every byte again.

    Raises:
        ModelFileError: it is not here, or a file is missing or is not what was fetched.
    """
    folder, memo = path(name), hash_memo()
    for file, told in read_json(folder / "manifest.json").get("files", {}).items():
        target = folder / file
        if not target.is_file():
            raise ModelFileError(f"{target} is missing; {_again(name)}")
        got = sha256(target) if full else memo.sha256(target)
        if got != told["sha256"]:
            raise ModelFileError(
                f"{target} has changed since it was fetched (sha256 {got}, it was "
                f"{told['sha256']}); {_again(name)}"
            )
    return folder


def pull(
    name: str | EncoderSpec, *, progress: Progress | None = None, offline: bool | None = None
) -> Path:
    """The folder of a model, fetched from the hub unless it is here and whole.

    Args:
        name: catalogue name, ``hf:OWNER/REPO[@REVISION]``, or a spec.
        progress: told (file, bytes so far, bytes in all or None).
        offline: never fetch; None follows the environment.

    Raises:
        UnknownEncoder: no encoder has that name.
        ModelFileError: offline and not here; or what came is not what the catalogue says.
        EncoderError: it cannot be fetched or stored.
    """
    spec = spec_of(name) if isinstance(name, str) else name
    if not spec.repo:
        raise EncoderError(f"{spec.name} is built in; there is nothing to fetch")
    folder = _folder(spec)
    if (folder / "manifest.json").is_file():
        return verify(spec.name)
    if is_offline(said=offline):
        return path(spec.name)
    with _draft(spec) as draft:
        commit, files = spec.revision, spec.files
        # A branch moves: all files must come from one commit, and the manifest must name it.
        if not files or commit == "main":
            commit, listed = list_files(spec.repo, spec.revision)
            files = files or tuple(FileSpec(file) for file in _wanted(spec, listed))
        paths = [file.path for file in files]
        fetch(spec.repo, revision=commit, paths=paths, folder=draft, progress=progress)
        shutil.rmtree(draft / ".cache", ignore_errors=True)
        _write_manifest(draft, spec, commit, tuple(_checked(draft, file) for file in files))
        # What may stand there has no manifest, so it is the rest of a removal.
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    return folder


@contextmanager
def _draft(spec: EncoderSpec) -> Iterator[Path]:
    """A folder inside the store that is gone afterwards, unless it was renamed."""
    try:
        store_folder().mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=store_folder(), prefix=".draft-"))
    except OSError as exc:
        raise EncoderError(
            f"{spec.name} cannot be stored in {store_folder()}: {exc}; "
            "set WATCHWORD_HOME to a folder that can be written"
        ) from exc
    try:
        yield draft
    except OSError as exc:
        raise EncoderError(f"{spec.name} cannot be stored in {store_folder()}: {exc}") from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _wanted(spec: EncoderSpec, listed: tuple[str, ...]) -> list[str]:
    """The files of a repository that make an encoder: ONNX graphs if it has them, else weights."""
    have = set(listed)
    small = [file for file in SMALL_FILES if file in have]
    for layout in LAYOUTS:
        graphs = [file.format("") for file in layout]
        if have.issuperset(graphs):
            # Weights too large for a graph lie beside it, in the same folder and named after it.
            beside = [
                file
                for file in listed
                for graph in graphs
                if file.startswith((f"{graph}.", f"{graph}_"))
                and "/" not in file.removeprefix(graph)
            ]
            return [*graphs, *beside, *small]
    if have.intersection(WEIGHTS):
        weights = [file for file in listed if "/" not in file and file.endswith(".safetensors")]
        index = [file for file in WEIGHTS[1:] if file in have]
        return [*weights, *index, *small]
    raise ModelFileError(
        f"{spec.repo} holds neither ONNX graphs (onnx/vision_model.onnx and "
        "onnx/text_model.onnx) nor model.safetensors; other weights are not loaded"
    )


def _checked(draft: Path, file: FileSpec) -> FileSpec:
    """The file with its true size and hash; ModelFileError if the catalogue says otherwise."""
    target = draft / file.path
    size, digest = target.stat().st_size, sha256(target)
    if file.bytes not in (None, size) or file.sha256 not in (None, digest):
        raise ModelFileError(
            f"{file.path} came with {size} bytes, sha256 {digest}; expected were "
            f"{file.bytes} bytes, sha256 {file.sha256}. It was removed; try again, and if it comes "
            "the same the repository has changed: report it"
        )
    return replace(file, bytes=size, sha256=digest)


def _write_manifest(
    draft: Path, spec: EncoderSpec, commit: str, files: tuple[FileSpec, ...]
) -> None:
    told = {
        "format": FORMAT,
        "name": spec.name,
        "repo": spec.repo,
        "revision": commit,
        "licence": spec.licence,
        "fetched": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "files": {file.path: {"bytes": file.bytes, "sha256": file.sha256} for file in files},
    }
    (draft / "manifest.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def _folder(spec: EncoderSpec) -> Path:
    name = spec.name.replace(":", "--").replace("/", "--")
    return store_folder() / name


def _again(name: str) -> str:
    return f"fetch it again with: watchword models remove {name}, watchword models pull {name}"
