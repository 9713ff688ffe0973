"""``watchword risk fit``: a light model of crash risk, learned on a CPU."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import options as opt
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.train.light import LightResult


def fit(
    videos: opt.Videos = None,
    annotations: Annotated[
        Path, typer.Option("--annotations", "-a", help="The truth, in any format that is known.")
    ] = ...,  # type: ignore[assignment]
    out: Annotated[Path, typer.Option("--out", "-o", help="File, as road.risk.")] = ...,  # type: ignore[assignment]
    format_: opt.TruthFormat = None,
    folder: opt.TruthVideos = None,
    split: Annotated[str | None, typer.Option(help="Learn from this split only.")] = None,
    truth_rate: opt.TruthRate = None,
    lead_s: Annotated[
        float, typer.Option("--lead", help="Seconds before an accident that count as risk.")
    ] = 1.0,
    events: Annotated[
        bool,
        typer.Option("--events", help="Where no accident is annotated, take the event's start."),
    ] = False,
    window_s: Annotated[float, typer.Option(help="Seconds that are looked at.")] = 1.0,
    source: Annotated[str, typer.Option(help="features, or vectors.")] = "features",
    folds: Annotated[int, typer.Option(help="Splits of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(help="Of splits and bootstrap.")] = 0,
    unvalidated: Annotated[
        bool, typer.Option("--unvalidated", help="Fit even where nothing can be held out.")
    ] = False,
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Learn a light model of crash risk from annotated drives, on a CPU, and say how good it is.

    watchword risk fit drives/ --annotations labels.json -o road.risk
    """
    from watchword.cli.fetch import fetch_chosen
    from watchword.evaluation.foreseen import LeadOptions
    from watchword.output.atomic import check_file
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fitting import TruthOptions, find_pairs
    from watchword.run.risk import fit_light_videos, write_light
    from watchword.train.head import FitOptions
    from watchword.train.light import LightOptions
    from watchword.video.reader import find_videos

    if videos and folder is not None:
        raise typer.BadParameter("give videos, or the folder of those that the truth names")
    how = FitOptions(
        window_s=window_s,
        every_s=0.5,
        folds=folds,
        sizes=(),
        seed=seed,
        unvalidated=unvalidated,
        whole=True,
    )
    options = LightOptions(LeadOptions(lead_s, events=events), source, how)  # type: ignore[arg-type]
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words=opt.encoding_words(model, device, adaptive=False, no_cache=no_cache),
        sampling={} if rate is None else {"rate": rate},
    )
    check_file(out, overwrite=overwrite)
    truth = TruthOptions(annotations, format_, split, folder, truth_rate)
    found = find_pairs(find_videos(videos) if videos else [], truth)
    fetch_chosen(settings)
    with progress_of([job for job, _ in found.pairs], quiet=quiet or as_json) as listener:
        result = fit_light_videos(
            VideoEncoder(settings), found, options, truth=truth, listener=listener
        )
    write_light(result, out, overwrite=overwrite)
    _show_light(result, out, as_json=as_json)


def _show_light(result: LightResult, out: Path, *, as_json: bool) -> None:
    from watchword.evaluation.report.boxes import box
    from watchword.run.fitting import fit_tables

    light = result.light
    if as_json:
        document = {
            "model": str(out),
            "fingerprint": light.fingerprint,
            "lead_s": light.lead_s,
            "source": light.source,
            "calibration": asdict(light.calibration),
            "brier": result.brier,
            "calibration_error": result.error,
            "brier_of_base_rate": result.base,
            "facts": asdict(light.head.facts),
            "labels": [asdict(one) for one in result.fit.labels],
            "notes": list(result.notes),
        }
        typer.echo(json.dumps(document, indent=2))
        return
    for table in fit_tables(result.fit):
        typer.echo(box(table))
    for one in result.fit.labels:
        typer.echo(one.verdict)
    if result.brier is not None and result.error is not None and result.base is not None:
        typer.echo(
            f"Brier score {result.brier[1]:.3f} held out ({result.brier[0]:.3f} before it was put "
            f"right); saying the share of positives everywhere gives {result.base:.3f}. "
            f"Calibration error {result.error[1]:.3f}."
        )
    for note in result.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(out))
