"""Label Studio: events as predictions on the timeline, for people to correct."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from watchword.output.export.numbering import constant_rate, number_frames
from watchword.output.export.options import ExportOptions
from watchword.types import Detection


def write_labelstudio(detection: Detection, path: Path, options: ExportOptions) -> None:
    """One task with a prediction: a timeline region an event, frames 1-based and inclusive.

    The task's ``frameRate`` is what the Video tag of the labelling setup must say, too.

    Raises:
        OutputError: the frames are not evenly spaced and no rate is given.
    """
    numbering = number_frames(detection.info, rate=options.rate)
    rate = constant_rate(numbering, "Label Studio")
    regions = []
    for number, event in enumerate(detection.events, start=1):
        first, end = numbering.frames(event)
        region: dict[str, Any] = {
            "id": f"event-{number}",
            "type": "timelinelabels",
            "from_name": "timelineLabels",
            "to_name": "video",
            "value": {
                "ranges": [{"start": first + 1, "end": end}],
                "timelinelabels": [event.label],
            },
        }
        if not math.isnan(event.score):
            region["score"] = event.score
        regions.append(region)
    prediction: dict[str, Any] = {
        "model_version": f"watchword {detection.provenance.encoder_name}",
        "result": regions,
    }
    if detection.decision.score is not None:
        prediction["score"] = detection.decision.score
    data = {"video": detection.info.source, "frameRate": float(rate)}
    task = {"id": 1, "data": data, "predictions": [prediction]}
    path.write_text(json.dumps([task], ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
