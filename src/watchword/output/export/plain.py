"""The document and the table of events that a run folder holds, each by itself."""

from __future__ import annotations

from pathlib import Path

from watchword.output.document import write_document
from watchword.output.export.options import ExportOptions
from watchword.output.tables import write_events
from watchword.types import Detection


def write_json(detection: Detection, path: Path, options: ExportOptions) -> None:
    """The detection document, as ``detection.json`` of a run."""
    del options
    write_document(detection, path)


def write_csv(detection: Detection, path: Path, options: ExportOptions) -> None:
    """The table of events, as ``events.csv`` of a run."""
    del options
    write_events(detection, path)
