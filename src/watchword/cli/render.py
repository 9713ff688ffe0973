"""What people read in the terminal, and the same as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from watchword.run.batch import Row
    from watchword.types import Detection, Event

# More events than this scroll the answer off the screen; the files hold all of them.
SHOWN = 40


def clock(seconds: float) -> str:
    """Seconds as people read them on a player.

    >>> clock(3725.46)
    '1:02:05.5'
    """
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"


def as_json(rows: Sequence[Row]) -> str:
    """One JSON document: a result a video, as in detection.json, or its error."""
    from watchword.output.document import to_document

    results: list[dict[str, Any]] = []
    for row in rows:
        if row.detection is None:
            results.append({"video": row.job.source, "error": row.error})
        else:
            folder = None if row.folder is None else str(row.folder)
            results.append({**to_document(row.detection), "folder": folder})
    return json.dumps({"results": results}, indent=2, ensure_ascii=False, allow_nan=False)


def show(rows: Sequence[Row]) -> None:
    """Each video's events in a table, then what a reader must know, then where the files are."""
    from rich.console import Console

    console = Console(highlight=False)
    if len(rows) > 1:
        _show_many(console, rows)
    else:
        _show_one(console, rows[0])
    finished = [row for row in rows if row.detection is not None]
    detection = finished[0].detection if finished else None
    if detection is None:
        return
    console.print()
    console.print(compared_with(detection), markup=False)
    console.print(f"Model: {detection.provenance.encoder_name}. {detection.notice}", markup=False)
    if len(rows) == 1 and finished[0].folder is not None:
        console.print(f"Report: {finished[0].folder / 'report.html'}", markup=False, soft_wrap=True)
    elif finished[0].folder is not None:
        console.print(f"Results: {finished[0].folder.parent}", markup=False, soft_wrap=True)


def events_table(title: str, events: Sequence[Event]) -> Any:
    """A rich table of events: label, times, length, peak score, and what raised them."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left")
    table.add_column("event", overflow="fold")
    evidence = any(event.raised_by for event in events)
    for heading in ("from", "to", "seconds", "peak" if evidence else "peak score", "peak at"):
        table.add_column(heading, justify="right", no_wrap=True)
    if evidence:
        table.add_column("raised by", overflow="fold")
    for event in events[:SHOWN]:
        cells = (
            escape(event.label),
            clock(event.start_s),
            clock(event.end_s),
            f"{event.duration_s:.1f}",
            f"{event.score:.2f}",
            clock(event.peak_s),
        )
        # The strongest part; the report and the files tell of all of them.
        strongest = event.raised_by[0][0] if event.raised_by else ""
        table.add_row(*cells, *([escape(strongest)] if evidence else []))
    return table


def compared_with(detection: Detection) -> str:
    """Where the threshold comes from, and what the scores compare with."""
    from watchword.evidence.prompts import GENERAL_NORMAL
    from watchword.output.meaning import MEANINGS

    enter = detection.provenance.config["events"]["enter"]
    fitted = detection.provenance.fitted
    said = f"An event begins at {detection.scores.kind} {enter:.4g}"
    if "calibration" in fitted:
        said += f". {fitted['calibration']['sentence']}"
    else:
        said += ", not calibrated on this camera."
    if "head" in fitted:
        said += f" {fitted['head']['sentence']}"
    if "adapter" in fitted:
        said += f" The adapter was {fitted['adapter']['sentence']}."
    for what in ("risk", "answers"):
        if what in fitted:
            said += f" {fitted[what]['sentence']}"
    if "normal" in fitted:
        said += f" Normal is: {fitted['normal']['sentence']}."
    if detection.scores.kind == "surprise":
        said += f" {MEANINGS['surprise']}"
    if detection.bank is None:
        return said
    normal = tuple(p.text for p in detection.bank.prompts if p.role == "normal")
    if normal == GENERAL_NORMAL:
        listed = ", ".join(normal)
        return f"{said} Compared with general scenes ({listed}); say your own with --normal."
    return said


def coverage_line(detection: Detection) -> str:
    """One sentence: pictures looked at, share of the video, what failed, how fast."""
    coverage = detection.coverage
    parts = [f"{coverage.frames} pictures"]
    if coverage.share is not None:
        parts.append(f"{coverage.share:.0%} of the video")
    if coverage.failed:
        parts.append(f"{coverage.failed} frames could not be decoded")
    if coverage.reused:
        parts.append(f"{coverage.reused_share:.0%} reused")
    seconds = detection.provenance.seconds.get("embed", 0.0)
    if detection.provenance.cached:
        parts.append("from the cache")
    elif seconds:
        parts.append(f"{coverage.frames / seconds:.0f} pictures/s")
    return (
        ", ".join(parts) + "." + "".join(f" Note: {note.rstrip('.')}." for note in coverage.notes)
    )


def _show_one(console: Console, row: Row) -> None:
    from rich.markup import escape

    if row.detection is None:
        console.print(f"[red]error[/red] {escape(str(row.error))}", soft_wrap=True)
        return
    detection = row.detection
    if detection.events:
        console.print(events_table(row.job.name, detection.events))
        if len(detection.events) > SHOWN:
            console.print(f"... and {len(detection.events) - SHOWN} more in events.csv")
    else:
        console.print(f"{row.job.name}: no event. {_nearest(detection)}", markup=False)
    console.print(coverage_line(detection), markup=False)


def _nearest(detection: Detection) -> str:
    """How near the strongest label came, so that silence can be judged."""
    import numpy as np

    values = detection.scores.values
    if np.isnan(values).all():
        return "Nothing could be measured."
    window, best = np.unravel_index(int(np.nanargmax(values)), values.shape)
    return (
        f"The highest score is {values[window, best]:.2f} for "
        f"{detection.scores.labels[int(best)]!r} at "
        f"{clock(float(detection.scores.edges_s[window]))}."
    )


def _show_many(console: Console, rows: Sequence[Row]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    table.add_column("video", overflow="fold")
    table.add_column("events", justify="right")
    table.add_column("verdict", overflow="fold")
    table.add_column("strongest", overflow="fold")
    for row in rows:
        if row.detection is None:
            table.add_row(escape(row.job.name), "", "[red]error[/red]", escape(str(row.error)))
            continue
        detection = row.detection
        strongest = max(detection.events, key=lambda event: event.score, default=None)
        table.add_row(
            escape(row.job.name),
            str(len(detection.events)),
            escape(str(detection.decision.label)) if detection.decision.positive else "nothing",
            f"{strongest.score:.2f} at {clock(strongest.peak_s)}" if strongest else "",
        )
    console.print(table)
    failed = sum(row.detection is None for row in rows)
    if failed:
        console.print(f"{failed} of {len(rows)} videos could not be read.")
