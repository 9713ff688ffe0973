"""How well probabilities tell yes from no, and the table of all of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.metrics.confusion import confusion
from watchword.evaluation.metrics.frame import average_precision, roc_auc
from watchword.output.atomic import new_file
from watchword.train.risk.examples import RiskExample

Floats = NDArray[np.float64]
COLUMNS = ("split", "video", "start_s", "end_s", "group", "lead_s", "label", "probability")
NAMES = ("loss", "average_precision", "auc", "f1", "accuracy", "brier")


def probability(odds: Floats) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(odds, np.float64) / 2)), np.float64)


def weighted_loss(labels: Floats, odds: Floats, yes_weight: float) -> float:
    """Mean cross-entropy, a yes counting as that many examples: what training makes small."""
    of_yes, of_no = np.logaddexp(0, -odds), np.logaddexp(0, odds)
    return float(np.mean(yes_weight * labels * of_yes + (1 - labels) * of_no))


def judge(labels: Floats, odds: Floats, *, yes_weight: float = 1.0) -> dict[str, float | None]:
    """Loss, average precision, AUC, F1 and accuracy at 0.5, and Brier score.

    What is not defined, as the AUC of examples that all have one label, is None.

    Args:
        labels: (n,) 1 for yes and 0 for no.
        odds: (n,) log-odds of yes.
        yes_weight: of a yes in the loss.
    """
    if not len(labels):
        return dict.fromkeys(NAMES)
    truth, chance = labels > 0.5, probability(odds)
    counted = confusion(truth, chance >= 0.5)
    return {
        "loss": weighted_loss(labels, odds, yes_weight),
        "average_precision": average_precision(truth, odds),
        "auc": roc_auc(truth, odds),
        "f1": counted.f1,
        "accuracy": counted.accuracy,
        "brier": float(np.mean((chance - labels) ** 2)),
    }


def best_epoch(history: Sequence[Mapping[str, Any]]) -> int:
    """Number of the epoch to keep, from 1: of the highest average precision in validation.

    Of equals it is that of the lowest loss there; without validation it is the last.
    """
    judged = [one["val"] for one in history]
    if any(one["loss"] is None for one in judged):
        return len(history)
    precisions = [one["average_precision"] or 0.0 for one in judged]
    losses = [one["loss"] for one in judged]
    return 1 + int(np.lexsort((losses, np.negative(precisions)))[0])


def write_probabilities(
    path: Path, parts: Iterable[tuple[str, Sequence[RiskExample], Floats]]
) -> None:
    """A CSV with a line an example; each part is a split, its examples and their log-odds."""
    with new_file(path, overwrite=True) as to, to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for split, examples, odds in parts:
            for one, chance in zip(examples, probability(odds), strict=True):
                times = ("" if s is None else s for s in (one.start_s, one.end_s))
                lead = "" if one.lead_s is None else one.lead_s
                told = "" if np.isnan(chance) else f"{chance:.9g}"
                writer.writerow((split, one.video, *times, one.group, lead, one.label, told))
