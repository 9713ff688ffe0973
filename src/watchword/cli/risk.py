"""``watchword risk``: will there be a collision in the next seconds?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli import options as opt
from watchword.cli.detect import INTERRUPTED, find_jobs, finish
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watchword.config import Config
    from watchword.evidence.answers.base import AnswerOptions, Responder
    from watchword.evidence.cascade import CascadeOptions
    from watchword.pipeline.clips import SlideOptions
    from watchword.pipeline.risk import RiskWatch
    from watchword.run.batch import BatchOptions, Row
    from watchword.run.manifest import Job

app = typer.Typer(
    help="Crash risk: will there be a collision in the next seconds?", no_args_is_help=True
)

QuestionText = Annotated[
    str | None,
    typer.Option("--question", "-Q", help="What is asked; seed 4's question unless said."),
]


@app.command()
def predict(
    videos: opt.Videos = None,
    question: QuestionText = None,
    label: Annotated[str, typer.Option(help="What the scores are called.")] = "collision",
    vlm: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Folder of a video-language model, or of 'risk train'."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="The model that 'risk train' began with, if it was moved.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server, as http://localhost:8000/v1.")
    ] = None,
    served: Annotated[
        str | None, typer.Option("--endpoint-model", help="The model as the server calls it.")
    ] = None,
    key_env: Annotated[
        str, typer.Option(help="Environment variable with the server's key; unless said, none.")
    ] = "",
    light: Annotated[
        Path | None, typer.Option(help="A model of 'risk fit' alone: runs anywhere.")
    ] = None,
    cascade: Annotated[
        Path | None,
        typer.Option(help="A model of 'risk fit'; the other is asked only where it is unsure."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Answers a video at most, as 50, or a share, as 20% (20%).")
    ] = None,
    answered: Annotated[
        Path | None,
        typer.Option(
            help="Table of held-out answers (probabilities.csv of 'risk train'), which puts those "
            "of a cascade right."
        ),
    ] = None,
    clip_s: Annotated[
        float | None,
        typer.Option(help="Seconds of the past an answer is about (4, or as it was trained)."),
    ] = None,
    stride_s: Annotated[float, typer.Option(help="Seconds from one answer to the next.")] = 0.5,
    pictures: Annotated[
        int | None,
        typer.Option(help="Pictures of them that are looked at (8, or as it was trained)."),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Clips at a time.")] = None,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    device: opt.Device = None,
    encoder: Annotated[
        str | None, typer.Option(help="Encoder of the light model, unless the built-in one.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", "-t", help="Probability an event begins at.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV or JSONL list of videos: video, class, split.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results, one a video.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there already.")
    ] = False,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", "-x", help="Also write the events by file ending. Repeat."),
    ] = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Slide over drives and tell how probable a collision is.

    watchword risk predict drive.mp4 --light road.risk

    watchword risk predict drive.mp4 --model SmolVLM2-500M-Video-Instruct --cascade road.risk
    """
    from watchword.evidence.answers.base import AnswerOptions
    from watchword.evidence.answers.question import CRASH
    from watchword.run.batch import BatchOptions, default_folder

    answers = AnswerOptions(
        question or CRASH.text,
        label=label,
        clip_s=4.0 if clip_s is None else clip_s,
        stride_s=stride_s,
        pictures=8 if pictures is None else pictures,
        batch=batch,
        device=device or "cpu",
        dtype=dtype,
    )
    _check_asked(vlm, endpoint, light, cascade, budget)
    if answered is not None and cascade is None:
        raise typer.BadParameter("--answered goes with --cascade, where two scales are mixed")
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words={
            **opt.encoding_words(encoder, None, adaptive=False, no_cache=no_cache),
            "events.enter": threshold,
        },
    )
    spent = _cascade(budget, answered) if cascade is not None else None
    responder, fitted = _responder(vlm, base, endpoint, served, key_env, answers)
    watch = _watch(
        responder,
        light or cascade,
        answers,
        settings,
        slide=_slide(
            answers, responder, fitted, clip_s=clip_s is not None, pictures=pictures is not None
        ),
        cascade=spent,
        fitted=fitted,
    )
    jobs = find_jobs(videos, manifest)
    batch_options = BatchOptions(folder=out or default_folder(), overwrite=overwrite)
    rows = _run(watch, jobs, batch_options, quiet=quiet or as_json)
    finish(rows, export=export or (), overwrite=overwrite, as_json=as_json)


@app.command()
def doctor(
    directory: Annotated[Path, typer.Argument(help="Folder of a video-language model.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a local video-language model lacks, without loading it; exit 1 if it cannot run."""
    from watchword.evidence.answers.doctor import check_directory, ready

    findings = check_directory(directory)
    if as_json:
        told = {"ready": ready(findings), "findings": [asdict(one) for one in findings]}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for one in findings:
            typer.echo(f"{one.level:5} {one.what}: {one.told}")
    if not ready(findings):
        raise typer.Exit(1)


def need_torch() -> None:
    """MissingDependency unless video-language models can run here."""
    from importlib.util import find_spec

    from watchword.errors import MissingDependency

    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingDependency(package, "pip install 'watchword[vlm]'")


def _check_asked(
    vlm: Path | None,
    endpoint: str | None,
    light: Path | None,
    cascade: Path | None,
    budget: str | None,
) -> None:
    """BadParameter unless one thing gives the risk, or one is asked after a light model."""
    asked = [one for one in (vlm, endpoint) if one is not None]
    if len(asked) > 1:
        raise typer.BadParameter("give --model or --endpoint, not both")
    if light is not None and (asked or cascade is not None):
        raise typer.BadParameter(
            "--light is a light model alone; to ask another where it is unsure, name it with "
            "--cascade"
        )
    if not asked and light is None:
        raise typer.BadParameter(
            "say what tells the risk: --light FILE of 'risk fit', --model FOLDER of a "
            "video-language model, or --endpoint URL of a server"
        )
    if budget is not None and cascade is None:
        raise typer.BadParameter("--budget goes with --cascade; without it every window is asked")


def _cascade(budget: str | None, answered: Path | None) -> CascadeOptions:
    """The budget that a person wrote, 50 answers or 20% of the windows; and what answers mean."""
    from dataclasses import replace

    from watchword.evidence.cascade import CascadeOptions
    from watchword.run.risk import answers_platt

    options = CascadeOptions()
    if answered is not None:
        options = replace(options, answers=answers_platt(answered))
    if budget is None:
        return options
    text = budget.strip()
    try:
        amount = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError as exc:
        raise typer.BadParameter(
            f"--budget is {budget!r}, it must be a number of answers, as 50, or a share, as 20%"
        ) from exc
    return replace(options, budget=amount)


def _responder(
    vlm: Path | None,
    base: Path | None,
    endpoint: str | None,
    served: str | None,
    key_env: str,
    answers: AnswerOptions,
) -> tuple[Responder | None, Mapping[str, Any] | None]:
    """What answers, and what it was trained on if that was here."""
    if endpoint is not None:
        from watchword.evidence.answers.endpoint import Endpoint, EndpointOptions

        if not served:
            raise typer.BadParameter("--endpoint needs --endpoint-model, as the server calls it")
        options = EndpointOptions(endpoint, served, key_env=key_env, pictures=answers.pictures)
        return Endpoint(options), None
    if vlm is None:
        return None, None
    need_torch()
    from watchword.evidence.answers.local import load_responder
    from watchword.train.risk.responder import RiskResponder, is_risk_model

    if not is_risk_model(vlm):
        return load_responder(vlm, answers), None

    trained = RiskResponder(
        vlm,
        base=base,
        device=answers.device,  # type: ignore[arg-type]
        dtype=answers.dtype,  # type: ignore[arg-type]
        batch=answers.batch,
    )
    return trained, trained.as_fitted()


def _slide(
    answers: AnswerOptions,
    responder: Responder | None,
    fitted: Mapping[str, Any] | None,
    *,
    clip_s: bool,
    pictures: bool,
) -> SlideOptions:
    """As asked; a length or a number of pictures that was not said is that of the training."""
    from watchword.pipeline.clips import SlideOptions

    length_s = answers.clip_s if clip_s else (fitted or {}).get("clip_s") or answers.clip_s
    looked_at = answers.pictures if pictures or responder is None else responder.pictures
    return SlideOptions(length_s, answers.stride_s, looked_at, least_s=min(1.0, length_s))


def _watch(
    responder: Responder | None,
    light: Path | None,
    answers: AnswerOptions,
    settings: Config,
    *,
    slide: SlideOptions,
    cascade: CascadeOptions | None,
    fitted: Mapping[str, Any] | None,
) -> RiskWatch:
    from watchword.cli.fetch import fetch_chosen
    from watchword.evidence.answers.question import read_question
    from watchword.evidence.light_file import read_light
    from watchword.pipeline.risk import RiskWatch

    if light is not None:
        fetch_chosen(settings)
    return RiskWatch(
        light=None if light is None else read_light(light),
        responder=responder,
        question=read_question(answers.question, label=answers.label),
        slide=slide,
        cascade=cascade,
        config=settings,
        answers_fitted=fitted,
    )


def _run(watch: RiskWatch, jobs: Sequence[Job], options: BatchOptions, *, quiet: bool) -> list[Row]:
    """Every drive's row; on Ctrl-C those that are finished are kept."""
    from watchword.run.risk import run_risk

    rows: list[Row] = []
    with progress_of(jobs, quiet=quiet) as listener:
        try:
            rows.extend(run_risk(watch, jobs, options=options, listener=listener))
        except KeyboardInterrupt:
            typer.echo(f"interrupted: {len(rows)} of {len(jobs)} videos are finished", err=True)
            raise typer.Exit(INTERRUPTED) from None
    return rows
