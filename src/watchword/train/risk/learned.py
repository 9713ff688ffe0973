"""What a model of risk was taught with, so that an evaluation can refuse to test on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from watchword.train.risk.examples import RiskDataset, RiskExample
from watchword.video.fingerprint import fingerprint
from watchword.video.reader import open_video


def learned_of(dataset: RiskDataset) -> dict[str, Any]:
    """Names and fingerprints of the videos of training and validation, and a sentence.

    Both the stretches and the videos that they were cut from count, and validation does too, since
    it chose the model.
    """
    seen: dict[str, str | None] = {}
    for one in (*dataset.train, *dataset.val):
        if _name(one.video) not in seen:
            seen[_name(one.video)] = fingerprint(one.video)
        if one.cut_from is not None:
            seen.setdefault(_name(Path(one.cut_from)), one.cut_fingerprint)
    count = dataset.counts["train"]
    return {
        "videos": list(seen),
        "fingerprints": [one for one in seen.values() if one is not None],
        "split": "train",
        "sentence": f"The model that answers was trained on {len(dataset.train)} stretches of "
        f"{count['groups']} groups: "
        f"{count['yes']} with the answer yes, {count['no']} with no.",
    }


def length_s(dataset: RiskDataset) -> float | None:
    """Median length of the stretches of training; None where no video says how long it is."""
    known = [length for one in dataset.train if (length := _length_s(one)) is not None]
    return float(np.median(known)) if known else None


def _name(video: Path) -> str:
    """Folder and file: enough to know it by, and nothing of the machine it lay on."""
    return "/".join(video.parts[-2:])


def _length_s(one: RiskExample) -> float | None:
    if one.end_s is not None:
        return one.end_s - (one.start_s or 0.0)
    with open_video(one.video) as stream:
        whole_s = stream.info.duration_s
    return None if whole_s is None else whole_s - (one.start_s or 0.0)
