"""``watchword score``, ``embed`` and ``plot``: one stage at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import options as opt
from watchword.cli.detect import find_jobs
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.encoders.base import Encoder
    from watchword.pipeline.embed import Listener
    from watchword.run.manifest import Job

Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")]


def embed(
    videos: opt.Videos = None,
    out: Folder = Path(),
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    every_frame: opt.EveryFrame = False,
    every: opt.Every = None,
    start: opt.Start = None,
    end: opt.End = None,
    region: opt.Region = None,
    adaptive: opt.Adaptive = False,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    overwrite: Overwrite = False,
) -> None:
    """Encode videos: NAME.npy (windows x width) and NAME_edges_s.npy for each."""
    from watchword.cli.fetch import fetch_chosen
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.arrays import write_embeddings

    settings = opt.build_config(
        file=config,
        overrides=set_,
        words=opt.encoding_words(model, device, adaptive=adaptive, no_cache=no_cache),
        sampling=opt.sampling_words(
            rate=rate, every_frame=every_frame, every=every, start=start, end=end, region=region
        ),
    )
    fetch_chosen(settings)
    encoder = VideoEncoder(settings)
    name_model(encoder.encoder)
    _each(
        find_jobs(videos, None),
        lambda job, listener: write_embeddings(
            encoder, job, out, overwrite=overwrite, listener=listener
        ),
    )


def score(
    videos: opt.Videos = None,
    prompt: opt.Prompts = None,
    normal: opt.Normal = None,
    bank: opt.Bank = None,
    out: Folder = Path(),
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    every_frame: opt.EveryFrame = False,
    every: opt.Every = None,
    start: opt.Start = None,
    end: opt.End = None,
    region: opt.Region = None,
    adaptive: opt.Adaptive = False,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    overwrite: Overwrite = False,
) -> None:
    """Cosine of every sentence and picture: NAME.npy (prompts x windows), NAME_prompts.json."""
    from watchword.cli.fetch import fetch_chosen
    from watchword.pipeline.detector import Detector
    from watchword.run.arrays import write_prompt_scores

    chosen = opt.choose_bank(prompt, normal, bank)
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words=opt.encoding_words(model, device, adaptive=adaptive, no_cache=no_cache),
        sampling=opt.sampling_words(
            rate=rate, every_frame=every_frame, every=every, start=start, end=end, region=region
        ),
    )
    fetch_chosen(settings)
    detector = Detector(chosen, config=settings)
    name_model(detector.encoder)
    _each(
        find_jobs(videos, None),
        lambda job, listener: write_prompt_scores(
            detector, job, out, overwrite=overwrite, listener=listener
        ),
    )


def plot(
    folder: Annotated[Path, typer.Argument(help="A run folder, or a NAME.npy of 'score'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG or SVG file.")] = Path("plot.png"),
    top: Annotated[int, typer.Option(help="How many of the highest curves.")] = 5,
    annotation: Annotated[
        Path | None, typer.Option(help="The truth, drawn as bands behind the curves.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Pictures a second, where the files hold no times.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Draw the highest curves of a video's sentences over time."""
    from watchword.evaluation.datasets.own import read_annotation
    from watchword.output.plots import plot_scores
    from watchword.run.arrays import read_prompt_scores, write_bytes

    if out.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"--out is {out}; it must end in .png or .svg")
    scores = read_prompt_scores(folder, rate=rate)
    truth = None if annotation is None else read_annotation(annotation, rate=rate)
    picture = plot_scores(
        scores,
        annotation=truth,
        top=top,
        title=f"{folder.stem} ({scores.made_by})" if scores.made_by else folder.stem,
        form="svg" if out.suffix.lower() == ".svg" else "png",
    )
    write_bytes(out, picture, overwrite=overwrite)
    typer.echo(str(out))


def export(
    folder: Annotated[Path, typer.Argument(help="A run folder of 'detect'.")],
    target: Annotated[Path, typer.Argument(help="What to write; its ending says the format.")],
    overwrite: Overwrite = False,
) -> None:
    """Write a finished run's events for other tools: .srt .vtt .edl .mp4 and more."""
    from watchword.output.export import writers
    from watchword.output.folder import read_run

    typer.echo(str(writers.export(read_run(folder), target, overwrite=overwrite)))


def name_model(encoder: Encoder) -> None:
    """Says which model the numbers come from, apart from the names of files on standard output."""
    typer.echo(f"Model: {encoder.name}. {encoder.notice}", err=True)


def _each(jobs: Sequence[Job], work: Callable[[Job, Listener | None], Sequence[Path]]) -> None:
    """Does each job and names its files; a bad video is a line with its error."""
    from watchword.errors import EncoderError, VideoError

    done = 0
    with progress_of(jobs, quiet=False) as listener:
        for job in jobs:
            try:
                paths = work(job, listener(job) if listener else None)
            except (VideoError, EncoderError) as exc:
                typer.echo(f"error: {exc}", err=True)
                continue
            done += 1
            typer.echo(str(paths[0]))
    if not done:
        raise typer.Exit(1)
