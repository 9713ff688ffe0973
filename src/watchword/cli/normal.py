"""``watchword normal``: memories of what a camera usually shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import options as opt
from watchword.cli.detect import find_jobs
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.evidence.normality.memory import NormalMemory

app = typer.Typer(help="Memories of what a camera usually shows.", no_args_is_help=True)


@app.command()
def learn(
    videos: opt.Videos = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File of the memory, as door.normal.")
    ] = None,
    extend: Annotated[
        Path | None, typer.Option(help="A memory to which the footage is added.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV or JSONL list of videos, in place of naming them.")
    ] = None,
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    every_frame: opt.EveryFrame = False,
    every: opt.Every = None,
    start: opt.Start = None,
    end: opt.End = None,
    region: opt.Region = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a memory that is there already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was learned as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Learn what is normal from footage of one camera on usual days.

    watchword normal learn monday.mp4 tuesday.mp4 -o door.normal

    watchword detect today.mp4 --normal door.normal
    """
    from watchword.cli.fetch import fetch_chosen
    from watchword.evidence.normality.memory_file import read_memory, write_memory
    from watchword.output.atomic import check_file
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.learning import learn_normal

    if out is None:
        raise typer.BadParameter("say where the memory goes: -o door.normal")
    if out.suffix != ".normal":
        raise typer.BadParameter(
            f"{out} must end in .normal, so that detect knows it from a sentence"
        )
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words=opt.encoding_words(model, device, adaptive=False, no_cache=False),
        sampling=opt.sampling_words(
            rate=rate, every_frame=every_frame, every=every, start=start, end=end, region=region
        ),
    )
    # Before an hour of reading: what is in the way of the result.
    check_file(out, overwrite=overwrite)
    base = None if extend is None else read_memory(extend)
    jobs = find_jobs(videos, manifest)
    fetch_chosen(settings)
    with progress_of(jobs, quiet=quiet or as_json) as listener:
        memory = learn_normal(VideoEncoder(settings), jobs, extend=base, listener=listener)
    write_memory(memory, out, overwrite=overwrite)
    _show(memory, out, as_json=as_json)


@app.command()
def show(
    memory: Annotated[Path, typer.Argument(help="File of a memory.", show_default=False)],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print it as JSON on standard output.")
    ] = False,
) -> None:
    """Tell what a memory holds, and what it may be used with."""
    from watchword.evidence.normality.memory_file import read_memory

    _show(read_memory(memory), memory, as_json=as_json)


def _show(memory: NormalMemory, path: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_document(memory, path), indent=2, ensure_ascii=False))
        return
    setting = memory.setting
    typer.echo(f"{path}: {memory}.")
    typer.echo(
        f"For {setting.width}x{setting.height} and the model {setting.encoder_name}; the camera "
        f"{'moves' if memory.scene.moving else 'stands still'}."
    )
    for one in memory.footage:
        typer.echo(f"  {one.seconds:8.1f} s  {one.video}")
    for note in memory.notes:
        typer.echo(f"Note: {note}")


def _document(memory: NormalMemory, path: Path) -> dict[str, Any]:
    from dataclasses import asdict

    setting = memory.setting
    return {
        "memory": str(path),
        "fingerprint": memory.fingerprint,
        "encoder": setting.encoder_name,
        "width": setting.width,
        "height": setting.height,
        "rate": memory.rate,
        "moving": memory.scene.moving,
        "skipped": memory.skipped,
        "parts": {
            name: {"entries": part.count, **asdict(part.options)}
            for name, part in memory.parts.items()
        },
        "footage": [asdict(one) for one in memory.footage],
        "notes": list(memory.notes),
    }
