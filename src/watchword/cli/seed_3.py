"""The words that seed 3's ``evaluate.py`` has for what ``watchword evaluate`` calls otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

GtPath = Annotated[Path | None, typer.Option("--gt_path", hidden=True)]
PredPath = Annotated[Path | None, typer.Option("--pred_path", hidden=True)]
Dataset = Annotated[str | None, typer.Option("--dataset", hidden=True)]
OutputDir = Annotated[Path | None, typer.Option("--output_dir", hidden=True)]
PlotCurves = Annotated[bool, typer.Option("--plot_curves", hidden=True)]


@dataclass(frozen=True)
class Asked:
    """What was said in those words."""

    predictions: Path | None
    truth: Path | None
    out: Path | None
    plots: bool


def paths(
    asked: Asked, predictions: Path | None, truth: Path | None, out: Path | None
) -> tuple[Path, Path, Path | None]:
    """Predictions, truth and folder, whichever way they were named; BadParameter if twice or not.

    ``--plot_curves`` asks for what a folder always holds, so that it needs one.
    """
    predictions = _one(predictions, asked.predictions, "predictions", "--pred_path")
    truth = _one(truth, asked.truth, "the truth", "--gt_path")
    if asked.out is not None:
        out = _one(out, asked.out, "--out", "--output_dir")
    if asked.plots and out is None:
        raise typer.BadParameter("--plot_curves goes with --output_dir, or with --out")
    return predictions, truth, out


def format_of(dataset: str | None, truth: Path) -> str | None:
    """The format that ``--dataset`` names, if the truth looks like it; else its content decides.

    Seed 3 names a set, as ``ucsd``, whatever its truth is written in.
    """
    from watchword.evaluation.datasets.formats import FORMATS

    known = FORMATS.get(dataset or "")
    return dataset if known is not None and known.sniff(truth) else None


def _one(first: Path | None, second: Path | None, what: str, flag: str) -> Path:
    if first is not None and second is not None:
        raise typer.BadParameter(f"{what} and {flag} name the same twice; give one of them")
    found = first or second
    if found is None:
        raise typer.BadParameter(f"name {what}: PREDICTIONS, then TRUTH")
    return found
