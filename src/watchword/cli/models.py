"""``watchword models``: which encoders there are, and which are on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Encoders: list, fetch, choose.", no_args_is_help=True)

ModelName = Annotated[str, typer.Argument(help="Catalogue name or hf:OWNER/REPO.")]


@app.command("list")
def list_() -> None:
    """Show the catalogue: name, width, size to fetch, licence, and what is here."""
    from rich.console import Console
    from rich.table import Table

    from watchword.encoders.catalog import CATALOG
    from watchword.encoders.store import default_encoder, installed

    here = {model.name: model for model in installed()}
    table = Table()
    for heading in ("model", "width", "fetch", "licence", "here"):
        table.add_column(heading, overflow="fold")
    for spec in CATALOG.values():
        size = sum(file.bytes or 0 for file in spec.files)
        unknown = any(file.bytes is None for file in spec.files)
        megabytes = f"{size / 1e6:.0f} MB" if size else "unknown"
        fetch = "built in" if not spec.repo else megabytes + ("+" if unknown and size else "")
        mark = "default" if spec.name == default_encoder() else ""
        present = "yes" if spec.name in here or not spec.repo else "no"
        table.add_row(spec.name, str(spec.dim), fetch, spec.licence, f"{present} {mark}".strip())
    for name in sorted(here.keys() - CATALOG.keys()):
        mark = "default" if name == default_encoder() else ""
        fetched = f"{here[name].bytes / 1e6:.0f} MB"
        table.add_row(name, "", fetched, here[name].licence, f"yes {mark}".strip())
    Console(highlight=False).print(table)


@app.command()
def pull(name: ModelName) -> None:
    """Fetch a model from the hub into the local store, and check what came."""
    from watchword.cli.fetch import fetch_model

    typer.echo(str(fetch_model(name)))


@app.command()
def verify(name: ModelName) -> None:
    """Hash every file of a fetched model again, and compare with what was recorded."""
    from watchword.encoders.store import verify as check

    typer.echo(f"{check(name, full=True)}: every file is as it was fetched")


@app.command()
def path(name: ModelName) -> None:
    """Print the folder of a model that is here."""
    from watchword.encoders.store import path as folder_of

    typer.echo(str(folder_of(name)))


@app.command()
def remove(
    name: ModelName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a fetched model from the store."""
    from watchword.encoders.store import path as folder_of
    from watchword.encoders.store import remove as delete

    if not yes:
        typer.confirm(f"Remove {folder_of(name)}?", abort=True)
    delete(name)
    typer.echo(f"removed {name}")


@app.command()
def use(name: Annotated[str, typer.Argument(help="Catalogue name, directory or hf:REPO.")]) -> None:
    """Make a model the default of this user."""
    from watchword.encoders.store import set_default_encoder

    set_default_encoder(name)
    typer.echo(f"the default model is now {name}")


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Directory or hub id of a CLIP or SigLIP model.")],
    folder: Annotated[Path, typer.Argument(help="Directory to make.")],
    places: Annotated[
        bool, typer.Option("--places", help="Also give vectors of places, to see where words are.")
    ] = False,
) -> None:
    """Make a directory of ONNX files from a PyTorch model, and check that both agree."""
    from watchword.encoders.export import export_onnx

    difference = export_onnx(model, folder, places=places)
    typer.echo(f"wrote {folder}; largest difference {difference:.2e}")
