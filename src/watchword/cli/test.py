"""``watchword test``: detect in every annotated video, and judge what was found, in one go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import judged
from watchword.cli import options as opt
from watchword.cli.progress import progress_of
from watchword.cli.train import (
    AdapterConfigFile,
    Annotations,
    TruthFormat,
    TruthRate,
    TruthVideos,
    config_said,
    truth_of,
)

if TYPE_CHECKING:
    from watchword.run.testing import Tested


def try_out(
    config: AdapterConfigFile = None,
    adapter: Annotated[
        Path | None,
        typer.Option(help="Folder of 'train adapter'; the sentences alone without one."),
    ] = None,
    annotations: Annotations = None,
    format_: TruthFormat = None,
    folder: TruthVideos = None,
    split: judged.Split = None,
    truth_rate: TruthRate = None,
    prompt: opt.Prompts = None,
    normal: opt.Normal = None,
    score: Annotated[
        str | None,
        typer.Option(help="Of the sentences: contrast, margin, probability, or cosine (seed 3)."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", "-t", help="Score from which an event begins.")
    ] = None,
    model: opt.Model = None,
    device: opt.Device = None,
    rate: opt.Rate = None,
    set_: opt.Set = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the runs and their evaluation.")
    ] = None,
    overwrite: judged.Overwrite = False,
    samples: judged.Samples = 1000,
    seed: judged.Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Test an adapter, sentences, or both together on annotated videos.

    watchword test --config ucsd_test.yaml --adapter runs/shanghaitech --annotations meta.json
    """
    from watchword.cli.fetch import fetch_chosen
    from watchword.evaluation.evaluate import EvaluationOptions
    from watchword.evidence.adapter import load_adapter
    from watchword.pipeline.detector import Detector
    from watchword.run.fitting import find_pairs
    from watchword.run.splits import settled_split
    from watchword.run.testing import (
        check_test_folder,
        detect_and_judge,
        semantic_bank,
        settled_for_test,
    )

    said = config_said(
        config,
        adapter=adapter,
        annotations=annotations,
        format=format_,
        videos=folder,
        split=split,
        truth_rate=truth_rate,
        semantic_prompts=prompt,
        normal_prompts=normal,
        score=score,
        threshold=threshold,
        model=model,
        rate=rate,
        out=out,
    )
    truth = truth_of(said)
    bank = semantic_bank(said)
    trained = None if said.adapter is None else load_adapter(said.adapter)
    if bank is None and trained is None:
        raise typer.BadParameter(
            "there is nothing to test; give --adapter, or semantic_prompts in the config"
        )
    base = opt.build_config(
        file=None,
        # A test is read from its figures; a page for each of many videos costs more than they do.
        overrides=["output.report=false", *(set_ or ())],
        words={"encoder.device": device},
    )
    settings = settled_for_test(said, trained, base)
    results = said.out or Path("results")
    check_test_folder(results, overwrite=overwrite)
    truth, notes = settled_split(truth, "test")
    found = find_pairs([], truth)
    fetch_chosen(settings)
    detector = Detector(bank, config=settings, adapter=trained)
    with progress_of([job for job, _ in found.pairs], quiet=quiet or as_json) as listener:
        tested = detect_and_judge(
            detector,
            found,
            truth,
            results,
            options=EvaluationOptions(samples=samples, seed=seed),
            overwrite=overwrite,
            listener=listener,
        )
    _show(tested, (*notes, *found.notes), results, as_json=as_json)


def _show(tested: Tested, notes: tuple[str, ...], results: Path, *, as_json: bool) -> None:
    from watchword.evaluation.report.card import card
    from watchword.evaluation.report.document import to_json
    from watchword.run.testing import EVALUATION

    notes = (*notes, *(f"left out: {row.error}" for row in tested.rows if row.error))
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        document = {**to_json(tested.evaluation), "notes": list(notes)}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        return
    typer.echo(card(tested.evaluation))
    typer.echo(f"Report: {results / EVALUATION / 'report.html'}")
