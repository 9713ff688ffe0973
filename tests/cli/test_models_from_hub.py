"""The command and a hub: a model is fetched in sight, chosen as default, and used offline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub_server import serve
from models import make_clip_directory
from pipeline_clips import coloured

COMMAND = str(Path(sys.executable).parent / "watchword")


def test_fetch_use_and_go_offline(tmp_path: Path, own_home: Path) -> None:
    model = make_clip_directory(tmp_path / "model")
    coloured(tmp_path / "clip.mp4", seconds=1)

    def run(*words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [COMMAND, *words],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, (result.stdout, result.stderr)
        return result

    name = "hf:someone/clip"
    detect = ("detect", "clip.mp4", "-p", "a cat", "-n", "a dog")
    with serve() as hub:
        hub.repos["someone/clip"] = {
            str(path.relative_to(model)): path.read_bytes()
            for path in model.rglob("*")
            if path.is_file()
        }
        absent = run(*detect, "--model", name, code=1, WATCHWORD_OFFLINE="1")
        assert "watchword models pull hf:someone/clip" in absent.stderr
        first = run(*detect, "--model", name, "-o", "one", HF_ENDPOINT=hub.url)
        assert "fetching hf:someone/clip: onnx/vision_model.onnx" in first.stderr
        assert "Model: hf:someone/clip" in first.stdout
    run("models", "use", name)
    # The hub is gone: what was fetched must do.
    second = run(*detect, "-o", "two", HF_ENDPOINT="http://127.0.0.1:9")
    assert "fetching" not in second.stderr
    assert "from the cache" in second.stdout
    assert "hf:someone/clip" in run("models", "list").stdout
    folder = Path(run("models", "path", name).stdout.strip())
    assert "as it was fetched" in run("models", "verify", name).stdout
    graph = folder / "onnx" / "vision_model.onnx"
    graph.write_bytes(graph.read_bytes() + b"x")
    damaged = run(*detect, "-o", "three", code=1)
    assert "has changed since it was fetched" in damaged.stderr
    run("models", "remove", name, "--yes")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["hf:nobody", "no/such/folder", "clipvit"])
def test_a_model_that_is_not_there_is_an_error_in_words(tmp_path: Path, name: str) -> None:
    coloured(tmp_path / "clip.mp4", seconds=1)
    result = subprocess.run(
        [COMMAND, "detect", "clip.mp4", "-p", "a cat", "--model", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode in (1, 2)
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
