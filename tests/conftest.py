"""Fixtures of the whole suite: where shared data lies, and an empty home for store and cache."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# How long a test takes says nothing on a machine with other work.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Doctests are looked for in every module, and this one imports torch, which is optional.
collect_ignore = [] if find_spec("torch") else ["torch_models.py"]

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    return Path(os.environ.get("WATCHWORD_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data folder; in CI its absence is a failure, elsewhere a skip that says so."""
    folder = shared_folder()
    if not folder.is_dir():
        message = f"needs the shared data folder at {folder} (set WATCHWORD_SHARED)"
        if os.environ.get("WATCHWORD_CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has its own store, cache and settings, so none sees the user's or another's."""
    home = tmp_path / "home"
    monkeypatch.setenv("WATCHWORD_HOME", str(home))
    monkeypatch.delenv("WATCHWORD_OFFLINE", raising=False)
    return home
