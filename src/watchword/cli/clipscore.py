"""``watchword clipscore``: how well videos, pictures and texts agree, by every definition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import options as opt
from watchword.cli.correlate import correlate
from watchword.cli.progress import progress_of

if TYPE_CHECKING:
    from watchword.config import Config
    from watchword.pipeline.agreed import Agreed
    from watchword.pipeline.agreement import Agreement
    from watchword.run.agreements import PairOptions, PairRow
    from watchword.run.pairs import Pairs

TABLE = "clip_score_results.csv"
INTERRUPTED = 130

app = typer.Typer(
    help="Measure how well video and text, pictures, or other videos agree (CLIPScore).",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class Asked:
    """One comparison as the options name it."""

    video: str | None
    video2: str | None
    image: str | None
    image2: str | None
    texts: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given, in order."""
        words = {
            "--video": self.video,
            "--video2": self.video2,
            "--image": self.image,
            "--image2": self.image2,
            "--text": self.texts,
        }
        return tuple(name for name, value in words.items() if value)


@app.callback()
def clipscore(
    context: typer.Context,
    video: Annotated[str | None, typer.Option(help="Video file, folder of pictures, URL.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Text to compare with. Repeat.")] = None,
    text_file: Annotated[
        Path | None, typer.Option(help="File of texts to compare with, one a line.")
    ] = None,
    image: Annotated[str | None, typer.Option(help="Picture file.")] = None,
    image2: Annotated[str | None, typer.Option(help="Second picture, beside --image.")] = None,
    video2: Annotated[str | None, typer.Option(help="Second video, beside --video.")] = None,
    align: Annotated[
        str, typer.Option(help="Of two videos: frame (n-th with n-th), time, or best match.")
    ] = "frame",
    reference: Annotated[
        list[str] | None,
        typer.Option(help="Text that is known to fit, for RefCLIPScore. Repeat."),
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Folder of videos, each compared with --references.")
    ] = None,
    references: Annotated[
        Path | None, typer.Option(help="Folder of videos, pictures or .txt of the same stems.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV or JSONL of pairs: video or image; text, image2 or video2; ref."),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Compare source{a}_{b}.mp4 with original{b}.mp4.")
    ] = False,
    result_folder: Annotated[
        Path | None, typer.Option(help="Of --batch: holds the source{a}_{b}.mp4.")
    ] = None,
    input_folder: Annotated[
        Path | None, typer.Option(help="Of --batch: holds the original{b}.mp4.")
    ] = None,
    output_folder: Annotated[
        Path | None, typer.Option(help=f"Of --batch: where {TABLE} goes.")
    ] = None,
    long: Annotated[
        str, typer.Option(help="Texts too long for the model: error, truncate or chunks.")
    ] = "error",
    model: opt.Model = None,
    device: opt.Device = None,
    rate: Annotated[
        float | None, typer.Option(help="Pictures a second to look at (all unless said).")
    ] = None,
    every_frame: opt.EveryFrame = False,
    every: opt.Every = None,
    start: opt.Start = None,
    end: opt.End = None,
    config: opt.ConfigFile = None,
    set_: opt.Set = None,
    no_cache: opt.NoCache = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also each picture's score, and their spread.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    table: Annotated[
        Path | None,
        typer.Option("--csv", help=f"Table to write; of folders and manifests {TABLE}."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin a table anew that is there already.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Measure how well video and text, pictures, or other videos agree (CLIPScore).

    watchword clipscore --video V --text "a dog runs"; also --image, --video2, --videos.
    """
    if context.invoked_subcommand is not None:
        return
    asked = Asked(video, video2, image, image2, _texts(text, text_file), tuple(reference or ()))
    options = _options(align, long, overwrite=overwrite)
    target = _table_of(table, output_folder, batch=batch)
    pairs = _pairs(asked, (videos, references), manifest, (result_folder, input_folder, batch))
    if pairs is None:
        _no_idle_options(asked, options)
    settings = _settings(
        config,
        set_,
        opt.encoding_words(model, device, adaptive=False, no_cache=no_cache),
        opt.sampling_words(
            rate=rate, every_frame=every_frame, every=every, start=start, end=end, region=None
        ),
    )
    if pairs is not None:
        rows = _run(settings, pairs, target or Path(TABLE), options, quiet=quiet or as_json)
        _show_rows(rows, pairs, target or Path(TABLE), as_json=as_json, verbose=verbose)
        return
    _check_single(asked, target, overwrite=overwrite)
    results = _compared(settings, asked, options, quiet=quiet or as_json)
    if as_json:
        document = {"results": [one.to_json(verbose=verbose) for one in results]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from watchword.cli.clipscore_text import report

        typer.echo(report(results, verbose=verbose))
    if target is not None:
        from watchword.run.agreements import row_of, write_table

        write_table([row_of(one) for one in results], target, overwrite=overwrite)
        typer.echo(f"Table: {target}", err=as_json)


def _texts(texts: Sequence[str] | None, file: Path | None) -> tuple[str, ...]:
    from watchword.evaluation.datasets.text_file import rows_of

    written = () if file is None else (line for _, line in rows_of(file))
    return (*(texts or ()), *written)


def _options(align: str, long: str, *, overwrite: bool) -> PairOptions:
    from watchword.pipeline.alignment import ALIGN
    from watchword.pipeline.long_texts import LONG
    from watchword.run.agreements import PairOptions

    for name, value, known in (("--align", align, ALIGN), ("--long", long, LONG)):
        if value not in known:
            raise typer.BadParameter(f"{name} is {value!r}, it must be one of {', '.join(known)}")
    return PairOptions(align, long, overwrite)  # type: ignore[arg-type]


def _no_idle_options(asked: Asked, options: PairOptions) -> None:
    """BadParameter where an option has nothing to act on."""
    if options.align != "frame" and asked.video2 is None:
        raise typer.BadParameter("--align is about two videos; give --video2 too")
    if options.long != "error" and not asked.texts:
        raise typer.BadParameter("--long is about texts; give --text or --text-file")


def _table_of(table: Path | None, folder: Path | None, *, batch: bool) -> Path | None:
    if folder is None:
        return table
    if table is not None or not batch:
        raise typer.BadParameter("--output-folder goes with --batch, and without --csv")
    return folder / TABLE


def _pairs(
    asked: Asked,
    folders: tuple[Path | None, Path | None],
    manifest: Path | None,
    seed: tuple[Path | None, Path | None, bool],
) -> Pairs | None:
    """The pairs of folders or a manifest; None where the options name one comparison."""
    from watchword.run.pairs import pairs_by_stem, pairs_of_seed, read_pairs

    results, inputs, batch = seed
    ways = (any(folders), manifest is not None, batch or bool(results or inputs))
    if not any(ways):
        return None
    if sum(ways) > 1 or asked.given or asked.references:
        raise typer.BadParameter(
            "give one of --videos with --references, --manifest, or --batch, and no single "
            "video, image or text beside it"
        )
    if manifest is not None:
        return read_pairs(manifest)
    if ways[0]:
        if folders[0] is None or folders[1] is None:
            raise typer.BadParameter("--videos and --references go together")
        return pairs_by_stem(folders[0], folders[1])
    if results is None or inputs is None or not batch:
        raise typer.BadParameter("--batch needs --result-folder and --input-folder")
    return pairs_of_seed(results, inputs)


def _settings(
    file: Path | None,
    overrides: Sequence[str] | None,
    words: dict[str, object],
    sampling: dict[str, object],
) -> Config:
    """As for other commands, but every frame is looked at unless something else is said."""
    from watchword.config import Config, apply, load_config

    said: dict[str, dict[str, object]] = {"sampling": sampling}
    for name, value in words.items():
        if value is not None:
            section, field = name.split(".")
            said.setdefault(section, {})[field] = value
    every = apply(Config(), {"sampling": {"rate": None}})
    config = apply(load_config(file, base=every), said, where="command line")
    return load_config(overrides=overrides or (), base=config)


def _check_single(asked: Asked, target: Path | None, *, overwrite: bool) -> None:
    """What is wrong with the options or the table, before a model is loaded."""
    from watchword.output.atomic import check_file

    known = (
        {"--video", "--text"},
        {"--video", "--image"},
        {"--video", "--video2"},
        {"--image", "--text"},
        {"--image", "--image2"},
    )
    if set(asked.given) not in known:
        raise typer.BadParameter(
            f"got {' '.join(asked.given) or 'nothing to compare'}; give --video with --text, "
            "--image or --video2, --image with --text or --image2, or folders with --videos "
            "and --references, --manifest or --batch"
        )
    if asked.references and not asked.texts:
        raise typer.BadParameter("--reference is a text for RefCLIPScore; it goes with --text")
    if target is not None:
        check_file(target, overwrite=overwrite)


def _agreement(settings: Config) -> Agreement:
    from watchword.cli.fetch import fetch_chosen
    from watchword.pipeline.agreement import Agreement

    fetch_chosen(settings)
    return Agreement(settings)


def _compared(
    settings: Config, asked: Asked, options: PairOptions, *, quiet: bool
) -> tuple[Agreed, ...]:
    from watchword.run.manifest import Job

    agreement = _agreement(settings)
    if asked.video is None:
        assert asked.image is not None
        if asked.image2 is not None:
            return (agreement.image_image(asked.image, asked.image2),)
        return agreement.image_text(
            asked.image, asked.texts, references=asked.references, long=options.long
        )
    job = Job(asked.video)
    with progress_of([job], quiet=quiet) as bars:
        listener = bars(job) if bars else None
        if asked.video2 is not None:
            return (
                agreement.video_video(
                    asked.video, asked.video2, align=options.align, listener=listener
                ),
            )
        if asked.image is not None:
            return agreement.video_image(asked.video, asked.image, listener=listener)
        return agreement.video_text(
            asked.video,
            asked.texts,
            references=asked.references,
            long=options.long,
            listener=listener,
        )


def _run(
    settings: Config, pairs: Pairs, table: Path, options: PairOptions, *, quiet: bool
) -> list[PairRow]:
    """Every pair's row; on Ctrl-C those that are finished stay in the table."""
    from watchword.run.agreements import run_pairs
    from watchword.run.manifest import Job

    agreement = _agreement(settings)
    rows: list[PairRow] = []
    jobs = [Job(pair.first) for pair in pairs.pairs]
    with progress_of(jobs, quiet=quiet) as bars:
        try:
            made = run_pairs(
                agreement,
                pairs.pairs,
                table,
                options=options,
                listener=None if bars is None else lambda pair: bars(Job(pair.first)),
            )
            rows.extend(made)
        except KeyboardInterrupt:
            typer.echo(
                f"interrupted: what is finished is in {table}; the same command goes on", err=True
            )
            raise typer.Exit(INTERRUPTED) from None
    return rows


def _show_rows(
    rows: Sequence[PairRow], pairs: Pairs, table: Path, *, as_json: bool, verbose: bool
) -> None:
    from watchword.cli.clipscore_text import batch_report

    if as_json:
        document = {
            "table": str(table),
            "results": [row.to_json() for row in rows],
            "alone": list(pairs.alone),
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo(batch_report(rows, pairs.alone, verbose=verbose))
        typer.echo(f"Table: {table}")
    if all(row.error for row in rows):
        raise typer.Exit(1)


app.command("correlate")(correlate)
