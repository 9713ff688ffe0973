"""``watchword datasets``: which formats of annotations are read, and whether a data set adds up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from watchword.evaluation.datasets.check_record import Problem
    from watchword.evaluation.datasets.summary import Summary

app = typer.Typer(
    help="Annotations: known formats, and what does not add up.", no_args_is_help=True
)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="File or folder of annotations.")],
    videos: Annotated[
        Path | None, typer.Option(help="Folder of the videos, to compare with.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="Its format, where the content does not say.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Look at this split only.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Frames a second, for annotations that count frames.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a data set holds, and everything in it that does not add up.

    Videos are counted, not decoded. Exit status 1 if numbers that rest on it would be wrong.
    """
    from watchword.errors import DatasetError
    from watchword.evaluation.datasets.check import look_at, problems_of
    from watchword.evaluation.datasets.formats import format_of, parse_records
    from watchword.evaluation.datasets.summary import summarise

    name = format or format_of(path).name
    records = parse_records(path, format=name)
    if split is not None:
        splits = sorted({record.split for record in records if record.split})
        if split not in splits:
            had = f"it has {', '.join(splits)}" if splits else "it names no splits"
            raise DatasetError(str(path), f"has no split {split!r}; {had}")
        records = tuple(record for record in records if record.split == split)
    seen = look_at(records, videos=videos, rate=rate)
    summary = summarise(seen, looked=videos is not None)
    problems = problems_of(seen, videos=videos)
    if as_json:
        typer.echo(json.dumps(_document(path, name, summary, problems), indent=2))
    else:
        _print_summary(path, name, summary)
        _print_problems(problems)
    if any(problem.serious for problem in problems):
        raise typer.Exit(1)


@app.command()
def formats() -> None:
    """Show the formats that are read, and how each numbers time."""
    from rich.console import Console
    from rich.table import Table

    from watchword.evaluation.datasets.formats import FORMATS

    table = Table()
    for heading in ("format", "what it is", "numbers"):
        table.add_column(heading, overflow="fold")
    for known in FORMATS.values():
        table.add_row(known.name, known.title, known.convention)
    Console(highlight=False).print(table)


def _print_summary(path: Path, name: str, summary: Summary) -> None:
    typer.echo(f"{path} ({name})")
    counts = {
        "with events": summary.with_events,
        "with an event nobody placed": summary.whole,
        "normal": summary.normal,
        "of which nobody said": summary.unsaid,
    }
    parts = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    typer.echo(f"videos: {summary.videos} ({parts})")
    if summary.found is not None:
        typer.echo(f"found: {summary.found} of {summary.videos} videos")
    if any(split is not None for split in summary.splits):
        shown = (f"{split or 'none'} {count}" for split, count in summary.splits.items())
        typer.echo(f"splits: {', '.join(shown)}")
    for label in summary.labels:
        # A name that holds a line break stays on its line.
        name = " ".join(label.label.split())
        if not label.events:
            typer.echo(f"label {name}: {_counted(label.videos, 'video')}, times not given")
            continue
        length = "length not known" if label.seconds is None else f"{label.seconds:.1f} s"
        typer.echo(
            f"label {name}: {_counted(label.events, 'event')} in "
            f"{_counted(label.videos, 'video')}, {length}"
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _print_problems(problems: tuple[Problem, ...]) -> None:
    for problem in sorted(problems, key=lambda one: not one.serious):
        kind = "error" if problem.serious else "note"
        video = f"{problem.video}: " if problem.video else ""
        where = f" ({problem.where})" if problem.where else ""
        typer.echo(f"{kind}: {video}{problem.sentence}{where}")
    if not problems:
        typer.echo("everything adds up")


def _document(
    path: Path, name: str, summary: Summary, problems: tuple[Problem, ...]
) -> dict[str, Any]:
    from dataclasses import asdict

    told = asdict(summary)
    splits = [{"split": split, "videos": count} for split, count in summary.splits.items()]
    return {
        "path": str(path),
        "format": name,
        **told,
        "splits": splits,
        "problems": [asdict(problem) for problem in problems],
    }
