"""A prediction of anybody's in our own layout: a folder that holds all of it and gives it back.

``imported.json`` tells the video, the verdict, the events and how it was made; ``scores.parquet``,
``raw.parquet``, ``segments.parquet`` and ``parts.parquet`` hold the series, where there are any. A
run folder of ``detect`` has ``detection.json`` instead, which needs the video itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.predictions.series import load_json
from watchword.output.series import read_parquet, write_parquet
from watchword.types import Event, Prompt, PromptBank, Scores

MARK = "imported.json"
SCORES, RAW, SEGMENTS = "scores.parquet", "raw.parquet", "segments.parquet"
PARTS = "parts.parquet"
FILES = (MARK, SCORES, RAW, SEGMENTS, PARTS)
VERSION = 1
PLAIN = ("video", "verdict", "positive", "maps", "path", "rate", "video_fingerprint")


def write_saved(prediction: Prediction, folder: Path) -> None:
    """The prediction's files in a folder that is there."""
    events = prediction.events
    document = {
        "watchword_import": VERSION,
        "imported_from": prediction.where,
        **{name: getattr(prediction, name) for name in PLAIN},
        "events": None if events is None else [_plain(event) for event in events],
        "made": asdict(prediction.made),
    }
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")
    series_by_name = {
        SCORES: prediction.scores,
        RAW: prediction.raw,
        SEGMENTS: prediction.segments,
        PARTS: prediction.parts,
    }
    for name, series in series_by_name.items():
        if series is not None:
            write_parquet(series, folder / name)


def read_saved(folder: Path) -> Prediction:
    """The prediction that ``write_saved`` left, as it was but for ``where``, which is the folder.

    Raises:
        DatasetError: a file is missing, damaged, or of another version.
    """
    found = load_json(folder / MARK)
    if not isinstance(found, dict) or found.get("watchword_import") != VERSION:
        raise DatasetError(str(folder / MARK), f"is no import of version {VERSION}")
    try:
        events = found["events"]
        return Prediction(
            **{name: found[name] for name in PLAIN},
            where=str(folder),
            scores=_series(folder / SCORES),
            raw=_series(folder / RAW),
            segments=_series(folder / SEGMENTS),
            parts=_series(folder / PARTS),
            events=None if events is None else tuple(_event(event) for event in events),
            made=_made(found["made"]),
        )
    except (KeyError, TypeError, ValueError, OSError) as exc:
        raise DatasetError(str(folder), f"is no import that can be read: {exc!r}") from exc


def _series(path: Path) -> Scores | None:
    return read_parquet(path) if path.is_file() else None


def _plain(event: Event) -> dict[str, Any]:
    # JSON knows no NaN.
    unknown = {name: None for name in ("score", "peak_s") if math.isnan(getattr(event, name))}
    return {**asdict(event), **unknown}


def _event(found: Mapping[str, Any]) -> Event:
    score, peak_s = (
        math.nan if found[name] is None else found[name] for name in ("score", "peak_s")
    )
    return Event(found["label"], found["start_s"], found["end_s"], score, peak_s)


def _made(found: Mapping[str, Any]) -> Made:
    given = {field.name: found[field.name] for field in fields(Made)}
    bank = given["bank"]
    return Made(
        **{
            **given,
            "sentences": tuple(given["sentences"]),
            "bank": None
            if bank is None
            else PromptBank(
                prompts=tuple(Prompt(**prompt) for prompt in bank["prompts"]),
                templates=tuple(bank["templates"]),
                name=bank["name"],
            ),
        }
    )
