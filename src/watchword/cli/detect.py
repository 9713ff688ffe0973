"""``watchword detect``: find events in videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import options as opt
from watchword.cli.judged import given
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.config import Config
    from watchword.pipeline.wordless import Memories
    from watchword.run.batch import BatchOptions, Row
    from watchword.run.manifest import Job
    from watchword.types import PromptBank

EVENT_FOUND = 3
INTERRUPTED = 130
# What a calibration says, so that nobody else may: options, and settings of --set.
CALIBRATED = ("threshold", "rate", "every_frame", "every", "region", "adaptive")
CALIBRATED_SETTINGS = (
    *("events.", "smoothing.", "decision.", "windows.", "stillness."),
    *("sampling.rate", "sampling.every", "sampling.region"),
)


@dataclass(frozen=True)
class Watcher:
    """What gives the scores: sentences, a head, an adapter, memories; and the thresholds.

    ``memories`` are files of normal footage; ``itself`` makes each video its own.
    """

    bank: PromptBank | None = None
    head: Path | None = None
    calibration: Path | None = None
    memories: tuple[Path, ...] = ()
    itself: bool = False
    adapter: Path | None = None


def detect(
    context: typer.Context,
    videos: opt.Videos = None,
    prompt: opt.Prompts = None,
    normal: Annotated[
        list[str] | None,
        typer.Option(
            "--normal",
            "-n",
            help="The usual scene: a sentence, FILE.normal of 'normal learn', or self. Repeat.",
        ),
    ] = None,
    bank: opt.Bank = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            "-e",
            help="What is weighed: words, change, normality. Repeat. Unless said, what is given.",
        ),
    ] = None,
    any_scene: Annotated[
        bool, typer.Option("--any-scene", help="Use a memory though the scene looks another.")
    ] = False,
    where: Annotated[
        bool, typer.Option("--where", help="Show where in the pictures of events the words are.")
    ] = False,
    head: Annotated[
        Path | None,
        typer.Option(help="What 'fit' learned of labelled pictures, in place of sentences."),
    ] = None,
    adapter: Annotated[
        Path | None,
        typer.Option(help="Folder of 'train adapter': scores by itself, or what sentences see."),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Thresholds and smoothing that 'calibrate' chose.")
    ] = None,
    model: opt.Model = None,
    device: opt.Device = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", "-t", help="Score from which an event begins.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="contrast, margin, cosine or probability.")
    ] = None,
    rate: opt.Rate = None,
    every_frame: opt.EveryFrame = False,
    every: opt.Every = None,
    start: opt.Start = None,
    end: opt.End = None,
    region: opt.Region = None,
    adaptive: opt.Adaptive = False,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV or JSONL list of videos: video, class, split.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results, one folder a video in it."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there already.")
    ] = False,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", "-x", help="Also write the events by file ending. Repeat."),
    ] = None,
    annotation: Annotated[
        Path | None, typer.Option(help="The truth, to draw beside the scores.")
    ] = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON on standard output.")
    ] = False,
    fail_on_event: Annotated[
        bool, typer.Option("--fail-on-event", help="Exit with 3 if any event was found.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Find events in videos: from words, or from what changes and looks unlike the rest.

    watchword detect drive.mp4 -p "a deer on the road" -n "an empty road"

    watchword detect drive.mp4

    watchword detect door.mp4 --normal door.normal
    """
    from watchword.run.batch import write_tables

    usual = _usual(normal)
    words = bool(prompt or bank)
    if usual.sentences and not words:
        raise typer.BadParameter(
            "a sentence for --normal goes with --prompt; a memory is a file ending in .normal"
        )
    if any_scene and not usual.memories:
        raise typer.BadParameter("--any-scene goes with --normal FILE.normal")
    _check_choices(context, sentences=words)
    watcher = Watcher(
        bank=opt.choose_bank(prompt, usual.sentences, bank) if words else None,
        head=head,
        calibration=calibration,
        memories=usual.memories,
        itself=usual.itself,
        adapter=adapter,
    )
    settings = opt.build_config(
        file=config,
        overrides=set_,
        words={
            **opt.encoding_words(model, device, adaptive=adaptive, no_cache=no_cache),
            "score.kind": kind,
            "events.enter": threshold,
            "evidence.kinds": evidence,
            "evidence.where": where or None,
            "normality.any_scene": any_scene or None,
        },
        sampling=opt.sampling_words(
            rate=rate, every_frame=every_frame, every=every, start=start, end=end, region=region
        ),
    )
    jobs = find_jobs(videos, manifest)
    _check_exports(export or (), single=len(jobs) == 1, overwrite=overwrite)
    options = _batch_options(out, manifest, annotation, jobs, overwrite=overwrite)
    rows = run(watcher, settings, jobs, options, quiet=quiet or as_json)
    if options.tables and options.folder is not None:
        write_tables(rows, options.folder, overwrite=overwrite)
    finish(rows, export=export or (), overwrite=overwrite, as_json=as_json)
    if fail_on_event and any(row.detection and row.detection.events for row in rows):
        raise typer.Exit(EVENT_FOUND)


@dataclass(frozen=True)
class _Usual:
    """What --normal named: sentences, files of memories, or the video itself."""

    sentences: tuple[str, ...]
    memories: tuple[Path, ...]
    itself: bool


def _usual(values: Sequence[str] | None) -> _Usual:
    """The values of --normal by what they are; BadParameter if memories contradict."""
    memories = tuple(Path(value) for value in values or () if value.endswith(".normal"))
    itself = "self" in (values or ())
    if itself and memories:
        raise typer.BadParameter("--normal self and --normal FILE.normal exclude each other")
    sentences = [v for v in values or () if v != "self" and not v.endswith(".normal")]
    return _Usual(tuple(sentences), memories, itself)


def _check_choices(context: typer.Context, *, sentences: bool) -> None:
    """BadParameter where one option would silently overrule another."""
    asked = context.params
    if asked["head"] is not None and sentences:
        raise typer.BadParameter("--head takes the place of --prompt, --normal and --bank")
    if asked["head"] is not None and asked["adapter"] is not None:
        raise typer.BadParameter("--head gives the scores by itself; leave --adapter out")
    learned = asked["head"] is not None or asked["adapter"] is not None
    if learned and not sentences and asked["kind"] is not None:
        raise typer.BadParameter(
            "--kind is about sentences; a head gives probabilities, and so does an adapter"
        )
    if asked["calibration"] is None:
        return
    said = [
        *given(context, CALIBRATED),
        *(text for text in asked["set_"] or () if text.strip().startswith(CALIBRATED_SETTINGS)),
    ]
    if said:
        raise typer.BadParameter(
            "--calibration sets which pictures are looked at, smoothing, thresholds and verdict; "
            f"leave out {said[0]}, or the calibration"
        )


def find_jobs(videos: Sequence[str] | None, manifest: Path | None) -> tuple[Job, ...]:
    """The videos that the arguments name; BadParameter if they name none."""
    from watchword.run.manifest import Job, read_manifest
    from watchword.video.reader import find_videos

    if bool(videos) == (manifest is not None):
        raise typer.BadParameter("give videos, or a list of them with --manifest")
    if manifest is not None:
        return read_manifest(manifest)
    return tuple(Job(source) for source in find_videos(videos or ()))


def run(
    watcher: Watcher,
    settings: Config,
    jobs: Sequence[Job],
    options: BatchOptions,
    *,
    quiet: bool,
) -> list[Row]:
    """Every job's row; on Ctrl-C those that are finished, after saying so."""
    from watchword.cli.fetch import fetch_chosen
    from watchword.evaluation.calibrate.calibration_file import read_calibration
    from watchword.evidence.adapter import load_adapter
    from watchword.evidence.head_file import read_head
    from watchword.evidence.normality.memory_file import read_memory
    from watchword.pipeline.detector import Detector
    from watchword.run.batch import run_batch

    memory: Memories = "self" if watcher.itself else None
    if watcher.memories:
        memory = tuple(read_memory(path) for path in watcher.memories)
    fetch_chosen(settings)
    detector = Detector(
        watcher.bank,
        config=settings,
        head=None if watcher.head is None else read_head(watcher.head),
        calibration=None if watcher.calibration is None else read_calibration(watcher.calibration),
        memory=memory,
        adapter=None if watcher.adapter is None else load_adapter(watcher.adapter),
    )
    rows: list[Row] = []
    with progress_of(jobs, quiet=quiet) as listener:
        try:
            rows.extend(run_batch(detector, jobs, options=options, listener=listener))
        except KeyboardInterrupt:
            typer.echo(
                f"interrupted: {len(rows)} of {len(jobs)} videos are finished and kept", err=True
            )
            raise typer.Exit(INTERRUPTED) from None
    return rows


def finish(rows: Sequence[Row], *, export: Sequence[str], overwrite: bool, as_json: bool) -> None:
    """Shows the rows, writes tables and exports; exits with 1 if no video could be read."""
    from watchword.cli import render

    for path in export:
        _export(rows, path, overwrite=overwrite)
    if as_json:
        typer.echo(render.as_json(rows))
    else:
        render.show(rows)
    if not any(row.detection for row in rows):
        raise typer.Exit(1)


def _batch_options(
    out: Path | None,
    manifest: Path | None,
    annotation: Path | None,
    jobs: Sequence[Job],
    *,
    overwrite: bool,
) -> BatchOptions:
    from watchword.evaluation.datasets.own import read_annotation
    from watchword.run.batch import BatchOptions, default_folder

    if annotation is not None and len(jobs) != 1:
        raise typer.BadParameter(f"--annotation is about one video, got {len(jobs)}")
    return BatchOptions(
        folder=out or default_folder(),
        overwrite=overwrite,
        tables=manifest is not None,
        annotation=None
        if annotation is None
        else read_annotation(annotation, rate=_rate_of(jobs[0])),
    )


def _rate_of(job: Job) -> float | None:
    """Frames a second of the video, for a truth that counts frames."""
    from watchword.video.reader import open_video

    with open_video(job.source) as stream:
        return None if stream.info.rate is None else float(stream.info.rate)


def _check_exports(paths: Sequence[str], *, single: bool, overwrite: bool) -> None:
    """Before a video is read: OutputError for an ending nobody knows or a file that is there."""
    from watchword.output.atomic import check_file
    from watchword.output.export.writers import find_writer

    for path in map(Path, paths):
        writer = find_writer(path)
        if single and not writer.folder:
            check_file(path, overwrite=overwrite)


def _export(rows: Sequence[Row], path: str, *, overwrite: bool) -> None:
    """One detection to the path itself, several to a file each beside it, named by the video."""
    from watchword.output.export.writers import export

    found = [(row.job, row.detection) for row in rows if row.detection is not None]
    for job, detection in found:
        target = Path(path)
        if len(found) > 1:
            target = target.with_name(f"{job.video_id}.{target.name}")
        export(detection, target, overwrite=overwrite)
