"""``watchword import``: what others wrote, as predictions of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from watchword.evidence.words import ScoreOptions
    from watchword.types import Kind


def import_(
    source: Annotated[
        Path, typer.Argument(help="File or folder of seed 1, 2 or 5, or a table of your own.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for a folder a video.")],
    rate: Annotated[
        float | None, typer.Option(help="Pictures a second, where the files hold no times.")
    ] = None,
    bank: Annotated[
        str | None,
        typer.Option(help="Weigh the sentences' cosines with this bank: a name or a YAML file."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="What the scores are; with --bank what they become (contrast unless given)."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace imports that are there already.")
    ] = False,
) -> None:
    """Read what other projects wrote: matrices of CLIP scores, tables of segments, score CSVs."""
    from watchword.evidence.prompts import load_bank
    from watchword.run.imported import ImportOptions, import_predictions

    options = ImportOptions(
        rate=_checked_rate(rate),
        kind=None if bank else _kind(kind),
        bank=load_bank(bank) if bank else None,
        words=_words(kind) if bank else None,
        overwrite=overwrite,
    )
    done = import_predictions(source, out, options=options)
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    truth = f"; the truth of {done.annotated} in {done.annotations}" if done.annotations else ""
    typer.echo(f"{len(done.folders)} videos in {out}{truth}", err=True)
    for folder in done.folders:
        typer.echo(str(folder))


def _checked_rate(rate: float | None) -> float | None:
    if rate is not None and not 0 < rate < float("inf"):
        raise typer.BadParameter(f"--rate is {rate}, it must be a positive number")
    return rate


def _kind(kind: str | None) -> Kind | None:
    from watchword.types import KINDS

    if kind is None:
        return None
    for known in KINDS:
        if kind == known:
            return known
    raise typer.BadParameter(f"--kind is {kind!r}, it must be one of {', '.join(KINDS)}")


def _words(kind: str | None) -> ScoreOptions:
    from watchword.evidence.words import ScoreOptions

    # An unknown kind is refused by name there.
    return ScoreOptions() if kind is None else ScoreOptions(kind)  # type: ignore[arg-type]
