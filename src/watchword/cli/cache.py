"""``watchword cache``: what is kept, and how to be rid of it."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Embeddings kept from earlier runs.", no_args_is_help=True)


@app.command()
def info() -> None:
    """Show where embeddings are kept, how many, how large, and which are damaged."""
    from watchword.encoders.cache import EmbeddingCache
    from watchword.encoders.store import cache_folder

    cache = EmbeddingCache(cache_folder())
    entries = list(cache.entries())
    size = sum(entry.bytes for entry in entries)
    typer.echo(f"{cache.folder}: {len(entries)} videos, {size / 1e6:.1f} MB")
    for entry in entries:
        if entry.problem:
            typer.echo(f"damaged: {entry.problem}")


@app.command()
def clear(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove every kept embedding; videos are encoded again when next asked about."""
    from watchword.encoders.cache import EmbeddingCache
    from watchword.encoders.store import cache_folder

    cache = EmbeddingCache(cache_folder())
    if not yes:
        typer.confirm(f"Remove every embedding kept in {cache.folder}?", abort=True)
    count, freed = cache.clear()
    typer.echo(f"removed {count} files, {freed / 1e6:.1f} MB")
