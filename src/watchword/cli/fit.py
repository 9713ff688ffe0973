"""``watchword fit``: a head from a few labelled clips or windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import options as opt
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.train.head import FitOptions, FitResult
    from watchword.types import PromptBank


def fit(
    videos: opt.Videos = None,
    annotations: Annotated[
        Path, typer.Option("--annotations", "-a", help="The truth, in any format that is known.")
    ] = ...,  # type: ignore[assignment]
    out: Annotated[Path, typer.Option("--out", "-o", help="File, as camera.head.safetensors.")] = (
        ...  # type: ignore[assignment]
    ),
    format_: opt.TruthFormat = None,
    folder: opt.TruthVideos = None,
    split: Annotated[str | None, typer.Option(help="Learn from this split only.")] = None,
    truth_rate: opt.TruthRate = None,
    clip: Annotated[
        bool, typer.Option("--clip", help="Learn from whole clips: does it hold an event?")
    ] = False,
    window_s: Annotated[
        float | None,
        typer.Option(help="Seconds that are looked at (2; with --clip a clip's usual length)."),
    ] = None,
    every_s: Annotated[
        float | None, typer.Option(help="Seconds between windows to learn from (half a window).")
    ] = None,
    pooling: Annotated[
        str, typer.Option(help="What is seen of a stretch: mean+std+change, or mean.")
    ] = "mean+std+change",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Learn only this label. Repeat.")
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help="Learn all events as one label of this name.")
    ] = None,
    prompt: opt.Prompts = None,
    normal: opt.Normal = None,
    bank: opt.Bank = None,
    unvalidated: Annotated[
        bool, typer.Option("--unvalidated", help="Fit even where nothing can be held out.")
    ] = False,
    folds: Annotated[int, typer.Option(help="Splits of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(help="Of splits, draws and bootstrap.")] = 0,
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for tables as CSV and learning curves as PNG.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a head that is there already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Learn an event from 5 to 500 labelled clips or windows, and say how well that works.

    watchword fit clips/ --annotations labels.csv --clip -o fight.head.safetensors

    Give --prompt or --bank to hear whether it beats the score from words. Use the head with:
    watchword detect --head fight.head.safetensors
    """
    from watchword.cli.fetch import fetch_chosen
    from watchword.output.atomic import check_file, check_folder
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fit_files import MARK, write_fit_files
    from watchword.run.fitting import TruthOptions, find_pairs, fit_videos, write_head
    from watchword.video.reader import find_videos

    if videos and folder is not None:
        raise typer.BadParameter("give videos, or the folder of those that the truth names")
    options = _options(
        {"unit": "clip" if clip else "window", "pooling": pooling, "merged": as_},
        {"window_s": window_s, "every_s": every_s, "folds": folds, "seed": seed},
        labels=tuple(label or ()),
        unvalidated=unvalidated,
    )
    chosen = _bank(prompt, normal, bank)
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words=opt.encoding_words(model, device, adaptive=False, no_cache=no_cache),
        sampling={} if rate is None else {"rate": rate},
    )
    # Before an hour of encoding: what is in the way of the result, or of finding the videos.
    check_file(out, overwrite=overwrite)
    if plots is not None:
        check_folder(plots, mark=MARK, overwrite=overwrite)
    truth = TruthOptions(annotations, format_, split, folder, truth_rate)
    found = find_pairs(find_videos(videos) if videos else [], truth)
    fetch_chosen(settings)
    with progress_of([job for job, _ in found.pairs], quiet=quiet or as_json) as listener:
        result = fit_videos(
            VideoEncoder(settings), found, options, truth=truth, bank=chosen, listener=listener
        )
    write_head(result, out, overwrite=overwrite)
    if plots is not None:
        write_fit_files(result, plots, overwrite=overwrite)
    _show(result, out, as_json=as_json)


def _options(
    named: dict[str, Any], numbers: dict[str, Any], *, labels: tuple[str, ...], unvalidated: bool
) -> FitOptions:
    """What to learn and how; BadParameter if a value is not allowed."""
    from watchword.train.head import FitOptions

    try:
        return FitOptions(**named, **numbers, labels=labels, unvalidated=unvalidated)
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc


def _bank(
    prompt: Sequence[str] | None, normal: Sequence[str] | None, bank: str | None
) -> PromptBank | None:
    if not (prompt or normal or bank):
        return None
    return opt.choose_bank(prompt, normal, bank)


def _show(result: FitResult, out: Path, *, as_json: bool) -> None:
    from watchword.evaluation.report.boxes import box
    from watchword.run.fitting import fit_tables

    if as_json:
        typer.echo(json.dumps(_document(result, out), indent=2))
        return
    for table in fit_tables(result):
        typer.echo(box(table))
    for fit in result.labels:
        typer.echo(fit.verdict)
    for note in result.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(out))


def _document(result: FitResult, out: Path) -> dict[str, Any]:
    head = result.head
    return {
        "head": str(out),
        "fingerprint": head.fingerprint,
        "encoder": head.encoder_name,
        "window_s": head.pool.window_s,
        "pooling": head.pool.pooling,
        "facts": asdict(head.facts),
        "labels": [asdict(fit) for fit in result.labels],
        "notes": list(result.notes),
    }
