"""The beginning of a JSON file, to tell formats apart without reading all of a large one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from watchword.evaluation.datasets.text_file import head_of

_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()


def json_head(path: Path) -> Any:
    """What a JSON file begins with, or None if it does not begin as JSON.

    A list is returned with its first element only; an object with the members that stand in the
    beginning of the file, the last of them as None if it goes on behind it.
    """
    text = head_of(path).lstrip()
    try:
        if text.startswith("["):
            return _first_element(text)
        return _first_members(text) if text.startswith("{") else None
    except RecursionError:
        return None


def _first_element(text: str) -> list[Any] | None:
    at = _skip(text, 1)
    if text[at : at + 1] == "]":
        return []
    try:
        return [_DECODER.raw_decode(text, at)[0]]
    except ValueError:
        # It may be an object that is larger than what was read.
        begun = _first_members(text[at:]) if text[at : at + 1] == "{" else {}
        return [begun] if begun else None


def _first_members(text: str) -> dict[str, Any] | None:
    members: dict[str, Any] = {}
    at = _skip(text, 1)
    while text[at : at + 1] == '"':
        try:
            key, at = _DECODER.raw_decode(text, at)
        except ValueError:
            break
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            return None
        members[key] = None
        try:
            members[key], at = _DECODER.raw_decode(text, _skip(text, at + 1))
        except ValueError:
            break
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    return members


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
