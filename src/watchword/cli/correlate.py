"""``watchword clipscore correlate``: how well scores agree with what people say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def correlate(
    scores: Annotated[Path, typer.Argument(help="CSV, JSON or JSONL that holds the scores.")],
    ratings: Annotated[
        Path | None, typer.Argument(help="File with people's ratings; none if SCORES has both.")
    ] = None,
    score: Annotated[str, typer.Option(help="Column of the scores.")] = "Mean_CLIP_Score",
    rating: Annotated[
        str, typer.Option(help="Column of the ratings; a list of raters is averaged.")
    ] = "rating",
    score_name: Annotated[
        str | None,
        typer.Option(help="Column that names the items in SCORES (found if called as usual)."),
    ] = None,
    rating_name: Annotated[
        str | None,
        typer.Option(help="Column that names the items in RATINGS (found if called as usual)."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column of groups to resample whole, as prompts.")
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Leave out items without a score or a rating.")
    ] = False,
    samples: Annotated[int, typer.Option(help="Bootstrap resamples.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say how well scores agree with people's ratings, with intervals."""
    from dataclasses import asdict

    from watchword.cli.clipscore_text import correlation_report
    from watchword.evaluation.correlate import correlate as correlated
    from watchword.evaluation.rated import Column, read_rated

    items = read_rated(
        Column(scores, score, score_name),
        Column(ratings or scores, rating, rating_name),
        group=group,
        leave_out=leave_out,
    )
    found = correlated(items.scores, items.ratings, groups=items.groups, samples=samples, seed=seed)
    if as_json:
        document = {**asdict(found), "left_out": list(items.left_out)}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(correlation_report(found, items.left_out, score=score, rating=rating))
