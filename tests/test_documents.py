"""What the documents show is run: README examples in Python, and the commands they name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from watchword.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_examples_of_the_readme_run(
    code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})
    assert "cat: " in capsys.readouterr().out


def test_the_page_of_stages_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "stages.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "stages.md", "exec"), names)
    assert "12 pictures, 0 could not be decoded" in capsys.readouterr().out
    assert (tmp_path / "results" / "demo" / "report.html").is_file()
    assert (tmp_path / "results" / "demo.srt").is_file()


@pytest.mark.parametrize("code", blocks("python", EVALUATION))
def test_python_examples_of_the_page_on_evaluation_run(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(code, "evaluation.md", "exec"), {})
    assert "AUC 0.9" in capsys.readouterr().out


def commands() -> list[list[str]]:
    shown = [*blocks("sh"), *blocks("sh", EVALUATION)]
    lines = [line.split("#")[0] for block in shown for line in block.splitlines()]
    parts = [part for line in lines for part in line.split("&&")]
    words = [shlex.split(part) for part in parts]
    return [w[1:] for w in words if w and w[0].endswith("watchword")]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_that_pages_show_exist_with_the_options_they_show(words: list[str]) -> None:
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]  # type: ignore[attr-defined]
        words = words[1:]
    context = command.make_context("watchword", [*words, "--help"], resilient_parsing=True)
    known = {option for p in command.params for option in getattr(p, "opts", [])}
    assert context is not None
    assert {word for word in words if word.startswith("-")} <= known


def test_every_command_has_a_help_sentence() -> None:
    def walk(command: object, words: tuple[str, ...]) -> None:
        assert getattr(command, "help", None), words
        for name, child in getattr(command, "commands", {}).items():
            walk(child, (*words, name))

    walk(get_command(app), ())
    assert isinstance(app, typer.Typer)
    assert "detect" in CliRunner().invoke(app, ["--help"]).output
