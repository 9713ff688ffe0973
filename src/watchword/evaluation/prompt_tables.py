"""A ranking of sentences as tables."""

from __future__ import annotations

import numpy as np

from watchword.evaluation.bootstrap import Interval
from watchword.evaluation.prompt_ranking import PromptRank, Ranking
from watchword.evaluation.result import Cell, Table

_COLUMNS = (
    "sentence",
    "label",
    "role",
    "it",
    "AUC",
    "from",
    "to",
    "AUC macro",
    "macro from",
    "macro to",
    "mean on events",
    "mean on normal",
    "fires on normal",
    "bank without it",
    "goes with",
    "correlation",
)


def ranking_tables(ranking: Ranking) -> tuple[Table, ...]:
    """The sentences, those that do most for their role first, and how much hangs on wording."""
    ordered = sorted(ranking.prompts, key=_worth, reverse=True)
    sentences = Table(
        "sentences",
        f"Sentences on {ranking.videos} videos, {ranking.event_windows} of {ranking.windows} "
        "windows with an event",
        _COLUMNS,
        tuple(_row(rank) for rank in ordered),
        note="AUC of an event sentence should be above 0.5, of a normal one below; 95 % intervals "
        "over videos. Fires: share of windows without event where it is its label's highest "
        f"sentence and the score reaches {ranking.threshold:g}. Bank without it: change of the "
        "bank's AUC.",
    )
    return sentences, _wording(ranking)


def _wording(ranking: Ranking) -> Table:
    aucs = np.array(ranking.subset_aucs)
    cells: tuple[Cell, ...] = (ranking.bank_auc, len(aucs), *[None] * 4)
    if len(aucs):
        told = (aucs.mean(), aucs.std(), aucs.min(), aucs.max())
        cells = (ranking.bank_auc, len(aucs), *(float(value) for value in told))
    return Table(
        "wording",
        "How much hangs on the wording",
        ("AUC, whole bank", "random halves", "mean", "sd", "lowest", "highest"),
        (cells,),
        note="AUC of the highest label against any event, with half of each label's event and "
        "normal sentences",
    )


def _worth(rank: PromptRank) -> float:
    """How far the sentence points the way that its role wants; unknown comes last."""
    if rank.auc is None:
        return -1.0
    return rank.auc - 0.5 if rank.prompt.role == "event" else 0.5 - rank.auc


def _row(rank: PromptRank) -> tuple[Cell, ...]:
    return (
        rank.prompt.text,
        rank.prompt.label or "(every label)",
        rank.prompt.role,
        rank.verdict,
        rank.auc,
        *_ends(rank.interval),
        rank.auc_macro,
        *_ends(rank.interval_macro),
        rank.mean_event,
        rank.mean_normal,
        rank.fires,
        rank.without,
        rank.twin,
        rank.correlation,
    )


def _ends(found: Interval) -> tuple[Cell, Cell]:
    return found.low, found.high
