"""``watchword prompts``: look at, check and begin prompt banks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchword.cli import judged

app = typer.Typer(help="Prompt banks: what to watch for, in sentences.", no_args_is_help=True)

BankName = Annotated[str, typer.Argument(help="A starter bank's name or a YAML file.")]

TEMPLATE = """\
# What to watch for. Short, concrete sentences of what a picture shows work best.
name: {name}

# Each sentence is put into each template, and their vectors are averaged.
templates: ["{{}}"]

labels:
  # One label an event, three to six sentences that each describe it.
  deer:
    event: ["a deer on the road", "a deer crossing the street"]

# What the same camera sees when nothing happens. Every label competes with these, so they matter
# as much as the event sentences.
normal: ["an empty road", "cars driving on a road"]
"""


@app.command("list")
def list_() -> None:
    """Show the starter banks."""
    from watchword.evidence.prompts import list_banks, load_bank

    for name in list_banks():
        bank = load_bank(name)
        typer.echo(f"{name}: {', '.join(bank.labels)}")


@app.command()
def show(bank: BankName) -> None:
    """Show a bank's labels and sentences."""
    from watchword.evidence.prompts import load_bank

    loaded = load_bank(bank)
    typer.echo(f"{loaded.name}: {len(loaded.labels)} labels, {len(loaded.prompts)} sentences")
    for template in loaded.templates:
        typer.echo(f"template: {template}")
    for label in loaded.labels:
        typer.echo(f"\n{label}")
        for prompt in loaded.prompts:
            if prompt.label == label:
                weight = "" if prompt.weight == 1 else f"  (weight {prompt.weight:g})"
                sign = "+" if prompt.role == "event" else "-"
                typer.echo(f"  {sign} {prompt.text}{weight}")
    typer.echo("\nnormal, for every label")
    for prompt in loaded.prompts:
        if not prompt.label:
            typer.echo(f"  - {prompt.text}")


@app.command()
def lint(
    bank: BankName,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Check lengths and likeness with this model."),
    ] = None,
) -> None:
    """Check a bank: repeats, lengths, missing sides, sentences that say the same.

    Exit status 1 if anything was found.
    """
    from watchword.encoders.catalog import load_encoder
    from watchword.encoders.store import default_encoder
    from watchword.evidence.lint import lint_bank
    from watchword.evidence.prompts import load_bank

    encoder = load_encoder(model or default_encoder())
    findings = lint_bank(
        load_bank(bank),
        count_tokens=encoder.count_tokens,
        vectors=lambda texts: encoder.encode_texts(texts, truncate=True),
    )
    for finding in findings:
        where = f"{finding.label}: " if finding.label else ""
        typer.echo(f"{finding.severity}: {where}{finding.message}")
    if findings:
        raise typer.Exit(1)
    typer.echo(f"{bank}: nothing to mend (checked with {encoder.name})")


@app.command()
def new(path: Annotated[Path, typer.Argument(help="YAML file to begin.")]) -> None:
    """Write a small commented bank to start from; an existing file is left alone."""
    from watchword.errors import OutputError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=path.stem))
    except FileExistsError as exc:
        raise OutputError(f"{path} is there already and is left as it is; choose another") from exc
    except OSError as exc:
        raise OutputError(f"{path} cannot be written: {exc}") from exc
    typer.echo(f"wrote {path}; check it with: watchword prompts lint {path}")


@app.command()
def rank(
    predictions: judged.Predictions,
    truth: judged.Truth,
    bank: Annotated[
        str | None, typer.Option("--bank", "-b", help="Bank to rank; else that of the runs.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="How the bank's cosines become scores: contrast, margin, cosine.")
    ] = "contrast",
    threshold: Annotated[
        float | None, typer.Option("--threshold", "-t", help="Score from which a window is found.")
    ] = None,
    subsets: Annotated[int, typer.Option(help="Random halves of the bank to score.")] = 200,
    format_: judged.Format = None,
    split: judged.Split = None,
    videos: judged.Videos = None,
    rate: judged.Rate = None,
    samples: judged.Samples = 400,
    seed: judged.Seed = 0,
    partial: judged.Partial = False,
) -> None:
    """Say which sentences of a bank help, which fire on normal footage, which say the same."""
    from watchword.evaluation.prompt_ranking import RankOptions
    from watchword.evaluation.prompt_tables import ranking_tables
    from watchword.evaluation.report.boxes import box
    from watchword.evidence.prompts import load_bank
    from watchword.evidence.words import ScoreOptions
    from watchword.run.ranking import rank_bank

    ranking = rank_bank(
        judged.sources(predictions, truth, format_, "cosine"),
        judged.case_options(
            split=split, videos=videos, rate=rate, label=None, smooth=None, partial=partial
        ),
        RankOptions(
            score=ScoreOptions(kind),  # type: ignore[arg-type]
            threshold=threshold,
            subsets=subsets,
            samples=samples,
            seed=seed,
        ),
        bank=None if bank is None else load_bank(bank),
    )
    for table in ranking_tables(ranking):
        typer.echo(box(table, width=judged.width()))
        typer.echo("")
    for note in ranking.notes:
        typer.echo(f"Note: {note}")
