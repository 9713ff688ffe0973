"""FiftyOne: events as temporal detections, the labels.json of its temporal detection dataset."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from watchword.output.export.numbering import number_frames
from watchword.output.export.options import ExportOptions
from watchword.output.tables import parts_cell
from watchword.types import Detection


def write_fiftyone(detection: Detection, path: Path, options: ExportOptions) -> None:
    """Supports in frames, 1-based and inclusive, with timestamps and confidences.

    The video goes by the name of its file without ending, as FiftyOne looks it up.

    Raises:
        OutputError: the frames cannot be counted.
    """
    numbering = number_frames(detection.info, rate=options.rate)
    named = (*detection.scores.labels, *(event.label for event in detection.events))
    classes = list(dict.fromkeys(named))
    found = []
    for event in detection.events:
        first, end = numbering.frames(event)
        entry: dict[str, Any] = {
            "label": classes.index(event.label),
            "support": [first + 1, end],
            "timestamps": [event.start_s, event.end_s],
            "attributes": {"model": detection.provenance.encoder_name},
        }
        if event.raised_by:
            entry["attributes"]["raised_by"] = parts_cell(event)
        if not math.isnan(event.score):
            entry["confidence"] = event.score
        found.append(entry)
    labels = {"classes": classes, "labels": {Path(detection.info.source).stem: found}}
    path.write_text(json.dumps(labels, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
