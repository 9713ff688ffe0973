"""Writes the documents that are made from the code; with --check says which are out of date.

docs/cli.md holds every help page, docs/settings.md every setting, docs/schema/ the JSON Schema of
detection.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

# Help pages wrap at the terminal's width, so it is fixed before the command line is loaded.
os.environ.update(COLUMNS="80", TERMINAL_WIDTH="80", NO_COLOR="1", _TYPER_STANDARD_TRACEBACK="1")

from typer.main import get_command
from typer.testing import CliRunner

from watchword.cli.main import app
from watchword.config import Config
from watchword.output.document import json_schema

ROOT = Path(__file__).resolve().parent.parent


def cli_pages() -> str:
    """docs/cli.md: the help page of every command."""
    parts = [
        "# The command line\n",
        "Every help page, as `watchword COMMAND --help` prints it.\n",
        "Exit status: 0 done, 1 nothing could be read or written, 2 wrong use, 3 events were found "
        "and `--fail-on-event` was given, 130 interrupted.\n",
    ]
    for words in command_names(get_command(app), ()):
        result = CliRunner().invoke(app, [*words, "--help"], prog_name="watchword")
        title = " ".join(("watchword", *words))
        page = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
        parts.append(f"## {title}\n\n```text\n{page}\n```\n")
    return "\n".join(parts)


def command_names(command: Any, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words of a command and of all below it, in order."""
    found = [words]
    for name, child in getattr(command, "commands", {}).items():
        found += command_names(child, (*words, name))
    return found


def settings_page() -> str:
    """docs/settings.md: every section and field with its default and its sentence."""
    parts = [
        "# Settings\n",
        "The same names in a YAML file (`--config`), on the command line "
        "(`--set events.min_s=0.5`) and in Python (`Config`).\n",
    ]
    sections = attributes(Config)
    for section in dataclasses.fields(Config):
        options = getattr(Config(), section.name)
        parts.append(f"## {section.name}\n\n{sections[section.name]}\n")
        parts.append("| setting | default | what it does |\n| --- | --- | --- |")
        parts[-1] += "\n" + "\n".join(rows(section.name, options)) + "\n"
    return "\n".join(parts)


def rows(name: str, options: Any) -> list[str]:
    """A table row for each field of an options object, and of those within it."""
    said = attributes(type(options))
    found = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        path = f"{name}.{field.name}"
        if dataclasses.is_dataclass(value):
            found += rows(path, value)
        else:
            found.append(f"| `{path}` | `{shown(value)}` | {said[field.name]} |")
    return found


def attributes(options: type) -> dict[str, str]:
    """The sentences of a docstring's Attributes block, by field."""
    text = inspect.getdoc(options) or ""
    block = re.split(r"\n(?:Raises|Example|Examples):", text.split("Attributes:\n", 1)[1])[0]
    found: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        start = re.match(r"    (\w+)(?: \([^)]*\))?: (.*)", line)
        if start:
            name = start[1]
            found[name] = start[2].strip()
        elif line.startswith("      ") and name:
            found[name] += " " + line.strip()
        elif not line.strip():
            continue
        else:
            break
    return {name: said.replace("|", "\\|") for name, said in found.items()}


def shown(value: object) -> str:
    """A default as YAML would hold it."""
    return json.dumps(value, default=lambda v: list(v) if isinstance(v, tuple) else dict(v))


def documents() -> dict[Path, str]:
    """Path and content of every generated document."""
    return {
        ROOT / "docs/cli.md": cli_pages(),
        ROOT / "docs/settings.md": settings_page(),
        ROOT / "docs/schema/detection-1.json": json.dumps(json_schema(), indent=2) + "\n",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    stale = []
    for path, text in documents().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print("out of date:" if check else "wrote:", *stale)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
