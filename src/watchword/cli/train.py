"""``watchword train``: models that learn from annotated videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import judged
from watchword.cli import options as opt
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watchword.run.fitting import TruthOptions
    from watchword.train.adapter.config_file import AdapterConfig
    from watchword.train.adapter.fit import AdapterFit

AdapterConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="YAML of the adapter; what is said here goes before it."),
]
Annotations = Annotated[
    Path | None,
    typer.Option("--annotations", "-a", help="The truth, in any format that is known."),
]
TruthFormat = Annotated[
    str | None, typer.Option("--format", help="Format of the truth; told from its content.")
]
TruthVideos = Annotated[
    Path | None, typer.Option("--videos", help="Folder of the videos that the truth names.")
]
TruthRate = Annotated[
    float | None, typer.Option("--truth-rate", help="Frames a second that the truth counts in.")
]

app = typer.Typer(help="Train models on annotated videos.", no_args_is_help=True)


@app.callback()
def train() -> None:
    """Train models on annotated videos."""


@app.command()
def adapter(
    config: AdapterConfigFile = None,
    annotations: Annotations = None,
    format_: TruthFormat = None,
    folder: TruthVideos = None,
    split: judged.Split = None,
    truth_rate: TruthRate = None,
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="One key of the config, as epochs=10, or a setting of encoding. Repeat."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the adapter and its training.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that the folder holds.")
    ] = False,
    overwrite: judged.Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Train a temporal adapter: what a picture means where it stands among its neighbours.

    watchword train adapter --config shanghaitech_train.yaml --annotations meta.json -o adapter

    Use it with: watchword detect --adapter adapter
    """
    from watchword.cli.fetch import fetch_chosen
    from watchword.output.atomic import check_folder
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fitting import find_pairs
    from watchword.run.splits import settled_split
    from watchword.run.training import (
        need_torch,
        settled_for_training,
        train_adapter,
        training_options,
        training_videos,
    )

    if resume and overwrite:
        raise typer.BadParameter("--resume goes on, --overwrite begins anew; give one of the two")
    keys, settings = _sorted_out(set_ or ())
    said = config_said(
        config,
        annotations=annotations,
        format=format_,
        videos=folder,
        split=split,
        truth_rate=truth_rate,
        model=model,
        rate=rate,
        out=out,
        **keys,
    )
    truth = truth_of(said)
    if said.out is None:
        raise typer.BadParameter("say where the adapter goes: --out FOLDER, or out in the config")
    options = training_options(said)
    base = opt.build_config(file=None, overrides=settings, words={"encoder.device": device})
    encoding = settled_for_training(said, base)
    # Before an hour of encoding: what is in the way of the result.
    check_folder(said.out, mark="config.json", overwrite=resume or overwrite)
    need_torch()
    truth, notes = settled_split(truth, "train")
    found = find_pairs([], truth)
    fetch_chosen(encoding)
    encoder = VideoEncoder(encoding)
    with progress_of([job for job, _ in found.pairs], quiet=quiet or as_json) as listener:
        footage = training_videos(encoder, found, truth, source=options.source, listener=listener)
    fit = train_adapter(
        encoder,
        footage,
        said,
        said.out,
        resume=resume,
        overwrite=overwrite,
        listener=None if quiet or as_json else _tell,
    )
    _show(fit, (*notes, *footage.notes), as_json=as_json)


def config_said(file: Path | None, **said: Any) -> AdapterConfig:
    """The config of a file, with what the command line says of it; None is not said."""
    from watchword.train.adapter.config_file import AdapterConfig, apply_keys, read_config

    given = {name: value for name, value in said.items() if value is not None}
    read = AdapterConfig() if file is None else read_config(file)
    return apply_keys(read, given, where="command line")


def truth_of(config: AdapterConfig) -> TruthOptions:
    """Where the truth lies; BadParameter if nothing says so."""
    from watchword.run.fitting import TruthOptions

    if config.annotations is None:
        raise typer.BadParameter(
            "say what is true of the videos: --annotations meta.json, or annotations in the config"
        )
    return TruthOptions(
        config.annotations, config.format, config.split, config.videos, config.truth_rate
    )


def _sorted_out(texts: list[str] | tuple[()]) -> tuple[dict[str, Any], list[str]]:
    """Values of --set: keys of the adapter's config, and settings such as cache.enabled=false."""
    import yaml

    keys: dict[str, Any] = {}
    settings = []
    for text in texts:
        name, equals, value = text.partition("=")
        if "." in name or not equals:
            settings.append(text)
        else:
            keys[name.strip()] = yaml.safe_load(value)
    return keys, settings


def _tell(epoch: Mapping[str, Any]) -> None:
    """One line an epoch on standard error."""
    auc = epoch.get("auc")
    loss = epoch.get("validation_loss")
    judged_by = "" if loss is None else f"  validation loss {loss:.4f}"
    judged_by += "" if auc is None else f", AUC {auc:.3f}"
    typer.echo(
        f"epoch {epoch['epoch']:3d}  loss {epoch['loss']:.4f}{judged_by}  {epoch['seconds']:.1f} s",
        err=True,
    )


def _show(fit: AdapterFit, notes: tuple[str, ...], *, as_json: bool) -> None:
    notes = (*notes, *fit.notes)
    if as_json:
        typer.echo(json.dumps(_document(fit, notes), indent=2, ensure_ascii=False))
        return
    for note in notes:
        typer.echo(f"note: {note}")
    typer.echo(f"The adapter was {fit.spec.facts['sentence']} (objective: {fit.spec.objective}).")
    typer.echo(str(fit.adapter))


def _document(fit: AdapterFit, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "adapter": str(fit.adapter),
        "best_epoch": fit.best,
        "epochs": [dict(epoch) for epoch in fit.history],
        "train": list(fit.train),
        "validation": list(fit.validation),
        "baselines": dict(fit.baselines),
        "difference": fit.difference,
        "spec": json.loads(fit.spec.to_json()),
        "notes": list(notes),
    }
