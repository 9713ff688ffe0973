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
    from watchword.evaluation.result import Table
    from watchword.run.calibrating import Calibrated, Search
    from watchword.run.judging import Sources

DRIFTED, UNTOLD = 3, 4
# A terminal shows so many rows of a table; the files of --plots hold all.
ROWS = 40
# Options that only one objective reads.
OBJECTIVES = {
    "beta": "f_beta",
    "precision": "recall_at_precision",
    "false_alarm": "cost",
    "miss": "cost",
    "tiou": "event_f1",
}
_BUDGET = ("confidence", "block", "uncertified", "camera", "per_camera")
# By what is calibrated: options that have no part in it.
UNUSED = {
    "": _BUDGET,
    "--votes": (*_BUDGET, "mean", "smooth", "on", "report", "by_label"),
    "--budget": (
        *("objective", *OBJECTIVES, "mean", "start", "stop", "step"),
        *("on", "report", "leave_out", "votes", "samples", "seed"),
    ),
}


def calibrate(
    context: typer.Context,
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
        typer.Option(help="Smoothing to try, as 0.5, mean:1 or none. Repeat to choose among."),
    ] = None,
    on: Annotated[str | None, typer.Option(help="Choose on this split.")] = None,
    report: Annotated[str | None, typer.Option(help="Report on this split.")] = None,
    leave_out: Annotated[
        str, typer.Option(help="Without splits: leave one video, or one group (camera), out.")
    ] = "video",
    by_label: Annotated[
        bool,
        typer.Option("--by-label", help="A threshold for each label; labels share a budget."),
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
        float | None,
        typer.Option(help="Keep the budget with so much certainty, as 0.95; takes more footage."),
    ] = None,
    block: Annotated[
        float | None,
        typer.Option(help="Seconds in which alarms count as one; chosen from the footage."),
    ] = None,
    uncertified: Annotated[
        bool,
        typer.Option(
            "--uncertified",
            help="Where footage is too short for the budget: the highest score seen, without "
            "a promise.",
        ),
    ] = False,
    camera: Annotated[
        str | None, typer.Option(help="A budget for this camera (group of the truth) only.")
    ] = None,
    per_camera: Annotated[
        bool,
        typer.Option("--per-camera", help="A budget for each camera; --out is then a folder."),
    ] = False,
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
    from watchword.output.atomic import check_file, check_folder

    _refuse_unused(context, objective, "--budget" if budget else "--votes" if votes else "")
    if out is not None and not per_camera:
        check_file(out, overwrite=overwrite)
    if plots is not None and not per_camera:
        check_folder(plots, mark="calibration.txt", overwrite=overwrite)
    where = judged.sources(predictions, truth or Path(), format_, kind)
    options = judged.case_options(
        split=split,
        videos=videos,
        rate=rate,
        label=label,
        smooth=smooth[0] if budget is not None and smooth else None,
        partial=partial,
    )
    if budget is not None:
        promise = (budget, confidence, block, uncertified, by_label)
        made = _budgets(where, options, promise, truth, camera, per_camera=per_camera)
    elif truth is None:
        raise typer.BadParameter("give the truth, or --budget with footage that holds no event")
    else:
        search = _search(
            _objective(objective, beta, precision, false_alarm, miss, tiou, mean=mean),
            (start, stop, step),
            smooth or (),
            (on, report, leave_out),
            by_label=by_label,
            drawn=(samples, seed),
        )
        made = {"": _search_best(where, options, search, votes=votes)}
    _deliver(made, out, plots, overwrite=overwrite)


def drift(
    calibration: Annotated[Path, typer.Argument(help="File that 'calibrate' wrote.")],
    predictions: judged.Predictions,
) -> None:
    """Say whether new footage still looks like what was calibrated on.

    Exit status 3 if it does not, 4 if there is too little footage to tell.
    """
    from watchword.evaluation.calibrate.calibration_file import read_calibration
    from watchword.run.budgeting import check_drift

    found = check_drift(read_calibration(calibration), predictions)
    typer.echo(found.sentence)
    if found.drifted is None:
        raise typer.Exit(UNTOLD)
    if found.drifted:
        raise typer.Exit(DRIFTED)


def _refuse_unused(context: typer.Context, objective: str, mode: str) -> None:
    """BadParameter for what was asked for and would have no part in the result."""
    for flag in judged.given(context, UNUSED[mode]):
        raise typer.BadParameter(
            f"{flag} has no part in {mode}; leave one of them out"
            if mode
            else f"{flag} goes with --budget"
        )
    for name, own in OBJECTIVES.items():
        for flag in judged.given(context, (name,)):
            if objective != own:
                raise typer.BadParameter(f"{flag} goes with --objective {own}")
    thresholds = judged.given(context, ("start", "stop", "step"))
    if 0 < len(thresholds) < 3:
        raise typer.BadParameter("--min, --max and --step go together; give all three or none")
    if len(judged.given(context, ("on", "report"))) == 1:
        raise typer.BadParameter("--on and --report go together; give both or none")
    if mode == "--budget" and len(context.params["smooth"] or ()) > 1:
        raise typer.BadParameter("a budget takes one --smooth: nothing tells which is best")
    if len(judged.given(context, ("camera", "per_camera"))) == 2:
        raise typer.BadParameter("--camera is one of those of --per-camera; give one of the two")


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


def _budgets(
    where: Sources,
    options: CaseOptions,
    promise: tuple[str, float | None, float | None, bool, bool],
    truth: Path | None,
    camera: str | None,
    *,
    per_camera: bool,
) -> dict[str, Calibrated]:
    """A calibration by name of its camera; "" where it is for all, or for the one asked for."""
    from dataclasses import replace

    from watchword.run import budgeting

    text, confidence, block_s, uncertified, by_label = promise
    allowed = replace(
        budgeting.parse_budget(text),
        confidence=confidence,
        block_s=block_s,
        allow_uncertified=uncertified,
        per_label=by_label,
    )
    if truth is None:
        if per_camera:
            raise typer.BadParameter("--per-camera needs the truth, which names cameras (groups)")
        footage = budgeting.said_quiet(where, options)
    else:
        footage = budgeting.known_quiet(where, options)
        if per_camera:
            return dict(budgeting.calibrate_cameras(footage, allowed))
        if camera is not None:
            footage = footage.of_camera(camera)
    return {"": budgeting.calibrate_budget(footage, allowed, camera=camera)}


def _deliver(
    made: dict[str, Calibrated], out: Path | None, plots: Path | None, *, overwrite: bool
) -> None:
    """Shows and writes each; those of several cameras lie in a folder, all of them or none."""
    from watchword.evaluation.report.csv_files import file_names
    from watchword.output.atomic import check_file

    files = dict(zip(made, file_names(list(made)), strict=True))
    paths = {
        camera: out / f"{files[camera]}.yaml" if out is not None and camera else out
        for camera in made
    }
    for path in paths.values():
        if path is not None:
            check_file(path, overwrite=overwrite)
    for camera, done in made.items():
        _show(done)
        if plots is not None:
            _write_files(done, plots / files[camera] if camera else plots, overwrite=overwrite)
        if (path := paths[camera]) is not None:
            _write(done, path, overwrite=overwrite)


def _show(done: Calibrated) -> None:
    """Tables in boxes, then what a reader must know, then the sentence."""
    from watchword.evaluation.report.boxes import box

    for table in done.tables:
        typer.echo(box(_thinned(table), width=judged.width()))
        typer.echo("")
    for note in done.notes:
        typer.echo(f"Note: {note.rstrip('.')}.")
    typer.echo(done.calibration.sentence)


def _thinned(table: Table) -> Table:
    """The table with every so many-th of its rows, and the best one, if it has many."""
    from dataclasses import replace

    every = -(-len(table.rows) // ROWS)
    if every <= 1:
        return table
    kept = sorted(
        {*range(0, len(table.rows), every), *([] if table.best is None else [table.best])}
    )
    note = f"{len(kept)} of {len(table.rows)} rows; --plots FOLDER writes all as CSV"
    return replace(
        table,
        rows=tuple(table.rows[row] for row in kept),
        note="; ".join(part for part in (table.note, note) if part),
        best=None if table.best is None else kept.index(table.best),
    )


def _write(done: Calibrated, path: Path, *, overwrite: bool) -> None:
    from watchword.evaluation.calibrate.calibration_file import write_calibration

    path.parent.mkdir(parents=True, exist_ok=True)
    write_calibration(done.calibration, path, overwrite=overwrite)
    typer.echo(f"Use it with: watchword detect --calibration {path}")


def _write_files(done: Calibrated, folder: Path, *, overwrite: bool) -> None:
    from watchword.run.calibration_files import write_calibration_files

    typer.echo(f"Tables and curves: {write_calibration_files(done, folder, overwrite=overwrite)}")
