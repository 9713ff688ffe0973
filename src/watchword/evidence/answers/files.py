"""The small files of a model directory, read without a model framework."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from watchword.errors import ModelFileError

Digest = Callable[[Path], str]
CONTENT = (
    *("config.json", "tokenizer.json", "preprocessor_config.json", "processor_config.json"),
    *("chat_template.json", "chat_template.jinja"),
)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ModelFileError if it is absent or none."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise ModelFileError(f"{path} is not there; fetch the whole model directory") from exc
    except (OSError, ValueError) as exc:
        raise ModelFileError(f"{path} cannot be read as JSON: {exc}; fetch it again") from exc
    if not isinstance(told, dict):
        raise ModelFileError(f"{path} holds a {type(told).__name__}, a JSON object is needed")
    return told


def read_tokens(directory: Path) -> Any:
    """The tokenizer of tokenizer.json, which neither cuts nor fills; ModelFileError if none."""
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise ModelFileError(f"{path} is not there; fetch the whole model directory")
    try:
        tokens = Tokenizer.from_file(str(path))
    # The library raises bare Exception.
    except Exception as exc:
        raise ModelFileError(f"{path} cannot be read: {exc}; fetch it again") from exc
    tokens.no_truncation()
    tokens.no_padding()
    return tokens


def sha256(path: Path) -> str:
    """64 hex digits over all bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def directory_fingerprint(directory: Path, digest: Digest, said: Sequence[str]) -> str:
    """64 hex digits over a model's weights and small files, and whatever else is said of it."""
    files = [*sorted(directory.glob("*.safetensors"))]
    files += [directory / name for name in CONTENT if (directory / name).is_file()]
    lines = [f"{file.name} {digest(file)}" for file in files]
    return hashlib.sha256("\n".join([*lines, *said]).encode()).hexdigest()
