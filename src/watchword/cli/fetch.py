"""Fetching a model before it is needed, in sight of whoever waits for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from watchword.config import Config
    from watchword.encoders.hub import Progress


def fetch_model(name: str, *, offline: bool | None = None) -> Path:
    """The folder of a model of the hub, fetched with a progress line unless it is here."""
    import logging

    from watchword.encoders.store import pull

    # Its retries would be told line by line; what comes of them is told in the end.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        return pull(name, progress=_announcer(name), offline=offline)
    from rich import progress as rich
    from rich.console import Console

    tasks: dict[str, rich.TaskID] = {}
    with rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:

        def progress(file: str, done: int, total: int | None) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(f"{name} {file}", total=total)
            bars.update(tasks[file], completed=done, total=total)

        return pull(name, progress=progress, offline=offline)


def fetch_chosen(settings: Config) -> None:
    """Fetches the model that the settings name, if it is one of the hub and not here."""
    from watchword.encoders.specs import CATALOG
    from watchword.encoders.store import default_encoder

    name = settings.encoder.name or default_encoder()
    if name.startswith("hf:") or (name in CATALOG and CATALOG[name].repo):
        fetch_model(name, offline=settings.encoder.offline)


def _announcer(name: str) -> Progress:
    """Says each file once: a log wants lines, not a bar."""
    told: set[str] = set()

    def progress(file: str, _done: int, _total: int | None) -> None:
        if file not in told:
            told.add(file)
            typer.echo(f"fetching {name}: {file}", err=True)

    return progress
