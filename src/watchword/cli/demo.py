"""``watchword demo``: the main job on the clip that ships with Watchword, against its truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watchword.types import Event, Span

FOLDER = Path(__file__).resolve().parent.parent / "demo"
CLIP = FOLDER / "demo.mp4"


def demo(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results.")] = None,
) -> None:
    """Find the events of a short clip that ships with Watchword, and compare with its truth."""
    from watchword.cli import detect, render
    from watchword.cli.options import build_config
    from watchword.evaluation.datasets.own import read_annotation
    from watchword.evidence.prompts import load_bank
    from watchword.run.batch import BatchOptions, default_folder
    from watchword.run.manifest import Job

    truth = read_annotation(FOLDER / "truth.json")
    rows = detect.run(
        detect.Watcher(load_bank(FOLDER / "prompts.yaml")),
        build_config(file=None, overrides=None, words={"encoder.name": "mini"}),
        [Job(str(CLIP))],
        BatchOptions(folder=out or default_folder(), annotation=truth),
        quiet=False,
    )
    detection = rows[0].detection
    if detection is not None:
        _compare(truth.spans, detection.events)
    render.show(rows)


def _compare(truth: Sequence[Span], events: Sequence[Event]) -> None:
    """Prints each true event beside the found one of its label that overlaps it best."""
    from rich.console import Console
    from rich.table import Table

    from watchword.cli.render import clock

    table = Table(title="Found against the truth", title_justify="left")
    table.add_column("event")
    for heading in ("truth", "found", "overlap (IoU)"):
        table.add_column(heading, justify="right")
    matched: set[int] = set()
    for span in truth:
        same = [event for event in events if event.label == span.label]
        best = max(same, key=span.iou, default=None)
        where = f"{clock(span.start_s)} - {clock(span.end_s)}"
        if best is None or not span.iou(best):
            table.add_row(span.label, where, "missed", "0.00")
            continue
        matched.add(id(best))
        found = f"{clock(best.start_s)} - {clock(best.end_s)}"
        table.add_row(span.label, where, found, f"{span.iou(best):.2f}")
    for event in events:
        if id(event) not in matched:
            found = f"{clock(event.start_s)} - {clock(event.end_s)}"
            table.add_row(event.label, "false alarm", found, "0.00")
    Console(highlight=False).print(table)
