"""``watchword evaluate`` and ``watchword compare``: what saved predictions are worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import judged, seed_3

if TYPE_CHECKING:
    from watchword.evaluation.matching import CaseOptions
    from watchword.run.judging import Question, Sources

Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Folder for report.html, the card, tables and plots."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Threshold = Annotated[
    float | None, typer.Option("--threshold", "-t", help="Score from which a window is a hit.")
]
Unit = Annotated[str, typer.Option(help="What the frame level counts: window, or second.")]
Padding = Annotated[
    str, typer.Option(help="Macro AUC of videos with one class: skip them, or pad all videos.")
]

# Options of 'compare' that say how to evaluate.
ASKED = (
    *("format_", "split", "videos", "rate", "label", "kind", "threshold", "smooth"),
    *("unit", "padding", "samples", "seed", "partial"),
)


def evaluate(
    context: typer.Context,
    predictions: judged.Predictions = None,  # type: ignore[assignment]
    truth: judged.Truth = None,  # type: ignore[assignment]
    format_: judged.Format = None,
    split: judged.Split = None,
    videos: judged.Videos = None,
    rate: judged.Rate = None,
    label: judged.Label = None,
    part: judged.EvidencePart = None,
    kind: judged.ScoreKind = "cosine",
    threshold: Threshold = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Judge with the thresholds that 'calibrate' chose.")
    ] = None,
    smooth: judged.Smooth = None,
    normalise: Annotated[
        str, typer.Option(help="none, per_video or global: looks at the test data; a warning.")
    ] = "none",
    unit: Unit = "window",
    padding: Padding = "skip",
    tolerance: Annotated[
        float, typer.Option(help="Seconds by which an alarm may miss an event.")
    ] = 0.0,
    lead: Annotated[
        float | None,
        typer.Option(
            "--lead",
            help="Judge what is foreseen: positive so many seconds before the accident; nothing "
            "from it on counts.",
        ),
    ] = None,
    samples: judged.Samples = 1000,
    seed: judged.Seed = 0,
    partial: judged.Partial = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse where the test data was known beforehand.")
    ] = False,
    out: Out = None,
    overwrite: judged.Overwrite = False,
    as_json: AsJson = False,
    gt_path: seed_3.GtPath = None,
    pred_path: seed_3.PredPath = None,
    dataset: seed_3.Dataset = None,
    output_dir: seed_3.OutputDir = None,
    plot_curves: seed_3.PlotCurves = False,
) -> None:
    """Judge saved predictions: every number with its interval and the score of knowing nothing.

    Nothing is encoded again. Without --out the card is printed and nothing is written.
    """
    from dataclasses import replace

    from watchword.evaluation.foreseen import LeadOptions
    from watchword.evaluation.report.card import card
    from watchword.evaluation.report.document import to_json
    from watchword.evaluation.report.folder import write_evaluation
    from watchword.output.atomic import check_folder

    asked = seed_3.Asked(pred_path, gt_path, output_dir, plot_curves)
    predictions, truth, out = seed_3.paths(asked, predictions, truth, out)
    format_ = format_ or seed_3.format_of(dataset, truth)
    if calibration is not None and (threshold is not None or smooth is not None):
        raise typer.BadParameter("--calibration sets threshold and smoothing; leave those out")
    if calibration is not None and part is not None:
        raise typer.BadParameter("--calibration is for the combined score; leave --part out")
    if out is not None:
        check_folder(out, mark="evaluation.json", overwrite=overwrite)
    question = _question(
        judged.sources(predictions, truth, format_, kind),
        judged.case_options(
            split=split,
            videos=videos,
            rate=rate,
            label=label,
            smooth=smooth,
            normalise=normalise,
            part=part,
            partial=partial,
        ),
        calibration,
        threshold=threshold,
        unit=unit,
        padding=padding,
        tolerance_s=tolerance,
        samples=samples,
        seed=seed,
        strict=strict,
        lead=None if lead is None else LeadOptions(lead),
    )
    evaluation = question.answered()
    made = {**evaluation.made, "command": judged.command_of(context)}
    evaluation = replace(evaluation, made=made)
    if as_json:
        typer.echo(json.dumps(to_json(evaluation), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(card(evaluation))
    if out is not None:
        folder = write_evaluation(evaluation, out, overwrite=overwrite)
        typer.echo(f"Report: {folder / 'report.html'}", err=as_json)


def compare(
    context: typer.Context,
    first: Annotated[
        Path, typer.Argument(help="Predictions, or a folder that 'evaluate' wrote.", metavar="A")
    ],
    second: Annotated[Path, typer.Argument(help="Likewise, of the same videos.", metavar="B")],
    truth: Annotated[
        Path | None,
        typer.Argument(help="The truth, unless A and B remember it.", metavar="[TRUTH]"),
    ] = None,
    format_: judged.Format = None,
    split: judged.Split = None,
    videos: judged.Videos = None,
    rate: judged.Rate = None,
    label: judged.Label = None,
    kind: judged.ScoreKind = "cosine",
    threshold: Threshold = None,
    smooth: judged.Smooth = None,
    unit: Unit = "window",
    padding: Padding = "skip",
    samples: judged.Samples = 1000,
    seed: judged.Seed = 0,
    partial: judged.Partial = False,
    out: Out = None,
    overwrite: judged.Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Say by how much B differs from A on the same videos, and whether that could be luck.

    Folders that 'evaluate --out' wrote are compared as they were evaluated; the other options are
    for predictions with a TRUTH.
    """
    from watchword.evaluation.compare import compare as set_against
    from watchword.evaluation.report.comparison import (
        comparison_card,
        comparison_json,
        write_comparison,
    )
    from watchword.output.atomic import check_folder
    from watchword.run.judging import question_of

    if out is not None:
        check_folder(out, mark="comparison.json", overwrite=overwrite)
    if truth is None:
        for flag in judged.given(context, ASKED):
            raise typer.BadParameter(
                f"{flag} goes with a TRUTH; evaluated folders are compared as they were evaluated"
            )
        questions = [question_of(first), question_of(second)]
    else:
        questions = [
            _question(
                judged.sources(path, truth, format_, kind),
                judged.case_options(
                    split=split,
                    videos=videos,
                    rate=rate,
                    label=label,
                    smooth=smooth,
                    partial=partial,
                ),
                None,
                threshold=threshold,
                unit=unit,
                padding=padding,
                samples=samples,
                seed=seed,
            )
            for path in (first, second)
        ]
    (one, options), (other, other_options) = (question.prepared() for question in questions)
    comparison = set_against(
        one, other, options, second_options=other_options, names=(first.name, second.name)
    )
    if as_json:
        typer.echo(
            json.dumps(comparison_json(comparison), indent=2, ensure_ascii=False, allow_nan=False)
        )
    else:
        typer.echo(comparison_card(comparison))
    if out is not None:
        folder = write_comparison(comparison, out, overwrite=overwrite)
        typer.echo(f"Results: {folder}", err=as_json)


def _question(
    sources: Sources, cases: CaseOptions, calibration: Path | None, **options: Any
) -> Question:
    from watchword.evaluation.evaluate import EvaluationOptions
    from watchword.run.judging import Question

    return Question(sources, cases, EvaluationOptions(**options), calibration)
