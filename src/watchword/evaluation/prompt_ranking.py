"""What each sentence of a bank is worth on annotated videos, and how much hangs on the wording.

From saved cosines, so nothing is encoded again. A sentence by itself is judged by how well its
cosine puts windows with an event above those without: an event sentence should be high there, a
normal one low. The bank as a whole is judged by the highest label's score against any event, with
each sentence left out in turn, and with random halves of its sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.bootstrap import (
    Interval,
    Weights,
    bootstrap_weights,
    interval,
    resampled_mean,
)
from watchword.evaluation.metrics.frame import roc_auc
from watchword.evaluation.prompt_windows import PromptWindows, gather
from watchword.events.thresholds import threshold_or_balance
from watchword.evidence.words import ScoreOptions, score_cosines
from watchword.types import Annotation, Prompt, PromptBank, Role, Scores

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Sorting releases the interpreter; more at once would need more memory than it saves time.
THREADS = 4

# Windows that random halves of a bank are scored on: neighbours differ little, and halves much.
ENOUGH = 25_000

# Of the scores, for the bootstrap only.
RANKS = 1024


@dataclass(frozen=True, slots=True)
class RankOptions:
    """How sentences are judged.

    Attributes:
        score: how the bank's cosines become scores.
        alpha: the encoder's own scale, used where ``score`` gives none.
        tau: likewise.
        temperature: likewise.
        threshold: score from which a window counts as found; None is the kind's balance.
        subsets: random halves of the bank to score.
        samples: of the bootstrap over videos.
        seed: of both.
    """

    score: ScoreOptions = field(default_factory=ScoreOptions)
    alpha: float = 1.0
    tau: float = 0.03
    temperature: float = 0.01
    threshold: float | None = None
    subsets: int = 200
    samples: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("subsets", "samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 1 or more")


@dataclass(frozen=True, slots=True)
class PromptRank:
    """What one sentence is worth; None where a number is not defined.

    Attributes:
        prompt: the sentence, its label and role.
        auc: over all windows; of an event sentence above 0.5, of a normal one below, as it should.
        interval: of ``auc``, over videos.
        auc_macro: mean over the videos that hold both kinds.
        interval_macro: of ``auc_macro``.
        mean_event: mean cosine on windows with an event.
        mean_normal: mean cosine on windows without one.
        fires: of the windows without any event, the share where it is the highest event sentence of
            its label and the label's score reaches the threshold; None for normal sentences.
        without: change of the bank's AUC when it is left out; None if the bank cannot do without.
        twin: the sentence whose cosines go most nearly with its own.
        correlation: of the two.
    """

    prompt: Prompt
    auc: float | None
    interval: Interval
    auc_macro: float | None
    interval_macro: Interval
    mean_event: float | None
    mean_normal: float | None
    fires: float | None
    without: float | None
    twin: str | None
    correlation: float | None

    @property
    def verdict(self) -> str:
        """Whether it does what it is for: "helps", "misleads", or "cannot be told"."""
        low, high = self.interval.low, self.interval.high
        if low is None or high is None or low <= 0.5 <= high:
            return "cannot be told"
        return "helps" if (low > 0.5) == (self.prompt.role == "event") else "misleads"


@dataclass(frozen=True, slots=True)
class Ranking:
    """A bank on annotated videos.

    Attributes:
        prompts: a rank for every sentence, in the bank's order.
        bank_auc: of the whole bank; None if the windows are of one class only.
        subset_aucs: of its random halves, in the order drawn.
        threshold: score from which a window counts as found.
        windows: how many were looked at.
        event_windows: how many of them hold an event.
        videos: how many videos they come from.
        notes: what a reader must know: what was left out, what was compared with what.
    """

    prompts: tuple[PromptRank, ...]
    bank_auc: float | None
    subset_aucs: tuple[float, ...]
    threshold: float
    windows: int
    event_windows: int
    videos: int
    notes: tuple[str, ...] = ()


def rank_prompts(
    cosines_by_video: Mapping[str, Scores],
    annotations_by_video: Mapping[str, Annotation],
    bank: PromptBank,
    *,
    options: RankOptions | None = None,
) -> Ranking:
    """What each sentence of the bank is worth on videos that are in both.

    A label that the annotations know is judged on its own events, any other on all events.

    Args:
        cosines_by_video: (T,P) cosines whose labels are sentences, by the video's name.
        annotations_by_video: the truth under the same names.
        bank: which sentences speak for what.
        options: how.

    Raises:
        DatasetError: no video is in both, or none of them says when its events are.
        PromptError: the cosines lack a sentence of the bank.
        KindMismatch: no cosines, or a kind of score without a threshold of its own and none given.
    """
    options = options or RankOptions()
    threshold = threshold_or_balance(options.threshold, options.score.kind, "threshold")
    data = gather(cosines_by_video, annotations_by_video, bank)
    full = _bank_scores(data.cosines, bank, options)
    bank_auc = roc_auc(data.any_event, full.max(axis=1))
    twins = _twins(data.cosines.values)
    fires = _firing(data, bank, full >= threshold)
    # The same resamples of videos for every sentence.
    weights = bootstrap_weights(data.videos, options.samples, options.seed)
    shortened = [_without(bank, prompt, options.score) for prompt in bank.prompts]
    aucs = _aucs_of(data, shortened, options)
    thin = data.thinned(ENOUGH)
    halves = _aucs_of(thin, _halves(bank, options), options)
    ranks = []
    for prompt, without in zip(bank.prompts, aucs, strict=True):
        column = bank.texts.index(prompt.text)
        series, truth = data.cosines.values[:, column], data.truth[prompt.label]
        twin, correlation = twins[column]
        ranks.append(
            PromptRank(
                prompt,
                roc_auc(truth, series),
                interval(_resampled(data, truth, series, weights)),
                *_macro(data, truth, series, weights),
                mean_event=_mean(series[truth]),
                mean_normal=_mean(series[~data.any_event]),
                fires=fires.get((prompt.label, prompt.text)) if prompt.role == "event" else None,
                without=None if without is None or bank_auc is None else without - bank_auc,
                twin=None if twin is None else bank.texts[twin],
                correlation=correlation,
            )
        )
    return Ranking(
        prompts=tuple(ranks),
        bank_auc=bank_auc,
        subset_aucs=tuple(auc for auc in halves if auc is not None),
        threshold=threshold,
        windows=len(data.any_event),
        event_windows=int(data.any_event.sum()),
        videos=data.videos,
        notes=thin.notes,
    )


def _bank_scores(cosines: Scores, bank: PromptBank, options: RankOptions) -> Floats:
    """(N,K) scores of the bank."""
    return score_cosines(
        cosines,
        bank,
        options=options.score,
        alpha=options.alpha,
        tau=options.tau,
        temperature=options.temperature,
    ).values


def _aucs_of(
    data: PromptWindows, banks: Sequence[PromptBank | None], options: RankOptions
) -> list[float | None]:
    """AUC of each bank's highest label against any event; None for None."""

    def auc(bank: PromptBank | None) -> float | None:
        if bank is None:
            return None
        return roc_auc(data.any_event, _bank_scores(data.cosines, bank, options).max(axis=1))

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(auc, banks))


def _resampled(
    data: PromptWindows, truth: Bools, series: Floats, weights: Weights
) -> NDArray[np.float64]:
    """(B,) AUC of resamples of videos, from scores rounded to `RANKS` ranks.

    Two windows in one rank count as a tie, which moves an AUC by less than 1 / RANKS and the
    resamples of 40 sentences from seconds to milliseconds: each is a product of matrices.
    """
    ordered = np.sort(series)
    bounds = np.unique(ordered[np.linspace(0, len(ordered) - 1, RANKS).astype(np.intp)])
    rank = np.searchsorted(bounds, series, side="right")
    video = np.repeat(np.arange(data.videos), np.diff(data.cuts))
    shape = (data.videos, len(bounds) + 1)
    counts = [
        np.bincount(video[kind] * shape[1] + rank[kind], minlength=shape[0] * shape[1])
        for kind in (truth, ~truth)
    ]
    held, free = (weights.astype(np.float64) @ count.reshape(shape) for count in counts)
    below = np.cumsum(free, axis=1) - free / 2
    pairs = held.sum(axis=1) * free.sum(axis=1)
    nothing = np.full(len(pairs), np.nan)
    np.divide((held * below).sum(axis=1), pairs, out=nothing, where=pairs > 0)
    return nothing


def _macro(
    data: PromptWindows, truth: Bools, series: Floats, weights: Weights
) -> tuple[float | None, Interval]:
    pairs = zip(data.split(truth), data.split(series), strict=True)
    by_video = [roc_auc(held, values) for held, values in pairs]
    told = [auc for auc in by_video if auc is not None]
    mean = float(np.mean(told)) if told else None
    return mean, interval(resampled_mean(by_video, weights))


def _firing(
    data: PromptWindows, bank: PromptBank, found: Bools
) -> dict[tuple[str, str], float | None]:
    """By label and sentence, the share of windows without event that it makes its label fire in."""
    normal = ~data.any_event
    shares: dict[tuple[str, str], float | None] = {}
    for number, label in enumerate(bank.labels):
        texts = [prompt.text for prompt in bank.of(label, "event")]
        columns = [bank.texts.index(text) for text in texts]
        highest = data.cosines.values[:, columns].argmax(axis=1)
        counted = np.bincount(highest[normal & found[:, number]], minlength=len(texts))
        for text, count in zip(texts, counted, strict=True):
            shares[label, text] = float(count / normal.sum()) if normal.any() else None
    return shares


def _without(bank: PromptBank, prompt: Prompt, score: ScoreOptions) -> PromptBank | None:
    """The bank without a sentence; None if a label could not be scored without it."""
    alone = len(bank.of(prompt.label, "event")) == 1
    if prompt.role == "event" and alone:
        return None
    shorter = replace(bank, prompts=tuple(other for other in bank.prompts if other != prompt))
    compares = score.kind in ("contrast", "margin") or len(bank.labels) == 1
    silent = any(not shorter.of(label, "normal") for label in bank.labels)
    return None if score.kind != "cosine" and compares and silent else shorter


def _halves(bank: PromptBank, options: RankOptions) -> list[PromptBank]:
    """Random halves, rounded up, of each label's event and normal sentences."""
    draw = np.random.default_rng(options.seed)
    pools: dict[tuple[str, Role], list[Prompt]] = {}
    for prompt in bank.prompts:
        pools.setdefault((prompt.label, prompt.role), []).append(prompt)
    halves = []
    for _ in range(options.subsets):
        kept = [
            pool[i]
            for pool in pools.values()
            for i in np.sort(draw.permutation(len(pool))[: (len(pool) + 1) // 2])
        ]
        halves.append(replace(bank, prompts=tuple(kept)))
    return halves


def _twins(values: Floats) -> list[tuple[int | None, float | None]]:
    """Of each column, the other one that correlates most with it, and how much."""
    moved = values - values.mean(axis=0, dtype=np.float64)
    sizes = np.linalg.norm(moved, axis=0)
    sizes[sizes < 1e-9] = np.nan  # a sentence that never changes goes with none
    together = (moved / sizes).T @ (moved / sizes)
    np.fill_diagonal(together, np.nan)
    found: list[tuple[int | None, float | None]] = []
    for row in together:
        best = None if np.isnan(row).all() else int(np.nanargmax(row))
        found.append((best, None if best is None else float(row[best])))
    return found


def _mean(values: Floats) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) else None
