"""``watchword risk data``, ``train`` and ``merge``: teach a video-language model crash risk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import options as opt
from watchword.cli.risk import QuestionText, need_torch

if TYPE_CHECKING:
    from watchword.train.risk.examples import RiskDataset
    from watchword.train.risk.fit import RiskFit

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def data(
    videos: opt.Videos = None,
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", "-a", help="The truth, in any format that is known."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the data set; made.")
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option("--dataset", help="A data set that is there: only check it.")
    ] = None,
    format_: opt.TruthFormat = None,
    folder: opt.TruthVideos = None,
    split: Annotated[str | None, typer.Option(help="Only videos of this split.")] = None,
    truth_rate: opt.TruthRate = None,
    question: QuestionText = None,
    clip_s: Annotated[float, typer.Option(help="Seconds of a stretch.")] = 4.0,
    lead: Annotated[
        list[float] | None,
        typer.Option(help="A stretch ends so many seconds before the event (0.5 1 1.5 2). Repeat."),
    ] = None,
    clear_s: Annotated[
        float, typer.Option(help="Seconds before an event from which nothing is called safe.")
    ] = 3.0,
    negatives: Annotated[int, typer.Option(help="Safe stretches a video gives at most.")] = 4,
    uncut: Annotated[
        bool, typer.Option("--uncut", help="Name stretches of the videos; cut no files.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draw of splits.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a data set that is there already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write train, val and test stretches out of annotated drives, or check such a data set.

    watchword risk data --annotations labels.json --out freeway
    """
    from watchword.run.fitting import TruthOptions, find_pairs
    from watchword.run.risk_data import RiskDataOptions, write_risk_dataset
    from watchword.run.risk_folder import read_risk_dataset
    from watchword.train.risk.windows import WindowOptions
    from watchword.video.reader import find_videos

    if dataset is not None:
        if annotations is not None or out is not None or videos:
            raise typer.BadParameter("--dataset checks what is there; leave the rest out")
        _show_data(read_risk_dataset(dataset), as_json=as_json)
        return
    if annotations is None or out is None:
        raise typer.BadParameter(
            "say what is true and where it goes: --annotations labels.json --out freeway; or "
            "check what is there with --dataset freeway"
        )
    # In one step: leads and what is clear of them only hold together.
    leads: dict[str, Any] = {"leads_s": tuple(lead)} if lead else {}
    windows = WindowOptions(clip_s=clip_s, clear_s=clear_s, negatives=negatives, **leads)
    options = RiskDataOptions(windows, cut=not uncut, rate=truth_rate, seed=seed)
    if question:
        options = replace(options, text=question)
    truth = TruthOptions(annotations, format_, split, folder, truth_rate)
    found = find_pairs(find_videos(videos) if videos else [], truth)
    _show_data(write_risk_dataset(found, out, options, overwrite=overwrite), as_json=as_json)


def train(
    dataset: Annotated[Path, typer.Option("--dataset", help="Folder of 'risk data', or alike.")],
    vlm: Annotated[Path, typer.Option("--model", "-m", help="Folder of the video-language model.")],
    epochs: Annotated[
        int, typer.Option("--epochs", "--epoch", help="Times that every example is seen.")
    ] = 3,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the training (risk-DATASET).")
    ] = None,
    tuning: Annotated[str, typer.Option(help="lora, qlora or full.")] = "lora",
    freeze: Annotated[
        list[str] | None,
        typer.Option(help="Parts that stay: vision, connector, text. Repeat; or none."),
    ] = None,
    pooling: Annotated[str, typer.Option(help="What the head sees: last, or mean.")] = "last",
    batch: Annotated[int, typer.Option(help="Examples at a time.")] = 1,
    accumulate: Annotated[int, typer.Option(help="Batches a step is made of.")] = 8,
    lr: Annotated[float, typer.Option(help="Largest step of the weights.")] = 1e-4,
    head_lr: Annotated[float, typer.Option(help="Largest step of the head.")] = 1e-3,
    warmup: Annotated[int, typer.Option(help="Steps over which both rise.")] = 50,
    pictures: Annotated[int, typer.Option(help="Of a stretch that are looked at.")] = 8,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Compute twice, to save memory.")
    ] = False,
    save_steps: Annotated[
        int | None, typer.Option(help="Steps between checkpoints within an epoch.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Of PyTorch on a CPU.")] = None,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was left.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier training.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Teach a video-language model to answer the data set's question; resumable.

    watchword risk train --dataset freeway --epochs 3 --model SmolVLM2-500M-Video-Instruct
    """
    need_torch()
    from watchword.run.risk_folder import read_risk_dataset
    from watchword.train.risk.fit import train_risk
    from watchword.train.risk.options import RiskTrainOptions

    kept = {} if freeze is None else {"freeze": tuple(p for p in freeze if p != "none")}
    options = RiskTrainOptions(
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        lr=lr,
        head_lr=head_lr,
        warmup=warmup,
        tuning=tuning,  # type: ignore[arg-type]
        pooling=pooling,  # type: ignore[arg-type]
        pictures=pictures,
        checkpointing=checkpointing,
        save_steps=save_steps,
        dtype=dtype,  # type: ignore[arg-type]
        device=device,  # type: ignore[arg-type]
        threads=threads,
        seed=seed,
        **kept,  # type: ignore[arg-type]
    )
    fit = train_risk(
        read_risk_dataset(dataset),
        vlm,
        options,
        out or Path(f"risk-{dataset.resolve().name}"),
        resume=resume,
        overwrite=overwrite,
        listener=_tell,
    )
    _show_fit(fit, as_json=as_json)


def merge(
    training: Annotated[Path, typer.Argument(help="Folder of 'risk train'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the whole model.")],
    base: Annotated[
        Path | None, typer.Option(help="The model that training began with, if it was moved.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is there already.")
    ] = False,
) -> None:
    """Make one folder of a trained model, that needs neither peft nor what it began with."""
    need_torch()
    from watchword.train.risk.model_file import merge_model
    from watchword.train.risk.responder import model_folder

    typer.echo(str(merge_model(model_folder(training), out, base=base, overwrite=overwrite)))


def _tell(epoch: Mapping[str, Any]) -> None:
    """One line an epoch on standard error."""
    said = [f"epoch {epoch['epoch']:3d}"]
    for split in ("train", "val"):
        figures = epoch.get(split) or {}
        known = [f"{name} {value:.3f}" for name, value in figures.items() if value is not None]
        if known:
            said.append(f"{split}: {', '.join(known)}")
    typer.echo("  ".join(said), err=True)


def _show_data(dataset: RiskDataset, *, as_json: bool) -> None:
    counts = dataset.counts
    if as_json:
        told = {"folder": str(dataset.folder), "counts": counts, "notes": list(dataset.notes)}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for split, count in counts.items():
        typer.echo(f"{split}: {count['yes']} yes, {count['no']} no, {count['groups']} groups")
    for note in dataset.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(dataset.folder))


def _show_fit(fit: RiskFit, *, as_json: bool) -> None:
    if as_json:
        told = {
            **asdict(fit),
            "folder": str(fit.folder),
            "model": str(fit.model),
        }
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for split, figures in fit.figures.items():
        known = [f"{name} {value:.3f}" for name, value in figures.items() if value is not None]
        typer.echo(f"{split}: {', '.join(known) or 'no example'}")
    for note in fit.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(fit.model))
