"""``watchword calibrate`` and ``watchword drift``: thresholds one can defend, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import judged

if TYPE_CHECKING:
    from watchword.evaluation.calibrate.objectives import Objective
    from watchword.evaluation.matching import CaseOptions
    from watchword.run.calibrating import Calibrated, Search
    from watchword.run.judging import Sources
    from watchword.types import Kind

DRIFTED = 3


def calibrate(
    predictions: judged.Predictions,
    truth: Annotated[
        Path | None,
        typer.Argument(help="The truth; --budget can do without.", metavar="[PATH]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="YAML file for 'detect --calibration'.")
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            help="f1, f_beta, youden, iou, best_interval_iou, recall_at_precision, cost, event_f1."
        ),
    ] = "f1",
    beta: Annotated[float, typer.Option(help="Of f_beta; above 1 recall weighs more.")] = 1.0,
    precision: Annotated[float, typer.Option(help="Of recall_at_precision.")] = 0.9,
    false_alarm: Annotated[float, typer.Option(help="Of cost: a window found in vain.")] = 1.0,
    miss: Annotated[float, typer.Option(help="Of cost: a window missed.")] = 1.0,
    tiou: Annotated[float, typer.Option(help="Of event_f1: overlap that counts.")] = 0.5,
    mean: Annotated[
        bool,
        typer.Option("--mean", help="Mean over videos, as seed 1, not of pooled windows."),
    ] = False,
    start: Annotated[float | None, typer.Option("--min", help="First threshold to try.")] = None,
    stop: Annotated[float | None, typer.Option("--max", help="Last threshold to try.")] = None,
    step: Annotated[float | None, typer.Option(help="Between thresholds.")] = None,
    smooth: Annotated[
        list[str] | None,
        typer.Option(help="Smoothing to try, as 0.5, mean:1 or none:0. Repeat to choose among."),
    ] = None,
    on: Annotated[str | None, typer.Option(help="Choose on this split.")] = None,
    report: Annotated[str | None, typer.Option(help="Report on this split.")] = None,
    leave_out: Annotated[
        str, typer.Option(help="Without splits: leave one video, or one group (camera), out.")
    ] = "video",
    by_label: Annotated[
        bool, typer.Option("--by-label", help="A threshold for each label.")
    ] = False,
    votes: Annotated[
        bool,
        typer.Option("--votes", help="Verdict on videos: segment threshold x share (seed 2)."),
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option(help="At most so many false alarms, as 2/day, from event-free footage."),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Of the budget, as 0.95: needs more footage.")
    ] = None,
    uncertified: Annotated[
        bool, typer.Option("--uncertified", help="Highest score seen, if footage is too short.")
    ] = False,
    camera: Annotated[str | None, typer.Option(help="Camera (group) that it is for.")] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV and the curves as PNG.")
    ] = None,
    format_: judged.Format = None,
    split: judged.Split = None,
    videos: judged.Videos = None,
    rate: judged.Rate = None,
    label: judged.Label = None,
    kind: judged.ScoreKind = "cosine",
    samples: judged.Samples = 1000,
    seed: judged.Seed = 0,
    partial: judged.Partial = False,
    overwrite: judged.Overwrite = False,
) -> None:
    """Choose thresholds on some videos and report what they are worth on others.

    watchword calibrate runs/ truth.json -o camera.yaml
    watchword calibrate normal-runs/ --budget 2/day -o camera.yaml
    """
    from watchword.evaluation.calibrate.calibration_file import write_calibration
    from watchword.output.atomic import check_file

    if out is not None:
        check_file(out, overwrite=overwrite)
    if budget is None and truth is None:
        raise typer.BadParameter("give the truth, or --budget with footage that holds no event")
    options = judged.case_options(
        split=split,
        videos=videos,
        rate=rate,
        label=label,
        smooth=smooth[0] if budget is not None and smooth else None,
        partial=partial,
    )
    if budget is not None:
        done = _budget(
            predictions,
            truth,
            options,
            (budget, confidence, uncertified),
            format_=format_,
            kind=judged.kind_of(kind),
            camera=camera,
        )
    else:
        assert truth is not None
        search = _search(
            _objective(objective, beta, precision, false_alarm, miss, tiou, mean=mean),
            (start, stop, step),
            smooth or (),
            (on, report, leave_out),
            by_label=by_label,
            drawn=(samples, seed),
        )
        done = _search_best(
            judged.sources(predictions, truth, format_, kind), options, search, votes=votes
        )
    _show(done)
    if plots is not None:
        _write_files(done, plots, overwrite=overwrite)
    if out is not None:
        write_calibration(done.calibration, out, overwrite=overwrite)
        typer.echo(str(out))


def drift(
    calibration: Annotated[Path, typer.Argument(help="File that 'calibrate' wrote.")],
    predictions: judged.Predictions,
) -> None:
    """Say whether new footage still looks like what was calibrated on.

    Exit status 3 if it does not.
    """
    from watchword.evaluation.calibrate.calibration_file import read_calibration
    from watchword.run.calibrating import check_drift

    found = check_drift(read_calibration(calibration), predictions)
    typer.echo(found.sentence)
    if found.drifted:
        raise typer.Exit(DRIFTED)


def _objective(
    name: str,
    beta: float,
    precision: float,
    false_alarm: float,
    miss: float,
    tiou: float,
    *,
    mean: bool,
) -> Objective:
    from watchword.evaluation.calibrate.objectives import Objective

    return Objective(
        name,  # type: ignore[arg-type]
        pooling="videos" if mean else None,
        undefined="zero" if mean else "skip",
        beta=beta,
        precision=precision,
        false_alarm=false_alarm,
        miss=miss,
        tiou=tiou,
    )


def _search(
    objective: Objective,
    thresholds: tuple[float | None, float | None, float | None],
    smooth: Sequence[str],
    splits: tuple[str | None, str | None, str],
    *,
    by_label: bool,
    drawn: tuple[int, int],
) -> Search:
    from watchword.run.calibrating import Search

    start, stop, step = thresholds
    on, report, leave_out = splits
    samples, seed = drawn
    return Search(
        objective=objective,
        start=start,
        stop=stop,
        step=step,
        smoothings=tuple(judged.smoothing_of(text) for text in smooth),
        leave_out=leave_out,  # type: ignore[arg-type]
        fit_split=on,
        report_split=report,
        by_label=by_label,
        samples=samples,
        seed=seed,
    )


def _search_best(
    sources: Sources, options: CaseOptions, search: Search, *, votes: bool
) -> Calibrated:
    from watchword.evidence.segments import SegmentOptions
    from watchword.run.calibrating import calibrate_threshold, calibrate_verdict

    if votes:
        return calibrate_verdict(sources, options, search, segments=SegmentOptions(mean="score"))
    return calibrate_threshold(sources, options, search)


def _budget(
    predictions: Path,
    truth: Path | None,
    options: CaseOptions,
    promise: tuple[str, float | None, bool],
    *,
    format_: str | None,
    kind: Kind,
    camera: str | None,
) -> Calibrated:
    from dataclasses import replace

    from watchword.run.calibrating import calibrate_budget, parse_budget

    text, confidence, uncertified = promise
    allowed = replace(parse_budget(text), confidence=confidence, allow_uncertified=uncertified)
    return calibrate_budget(
        predictions, truth, options, allowed, format=format_, kind=kind, camera=camera
    )


def _show(done: Calibrated) -> None:
    """Tables in boxes, then what a reader must know, then the sentence."""
    from watchword.evaluation.report.boxes import box

    for table in done.tables:
        typer.echo(box(table, width=judged.width()))
        typer.echo("")
    for note in done.notes:
        typer.echo(f"Note: {note}.")
    typer.echo(done.calibration.sentence)


def _write_files(done: Calibrated, folder: Path, *, overwrite: bool) -> None:
    from watchword.run.calibration_files import write_calibration_files

    typer.echo(str(write_calibration_files(done, folder, overwrite=overwrite)))
