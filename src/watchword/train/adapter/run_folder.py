"""The folder of a training: whose it is, and what is written beside the model."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from watchword.errors import CalibrationError, OutputError
from watchword.evidence.adapter import FILE
from watchword.output.atomic import holds_something, new_file
from watchword.train.adapter.checkpoint import Checkpoint, load_checkpoint
from watchword.train.adapter.metrics import Division
from watchword.train.adapter.options import AdapterOptions, Origin
from watchword.train.adapter.windows import TrainingVideo
from watchword.train.checkpoint import FOLDERS, has_checkpoint

CONFIG, METRICS, CURVES, REPORT = "config.json", "metrics.jsonl", "curves.png", "report.md"
FORMAT = "watchword adapter run 1"

# What may differ where a training is taken up again: how long it goes on, and on what it runs.
_FREE = ("epochs", "threads")


def describe(
    videos: Sequence[TrainingVideo], options: AdapterOptions, origin: Origin, division: Division
) -> dict[str, Any]:
    """What ``config.json`` says; its ``key`` is of all that the weights depend on."""
    told = asdict(options)
    digest = hashlib.sha256(origin.encoder.encode())
    if origin.prompts is not None:
        digest.update(np.ascontiguousarray(origin.prompts, np.float32).tobytes())
    for one in videos:
        digest.update(json.dumps([one.name, one.group, one.video_label]).encode())
        digest.update(one.rows.tobytes())
        digest.update(b"" if one.frame_labels is None else one.frame_labels.tobytes())
    data = digest.hexdigest()[:16]
    fixed = {name: value for name, value in told.items() if name not in _FREE}
    key = hashlib.sha256(json.dumps([fixed, data], sort_keys=True).encode()).hexdigest()[:16]
    return {
        "format": FORMAT,
        "key": key,
        "data": data,
        "options": told,
        "encoder": {"name": origin.encoder_name, "fingerprint": origin.encoder},
        "train": [videos[number].name for number in division.train],
        "validation": [videos[number].name for number in division.validation],
    }


def claim(
    folder: Path, told: Mapping[str, Any], *, resume: bool, overwrite: bool
) -> Checkpoint | None:
    """Makes the folder ready and writes ``config.json``; what to go on from, if anything.

    Raises:
        OutputError: what lies there is not of a training, or may not be replaced.
        CalibrationError: the training that lies there is another, or damaged.
    """
    kept = None
    if holds_something(folder):
        found = _config(folder)
        if resume:
            kept = _taken_up(folder, found, told)
        elif not overwrite:
            raise OutputError(
                f"{folder} holds a training already; go on with it (--resume), replace it "
                "(--overwrite), or choose another folder"
            )
    if kept is None:
        for name in (METRICS, CURVES, REPORT, FILE):
            (folder / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)
    with new_file(folder / CONFIG, overwrite=True) as to:
        to.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept


def write_history(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """A line of JSON an epoch."""
    with new_file(folder / METRICS, overwrite=True) as to:
        to.write_text("".join(json.dumps(one) + "\n" for one in history), encoding="utf-8")


def write_curves(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Losses and validation over the epochs, as a picture."""
    # Here, because matplotlib takes longer to load than many an epoch to run.
    from watchword.output.charts import Line, chart_lines

    epochs = [one["epoch"] for one in history]
    names = {"loss": "training loss", "validation_loss": "validation loss", "auc": "validation AUC"}
    lines = [
        Line(name, epochs, [np.nan if one[key] is None else one[key] for one in history])
        for key, name in names.items()
        if any(one[key] is not None for one in history)
    ]
    best = history[best_epoch(history) - 1]
    marks = (
        [] if best["auc"] is None else [(best["epoch"], best["auc"], f"kept: {best['auc']:.3f}")]
    )
    picture = chart_lines(lines, title="training of an adapter", x_title="epoch", marks=marks)
    with new_file(folder / CURVES, overwrite=True) as to:
        to.write_bytes(picture)


def best_epoch(history: Sequence[Mapping[str, Any]]) -> int:
    """Number of the epoch to keep, from 1: of the highest AUC, and of equals of the lowest loss.

    Few videos held out reach the same AUC often, and at first by chance. Where validation has no
    AUC the loss there decides alone; without validation the last epoch is kept.
    """
    if any(one["validation_loss"] is None for one in history):
        return len(history)
    aucs = [one["auc"] or 0.0 for one in history]
    losses = [one["validation_loss"] for one in history]
    return 1 + int(np.lexsort((losses, np.negative(aucs)))[0])


def _config(folder: Path) -> Mapping[str, Any]:
    """What an earlier training wrote; OutputError if the folder is not of one."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise OutputError(
            f"{folder} was not made by a training (it has no {CONFIG} of one), so nothing in it is "
            "touched; choose another folder"
        )
    return found


def _taken_up(folder: Path, found: Mapping[str, Any], told: Mapping[str, Any]) -> Checkpoint | None:
    if found.get("key") != told["key"]:
        raise CalibrationError(
            f"{folder} holds another training: {_difference(found, told)}; give it the same, "
            "train anew with --overwrite, or choose another folder"
        )
    if not has_checkpoint(folder):
        return None
    kept = load_checkpoint(folder)
    if kept.key != told["key"]:
        raise CalibrationError(
            f"the checkpoint in {folder} is of another training than its {CONFIG}; train anew with "
            "--overwrite"
        )
    return kept


def _difference(found: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    if found.get("encoder") != told["encoder"]:
        one, other = (made.get("encoder", {}) for made in (found, told))
        return (
            f"of the encoder {one.get('name')} ({one.get('fingerprint')}), not of "
            f"{other.get('name')} ({other.get('fingerprint')})"
        )
    options = found.get("options", {})
    changed = [
        f"{name} was {options.get(name)!r} and is {value!r}"
        for name, value in told["options"].items()
        if name not in _FREE and options.get(name) != value
    ]
    return (
        ", ".join(changed) or "its videos, their embeddings or labels, or its prompts were others"
    )
